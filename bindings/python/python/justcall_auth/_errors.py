"""The exceptions, one class for each row of the error table.

Written by `cargo xtask docs` from `crates/justcall-auth-protocol/src/error/table.rs`; changes belong there.
"""

from __future__ import annotations

from typing import Final

from ._error_base import JustCallError, WebhookError


class InvalidArgumentError(JustCallError, ValueError):
    """The caller passed something impossible.

    Correct the argument that the message names.
    """

    name = "invalid_argument"
    code = 1
    retryable = False
    _message = "The caller passed something impossible."
    _hint = "Correct the argument that the message names."


class OutOfMemoryError(JustCallError, MemoryError):
    """There is not enough memory for what was passed in or came from the service.

    Pass less at once, or raise the memory limit of this process (ulimit -v, memory.max of its cgroup). The
    process goes on, and so may other calls.
    """

    name = "out_of_memory"
    code = 3
    retryable = False
    _message = "There is not enough memory for what was passed in or came from the service."
    _hint = (
        "Pass less at once, or raise the memory limit of this process (ulimit -v, memory.max of its cgroup). "
        "The process goes on, and so may other calls."
    )


class CredentialsMissingError(JustCallError):
    """No API key and secret were found.

    Set JUSTCALL_API_KEY and JUSTCALL_API_SECRET, or name another source. An Admin generates a pair in
    JustCall under Settings → API & Webhooks.
    """

    name = "credentials_missing"
    code = 10
    retryable = False
    _message = "No API key and secret were found."
    _hint = (
        "Set JUSTCALL_API_KEY and JUSTCALL_API_SECRET, or name another source. An Admin generates a pair in "
        "JustCall under Settings → API & Webhooks."
    )


class CredentialsMalformedError(JustCallError):
    """What was found cannot be an API key and secret.

    Copy both halves again from JustCall under Settings → API & Webhooks, without spaces or quotes. Nothing
    was sent.
    """

    name = "credentials_malformed"
    code = 11
    retryable = False
    _message = "What was found cannot be an API key and secret."
    _hint = (
        "Copy both halves again from JustCall under Settings → API & Webhooks, without spaces or quotes. "
        "Nothing was sent."
    )


class SourceUnavailableError(JustCallError):
    """The source of the credentials could not be read.

    Check that the source exists and that this process may read it.
    """

    name = "source_unavailable"
    code = 12
    retryable = True
    _message = "The source of the credentials could not be read."
    _hint = "Check that the source exists and that this process may read it."


class MemoryProtectionError(JustCallError):
    """The system refused the memory protection that was asked for.

    Raise the limit on locked memory (ulimit -l, LimitMEMLOCK= in a systemd unit), or ask for a lower level.
    """

    name = "memory_protection"
    code = 13
    retryable = False
    _message = "The system refused the memory protection that was asked for."
    _hint = (
        "Raise the limit on locked memory (ulimit -l, LimitMEMLOCK= in a systemd unit), or ask for a lower "
        "level."
    )


class WrongAccountError(JustCallError):
    """The pair works, but for another account than the expected one.

    Use the pair of the expected account, or correct the expected account's number.
    """

    name = "wrong_account"
    code = 14
    retryable = False
    _message = "The pair works, but for another account than the expected one."
    _hint = "Use the pair of the expected account, or correct the expected account's number."


class RequestTimeoutError(JustCallError, TimeoutError):
    """The call did not finish within its timeout.

    Check the network to the service, or allow a longer timeout.
    """

    name = "timeout"
    code = 20
    retryable = True
    _message = "The call did not finish within its timeout."
    _hint = "Check the network to the service, or allow a longer timeout."


class ConnectionFailedError(JustCallError, ConnectionError):
    """The connection to the service failed.

    Check DNS, firewall and proxy between this machine and the service, then try again.
    """

    name = "connection_failed"
    code = 21
    retryable = True
    _message = "The connection to the service failed."
    _hint = "Check DNS, firewall and proxy between this machine and the service, then try again."


