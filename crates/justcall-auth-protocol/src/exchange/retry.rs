//! Rules for retries: whether a request may be sent again, and after how long.

use std::time::Duration;

use crate::error::{Error, ErrorKind};
use crate::request::Request;

/// The wait before the first retry. It doubles with every further one.
const FIRST_BACKOFF: Duration = Duration::from_millis(250);
/// The limit of the doubled wait.
const MAX_BACKOFF: Duration = Duration::from_secs(8);

/// Returns true if `request`, which failed with `error`, may be sent again. The service did not execute a request that
/// the rate limit refused. After a server error or a lost connection the effect is unknown, so a request is sent again
/// only if it is idempotent or was certainly not delivered.
pub(super) fn may_retry(request: &Request, error: &Error) -> bool {
    match error.kind() {
        ErrorKind::RateLimited => true,
        ErrorKind::ServerError | ErrorKind::Unavailable => request.is_idempotent(),
        ErrorKind::ConnectionFailed => request.is_idempotent() || !error.request_sent(),
        _ => false,
    }
}

/// Returns the wait before the next retry, after `retries` earlier ones. It doubles with every retry. It is random
/// between half and the whole, so that many callers do not retry at the same time.
pub(super) fn backoff(retries: u32, random: u64) -> Duration {
    let full = FIRST_BACKOFF.saturating_mul(1 << retries.min(16)).min(MAX_BACKOFF);
    let millis = u64::try_from(full.as_millis()).expect("at most MAX_BACKOFF");
    Duration::from_millis(millis / 2 + random % (millis / 2 + 1))
}
