//! What a failure carries: [`Error`], made from one row of the table of [`ErrorKind`].

mod table;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub use table::ErrorKind;

use crate::diagnose::Finding;
use crate::response::Response;

/// The longest text of others in a failure, in bytes: of the service, or of a callback.
pub const MAX_MESSAGE: usize = 512;

/// A failure, with all that a person or a program needs to act on it.
///
/// Its texts are safe to log: they never hold a secret. Cloning is cheap.
#[derive(Clone)]
pub struct Error(Arc<Details>);

#[derive(Clone)]
struct Details {
    kind: ErrorKind,
    message: String,
    hint: String,
    http_status: u16,
    service_message: Option<String>,
    reason: Option<&'static str>,
    retry_after: Option<Duration>,
    request_sent: bool,
    response: Option<Response>,
    findings: Vec<Finding>,
    request: Option<FailedRequest>,
}

/// The request of a call that failed. Paths hold telephone numbers and the like: no text of the error shows them.
#[derive(Clone)]
struct FailedRequest {
    method: String,
    path: String,
    attempts: u32,
}

impl Error {
    /// A failure of `kind`, described by the table's own sentence.
    pub fn new(kind: ErrorKind) -> Self {
        Self::with_message(kind, kind.message())
    }

    /// A failure of `kind`, described by `message`, which must be safe to log.
    pub fn with_message(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Arc::new(Details {
            kind,
            message: message.into(),
            hint: kind.remedy().to_owned(),
            http_status: 0,
            service_message: None,
            reason: None,
            retry_after: None,
            request_sent: false,
            response: None,
            findings: Vec::new(),
            request: None,
        }))
    }

    /// `invalid_argument`, saying what is wrong with which argument.
    pub fn invalid_argument(message: impl Into<String>) -> Self {
        Self::with_message(ErrorKind::InvalidArgument, message)
    }

    fn change(mut self, change: impl FnOnce(&mut Details)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }

    /// Replaces the message by one that knows more. It must be safe to log.
    #[must_use]
    pub fn with_new_message(self, message: impl Into<String>) -> Self {
        self.change(|details| details.message = message.into())
    }

    /// Replaces the hint by one that knows more.
    #[must_use]
    pub fn with_hint(self, hint: impl Into<String>) -> Self {
        self.change(|details| details.hint = hint.into())
    }

    /// Adds the one-word reason.
    #[must_use]
    pub fn with_reason(self, reason: &'static str) -> Self {
        self.change(|details| details.reason = Some(reason))
    }

    /// Adds how long to wait before the next try.
    #[must_use]
    pub fn with_retry_after(self, wait: Option<Duration>) -> Self {
        self.change(|details| details.retry_after = wait)
    }

    /// Adds whether the request may have been delivered.
    #[must_use]
    pub fn with_request_sent(self, sent: bool) -> Self {
        self.change(|details| details.request_sent = sent)
    }

    /// Adds what the service said in its body, already made safe.
    #[must_use]
    pub fn with_service_message(self, message: Option<String>) -> Self {
        self.change(|details| details.service_message = message)
    }

    /// Adds the answer that this failure was read from. An answer means that the request was sent.
    #[must_use]
    pub fn with_response(self, response: Response) -> Self {
        self.change(|details| {
            details.http_status = response.http_status();
            details.request_sent = true;
            details.response = Some(response);
        })
    }

    /// Adds which request failed, its path without the query, and how often it was sent.
    #[must_use]
    pub fn with_request(self, method: &str, path: &str, attempts: u32) -> Self {
        let (method, path) = (method.to_owned(), path.to_owned());
        self.change(|details| details.request = Some(FailedRequest { method, path, attempts }))
    }

    /// Adds what the local check found; the hint gains the findings' remedies.
    #[must_use]
    pub fn with_findings(self, findings: Vec<Finding>) -> Self {
        self.change(|details| {
            for finding in &findings {
                details.hint.push(' ');
                details.hint.push_str(finding.message());
                details.hint.push(' ');
                details.hint.push_str(finding.remedy());
            }
            details.findings = findings;
        })
    }

    /// The kind: name, number and whether it is retryable come from there.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What happened. Safe to log.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What to do about it. Safe to log.
    pub fn hint(&self) -> &str {
        &self.0.hint
    }

    /// The HTTP status of the last response, 0 if there was none.
    pub fn http_status(&self) -> u16 {
        self.0.http_status
    }

    /// What the service said in its body: at most 512 bytes, without control characters, secrets masked.
    pub fn service_message(&self) -> Option<&str> {
        self.0.service_message.as_deref()
    }

    /// One word for programs. For `forbidden`: `plan`, `role`, `ip`, `addon` or `unspecified`; for
    /// `credentials_malformed` the code of the finding; for `timeout` and `connection_failed` the phase: `resolve`,
    /// `connect`, `send` or `receive`.
    pub fn reason(&self) -> Option<&'static str> {
        self.0.reason
    }

    /// Whether the same call may succeed later without anybody changing anything.
    pub fn retryable(&self) -> bool {
        self.0.kind.retryable()
    }

    /// How long the service asks to wait before the next try.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// False if the request was surely not delivered by any attempt. True if it may have been, whatever ended the call.
    pub fn request_sent(&self) -> bool {
        self.0.request_sent
    }

    /// The last response, if there was one: the one that the call failed with, or the one that was followed by a retry.
    pub fn response(&self) -> Option<&Response> {
        self.0.response.as_ref()
    }

    /// The HTTP method of the request that failed. `None` if the failure is not one of a request.
    pub fn method(&self) -> Option<&str> {
        self.0.request.as_ref().map(|request| request.method.as_str())
    }

    /// The path of the request that failed, without its query. It may hold telephone numbers: no text of the error
    /// repeats it.
    pub fn path(&self) -> Option<&str> {
        self.0.request.as_ref().map(|request| request.path.as_str())
    }

    /// How often the request was sent, or given to the program's own HTTP client to send. 0 if it never was.
    pub fn attempts(&self) -> u32 {
        self.0.request.as_ref().map_or(0, |request| request.attempts)
    }

    /// What the local check of the credentials found.
    pub fn findings(&self) -> &[Finding] {
        &self.0.findings
    }
}

