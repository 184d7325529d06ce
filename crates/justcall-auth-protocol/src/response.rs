//! An answer of the service, whole.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::service::{self, RateLimit};

/// An HTTP answer: status, headers, body. Immutable; cloning shares the bytes.
#[derive(Clone)]
pub struct Response(Arc<Parts>);

struct Parts {
    http_status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    rate_limit: RateLimit,
}

impl Response {
    /// An answer as it came. Header names keep their order and spelling; look-ups ignore case.
    pub fn new(http_status: u16, headers: Vec<(String, String)>, body: Vec<u8>) -> Self {
        Self(Arc::new(Parts { http_status, headers, body, rate_limit: RateLimit::default() }))
    }

    /// The same answer, received at `unix`, since the epoch: its rate limit may be told from then on.
    #[must_use]
    pub fn received_at(self, unix: Duration) -> Self {
        let rate_limit = service::rate_limit(&self, unix);
        let mut parts = Arc::into_inner(self.0).expect("an answer is dated before it is shared");
        parts.rate_limit = rate_limit;
        Self(Arc::new(parts))
    }

    /// The account's rate limit, as this answer tells it. Empty for an answer of unknown date.
    pub fn rate_limit(&self) -> RateLimit {
        self.0.rate_limit
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
