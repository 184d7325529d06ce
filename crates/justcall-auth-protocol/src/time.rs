//! The time, passed in by the driver of a call.

use std::time::Duration;

/// The time and a random number at the moment of a call.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// Monotonic time since any fixed point.
    pub monotonic: Duration,
    /// The time since the epoch, for reset headers.
    pub unix: Duration,
    /// A uniformly random number, which spreads the retries of many callers.
    pub random: u64,
}
