//! The settings of a client that apply to its calls.

use std::time::Duration;

use crate::time::Moment;
use crate::url::BaseUrl;

/// The settings of all calls of a client.
#[derive(Debug, Clone)]
pub struct Policy {
    /// The base URL of the service.
    pub base_url: BaseUrl,
    /// The path that `verify` requests instead of [`service::ACCOUNT_PATH`](crate::service::ACCOUNT_PATH).
    pub verify_path: Option<String>,
    /// The time limit of a call, including waits. Zero means no limit.
    pub timeout: Duration,
    /// The number of retries of a call, of all kinds together.
    pub max_retries: u32,
    /// The account that a pair must belong to before other requests are sent with it.
    pub expected_account: Option<u64>,
    /// How long calls wait for another pair after the pair in use was rejected.
    pub rotation_wait: Duration,
    /// How long a rejected pair is not sent again, unless the source returns another.
    pub cool_down: Duration,
    /// How long webhooks signed with the previous pair are accepted.
    pub overlap: Duration,
    /// The age at which a pair should be replaced. Zero means never.
    pub rotation_due: Duration,
    /// The largest body of a response that calls read, in bytes, after decompression.
    pub max_response_length: usize,
}

impl Default for Policy {
    /// The public service, 30 seconds, 2 retries, any account, no wait, 30 seconds, 15 minutes, 90 days, 32 MiB.
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
    /// Returns the monotonic time at which a call that begins `now` must end. `own` is the timeout of the call itself,
    /// if any.
    pub(crate) fn deadline(&self, own: Option<Duration>, now: &Moment) -> Option<Duration> {
        let timeout = own.unwrap_or(self.timeout);
        (!timeout.is_zero()).then(|| now.monotonic.saturating_add(timeout))
    }
}
