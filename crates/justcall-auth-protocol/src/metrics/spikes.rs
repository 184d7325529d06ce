//! Detection of an unusual number of requests.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::sync::{Mutex, MutexGuard, PoisonError};

/// A minute is unusual if it has more requests than this multiple of the busiest minute.
pub const FACTOR: f64 = 2.0;
/// The number of requests per minute that is never unusual: about what the smallest plan allows.
pub const FLOOR: u64 = 60;
/// The age at which a busy minute counts half.
pub const HALF_LIFE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The number of minutes before the first spike, and between two spikes.
const HOUR: u64 = 60;

/// An unusual number of requests in a minute.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spike {
    /// The number of requests in this minute when it became unusual.
    pub requests: u64,
    /// The number of requests in the busiest minute before, reduced by its age.
    pub busiest: f64,
}

/// Counts the requests of each minute.
pub(super) struct Spikes {
    /// The current minute, and the number of its requests.
    minute: AtomicU64,
    count: AtomicU64,
    /// The number of requests at which the current minute is unusual.
    unusual: AtomicU64,
    past: Mutex<Past>,
}

struct Past {
    busiest: f64,
    /// The first minute, or [`NEVER`].
    began: u64,
    /// The last reported minute, or [`NEVER`], and its limit.
    reported: u64,
    reported_limit: f64,
}

/// A minute that is far from every other. Used instead of `None`, because the optimiser reads the unset payload before
/// the test, which valgrind reports.
const NEVER: u64 = u64::MAX;

impl Default for Spikes {
    fn default() -> Self {
        Self {
            minute: AtomicU64::new(0),
            count: AtomicU64::new(0),
            unusual: AtomicU64::new(u64::MAX),
            past: Mutex::new(Past { busiest: 0.0, began: NEVER, reported: NEVER, reported_limit: 0.0 }),
        }
    }
}

impl Spikes {
    /// Counts one request at the monotonic time `now`. At most once per minute it does more than counting.
    pub fn count(&self, now: Duration) -> Option<Spike> {
        // Minute 0 is before the first.
        let minute = now.as_secs() / 60 + 1;
        if minute > self.minute.load(Ordering::Relaxed) {
            self.start_minute(minute);
        }
        let requests = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        // Exactly one call reaches this number.
        (requests == self.unusual.load(Ordering::Relaxed)).then(|| self.report(requests)).flatten()
    }

    /// Returns the number of requests in the busiest minute before the current one, reduced by its age.
    pub fn busiest(&self) -> f64 {
        self.lock().busiest
    }

    fn start_minute(&self, minute: u64) {
        let mut past = self.lock();
        let last = self.minute.load(Ordering::Relaxed);
        if minute <= last {
            return;
        }
        let requests = self.count.swap(0, Ordering::Relaxed);
        past.add(requests, last, minute - last);
        past.began = past.began.min(minute);
        self.unusual.store(past.unusual(minute), Ordering::Relaxed);
        self.minute.store(minute, Ordering::Relaxed);
    }

    fn report(&self, requests: u64) -> Option<Spike> {
        let mut past = self.lock();
        let minute = self.minute.load(Ordering::Relaxed);
        // Another minute may have begun in the meantime.
        if past.unusual(minute) != requests {
            return None;
        }
        (past.reported, past.reported_limit) = (minute, past.limit());
        self.unusual.store(u64::MAX, Ordering::Relaxed);
        Some(Spike { requests, busiest: past.busiest })
    }