class TlsFailedError(JustCallError):
    """A secure connection to the service could not be made.

    Behind a corporate proxy, name its CA certificate with ca_file or SSL_CERT_FILE. Also check the system's
    clock and its installed CA certificates.
    """

    name = "tls_failed"
    code = 22
    retryable = False
    _message = "A secure connection to the service could not be made."
    _hint = (
        "Behind a corporate proxy, name its CA certificate with ca_file or SSL_CERT_FILE. Also check the "
        "system's clock and its installed CA certificates."
    )


class RedirectRefusedError(JustCallError):
    """The service answered with a redirect, which is never followed with credentials.

    Check the base URL: it should be https://api.justcall.io.
    """

    name = "redirect_refused"
    code = 23
    retryable = False
    _message = "The service answered with a redirect, which is never followed with credentials."
    _hint = "Check the base URL: it should be https://api.justcall.io."


class InvalidResponseError(JustCallError):
    """The answer is not one that the JustCall API gives.

    Check the base URL, and whether a proxy or captive portal answers in place of the service.
    """

    name = "invalid_response"
    code = 24
    retryable = False
    _message = "The answer is not one that the JustCall API gives."
    _hint = "Check the base URL, and whether a proxy or captive portal answers in place of the service."


class CallCancelledError(JustCallError):
    """The call was cancelled.

    Nothing is wrong with the credentials; call again if the result is still wanted.
    """

    name = "cancelled"
    code = 25
    retryable = False
    _message = "The call was cancelled."
    _hint = "Nothing is wrong with the credentials; call again if the result is still wanted."


class WebhookUnsignedError(WebhookError):
    """The delivery carries no signature.

    Never act on it. The probe that JustCall sends when a webhook's URL is saved looks like this: answer it
    with 200 and do nothing else.
    """

    name = "webhook_unsigned"
    code = 30
    retryable = False
    _message = "The delivery carries no signature."
    _hint = (
        "Never act on it. The probe that JustCall sends when a webhook's URL is saved looks like this: "
        "answer it with 200 and do nothing else."
    )


class WebhookMalformedError(WebhookError):
    """The delivery's headers or body cannot be read.

    Give the three signature headers and the body's bytes as they came, before a framework or a proxy changed
    them.
    """

    name = "webhook_malformed"
    code = 31
    retryable = False
    _message = "The delivery's headers or body cannot be read."
    _hint = (
        "Give the three signature headers and the body's bytes as they came, before a framework or a proxy "
        "changed them."
    )


class WebhookMismatchError(WebhookError):
    """The signature was made with none of the secrets held.

    Check that the secret is the API secret of the account that sends: JustCall signs with it, there is no
    webhook secret of its own. After a reset, hold the old secret beside the new one for a while.
    """

    name = "webhook_mismatch"
    code = 32
    retryable = False
    _message = "The signature was made with none of the secrets held."
    _hint = (
        "Check that the secret is the API secret of the account that sends: JustCall signs with it, there is "
        "no webhook secret of its own. After a reset, hold the old secret beside the new one for a while."
    )


class WebhookStaleError(WebhookError):
    """The signature is right, but its time is too far from now.

    Check this machine's clock. If it is right, the delivery is a late one or a replay: allow a longer
    tolerance only if late deliveries must count.
    """

    name = "webhook_stale"
    code = 33
    retryable = False
    _message = "The signature is right, but its time is too far from now."
    _hint = (
        "Check this machine's clock. If it is right, the delivery is a late one or a replay: allow a longer "
        "tolerance only if late deliveries must count."
    )


class WebhookWrongUrlError(WebhookError):
    """The delivery was signed for another URL than the one expected.

    Give the URL exactly as it is registered in JustCall, with its scheme, path and query. If it is right,
    somebody passes on another endpoint's delivery.
    """

    name = "webhook_wrong_url"
    code = 34
    retryable = False
    _message = "The delivery was signed for another URL than the one expected."
    _hint = (
        "Give the URL exactly as it is registered in JustCall, with its scheme, path and query. If it is "
        "right, somebody passes on another endpoint's delivery."
    )


