//! When a request may be sent again, and after how long.

use std::time::Duration;

use crate::error::{Error, ErrorKind};
use crate::request::Request;

/// The first wait before a retry; it doubles with every further one.
const FIRST_BACKOFF: Duration = Duration::from_millis(250);
/// The longest wait that backing off alone comes to.
const MAX_BACKOFF: Duration = Duration::from_secs(8);

/// Returns whether `request`, which failed with `error`, may be sent again. A request refused by the rate limit was surely not
/// carried out. What a server error or a lost connection left behind is not known, so only an idempotent request is sent
/// twice, or one that was surely not delivered.
pub(super) fn may_retry(request: &Request, error: &Error) -> bool {
    match error.kind() {
        ErrorKind::RateLimited => true,
        ErrorKind::ServerError | ErrorKind::Unavailable => request.is_idempotent(),
        ErrorKind::ConnectionFailed => request.is_idempotent() || !error.request_sent(),
        _ => false,
    }
}

/// Returns how long to wait before the retry after `retries` others. It doubles with every retry, and is random between half
/// and the whole, so that many callers do not come back at once.
pub(super) fn backoff(retries: u32, random: u64) -> Duration {
    let full = FIRST_BACKOFF.saturating_mul(1 << retries.min(16)).min(MAX_BACKOFF);
    let millis = u64::try_from(full.as_millis()).expect("at most MAX_BACKOFF");
    Duration::from_millis(millis / 2 + random % (millis / 2 + 1))
}
