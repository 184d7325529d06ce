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
        message: "The caller passed something impossible.",
        remedy: "Correct the argument that the message names.",
    }
    BufferTooSmall { name: "buffer_too_small", number: 2, retryable: false,
        message: "The buffer given cannot hold the result.",
        remedy: "Call again with a buffer of the needed length, which is in the length parameter.",
    }
    OutOfMemory { name: "out_of_memory", number: 3, retryable: false,
        message: "There is not enough memory for what was passed in or came from the service.",
        remedy: "Pass less at once, or raise the memory limit of this process (ulimit -v, memory.max of its cgroup). The process goes on, and so may other calls.",
    }
    CredentialsMissing { name: "credentials_missing", number: 10, retryable: false,
        message: "No API key and secret were found.",
        remedy: "Set JUSTCALL_API_KEY and JUSTCALL_API_SECRET, or name another source. An Admin generates a pair in JustCall under Settings → API & Webhooks.",
    }
    CredentialsMalformed { name: "credentials_malformed", number: 11, retryable: false,
        message: "What was found cannot be an API key and secret.",
        remedy: "Copy both halves again from JustCall under Settings → API & Webhooks, without spaces or quotes. Nothing was sent.",
    }
    SourceUnavailable { name: "source_unavailable", number: 12, retryable: true,
        message: "The source of the credentials could not be read.",
        remedy: "Check that the source exists and that this process may read it.",
    }
    MemoryProtection { name: "memory_protection", number: 13, retryable: false,
        message: "The system refused the memory protection that was asked for.",
        remedy: "Raise the limit on locked memory (ulimit -l, LimitMEMLOCK= in a systemd unit), or ask for a lower level.",
    }
    WrongAccount { name: "wrong_account", number: 14, retryable: false,
        message: "The pair works, but for another account than the expected one.",
        remedy: "Use the pair of the expected account, or correct the expected account's number.",
    }
    Timeout { name: "timeout", number: 20, retryable: true,
        message: "The call did not finish within its timeout.",
        remedy: "Check the network to the service, or allow a longer timeout.",
    }
    ConnectionFailed { name: "connection_failed", number: 21, retryable: true,
        message: "The connection to the service failed.",
        remedy: "Check DNS, firewall and proxy between this machine and the service, then try again.",
    }
    TlsFailed { name: "tls_failed", number: 22, retryable: false,
        message: "A secure connection to the service could not be made.",
        remedy: "Behind a corporate proxy, name its CA certificate with ca_file or SSL_CERT_FILE. Also check the system's clock and its installed CA certificates.",
    }
    RedirectRefused { name: "redirect_refused", number: 23, retryable: false,
        message: "The service answered with a redirect, which is never followed with credentials.",
        remedy: "Check the base URL: it should be https://api.justcall.io.",
    }
    InvalidResponse { name: "invalid_response", number: 24, retryable: false,
        message: "The answer is not one that the JustCall API gives.",
        remedy: "Check the base URL, and whether a proxy or captive portal answers in place of the service.",
    }
    Cancelled { name: "cancelled", number: 25, retryable: false,
        message: "The call was cancelled.",
        remedy: "Nothing is wrong with the credentials; call again if the result is still wanted.",
    }
    WebhookUnsigned { name: "webhook_unsigned", number: 30, retryable: false,
        message: "The delivery carries no signature.",
        remedy: "Never act on it. The probe that JustCall sends when a webhook's URL is saved looks like this: answer it with 200 and do nothing else.",
    }
    WebhookMalformed { name: "webhook_malformed", number: 31, retryable: false,
        message: "The delivery's headers or body cannot be read.",
        remedy: "Give the three signature headers and the body's bytes as they came, before a framework or a proxy changed them.",
    }
    WebhookMismatch { name: "webhook_mismatch", number: 32, retryable: false,
        message: "The signature was made with none of the secrets held.",
        remedy: "Check that the secret is the API secret of the account that sends: JustCall signs with it, there is no webhook secret of its own. After a reset, hold the old secret beside the new one for a while.",
    }
    WebhookStale { name: "webhook_stale", number: 33, retryable: false,
        message: "The signature is right, but its time is too far from now.",
        remedy: "Check this machine's clock. If it is right, the delivery is a late one or a replay: allow a longer tolerance only if late deliveries must count.",
    }
    WebhookWrongUrl { name: "webhook_wrong_url", number: 34, retryable: false,
        message: "The delivery was signed for another URL than the one expected.",
        remedy: "Give the URL exactly as it is registered in JustCall, with its scheme, path and query. If it is right, somebody passes on another endpoint's delivery.",
    }
    WebhookVersion { name: "webhook_version", number: 35, retryable: false,
        message: "The version of the signature is missing or not known.",
        remedy: "Check that proxies pass on the header with the signature's version. If JustCall has a new version, update this library.",
    }
    WebhookReplayed { name: "webhook_replayed", number: 36, retryable: false,
        message: "The replay check has seen this delivery before.",
        remedy: "Answer it with 200 and do not act on it again.",
    }
    Internal { name: "internal", number: 90, retryable: false,
        message: "A bug in justcall-auth.",
        remedy: "Please report it with this message; it contains no secret. Free the handle and make a new one.",
    }
    BadRequest { name: "bad_request", number: 400, retryable: false,
        message: "The service refused the request.",
        remedy: "Correct the request; the service's message and the response body say what it objects to.",
    }
    InvalidCredentials { name: "invalid_credentials", number: 401, retryable: false,
        message: "The service rejected the API key and secret.",
        remedy: "Check that both halves are sent, separated by a colon and without trailing spaces, and that the pair was not revoked or reset: compare with JustCall under Settings → API & Webhooks, or generate a new pair there.",
    }
    Forbidden { name: "forbidden", number: 403, retryable: false,
        message: "The credentials are good, but they may not do this.",
        remedy: "The plan may not include API access, or the endpoint may need Admin-level credentials; ask an Admin of the account or JustCall's support.",
    }
    NotFound { name: "not_found", number: 404, retryable: false,
        message: "The service knows no such object or path.",
        remedy: "Check the path and the identifiers in it.",
    }
    Unprocessable { name: "unprocessable", number: 422, retryable: false,
        message: "The service understood the request but cannot accept its contents.",
        remedy: "Correct the fields that the response body names.",
    }
    RateLimited { name: "rate_limited", number: 429, retryable: true,
        message: "The account's rate limit is used up.",
        remedy: "Wait for the time in retry_after, and send fewer requests: the limit is for the whole account.",
    }
    ServerError { name: "server_error", number: 500, retryable: true,
        message: "The service failed.",
        remedy: "Try again later; if it lasts, contact JustCall's support.",
    }
    Unavailable { name: "unavailable", number: 503, retryable: true,
        message: "The service is not available at the moment.",
        remedy: "Try again later; JustCall's status page may say more.",
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
