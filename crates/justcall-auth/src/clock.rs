//! Time and randomness of this process, for the exchange.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, SystemTime};

use justcall_auth_protocol::Moment;

/// Returns the current time with a random number. The randomness suffices to spread retries, not for secrets.
pub(crate) fn now() -> Moment {
    Moment {
        monotonic: monotonic(),
        unix: unix_time(),
        // The hashers of std have random keys, so spreading retries needs no further crate.
        random: RandomState::new().build_hasher().finish(),
    }
}

/// Returns the time since the epoch, or zero if the clock is set before the epoch.
pub fn unix_time() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

/// Returns a time that never jumps. Reads the system clock instead of counting from a first call, because a child of
/// `fork()` could inherit a half-initialised origin.
#[cfg(unix)]
pub(crate) fn monotonic() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    Duration::try_from(now).expect("the monotonic clock is not negative")
}

/// Returns a time that never jumps, counted from the first call.
#[cfg(not(unix))]
pub(crate) fn monotonic() -> Duration {
    use std::sync::OnceLock;
    use std::time::Instant;
    static ORIGIN: OnceLock<Instant> = OnceLock::new();
    ORIGIN.get_or_init(Instant::now).elapsed()
}
