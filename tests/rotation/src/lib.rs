//! Real processes that call without pause while their pair is reset.
//!
//! [`worker`] starts the programs that call, [`place`] is where they read their pair, [`reads`] sees who reads it, [`run`]
//! resets the pair and lets the sources follow, and [`judge`] says what became of it; [`picture`] draws it.

pub mod judge;
pub mod picture;
pub mod place;
pub mod reads;
pub mod run;
pub mod worker;

use std::time::Duration;

/// The clock that all processes of a machine share, in nanoseconds.
pub fn now() -> i64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    let since = Duration::try_from(now).expect("the monotonic clock is not negative");
    i64::try_from(since.as_nanos()).expect("a machine does not run for 292 years")
}