    fn lock(&self) -> MutexGuard<'_, Past> {
        self.past.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Past {
    /// Adds the minute `which` with its number of requests. The minute is `elapsed` minutes ago.
    #[expect(clippy::cast_precision_loss, reason = "counts of a minute, and minutes")]
    fn add(&mut self, requests: u64, which: u64, elapsed: u64) {
        let most = if self.reported.abs_diff(which) < HOUR { self.reported_limit } else { f64::INFINITY };
        let half_lives = elapsed as f64 * 60.0 / HALF_LIFE.as_secs_f64();
        self.busiest = self.busiest.max((requests as f64).min(most)) * 0.5_f64.powf(half_lives);
    }

    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    fn limit(&self) -> f64 {
        (self.busiest * FACTOR).max(FLOOR as f64)
    }

    /// Returns the number of requests at which `minute` is unusual.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "casts saturate")]
    fn unusual(&self, minute: u64) -> u64 {
        let is_new = self.began.abs_diff(minute) < HOUR;
        let is_reported = self.reported.abs_diff(minute) < HOUR;
        if is_new || is_reported { u64::MAX } else { (self.limit().floor() as u64).saturating_add(1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: u64 = 60;
    const DAY: u64 = 24 * 60;

    /// Counts this many requests in each minute of `minutes`. Returns the spikes with their minutes. The clock starts
    /// in the middle of a minute.
    fn run(
        spikes: &Spikes,
        minutes: std::ops::Range<u64>,
        requests: impl Fn(u64) -> u64,
    ) -> Vec<(u64, Spike)> {
        let start = 1_000_003;
        let mut spikes_seen = Vec::new();
        for minute in minutes {
            for _ in 0..requests(minute) {
                let now = Duration::from_secs(start - start % MINUTE + minute * MINUTE + 7);
                spikes_seen.extend(spikes.count(now).map(|spike| (minute, spike)));
            }
        }
        spikes_seen
    }

    /// An office: no calls at night and on weekends, busy from the first minute of a day, busiest at eleven.
    fn office(minute: u64, busy: u64) -> u64 {
        let (day, hour) = (minute / DAY % 7, minute % DAY / 60);
        let scatter = minute.wrapping_mul(2_654_435_761) % (busy / 4);
        match (day, hour) {
            (5 | 6, _) | (_, 0..=7 | 18..) => 0,
            (_, 11) => busy * 3 / 2 + scatter,
            _ => busy * 3 / 4 + scatter,
        }
    }

    #[test]
    fn it_reports_no_spike_after_nights_weekends_and_holidays() {
        for busy in [20, 80, 300] {
            let spikes = Spikes::default();
            // At most one spike on the first day, when the usual number is not yet known.
            let first = run(&spikes, 0..DAY, |minute| office(minute, busy));
            assert!(first.len() <= 1, "{first:?}");
            let weeks = run(&spikes, DAY..21 * DAY, |minute| office(minute, busy));
            assert_eq!(weeks, [], "{busy}");
            // One week without requests.
            let after = run(&spikes, 28 * DAY..30 * DAY, |minute| office(minute, busy));
            assert_eq!(after, [], "{busy}");
        }
    }

    #[test]
    fn it_reports_a_spike_within_its_minute_and_at_most_once_per_hour() {
        let spikes = Spikes::default();
        run(&spikes, 0..DAY, |_| 40);
        let spikes_seen = run(&spikes, DAY..DAY + 50, |_| 400);
        assert_eq!(spikes_seen.len(), 1, "{spikes_seen:?}");
        let (minute, spike) = spikes_seen[0];
        assert_eq!((minute, spike.requests), (DAY, 80), "within the minute, with its figures");
        assert!((spike.busiest - 40.0).abs() < 0.1, "{spike:?}");
    }

    #[test]
    fn it_reports_a_spike_at_night() {
        let spikes = Spikes::default();
        run(&spikes, 0..DAY, |minute| office(minute, 40));
        let spikes_seen = run(&spikes, DAY + 3 * 60..DAY + 3 * 60 + 5, |_| 200);
        assert_eq!(spikes_seen.len(), 1, "{spikes_seen:?}");
    }

    #[test]
    fn it_treats_a_lasting_increase_as_usual_after_a_few_hours() {
        let spikes = Spikes::default();
        run(&spikes, 0..DAY, |_| 40);
        let spikes_seen = run(&spikes, DAY..3 * DAY, |_| 400);
        let limits: Vec<u64> = spikes_seen.iter().map(|(_, spike)| spike.requests - 1).collect();
        assert_eq!(
            limits,
            [79, 159, 319],
            "each limit is about twice the previous one, until no minute exceeds it"
        );
        assert_eq!(run(&spikes, 3 * DAY..4 * DAY, |_| 400), []);
    }

    #[test]
    fn it_reports_nothing_below_the_floor_or_in_the_first_hour() {
        let spikes = Spikes::default();
        assert_eq!(run(&spikes, 0..HOUR, |minute| if minute == 50 { 1000 } else { 1 }), []);
        let spikes = Spikes::default();
        run(&spikes, 0..DAY, |_| 1);
        assert_eq!(run(&spikes, DAY..DAY + 1, |_| 60), []);
        // The previous minute had 60 requests, so the limit is now 120.
        assert_eq!(run(&spikes, DAY + 1..DAY + 2, |_| 121).len(), 1, "a spike above the limit");
        let spikes = Spikes::default();
        run(&spikes, 0..DAY, |_| 1);
        let spikes_seen = run(&spikes, DAY..DAY + 1, |_| 61);
        assert_eq!(spikes_seen.iter().map(|(_, spike)| spike.requests).collect::<Vec<_>>(), [61]);
    }

    #[test]
    fn it_halves_the_weight_of_a_busy_minute_after_a_week() {
        let spikes = Spikes::default();
        run(&spikes, 0..1, |_| 1000);
        run(&spikes, 7 * DAY..7 * DAY + 1, |_| 1);
        assert!((spikes.busiest() - 500.0).abs() < 0.01, "{}", spikes.busiest());
        run(&spikes, 14 * DAY..14 * DAY + 1, |_| 1);
        assert!((spikes.busiest() - 250.0).abs() < 0.01, "{}", spikes.busiest());
    }

    #[test]
    fn it_reports_nothing_in_the_first_hour_and_in_the_hour_after_a_spike() {
        let spikes = Spikes::default();
        let spikes_seen: Vec<u64> = run(&spikes, 0..1, |_| 1)
            .into_iter()
            .chain(run(&spikes, 59..60, |_| 100))
            .chain(run(&spikes, 60..61, |_| 1000))
            .chain(run(&spikes, 119..120, |_| 1000))
            .chain(run(&spikes, 120..121, |_| 1000))
            .map(|(minute, _)| minute)
            .collect();
        assert_eq!(spikes_seen, [60, 120]);
    }

    #[test]
    fn it_tolerates_clocks_that_differ_between_threads() {
        let spikes = Spikes::default();
        let spikes_seen: Vec<_> = [3600, 120, 3600, 60, 7200, 3599, 0]
            .into_iter()
            .cycle()
            .take(7000)
            .filter_map(|seconds| spikes.count(Duration::from_secs(seconds)))
            .collect();
        assert_eq!(spikes_seen.len(), 1, "{spikes_seen:?}");
        assert!(spikes_seen[0].requests <= 6000);
    }

    #[test]
    fn it_starts_the_first_hour_with_the_first_minute() {
        let spikes = Spikes::default();
        spikes.count(Duration::ZERO);
        let after_an_hour = (0..61).filter_map(|_| spikes.count(Duration::from_secs(3600))).count();
        assert_eq!(after_an_hour, 1, "it was counted from the first minute of the clock");
    }

    #[test]
    fn it_counts_a_busy_minute_in_full_an_hour_after_a_spike() {
        let spikes = Spikes::default();
        run(&spikes, 0..1, |_| 1);
        assert_eq!(run(&spikes, 60..61, |_| 61).len(), 1);
        assert_eq!(run(&spikes, 119..120, |_| 200).len(), 0, "within the hour: counted as the limit");
        assert_eq!(run(&spikes, 120..121, |_| 100).len(), 0, "not above the limit");
        assert!((59.0..=60.0).contains(&spikes.busiest()), "{}", spikes.busiest());
        run(&spikes, 121..122, |_| 1);
        assert!((spikes.busiest() - 100.0).abs() < 0.1, "{}", spikes.busiest());
    }
}
