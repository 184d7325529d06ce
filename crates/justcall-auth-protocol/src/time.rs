//! The time, as the driver of a call passes it in.

use std::time::Duration;

/// The time and some randomness, as the driver sees them now.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// Time that never jumps, since any fixed point.
    pub monotonic: Duration,
    /// The time of day, since the epoch: the service's reset headers count in it.
    pub unix: Duration,
    /// Uniformly random: spreads the retries of many callers.
    pub random: u64,
}
