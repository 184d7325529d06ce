//! The one table of errors: every language, the command line and the documentation are made from it.

/// Builds [`ErrorKind`] and its look-ups from the rows.
macro_rules! error_table {
    ($($kind:ident = $number:literal, $name:literal, retryable: $retryable:literal,
       $message:literal, $remedy:literal;)*) => {
        /// The kind of a failure: one row of the error table.
        ///
        /// Numbers and names are public API in every language and are never reused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        #[allow(rustdoc::bare_urls, reason = "the table's texts are for terminals too")]
        pub enum ErrorKind {
            $(#[doc = concat!("`", $name, "` (", stringify!($number), "): ", $message, " ", $remedy)]
            $kind,)*
        }

        impl ErrorKind {
            /// Every kind, in the order of its number.
            pub const ALL: &[Self] = &[$(Self::$kind),*];

            /// The number: the status in C, `code` in Python. For answers of the service the HTTP status.
            pub const fn number(self) -> i32 {
                match self { $(Self::$kind => $number),* }
            }

            /// The name, the same in every language.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$kind => $name),* }
            }

            /// What happened, in one sentence.
            pub const fn message(self) -> &'static str {
                match self { $(Self::$kind => $message),* }
            }

            /// What to do about it.
            pub const fn remedy(self) -> &'static str {
                match self { $(Self::$kind => $remedy),* }
            }

            /// Whether the same call may succeed later without anybody changing anything.
            pub const fn retryable(self) -> bool {
                match self { $(Self::$kind => $retryable),* }
            }
        }
    };
}

error_table! {
    InvalidArgument = 1, "invalid_argument", retryable: false,
        "The caller passed something impossible.",
        "Correct the argument that the message names.";
    BufferTooSmall = 2, "buffer_too_small", retryable: false,
        "The buffer given cannot hold the result.",
        "Call again with a buffer of the needed length, which is in the length parameter.";
    OutOfMemory = 3, "out_of_memory", retryable: false,
        "There is not enough memory for what was passed in or came from the service.",
        "Pass less at once, or raise the memory limit of this process (ulimit -v, memory.max of its cgroup). The process goes on, and so may other calls.";
    CredentialsMissing = 10, "credentials_missing", retryable: false,
        "No API key and secret were found.",
        "Set JUSTCALL_API_KEY and JUSTCALL_API_SECRET, or name another source. An Admin generates a pair in JustCall under Settings → API & Webhooks.";
    CredentialsMalformed = 11, "credentials_malformed", retryable: false,
        "What was found cannot be an API key and secret.",
        "Copy both halves again from JustCall under Settings → API & Webhooks, without spaces or quotes. Nothing was sent.";
    SourceUnavailable = 12, "source_unavailable", retryable: true,
        "The source of the credentials could not be read.",
        "Check that the source exists and that this process may read it.";
    MemoryProtection = 13, "memory_protection", retryable: false,
        "The system refused the memory protection that was asked for.",
        "Raise the limit on locked memory (ulimit -l, LimitMEMLOCK= in a systemd unit), or ask for a lower level.";
    WrongAccount = 14, "wrong_account", retryable: false,
        "The pair works, but for another account than the expected one.",
        "Use the pair of the expected account, or correct the expected account's number.";
    Timeout = 20, "timeout", retryable: true,
        "The call did not finish within its timeout.",
        "Check the network to the service, or allow a longer timeout.";
    ConnectionFailed = 21, "connection_failed", retryable: true,
        "The connection to the service failed.",
        "Check DNS, firewall and proxy between this machine and the service, then try again.";
    TlsFailed = 22, "tls_failed", retryable: false,
        "A secure connection to the service could not be made.",
        "Behind a corporate proxy, name its CA certificate with ca_file or SSL_CERT_FILE. Also check the system's clock and its installed CA certificates.";
    RedirectRefused = 23, "redirect_refused", retryable: false,
        "The service answered with a redirect, which is never followed with credentials.",
        "Check the base URL: it should be https://api.justcall.io.";
    InvalidResponse = 24, "invalid_response", retryable: false,
        "The answer is not one that the JustCall API gives.",
        "Check the base URL, and whether a proxy or captive portal answers in place of the service.";
    Cancelled = 25, "cancelled", retryable: false,
        "The call was cancelled.",
        "Nothing is wrong with the credentials; call again if the result is still wanted.";
    WebhookUnsigned = 30, "webhook_unsigned", retryable: false,
        "The delivery carries no signature.",
        "Never act on it. The probe that JustCall sends when a webhook's URL is saved looks like this: answer it with 200 and do nothing else.";
    WebhookMalformed = 31, "webhook_malformed", retryable: false,
        "The delivery's headers or body cannot be read.",
        "Give the three signature headers and the body's bytes as they came, before a framework or a proxy changed them.";
    WebhookMismatch = 32, "webhook_mismatch", retryable: false,
        "The signature was made with none of the secrets held.",
        "Check that the secret is the API secret of the account that sends: JustCall signs with it, there is no webhook secret of its own. After a reset, hold the old secret beside the new one for a while.";
    WebhookStale = 33, "webhook_stale", retryable: false,
        "The signature is right, but its time is too far from now.",
        "Check this machine's clock. If it is right, the delivery is a late one or a replay: allow a longer tolerance only if late deliveries must count.";
    WebhookWrongUrl = 34, "webhook_wrong_url", retryable: false,
        "The delivery was signed for another URL than the one expected.",
        "Give the URL exactly as it is registered in JustCall, with its scheme, path and query. If it is right, somebody passes on another endpoint's delivery.";
    WebhookVersion = 35, "webhook_version", retryable: false,
        "The version of the signature is missing or not known.",
        "Check that proxies pass on the header with the signature's version. If JustCall has a new version, update this library.";
    WebhookReplayed = 36, "webhook_replayed", retryable: false,
        "The replay check has seen this delivery before.",
        "Answer it with 200 and do not act on it again.";
    Internal = 90, "internal", retryable: false,
        "A bug in justcall-auth.",
        "Please report it with this message; it contains no secret. Free the handle and make a new one.";
    BadRequest = 400, "bad_request", retryable: false,
        "The service refused the request.",
        "Correct the request; the service's message and the response body say what it objects to.";
    InvalidCredentials = 401, "invalid_credentials", retryable: false,
        "The service rejected the API key and secret.",
        "Check that both halves are sent, separated by a colon and without trailing spaces, and that the pair was not revoked or reset: compare with JustCall under Settings → API & Webhooks, or generate a new pair there.";
    Forbidden = 403, "forbidden", retryable: false,
        "The credentials are good, but they may not do this.",
        "The plan may not include API access, or the endpoint may need Admin-level credentials; ask an Admin of the account or JustCall's support.";
    NotFound = 404, "not_found", retryable: false,
        "The service knows no such object or path.",
        "Check the path and the identifiers in it.";
    Unprocessable = 422, "unprocessable", retryable: false,
        "The service understood the request but cannot accept its contents.",
        "Correct the fields that the response body names.";
    RateLimited = 429, "rate_limited", retryable: true,
        "The account's rate limit is used up.",
        "Wait for the time in retry_after, and send fewer requests: the limit is for the whole account.";
    ServerError = 500, "server_error", retryable: true,
        "The service failed.",
        "Try again later; if it lasts, contact JustCall's support.";
    Unavailable = 503, "unavailable", retryable: true,
        "The service is not available at the moment.",
        "Try again later; JustCall's status page may say more.";
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
