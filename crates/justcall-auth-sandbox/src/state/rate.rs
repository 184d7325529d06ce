//! Counts requests against limits, in fixed windows.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::Dialect;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);

/// An enforced limit: a number of requests in a window of seconds.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RateLimit {
    limit: u64,
    window_s: f64,
}

impl RateLimit {
    /// Returns true if the limit is above 0 and the window is a possible length of time.
    pub(super) fn is_valid(&self) -> bool {
        self.limit > 0 && self.window_s > 0.0 && self.window_s <= 1e9
    }
}

/// The requests of an account in the current windows.
pub(super) struct RateWindow {
    long: Counter,
    burst: Counter,
    enforced: bool,
}

/// The rate limits of an account and what is left of them, as the console shows them.
#[derive(Serialize)]
pub(super) struct RateView {
    enforced: bool,
    long: CounterView,
    burst: CounterView,
}

#[derive(Serialize)]
struct CounterView {
    limit: u64,
    used: u64,
    window_s: f64,
    /// How long until the count starts again; 0 if nothing was counted.
    resets_in_ms: u64,
}

/// What is left of an account's limits after a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// The limit that can be enforced.
    pub(crate) long: Quota,
    /// The limit of the short window, which only one dialect announces.
    pub(crate) burst: Quota,
    /// How many seconds to wait, at least 1, if this request exceeds the limit.
    pub(crate) retry_after: Option<u64>,
}

/// What is left of one limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Quota {
    pub(crate) limit: u64,
    pub(crate) remaining: u64,
    /// When the window ends, in seconds since 1970.
    pub(crate) reset: u64,
}

impl RateWindow {
    /// Creates the windows of an enforced limit, or of the plan's limits, which are only announced.
    pub(super) fn new(dialect: Dialect, plan: &str, limit: Option<RateLimit>) -> Self {
        if let Some(RateLimit { limit, window_s }) = limit {
            let counter = Counter::new(limit, Duration::from_secs_f64(window_s));
            return Self { long: counter.clone(), burst: counter, enforced: true };
        }
        let (long, burst) = usual_limits(dialect, plan);
        Self { long, burst, enforced: false }
    }

    /// Returns true if requests beyond the limit are refused.
    pub(super) fn is_enforced(&self) -> bool {
        self.enforced
    }

    /// Forgets the requests that were counted.
    pub(super) fn restart(&mut self) {
        self.long.began = None;
        self.burst.began = None;
    }

    /// Returns what is left of the limits, without counting a request.
    pub(super) fn view(&self, now: Instant) -> RateView {
        RateView { enforced: self.enforced, long: self.long.view(now), burst: self.burst.view(now) }
    }

    /// Counts a request.
    pub(super) fn count(&mut self, now: Instant) -> Standing {
        let mut long = self.long.count(now);
        let mut burst = self.burst.count(now);
        let over = self.enforced && self.long.used > self.long.limit;
        if !self.enforced {
            // A limit that is not enforced must not look exhausted, since a client that reads the header would wait.
            long.remaining = long.remaining.max(1);
            burst.remaining = burst.remaining.max(1);
        }
        Standing { long, burst, retry_after: over.then(|| round_up(self.long.left(now)).max(1)) }
    }
}

#[derive(Clone)]
struct Counter {
    limit: u64,
    window: Duration,
    began: Option<Instant>,
    used: u64,
}

impl Counter {
    fn new(limit: u64, window: Duration) -> Self {
        Self { limit, window, began: None, used: 0 }
    }

    fn count(&mut self, now: Instant) -> Quota {
        if self.left(now).is_zero() {
            self.began = Some(now);
            self.used = 0;
        }
        self.used += 1;
        let epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Quota {
            limit: self.limit,
            remaining: self.limit.saturating_sub(self.used),
            reset: round_up(epoch + self.left(now)),
        }
    }

    fn view(&self, now: Instant) -> CounterView {
        let left = self.left(now);
        CounterView {
            limit: self.limit,
            used: if left.is_zero() { 0 } else { self.used },
            window_s: self.window.as_secs_f64(),
            resets_in_ms: u64::try_from(left.as_millis()).unwrap_or(u64::MAX),
        }
    }

    fn left(&self, now: Instant) -> Duration {
        self.began.map_or(Duration::ZERO, |began| (began + self.window).saturating_duration_since(now))
    }
}

fn round_up(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

/// Returns the published limits of a plan: the long window and the burst window.
fn usual_limits(dialect: Dialect, plan: &str) -> (Counter, Counter) {
    let (article, hourly) = match plan.to_ascii_lowercase().as_str() {
        "business" => (300, 5400),
        "pro" => (120, 3600),
        _ => (60, 1800),
    };
    match dialect {
        Dialect::Article => (Counter::new(article, MINUTE), Counter::new(article, MINUTE)),
        Dialect::Measured => (Counter::new(hourly, HOUR), Counter::new(hourly / 60, MINUTE)),
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{RateLimit, RateWindow};
    use crate::Dialect;

    #[test]
    fn it_refuses_beyond_the_limit_until_the_window_ends() {
        let limit = RateLimit { limit: 2, window_s: 10.0 };
        let mut window = RateWindow::new(Dialect::Article, "Pro", Some(limit));
        let start = Instant::now();
        assert_eq!(window.count(start).long.remaining, 1);
        assert_eq!(window.count(start).retry_after, None);
        assert_eq!(window.count(start + Duration::from_millis(2500)).retry_after, Some(8));
        let next = window.count(start + Duration::from_secs(10));
        assert_eq!((next.retry_after, next.long.remaining), (None, 1));
    }

    #[test]
    fn it_only_announces_the_plans_limit() {
        let mut window = RateWindow::new(Dialect::Article, "Team", None);
        let now = Instant::now();
        let last = (0..1000).map(|_| window.count(now)).last().unwrap();
        assert_eq!((last.long.limit, last.long.remaining, last.retry_after), (60, 1, None));
    }

    #[test]
    fn it_announces_an_hour_and_a_burst_as_measured() {
        let standing = RateWindow::new(Dialect::Measured, "business", None).count(Instant::now());
        assert_eq!((standing.long.limit, standing.long.remaining), (5400, 5399));
        assert_eq!((standing.burst.limit, standing.burst.remaining), (90, 89));
        assert!(standing.long.reset - standing.burst.reset >= 3539);
    }
}
