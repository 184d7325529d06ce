"""The exceptions, one class for each row of the error table.

Written by `cargo xtask docs` from `crates/justcall-auth-protocol/src/error/table.rs`; changes belong there.
"""

from ._error_base import JustCallError, WebhookError
from ._typing import Final


class InvalidArgumentError(JustCallError, ValueError):
    """An argument is invalid.

    Correct the argument that the message names.
    """

    __module__ = "justcall_auth"
    name = "invalid_argument"
    code = 1
    retryable = False
    _message = "An argument is invalid."
    _hint = "Correct the argument that the message names."


class OutOfMemoryError(JustCallError, MemoryError):
    """There is not enough memory for the arguments or the response.

    Pass less data at once, or raise the memory limit of this process (ulimit -v, memory.max of its cgroup).
    The process and its other calls continue.
    """

    __module__ = "justcall_auth"
    name = "out_of_memory"
    code = 3
    retryable = False
    _message = "There is not enough memory for the arguments or the response."
    _hint = (
        "Pass less data at once, or raise the memory limit of this process (ulimit -v, memory.max of its "
        "cgroup). The process and its other calls continue."
    )


class CredentialsMissingError(JustCallError):
    """No API key and secret were found.

    Set JUSTCALL_API_KEY and JUSTCALL_API_SECRET, or configure another source. If the account has no pair
    yet, ask an Admin to generate a pair in JustCall under Settings → API & Webhooks.
    """

    __module__ = "justcall_auth"
    name = "credentials_missing"
    code = 10
    retryable = False
    _message = "No API key and secret were found."
    _hint = (
        "Set JUSTCALL_API_KEY and JUSTCALL_API_SECRET, or configure another source. If the account has no "
        "pair yet, ask an Admin to generate a pair in JustCall under Settings → API & Webhooks."
    )


class CredentialsMalformedError(JustCallError):
    """The API key or secret is malformed.

    Copy the key and the secret again from JustCall under Settings → API & Webhooks, without spaces or
    quotes. Nothing was sent.
    """

    __module__ = "justcall_auth"
    name = "credentials_malformed"
    code = 11
    retryable = False
    _message = "The API key or secret is malformed."
    _hint = (
        "Copy the key and the secret again from JustCall under Settings → API & Webhooks, without spaces or "
        "quotes. Nothing was sent."
    )


class SourceUnavailableError(JustCallError):
    """The source of the credentials could not be read.

    Check that the source exists and that this process may read it.
    """

    __module__ = "justcall_auth"
    name = "source_unavailable"
    code = 12
    retryable = True
    _message = "The source of the credentials could not be read."
    _hint = "Check that the source exists and that this process may read it."


class MemoryProtectionError(JustCallError):
    """The system refused the requested memory protection.

    Raise the limit on locked memory (ulimit -l, LimitMEMLOCK= in a systemd unit), or request a lower level.
    """

    __module__ = "justcall_auth"
    name = "memory_protection"
    code = 13
    retryable = False
    _message = "The system refused the requested memory protection."
    _hint = (
        "Raise the limit on locked memory (ulimit -l, LimitMEMLOCK= in a systemd unit), or request a lower "
        "level."
    )


class WrongAccountError(JustCallError):
    """The pair works, but it belongs to an unexpected account.

    Use the pair of the expected account, or correct the number of the expected account.
    """

    __module__ = "justcall_auth"
    name = "wrong_account"
    code = 14
    retryable = False
    _message = "The pair works, but it belongs to an unexpected account."
    _hint = "Use the pair of the expected account, or correct the number of the expected account."


class RequestTimeoutError(JustCallError, TimeoutError):
    """The call did not finish within its timeout.

    Check the network to the service, or allow a longer timeout.
    """

    __module__ = "justcall_auth"
    name = "timeout"
    code = 20
    retryable = True
    _message = "The call did not finish within its timeout."
    _hint = "Check the network to the service, or allow a longer timeout."


class ConnectionFailedError(JustCallError, ConnectionError):
    """The connection to the service failed.

    Check DNS, the firewall and the proxy between this machine and the service, then retry.
    """

    __module__ = "justcall_auth"
    name = "connection_failed"
    code = 21
    retryable = True
    _message = "The connection to the service failed."
    _hint = "Check DNS, the firewall and the proxy between this machine and the service, then retry."


class TlsFailedError(JustCallError):
    """The TLS connection to the service could not be established.

    Behind a corporate proxy, set ca_file or SSL_CERT_FILE to its CA certificate. Also check the clock and
    the CA certificates of this machine.
    """

    __module__ = "justcall_auth"
    name = "tls_failed"
    code = 22
    retryable = False
    _message = "The TLS connection to the service could not be established."
    _hint = (
        "Behind a corporate proxy, set ca_file or SSL_CERT_FILE to its CA certificate. Also check the clock "
        "and the CA certificates of this machine."
    )