class WebhookVersionError(WebhookError):
    """The version of the signature is missing or not known.

    Check that proxies pass on the header with the signature's version. If JustCall has a new version, update
    this library.
    """

    name = "webhook_version"
    code = 35
    retryable = False
    _message = "The version of the signature is missing or not known."
    _hint = (
        "Check that proxies pass on the header with the signature's version. If JustCall has a new version, "
        "update this library."
    )


class WebhookReplayedError(WebhookError):
    """The replay check has seen this delivery before.

    Answer it with 200 and do not act on it again.
    """

    name = "webhook_replayed"
    code = 36
    retryable = False
    _message = "The replay check has seen this delivery before."
    _hint = "Answer it with 200 and do not act on it again."


class InternalError(JustCallError):
    """A bug in justcall-auth.

    Please report it with this message; it contains no secret. Free the handle and make a new one.
    """

    name = "internal"
    code = 90
    retryable = False
    _message = "A bug in justcall-auth."
    _hint = "Please report it with this message; it contains no secret. Free the handle and make a new one."


class BadRequestError(JustCallError):
    """The service refused the request.

    Correct the request; the service's message and the response body say what it objects to.
    """

    name = "bad_request"
    code = 400
    retryable = False
    _message = "The service refused the request."
    _hint = "Correct the request; the service's message and the response body say what it objects to."


class InvalidCredentialsError(JustCallError):
    """The service rejected the API key and secret.

    Check that both halves are sent, separated by a colon and without trailing spaces, and that the pair was
    not revoked or reset: compare with JustCall under Settings → API & Webhooks, or generate a new pair there.
    """

    name = "invalid_credentials"
    code = 401
    retryable = False
    _message = "The service rejected the API key and secret."
    _hint = (
        "Check that both halves are sent, separated by a colon and without trailing spaces, and that the "
        "pair was not revoked or reset: compare with JustCall under Settings → API & Webhooks, or generate a "
        "new pair there."
    )


class ForbiddenError(JustCallError):
    """The credentials are good, but they may not do this.

    The plan may not include API access, or the endpoint may need Admin-level credentials; ask an Admin of
    the account or JustCall's support.
    """

    name = "forbidden"
    code = 403
    retryable = False
    _message = "The credentials are good, but they may not do this."
    _hint = (
        "The plan may not include API access, or the endpoint may need Admin-level credentials; ask an Admin "
        "of the account or JustCall's support."
    )


class NotFoundError(JustCallError):
    """The service knows no such object or path.

    Check the path and the identifiers in it.
    """

    name = "not_found"
    code = 404
    retryable = False
    _message = "The service knows no such object or path."
    _hint = "Check the path and the identifiers in it."


class UnprocessableError(JustCallError):
    """The service understood the request but cannot accept its contents.

    Correct the fields that the response body names.
    """

    name = "unprocessable"
    code = 422
    retryable = False
    _message = "The service understood the request but cannot accept its contents."
    _hint = "Correct the fields that the response body names."


class RateLimitedError(JustCallError):
    """The account's rate limit is used up.

    Wait for the time in retry_after, and send fewer requests: the limit is for the whole account.
    """

    name = "rate_limited"
    code = 429
    retryable = True
    _message = "The account's rate limit is used up."
    _hint = "Wait for the time in retry_after, and send fewer requests: the limit is for the whole account."


class ServerError(JustCallError):
    """The service failed.

    Try again later; if it lasts, contact JustCall's support.
    """

    name = "server_error"
    code = 500
    retryable = True
    _message = "The service failed."
    _hint = "Try again later; if it lasts, contact JustCall's support."


class UnavailableError(JustCallError):
    """The service is not available at the moment.

    Try again later; JustCall's status page may say more.
    """

    name = "unavailable"
    code = 503
    retryable = True
    _message = "The service is not available at the moment."
    _hint = "Try again later; JustCall's status page may say more."


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
