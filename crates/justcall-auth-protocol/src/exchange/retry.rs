//! When a request may be repeated, and after how long.

use std::time::Duration;

use super::{Exchange, Moment, State};
use crate::error::{Error, ErrorKind};
use crate::event::{Event, EventKind};
use crate::request::Request;

/// The first wait before a retry; it doubles with every further one.
const FIRST_BACKOFF: Duration = Duration::from_millis(250);
/// The longest wait that backing off alone comes to.
const MAX_BACKOFF: Duration = Duration::from_secs(8);

impl Exchange {
    /// Makes the call again where that may help, after a while; else `error` ends it.
    pub(super) fn retry_or_fail(&mut self, error: Error, now: &Moment) {
        if self.retries >= self.policy.max_retries || !may_repeat(self.outgoing(), &error) {
            return drop(self.fail(error));
        }
        let wait = backoff(self.retries, now.random).max(error.retry_after().unwrap_or_default());
        let until = now.monotonic.saturating_add(wait);
        if self.deadline.is_some_and(|deadline| until >= deadline) {
            return drop(self.fail(error));
        }
        self.repeat(&error);
        self.state = State::Waiting(until);
        let message = format!("The call is made again in {} ms: {}", wait.as_millis(), error.message());
        self.tell(Event::new(EventKind::Retrying, message).with_status(error.http_status()).with_wait(wait));
    }

    /// Another attempt is made, because of `error`.
    pub(super) fn repeat(&mut self, error: &Error) {
        self.retries += 1;
        if let Some(response) = error.response().filter(|_| self.is_subject_due()) {
            self.delivery.last_response = Some(response.clone());
        }
        self.keyring.usage().retried();
    }
}

/// A request refused by the rate limit was surely not carried out. What a server error or a lost connection left
/// behind is not known, so only what may be done twice is done twice, or what was surely not delivered.
fn may_repeat(request: &Request, error: &Error) -> bool {
    match error.kind() {
        ErrorKind::RateLimited => true,
        ErrorKind::ServerError | ErrorKind::Unavailable => request.is_idempotent(),
        ErrorKind::ConnectionFailed => request.is_idempotent() || !error.request_sent(),
        _ => false,
    }
}

/// Doubles with every retry; random between half and the whole, so that many callers do not come back at once.
fn backoff(retries: u32, random: u64) -> Duration {
    let full = FIRST_BACKOFF.saturating_mul(1 << retries.min(16)).min(MAX_BACKOFF);
    let millis = u64::try_from(full.as_millis()).expect("at most MAX_BACKOFF");
    Duration::from_millis(millis / 2 + random % (millis / 2 + 1))
}