class RedirectRefusedError(JustCallError):
    """The service answered with a redirect, and redirects are never followed.

    Check the base URL. The base URL of JustCall is https://api.justcall.io.
    """

    __module__ = "justcall_auth"
    name = "redirect_refused"
    code = 23
    retryable = False
    _message = "The service answered with a redirect, and redirects are never followed."
    _hint = "Check the base URL. The base URL of JustCall is https://api.justcall.io."


class InvalidResponseError(JustCallError):
    """The response does not come from the JustCall API.

    Check the base URL. Also check whether a proxy or captive portal answers instead of the service.
    """

    __module__ = "justcall_auth"
    name = "invalid_response"
    code = 24
    retryable = False
    _message = "The response does not come from the JustCall API."
    _hint = "Check the base URL. Also check whether a proxy or captive portal answers instead of the service."


class CallCancelledError(JustCallError):
    """The call was cancelled.

    Call again if you still need the result. The API key and secret are not the cause.
    """

    __module__ = "justcall_auth"
    name = "cancelled"
    code = 25
    retryable = False
    _message = "The call was cancelled."
    _hint = "Call again if you still need the result. The API key and secret are not the cause."


class WebhookUnsignedError(WebhookError):
    """The delivery has no signature.

    Answer with 200 and do nothing else. JustCall sends an unsigned probe when a webhook URL is saved. Never
    act on an unsigned delivery.
    """

    __module__ = "justcall_auth"
    name = "webhook_unsigned"
    code = 30
    retryable = False
    _message = "The delivery has no signature."
    _hint = (
        "Answer with 200 and do nothing else. JustCall sends an unsigned probe when a webhook URL is saved. "
        "Never act on an unsigned delivery."
    )


class WebhookMalformedError(WebhookError):
    """The headers or the body of the delivery cannot be parsed.

    Pass the three signature headers and the raw bytes of the body, unchanged by frameworks and proxies.
    """

    __module__ = "justcall_auth"
    name = "webhook_malformed"
    code = 31
    retryable = False
    _message = "The headers or the body of the delivery cannot be parsed."
    _hint = (
        "Pass the three signature headers and the raw bytes of the body, unchanged by frameworks and proxies."
    )


class WebhookMismatchError(WebhookError):
    """The signature does not match any of the secrets.

    Use the API secret of the account that sends the webhook. JustCall signs webhooks with the API secret and
    has no separate webhook secret. After a reset, accept both the old and the new secret for some minutes.
    """

    __module__ = "justcall_auth"
    name = "webhook_mismatch"
    code = 32
    retryable = False
    _message = "The signature does not match any of the secrets."
    _hint = (
        "Use the API secret of the account that sends the webhook. JustCall signs webhooks with the API "
        "secret and has no separate webhook secret. After a reset, accept both the old and the new secret "
        "for some minutes."
    )


class WebhookStaleError(WebhookError):
    """The signature matches, but its timestamp is outside the tolerance.

    Check the clock of this machine. If the clock is right, the delivery is late or replayed. Raise the
    tolerance only if you must accept late deliveries.
    """

    __module__ = "justcall_auth"
    name = "webhook_stale"
    code = 33
    retryable = False
    _message = "The signature matches, but its timestamp is outside the tolerance."
    _hint = (
        "Check the clock of this machine. If the clock is right, the delivery is late or replayed. Raise the "
        "tolerance only if you must accept late deliveries."
    )


class WebhookWrongUrlError(WebhookError):
    """The delivery was signed for an unexpected URL.

    Pass the URL exactly as it is registered in JustCall, with its scheme, path and query. If the URL is
    right, the delivery was meant for another endpoint.
    """

    __module__ = "justcall_auth"
    name = "webhook_wrong_url"
    code = 34
    retryable = False
    _message = "The delivery was signed for an unexpected URL."
    _hint = (
        "Pass the URL exactly as it is registered in JustCall, with its scheme, path and query. If the URL "
        "is right, the delivery was meant for another endpoint."
    )


class WebhookVersionError(WebhookError):
    """The version of the signature is missing or unknown.

    Check that proxies forward the x-justcall-signature-version header. If JustCall introduced a new version,
    update this library.
    """

    __module__ = "justcall_auth"
    name = "webhook_version"
    code = 35
    retryable = False
    _message = "The version of the signature is missing or unknown."
    _hint = (
        "Check that proxies forward the x-justcall-signature-version header. If JustCall introduced a new "
        "version, update this library."
    )


class WebhookReplayedError(WebhookError):
    """The replay check has already seen this delivery.

    Answer with 200 and do not act on the delivery again.
    """

    __module__ = "justcall_auth"
    name = "webhook_replayed"
    code = 36
    retryable = False
    _message = "The replay check has already seen this delivery."
    _hint = "Answer with 200 and do not act on the delivery again."


