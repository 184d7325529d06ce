//! A complete HTTP response.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::headers::Headers;

/// An HTTP response: status, headers and body. Immutable; clones share the bytes.
#[derive(Clone)]
pub struct Response(Arc<ResponseParts>);

struct ResponseParts {
    http_status: u16,
    headers: Headers,
    body: Vec<u8>,
    received: Duration,
}

impl Response {
    /// Creates a response. Header names keep their order and spelling; lookups ignore case.
    pub fn new(http_status: u16, headers: impl Into<Headers>, body: Vec<u8>) -> Self {
        let headers = headers.into();
        Self(Arc::new(ResponseParts { http_status, headers, body, received: Duration::ZERO }))
    }

    /// Returns the same response with the time at which it was received, since the epoch. Has no effect while
    /// clones of the response exist.
    #[must_use]
    pub fn with_received(mut self, unix: Duration) -> Self {
        if let Some(parts) = Arc::get_mut(&mut self.0) {
            parts.received = unix;
        }
        self
    }

    /// Returns when the response was received, since the epoch, or zero if that is unknown.
    pub fn received(&self) -> Duration {
        self.0.received
    }

    /// Returns the HTTP status.
    pub fn http_status(&self) -> u16 {
        self.0.http_status
    }

    /// Returns the headers in the order received. Bytes that are not UTF-8 are replaced by U+FFFD.
    pub fn headers(&self) -> &Headers {
        &self.0.headers
    }

    /// Returns the value of the first header with this name, ignoring case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.0.headers.get(name)
    }

    /// Returns the complete body.
    pub fn body(&self) -> &[u8] {
        &self.0.body
    }
}

/// Shows the status and the length of the body. The body is data of the customer and must not appear in logs.
impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("http_status", &self.0.http_status)
            .field("body_len", &self.0.body.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_shows_the_status_and_the_length_of_the_body() {
        let response = Response::new(201, Headers::default(), b"canary".to_vec());
        assert_eq!(format!("{response:?}"), "Response { http_status: 201, body_len: 6, .. }");
    }

    #[test]
    fn it_keeps_the_time_at_which_it_was_received() {
        let response = Response::new(200, Headers::default(), Vec::new());
        assert_eq!(response.received(), Duration::ZERO);
        assert_eq!(response.with_received(Duration::from_secs(7)).received(), Duration::from_secs(7));
    }
}
