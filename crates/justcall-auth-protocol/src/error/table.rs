//! The one table of errors: every language, the command line and the documentation are made from it.

use crate::table;

table! {
    /// The kind of a failure: one row of the error table.
    ///
    /// Numbers and names are public API in every language and are never reused.
    #[non_exhaustive]
    pub enum ErrorKind {
        /// The name, the same in every language.
        name: &'static str,
        /// The number: the status in C, `code` in Python. For answers of the service the HTTP status.
        number: i32,
        /// Whether the same call may succeed later without anybody changing anything.
        retryable: bool,
        /// What happened, in one sentence.
        message: &'static str,
        /// What to do about it.
        remedy: &'static str,
    }

    InvalidArgument { name: "invalid_argument", number: 1, retryable: false,
        message: "An argument is invalid.",
        remedy: "Correct the argument that the message names.",
    }
    BufferTooSmall { name: "buffer_too_small", number: 2, retryable: false,
        message: "The buffer is too small for the result.",
        remedy: "Call again with a larger buffer. The length parameter holds the length of the result.",
    }
    OutOfMemory { name: "out_of_memory", number: 3, retryable: false,
        message: "There is not enough memory for the arguments or the response.",
        remedy: "Pass less data at once, or raise the memory limit of this process (ulimit -v, memory.max of its cgroup). The process and its other calls continue.",
    }
    CredentialsMissing { name: "credentials_missing", number: 10, retryable: false,
        message: "No API key and secret were found.",
        remedy: "Set JUSTCALL_API_KEY and JUSTCALL_API_SECRET, or configure another source. If the account has no pair yet, ask an Admin to generate a pair in JustCall under Settings → API & Webhooks.",
    }
    CredentialsMalformed { name: "credentials_malformed", number: 11, retryable: false,
        message: "The API key or secret is malformed.",
        remedy: "Copy the key and the secret again from JustCall under Settings → API & Webhooks, without spaces or quotes. Nothing was sent.",
    }
    SourceUnavailable { name: "source_unavailable", number: 12, retryable: true,
        message: "The source of the credentials could not be read.",
        remedy: "Check that the source exists and that this process may read it.",
    }
    MemoryProtection { name: "memory_protection", number: 13, retryable: false,
        message: "The system refused the requested memory protection.",
        remedy: "Raise the limit on locked memory (ulimit -l, LimitMEMLOCK= in a systemd unit), or request a lower level.",
    }
    WrongAccount { name: "wrong_account", number: 14, retryable: false,
        message: "The pair works, but it belongs to an unexpected account.",
        remedy: "Use the pair of the expected account, or correct the number of the expected account.",
    }
    Timeout { name: "timeout", number: 20, retryable: true,
        message: "The call did not finish within its timeout.",
        remedy: "Check the network to the service, or allow a longer timeout.",
    }
    ConnectionFailed { name: "connection_failed", number: 21, retryable: true,
        message: "The connection to the service failed.",
        remedy: "Check DNS, the firewall and the proxy between this machine and the service, then retry.",
    }
    TlsFailed { name: "tls_failed", number: 22, retryable: false,
        message: "The TLS connection to the service could not be established.",
        remedy: "Behind a corporate proxy, set ca_file or SSL_CERT_FILE to its CA certificate. Also check the clock and the CA certificates of this machine.",
    }
    RedirectRefused { name: "redirect_refused", number: 23, retryable: false,
        message: "The service answered with a redirect, and redirects are never followed.",
        remedy: "Check the base URL. The base URL of JustCall is https://api.justcall.io.",
    }
    InvalidResponse { name: "invalid_response", number: 24, retryable: false,
        message: "The response does not come from the JustCall API.",
        remedy: "Check the base URL. Also check whether a proxy or captive portal answers instead of the service.",
    }
    Cancelled { name: "cancelled", number: 25, retryable: false,
        message: "The call was cancelled.",
        remedy: "Call again if you still need the result. The API key and secret are not the cause.",
    }
    WebhookUnsigned { name: "webhook_unsigned", number: 30, retryable: false,
        message: "The delivery has no signature.",
        remedy: "Answer with 200 and do nothing else. JustCall sends an unsigned probe when a webhook URL is saved. Never act on an unsigned delivery.",
    }
    WebhookMalformed { name: "webhook_malformed", number: 31, retryable: false,
        message: "The headers or the body of the delivery cannot be parsed.",
        remedy: "Pass the three signature headers and the raw bytes of the body, unchanged by frameworks and proxies.",
    }
    WebhookMismatch { name: "webhook_mismatch", number: 32, retryable: false,
        message: "The signature does not match any of the secrets.",
        remedy: "Use the API secret of the account that sends the webhook. JustCall signs webhooks with the API secret and has no separate webhook secret. After a reset, accept both the old and the new secret for some minutes.",
    }
    WebhookStale { name: "webhook_stale", number: 33, retryable: false,
        message: "The signature matches, but its timestamp is outside the tolerance.",
        remedy: "Check the clock of this machine. If the clock is right, the delivery is late or replayed. Raise the tolerance only if you must accept late deliveries.",
    }
    WebhookWrongUrl { name: "webhook_wrong_url", number: 34, retryable: false,
        message: "The delivery was signed for an unexpected URL.",
        remedy: "Pass the URL exactly as it is registered in JustCall, with its scheme, path and query. If the URL is right, the delivery was meant for another endpoint.",
    }
    WebhookVersion { name: "webhook_version", number: 35, retryable: false,
        message: "The version of the signature is missing or unknown.",
        remedy: "Check that proxies forward the x-justcall-signature-version header. If JustCall introduced a new version, update this library.",
    }
    WebhookReplayed { name: "webhook_replayed", number: 36, retryable: false,
        message: "The replay check has already seen this delivery.",
        remedy: "Answer with 200 and do not act on the delivery again.",
    }
    Internal { name: "internal", number: 90, retryable: false,
        message: "An internal error of justcall-auth occurred.",
        remedy: "Report this error and its message, which contains no secret. Free the handle and create a new handle.",
    }
    BadRequest { name: "bad_request", number: 400, retryable: false,
        message: "The service refused the request.",
        remedy: "Correct the request. The service's message and the response body name the problem.",
    }
    InvalidCredentials { name: "invalid_credentials", number: 401, retryable: false,
        message: "The service rejected the API key and secret.",
        remedy: "Check that both the key and the secret are sent, separated by a colon and without trailing spaces. Compare the key with JustCall under Settings → API & Webhooks. If the pair was revoked or reset, generate a new pair.",
    }
    Forbidden { name: "forbidden", number: 403, retryable: false,
        message: "The API key and secret are valid, but they do not permit this request.",
        remedy: "Check whether the plan includes API access and whether the endpoint requires Admin-level credentials. Ask an Admin of the account or JustCall support.",
    }
    NotFound { name: "not_found", number: 404, retryable: false,
        message: "The service has no such path, or the object does not exist.",
        remedy: "Check the path and the identifiers in it.",
    }
    Unprocessable { name: "unprocessable", number: 422, retryable: false,
        message: "The service understood the request but did not accept its contents.",
        remedy: "Correct the fields that the response body names.",
    }
    RateLimited { name: "rate_limited", number: 429, retryable: true,
        message: "The rate limit of the account is exhausted.",
        remedy: "Wait for the time in retry_after, then send fewer requests. The limit applies to the whole account.",
    }
    ServerError { name: "server_error", number: 500, retryable: true,
        message: "The service failed.",
        remedy: "Retry later. If the failure persists, contact JustCall support.",
    }
    Unavailable { name: "unavailable", number: 503, retryable: true,
        message: "The service is unavailable.",
        remedy: "Retry later. See JustCall's status page.",
    }
}

impl ErrorKind {
    /// The kind of `number`, as [`ErrorKind::number`] gives it.
    pub fn from_number(number: i32) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.number() == number)
    }

    /// The kind called `name`, as [`ErrorKind::name`] gives it.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_never_gives_two_kinds_one_number_or_name() {
        for (index, kind) in ErrorKind::ALL.iter().enumerate() {
            for other in &ErrorKind::ALL[index + 1..] {
                assert!(kind.number() < other.number(), "{kind:?} and {other:?} are out of order");
                assert_ne!(kind.name(), other.name());
            }
            assert_eq!(ErrorKind::from_number(kind.number()), Some(*kind));
            assert_eq!(ErrorKind::from_name(kind.name()), Some(*kind));
        }
        assert_eq!(ErrorKind::from_number(0), None);
        assert_eq!(ErrorKind::from_name("ok"), None);
    }

    #[test]
    fn it_says_what_happened_and_what_to_do_in_whole_sentences() {
        for kind in ErrorKind::ALL {
            assert!(kind.message().ends_with('.'), "{kind:?}");
            assert!(kind.remedy().ends_with('.'), "{kind:?}");
        }
    }
}