class InternalError(JustCallError):
    """An internal error of justcall-auth occurred.

    Report this error and its message, which contains no secret. Free the handle and create a new handle.
    """

    __module__ = "justcall_auth"
    name = "internal"
    code = 90
    retryable = False
    _message = "An internal error of justcall-auth occurred."
    _hint = (
        "Report this error and its message, which contains no secret. Free the handle and create a new "
        "handle."
    )


class BadRequestError(JustCallError):
    """The service refused the request.

    Correct the request. The service's message and the response body name the problem.
    """

    __module__ = "justcall_auth"
    name = "bad_request"
    code = 400
    retryable = False
    _message = "The service refused the request."
    _hint = "Correct the request. The service's message and the response body name the problem."


class InvalidCredentialsError(JustCallError):
    """The service rejected the API key and secret.

    Check that both the key and the secret are sent, separated by a colon and without trailing spaces.
    Compare the key with JustCall under Settings → API & Webhooks. If the pair was revoked or reset, generate
    a new pair.
    """

    __module__ = "justcall_auth"
    name = "invalid_credentials"
    code = 401
    retryable = False
    _message = "The service rejected the API key and secret."
    _hint = (
        "Check that both the key and the secret are sent, separated by a colon and without trailing spaces. "
        "Compare the key with JustCall under Settings → API & Webhooks. If the pair was revoked or reset, "
        "generate a new pair."
    )


class ForbiddenError(JustCallError):
    """The API key and secret are valid, but they do not permit this request.

    Check whether the plan includes API access and whether the endpoint requires Admin-level credentials. Ask
    an Admin of the account or JustCall support.
    """

    __module__ = "justcall_auth"
    name = "forbidden"
    code = 403
    retryable = False
    _message = "The API key and secret are valid, but they do not permit this request."
    _hint = (
        "Check whether the plan includes API access and whether the endpoint requires Admin-level "
        "credentials. Ask an Admin of the account or JustCall support."
    )


class NotFoundError(JustCallError):
    """The service has no such path, or the object does not exist.

    Check the path and the identifiers in it.
    """

    __module__ = "justcall_auth"
    name = "not_found"
    code = 404
    retryable = False
    _message = "The service has no such path, or the object does not exist."
    _hint = "Check the path and the identifiers in it."


class UnprocessableError(JustCallError):
    """The service understood the request but did not accept its contents.

    Correct the fields that the response body names.
    """

    __module__ = "justcall_auth"
    name = "unprocessable"
    code = 422
    retryable = False
    _message = "The service understood the request but did not accept its contents."
    _hint = "Correct the fields that the response body names."


class RateLimitedError(JustCallError):
    """The rate limit of the account is exhausted.

    Wait for the time in retry_after, then send fewer requests. The limit applies to the whole account.
    """

    __module__ = "justcall_auth"
    name = "rate_limited"
    code = 429
    retryable = True
    _message = "The rate limit of the account is exhausted."
    _hint = (
        "Wait for the time in retry_after, then send fewer requests. The limit applies to the whole account."
    )


class ServerError(JustCallError):
    """The service failed.

    Retry later. If the failure persists, contact JustCall support.
    """

    __module__ = "justcall_auth"
    name = "server_error"
    code = 500
    retryable = True
    _message = "The service failed."
    _hint = "Retry later. If the failure persists, contact JustCall support."


class UnavailableError(JustCallError):
    """The service is unavailable.

    Retry later. See JustCall's status page.
    """

    __module__ = "justcall_auth"
    name = "unavailable"
    code = 503
    retryable = True
    _message = "The service is unavailable."
    _hint = "Retry later. See JustCall's status page."


BY_CODE: Final[dict[int, type[JustCallError]]] = {
    1: InvalidArgumentError,
    3: OutOfMemoryError,
    10: CredentialsMissingError,
    11: CredentialsMalformedError,
    12: SourceUnavailableError,
    13: MemoryProtectionError,
    14: WrongAccountError,
    20: RequestTimeoutError,
    21: ConnectionFailedError,
    22: TlsFailedError,
    23: RedirectRefusedError,
    24: InvalidResponseError,
    25: CallCancelledError,
    30: WebhookUnsignedError,
    31: WebhookMalformedError,
    32: WebhookMismatchError,
    33: WebhookStaleError,
    34: WebhookWrongUrlError,
    35: WebhookVersionError,
    36: WebhookReplayedError,
    90: InternalError,
    400: BadRequestError,
    401: InvalidCredentialsError,
    403: ForbiddenError,
    404: NotFoundError,
    422: UnprocessableError,
    429: RateLimitedError,
    500: ServerError,
    503: UnavailableError,
}
"""The class of each row, by the row's number."""
