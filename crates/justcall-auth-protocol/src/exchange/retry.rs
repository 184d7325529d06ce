//! Rules for retries: whether a request may be sent again, and after how long.

use std::time::Duration;

use super::Exchange;
use super::state::ExchangeState;
use crate::error::{Error, ErrorKind};
use crate::request::Request;
use crate::time::Moment;

/// The wait before the first retry. It doubles with every further one.
const FIRST_BACKOFF: Duration = Duration::from_millis(250);
/// The limit of the doubled wait.
const MAX_BACKOFF: Duration = Duration::from_secs(8);

impl Exchange {
    /// Sends the request again after a wait if a retry may help. Otherwise ends the call with `error`.
    pub(super) fn retry_or_fail(&mut self, error: Error, now: &Moment) {
        if self.retries >= self.policy.max_retries || !may_retry(self.outgoing(), &error) {
            return drop(self.fail(error));
        }
        let wait = backoff(self.retries, now.random).max(error.retry_after().unwrap_or_default());
        let until = now.monotonic.saturating_add(wait);
        if self.deadline.is_some_and(|deadline| until >= deadline) {
            return drop(self.fail(error));
        }
        self.count_retry(&error);
        self.state = ExchangeState::Waiting(until);
        self.reporter.retrying(wait, &error);
    }

    pub(super) fn count_retry(&mut self, error: &Error) {
        self.retries += 1;
        if let Some(response) = error.response().filter(|_| self.is_subject_due()) {
            self.delivery.last_response = Some(response.clone());
        }
        self.reporter.retried();
    }
}

/// Returns true if `request`, which failed with `error`, may be sent again. The service did not execute a request that
/// the rate limit refused. After a server error or a lost connection the effect is unknown, so a request is sent again
/// only if it is idempotent or was certainly not delivered.
fn may_retry(request: &Request, error: &Error) -> bool {
    match error.kind() {
        ErrorKind::RateLimited => true,
        ErrorKind::ServerError | ErrorKind::Unavailable => request.is_idempotent(),
        ErrorKind::ConnectionFailed => request.is_idempotent() || !error.request_sent(),
        _ => false,
    }
}

/// Returns the wait before the next retry, after `retries` earlier ones. It doubles with every retry. It is random
/// between half and the whole, so that many callers do not retry at the same time.
fn backoff(retries: u32, random: u64) -> Duration {
    let full = FIRST_BACKOFF.saturating_mul(1 << retries.min(16)).min(MAX_BACKOFF);
    let millis = u64::try_from(full.as_millis()).expect("at most MAX_BACKOFF");
    Duration::from_millis(millis / 2 + random % (millis / 2 + 1))
}
