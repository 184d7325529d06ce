//! When there are unusually many requests: the rule is in the [module above](super).

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::sync::{Mutex, MutexGuard, PoisonError};

/// So many times the busiest minute is unusual.
pub const FACTOR: f64 = 2.0;
/// So many requests a minute are never unusual: about what the smallest plan allows.
pub const FLOOR: u64 = 60;
/// After this time a busy minute counts half.
pub const HALF_LIFE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How many minutes are watched before anything is told, and how many pass between two spikes at least.
const HOUR: u64 = 60;

/// More requests than usual.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spike {
    /// How many there were in this minute when that became unusual.
    pub requests: u64,
    /// How many the busiest minute before had, the older the less.
    pub busiest: f64,
}

/// Counts the requests of each minute.
pub(super) struct Spikes {
    /// Which minute it is, and how many requests it has had.
    minute: AtomicU64,
    count: AtomicU64,
    /// The number of requests at which this minute is unusual.
    unusual: AtomicU64,
    past: Mutex<Past>,
}

struct Past {
    busiest: f64,
    /// The first minute, or [`NEVER`].
    began: u64,
    /// The minute that was reported last, or [`NEVER`], and the limit that it passed.
    reported: u64,
    reported_limit: f64,
}

/// Long before and after every minute. In place of `None`, whose unset payload the optimiser reads ahead of its test:
/// valgrind reports that.
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
    /// One more request, at the monotonic time `now`. Once a minute at most it is more than counting.
    pub fn count(&self, now: Duration) -> Option<Spike> {
        // Minute 0 is the one before the first.
        let minute = now.as_secs() / 60 + 1;
        if minute > self.minute.load(Ordering::Relaxed) {
            self.turn(minute);
        }
        let requests = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        // One call alone comes to just this number.
        (requests == self.unusual.load(Ordering::Relaxed)).then(|| self.tell(requests)).flatten()
    }

    /// What the busiest minute before this one had.
    pub fn busiest(&self) -> f64 {
        self.lock().busiest
    }

    fn turn(&self, minute: u64) {
        let mut past = self.lock();
        let last = self.minute.load(Ordering::Relaxed);
        if minute <= last {
            return;
        }
        let requests = self.count.swap(0, Ordering::Relaxed);
        past.learn(requests, last, minute - last);
        past.began = past.began.min(minute);
        self.unusual.store(past.unusual(minute), Ordering::Relaxed);
        self.minute.store(minute, Ordering::Relaxed);
    }

    fn tell(&self, requests: u64) -> Option<Spike> {
        let mut past = self.lock();
        let minute = self.minute.load(Ordering::Relaxed);
        // Another minute may have begun meanwhile.
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
    /// The minute `which` had so many requests, and is `elapsed` minutes ago.
    #[expect(clippy::cast_precision_loss, reason = "counts of a minute, and minutes")]
    fn learn(&mut self, requests: u64, which: u64, elapsed: u64) {
        let most = if self.reported.abs_diff(which) < HOUR { self.reported_limit } else { f64::INFINITY };
        let half_lives = elapsed as f64 * 60.0 / HALF_LIFE.as_secs_f64();
        self.busiest = self.busiest.max((requests as f64).min(most)) * 0.5_f64.powf(half_lives);
    }

    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    fn limit(&self) -> f64 {
        (self.busiest * FACTOR).max(FLOOR as f64)
    }

    /// The number of requests at which `minute` is unusual.
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

    /// So many requests in each minute of `minutes`, which begin at any time of the monotonic clock; what was told when.
    fn run(
        spikes: &Spikes,
        minutes: std::ops::Range<u64>,
        requests: impl Fn(u64) -> u64,
    ) -> Vec<(u64, Spike)> {
        let start = 1_000_003;
        let mut told = Vec::new();
        for minute in minutes {
            for _ in 0..requests(minute) {
                let now = Duration::from_secs(start - start % MINUTE + minute * MINUTE + 7);
                told.extend(spikes.count(now).map(|spike| (minute, spike)));
            }
        }
        told
    }

    /// An office: nights and weekends without a call, mornings at once as busy as ever, and busier at eleven.
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
    fn it_is_quiet_over_nights_weekends_and_holidays() {
        for busy in [20, 80, 300] {
            let spikes = Spikes::default();
            // The first morning of all is told of at most: nobody knows yet how busy it gets.
            let first = run(&spikes, 0..DAY, |minute| office(minute, busy));
            assert!(first.len() <= 1, "{first:?}");
            let weeks = run(&spikes, DAY..21 * DAY, |minute| office(minute, busy));
            assert_eq!(weeks, [], "{busy}");
            // A week off.
            let after = run(&spikes, 28 * DAY..30 * DAY, |minute| office(minute, busy));
            assert_eq!(after, [], "{busy}");
        }
    }

    #[test]
    fn it_tells_of_a_spike_within_its_minute_and_once_an_hour_at_most() {
        let spikes = Spikes::default();
        run(&spikes, 0..DAY, |_| 40);
        let told = run(&spikes, DAY..DAY + 50, |_| 400);
        assert_eq!(told.len(), 1, "{told:?}");
        let (minute, spike) = told[0];
        assert_eq!((minute, spike.requests), (DAY, 80), "at once, and with its figures");
        assert!((spike.busiest - 40.0).abs() < 0.1, "{spike:?}");
    }

    #[test]
    fn it_tells_of_a_spike_at_night() {
        let spikes = Spikes::default();
        run(&spikes, 0..DAY, |minute| office(minute, 40));
        let told = run(&spikes, DAY + 3 * 60..DAY + 3 * 60 + 5, |_| 200);
        assert_eq!(told.len(), 1, "{told:?}");
    }

    #[test]
    fn it_takes_what_lasts_as_usual_after_a_few_hours() {
        let spikes = Spikes::default();
        run(&spikes, 0..DAY, |_| 40);
        let told = run(&spikes, DAY..3 * DAY, |_| 400);
        let limits: Vec<u64> = told.iter().map(|(_, spike)| spike.requests - 1).collect();
        assert_eq!(
            limits,
            [79, 159, 319],
            "each is about twice the one before, until they are higher than what comes"
        );
        assert_eq!(run(&spikes, 3 * DAY..4 * DAY, |_| 400), []);
    }

    #[test]
    fn it_says_nothing_below_the_floor_or_in_the_first_hour() {
        let spikes = Spikes::default();
        assert_eq!(run(&spikes, 0..HOUR, |minute| if minute == 50 { 1000 } else { 1 }), []);
        let spikes = Spikes::default();
        run(&spikes, 0..DAY, |_| 1);
        assert_eq!(run(&spikes, DAY..DAY + 1, |_| 60), []);
        // That minute had 60, so twice as many are usual now.
        assert_eq!(run(&spikes, DAY + 1..DAY + 2, |_| 121).len(), 1, "and something above it");
        let spikes = Spikes::default();
        run(&spikes, 0..DAY, |_| 1);
        let told = run(&spikes, DAY..DAY + 1, |_| 61);
        assert_eq!(told.iter().map(|(_, spike)| spike.requests).collect::<Vec<_>>(), [61]);
    }

    #[test]
    fn it_lets_a_busy_minute_count_half_after_a_week() {
        let spikes = Spikes::default();
        run(&spikes, 0..1, |_| 1000);
        run(&spikes, 7 * DAY..7 * DAY + 1, |_| 1);
        assert!((spikes.busiest() - 500.0).abs() < 0.01, "{}", spikes.busiest());
        run(&spikes, 14 * DAY..14 * DAY + 1, |_| 1);
        assert!((spikes.busiest() - 250.0).abs() < 0.01, "{}", spikes.busiest());
    }

    #[test]
    fn it_watches_for_an_hour_and_rests_for_one() {
        let spikes = Spikes::default();
        let told: Vec<u64> = run(&spikes, 0..1, |_| 1)
            .into_iter()
            .chain(run(&spikes, 59..60, |_| 100))
            .chain(run(&spikes, 60..61, |_| 1000))
            .chain(run(&spikes, 119..120, |_| 1000))
            .chain(run(&spikes, 120..121, |_| 1000))
            .map(|(minute, _)| minute)
            .collect();
        assert_eq!(told, [60, 120]);
    }

    #[test]
    fn it_bears_clocks_that_differ_from_thread_to_thread() {
        let spikes = Spikes::default();
        let told: Vec<_> = [3600, 120, 3600, 60, 7200, 3599, 0]
            .into_iter()
            .cycle()
            .take(7000)
            .filter_map(|seconds| spikes.count(Duration::from_secs(seconds)))
            .collect();
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].requests <= 6000);
    }
}
