//! An answer of the service, whole.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// An HTTP answer: status, headers, body. Immutable; cloning shares the bytes.
#[derive(Clone)]
pub struct Response(Arc<Parts>);

struct Parts {
    http_status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    received: Duration,
}

impl Response {
    /// An answer as it came. Header names keep their order and spelling; look-ups ignore case.
    pub fn new(http_status: u16, headers: Vec<(String, String)>, body: Vec<u8>) -> Self {
        Self(Arc::new(Parts { http_status, headers, body, received: Duration::ZERO }))
    }

    /// The same answer, received at `unix`, since the epoch.
    #[must_use]
    pub fn with_received(mut self, unix: Duration) -> Self {
        if let Some(parts) = Arc::get_mut(&mut self.0) {
            parts.received = unix;
        }
        self
    }

    /// When the answer came, since the epoch; zero where that is not known.
    pub fn received(&self) -> Duration {
        self.0.received
    }

    /// The HTTP status.
    pub fn http_status(&self) -> u16 {
        self.0.http_status
    }

    /// The headers in the order they came. Bytes that are not UTF-8 are replaced by U+FFFD.
    pub fn headers(&self) -> &[(String, String)] {
        &self.0.headers
    }

    /// The first header called `name`, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.0
            .headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The body, whole.
    pub fn body(&self) -> &[u8] {
        &self.0.body
    }
}

/// The status and the size of the body: its contents are the customer's data and stay out of logs.
impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("http_status", &self.0.http_status)
            .field("body_len", &self.0.body.len())
            .finish_non_exhaustive()
    }
}