/// Formats the error as `name: message`, without the hint.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind().name(), self.message())?;
        if let Some(service) = self.service_message() {
            write!(f, " The service answered: {service:?}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let details = &*self.0;
        f.debug_struct("Error")
            .field("kind", &details.kind)
            .field("message", &details.message)
            .field("hint", &details.hint)
            .field("http_status", &details.http_status)
            .field("service_message", &details.service_message)
            .field("reason", &details.reason)
            .field("retry_after", &details.retry_after)
            .field("request_sent", &details.request_sent)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_carries_all_that_was_added() {
        let error = Error::with_message(ErrorKind::RateLimited, "slow down")
            .with_retry_after(Some(Duration::from_secs(3)))
            .with_service_message(Some("Retry after 3 seconds.".into()))
            .with_request_sent(true);
        assert_eq!(error.kind().number(), 429);
        assert_eq!(error.retry_after(), Some(Duration::from_secs(3)));
        assert!(error.retryable() && error.request_sent());
        assert_eq!(
            error.to_string(),
            "rate_limited: slow down The service answered: \"Retry after 3 seconds.\""
        );
        assert_eq!(error.hint(), ErrorKind::RateLimited.remedy());
    }

    #[test]
    fn it_is_retryable_by_its_row_of_the_table() {
        for kind in ErrorKind::ALL {
            assert_eq!(Error::new(*kind).retryable(), kind.retryable(), "{kind:?}");
        }
        assert!(!Error::new(ErrorKind::InvalidCredentials).retryable());
        assert!(Error::new(ErrorKind::Unavailable).retryable());
    }

    #[test]
    fn it_shows_its_details_but_not_the_request() {
        let error = Error::with_message(ErrorKind::Timeout, "too slow").with_reason("connect").with_request(
            "GET",
            "/v2.1/contacts/canary",
            1,
        );
        assert_eq!(error.path(), Some("/v2.1/contacts/canary"), "the control");
        let shown = format!("{error:?}");
        assert!(!shown.contains("canary"), "{shown}");
        for part in
            ["Error { kind: Timeout, message: \"too slow\", hint: ", "reason: Some(\"connect\")", ", .. }"]
        {
            assert!(shown.contains(part), "{shown}");
        }
    }
}
