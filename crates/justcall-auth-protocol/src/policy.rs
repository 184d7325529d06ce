//! The settings of a client that its calls follow.

use std::time::Duration;

use crate::time::Moment;
use crate::url::BaseUrl;

/// What a client asks of all its calls.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Where the service is.
    pub base_url: BaseUrl,
    /// What `verify` asks in place of [`service::ACCOUNT_PATH`](crate::service::ACCOUNT_PATH).
    pub verify_path: Option<String>,
    /// For the whole call, waits included. Zero: no limit.
    pub timeout: Duration,
    /// How many second attempts a call may make, of every kind together.
    pub max_retries: u32,
    /// The account that a pair must belong to before anything else is asked with it.
    pub expected_account: Option<u64>,
    /// How long calls are held for another pair, from the moment that the pair in use was rejected.
    pub rotation_wait: Duration,
    /// How long a pair that the service rejected is not sent again, unless the source gives another.
    pub cool_down: Duration,
    /// How long webhooks signed with the previous pair are accepted.
    pub overlap: Duration,
    /// The age at which a pair should be replaced. Zero: never.
    pub rotation_due: Duration,
    /// The largest body of a response that calls read, in bytes, after decompression.
    pub max_response_length: usize,
}

impl Default for Policy {
    /// The service itself, 30 seconds, 2 retries, any account, no wait, 30 seconds, 15 minutes, 90 days, 32 MiB.
    fn default() -> Self {
        Self {
            base_url: BaseUrl::default(),
            verify_path: None,
            timeout: Duration::from_secs(30),
            max_retries: 2,
            expected_account: None,
            rotation_wait: Duration::ZERO,
            cool_down: Duration::from_secs(30),
            overlap: Duration::from_secs(15 * 60),
            rotation_due: Duration::from_secs(90 * 24 * 60 * 60),
            max_response_length: 32 * 1024 * 1024,
        }
    }
}

impl Policy {
    /// Returns when a call that begins `now` ends at the latest, on the monotonic clock. `own` is its own timeout, if it has one.
    pub(crate) fn deadline(&self, own: Option<Duration>, now: &Moment) -> Option<Duration> {
        let timeout = own.unwrap_or(self.timeout);
        (!timeout.is_zero()).then(|| now.monotonic.saturating_add(timeout))
    }
}
