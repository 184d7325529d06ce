//! Time and randomness of this process, as the exchange takes them.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, SystemTime};

use justcall_auth_protocol::Moment;

/// The current time, and a random number good enough to spread retries.
pub(crate) fn now() -> Moment {
    Moment {
        monotonic: monotonic(),
        unix: unix_time(),
        // std's hashers are keyed at random; no need for a crate to spread retries.
        random: RandomState::new().build_hasher().finish(),
    }
}

/// Returns the time of day, since the epoch: zero if the clock is set before it.
pub fn unix_time() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

/// Time that never jumps. Read from the system rather than counted from a first call: a child of `fork()` must find
/// nothing that a thread of its parent was about to initialise.
#[cfg(unix)]
pub(crate) fn monotonic() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    Duration::try_from(now).expect("the monotonic clock is not negative")
}

/// Time that never jumps, since the first call.
#[cfg(not(unix))]
pub(crate) fn monotonic() -> Duration {
    use std::sync::OnceLock;
    use std::time::Instant;
    static ORIGIN: OnceLock<Instant> = OnceLock::new();
    ORIGIN.get_or_init(Instant::now).elapsed()
}
