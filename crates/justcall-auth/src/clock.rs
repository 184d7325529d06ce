//! Time and randomness of this process, as the exchange takes them.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime};

use justcall_auth_protocol::exchange::Moment;

/// The fixed point that monotonic time is counted from.
fn origin() -> Instant {
    static ORIGIN: OnceLock<Instant> = OnceLock::new();
    *ORIGIN.get_or_init(Instant::now)
}

/// The current time, and a random number good enough to spread retries.
pub(crate) fn now() -> Moment {
    let monotonic = origin().elapsed();
    Moment {
        monotonic,
        unix: SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default(),
        random: random(monotonic),
    }
}

/// The instant of a monotonic time; `None` beyond what the platform can count to.
pub(crate) fn instant(monotonic: Duration) -> Option<Instant> {
    origin().checked_add(monotonic)
}

/// std's hasher keys are random for each process; no need for a crate to spread retries.
fn random(salt: Duration) -> u64 {
    static KEYS: OnceLock<RandomState> = OnceLock::new();
    let mut hasher = KEYS.get_or_init(RandomState::new).build_hasher();
    hasher.write_u128(salt.as_nanos());
    hasher.finish()
}
