//! Tests of real processes that call without pause while their pair is reset.
//!
//! [`worker`] starts the programs that call. [`source`] holds the pair that a program reads. [`reads`] records the reads of
//! the sources. [`run`] resets the pair and writes the new pair to the sources. [`judge`] checks the promises, and [`chart`]
//! draws the run.

pub mod chart;
pub mod judge;
pub mod reads;
pub mod run;
pub mod source;
pub mod worker;

use std::time::Duration;

/// Returns the time of the monotonic clock, which all processes of a machine share, in nanoseconds.
pub fn now() -> i64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    let since = Duration::try_from(now).expect("the monotonic clock is not negative");
    i64::try_from(since.as_nanos()).expect("a machine does not run for 292 years")
}
