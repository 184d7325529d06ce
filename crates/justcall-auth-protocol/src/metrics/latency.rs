//! A histogram of response times.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::Counters;

/// The upper bounds of the buckets, in milliseconds. The bucket after the last bound is unbounded.
pub(super) const BOUNDS: [u64; 11] = [10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000];

/// The number of responses by response time.
#[derive(Default)]
pub(super) struct Latency {
    buckets: Counters<{ BOUNDS.len() + 1 }>,
    /// The sum of all response times, in microseconds.
    sum: AtomicU64,
}

impl Latency {
    pub fn add(&self, took: Duration) {
        let within = |bound: &u64| took <= Duration::from_millis(*bound);
        self.buckets.add(BOUNDS.iter().position(within).unwrap_or(BOUNDS.len()));
        self.sum.fetch_add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Returns the number of responses within each bound, and the number of all responses.
    pub fn cumulative(&self) -> [u64; BOUNDS.len() + 1] {
        let mut total = 0;
        std::array::from_fn(|index| {
            total += self.buckets.read(index);
            total
        })
    }

    /// Returns the sum of all response times.
    pub fn sum(&self) -> Duration {
        Duration::from_micros(self.sum.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_counts_a_response_time_equal_to_a_bound_below_the_bound() {
        let latency = Latency::default();
        for ms in [0, 10, 11, 30_000, 30_001] {
            latency.add(Duration::from_millis(ms));
        }
        let counted = latency.cumulative();
        assert_eq!((counted[0], counted[1], counted[10], counted[11]), (2, 3, 4, 5));
        assert_eq!(latency.sum(), Duration::from_millis(60_022));
    }
}
