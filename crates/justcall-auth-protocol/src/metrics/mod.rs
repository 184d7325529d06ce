//! Counters of the clients of one source, for monitoring: calls by outcome, requests by method and status, response
//! times, the rest of the account's rate limit, and the results of webhook verification.
//!
//! Counting takes no lock, and allocates only the first time; it is a few additions per request. The number of counters is fixed,
//! whatever methods and statuses occur. [`open_metrics`] formats them. `Spikes` detects an unusual number of requests.

mod budget;
mod latency;
mod open_metrics;
mod spikes;
mod webhooks;

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::error::{Error, ErrorKind};
use crate::event::EventKind;
use crate::service::RateLimit;
use budget::Budget;
use latency::Latency;
pub(crate) use open_metrics::webhook_metrics;
pub use open_metrics::{MAX_SIZE, open_metrics};
pub(crate) use spikes::Spike;
use spikes::Spikes;
pub use spikes::{FACTOR, FLOOR, HALF_LIFE};
pub(crate) use webhooks::{ProcessResults, WebhookResults};

/// One counter for success, and one for each kind of error.
const OUTCOMES: usize = ErrorKind::ALL.len() + 1;
/// The methods with their own counters. Any other method is `other`.
const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other"];
/// The statuses with their own counters. Any other status is counted by its class.
const STATUSES: [u16; 15] = [200, 201, 202, 204, 400, 401, 403, 404, 409, 422, 429, 500, 502, 503, 504];
/// The classes of other statuses: `other` is not an HTTP status, `none` is a missing response.
const CLASSES: [&str; 6] = ["2xx", "3xx", "4xx", "5xx", "other", "none"];

/// The counters of one source's calls, shared by the clients of the source.
#[derive(Default)]
pub struct Metrics {
    calls: Counters<OUTCOMES>,
    webhooks: WebhookResults,
    requests: [Counters<{ STATUSES.len() + CLASSES.len() }>; METHODS.len()],
    latency: Latency,
    retries: AtomicU64,
    events: Counters<{ EventKind::ALL.len() }>,
    budget: Budget,
    spikes: Spikes,
    /// When a pair was last sent, in seconds since the epoch; 0 if never.
    last_used: AtomicU64,
    is_rate_limit_low: AtomicBool,
    /// The rejection for which waiting calls were reported: the time at which it began, in nanoseconds plus 1.
    waiting_reported_for: AtomicU64,
    /// The serial of the pair whose age was reported.
    age_reported_for: AtomicU64,
}

/// A fixed number of counters, which take memory from the first count on: there are hundreds for each source, of which
/// few are used.
struct Counters<const N: usize>(OnceLock<Box<[AtomicU64; N]>>);

impl<const N: usize> Default for Counters<N> {
    fn default() -> Self {
        Self(OnceLock::new())
    }
}

impl<const N: usize> Counters<N> {
    fn add(&self, index: usize) {
        if let Some(counter) = self.counters().get(index) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn counters(&self) -> &[AtomicU64; N] {
        self.0.get_or_init(|| Box::new([const { AtomicU64::new(0) }; N]))
    }

    #[cfg(test)]
    fn fill(&self, count: u64) {
        self.counters().iter().for_each(|counter| counter.store(count, Ordering::Relaxed));
    }

    fn read(&self, index: usize) -> u64 {
        let counter = self.0.get().and_then(|counters| counters.get(index));
        counter.map_or(0, |counter| counter.load(Ordering::Relaxed))
    }
}

impl Metrics {
    /// Counts the end of a call.
    pub(crate) fn ended(&self, error: Option<&Error>) {
        self.calls.add(error.map_or(0, |error| outcome(error.kind())));
    }

    /// Counts a response with `status` after `took`. Returns a spike if the number of requests becomes unusual at the
    /// monotonic time `now`.
    pub(crate) fn answered(&self, method: &str, status: u16, took: Duration, now: Duration) -> Option<Spike> {
        self.requests[method_index(method)].add(status_index(status));
        self.latency.add(took);
        self.spikes.count(now)
    }

    /// Counts a request without response. Returns a spike as [`Metrics::answered`] does.
    pub(crate) fn not_answered(&self, method: &str, now: Duration) -> Option<Spike> {
        self.requests[method_index(method)].add(STATUSES.len() + CLASSES.len() - 1);
        self.spikes.count(now)
    }

    /// Stores the rate limit of a response.
    pub(crate) fn limited(&self, limit: &RateLimit) {
        self.budget.set(limit);
    }

    /// Returns the account's rate limit from the latest response. A figure that no response contained is `None`.
    pub fn rate_limit(&self) -> RateLimit {
        self.budget.read()
    }

    /// Counts a retry.
    pub(crate) fn retried(&self) {
        self.retries.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns the counters of webhook results.
    pub(crate) fn webhooks(&self) -> &WebhookResults {
        &self.webhooks
    }

    /// Counts a delivery that was verified with the secrets of these clients. `failure` is `None` if the delivery is
    /// genuine.
    pub fn delivered(&self, failure: Option<ErrorKind>) {
        self.webhooks.add(failure);
    }

    /// Counts an event.
    pub(crate) fn happened(&self, kind: EventKind) {
        self.events.add(event_index(kind));
    }

    /// Stores that a pair was sent at `unix`, since the epoch.
    pub(crate) fn used(&self, unix: Duration) {
        self.last_used.store(unix.as_secs(), Ordering::Relaxed);
    }

    /// Returns when a pair was last sent, since the epoch, or `None` if never.
    pub fn last_used(&self) -> Option<Duration> {
        Some(self.last_used.load(Ordering::Relaxed)).filter(|used| *used > 0).map(Duration::from_secs)
    }

    /// Stores whether the rate limit is low. Returns true if that has changed.
    pub(crate) fn set_rate_limit_low(&self, is_low: bool) -> bool {
        self.is_rate_limit_low.load(Ordering::Relaxed) != is_low
            && self.is_rate_limit_low.swap(is_low, Ordering::Relaxed) != is_low
    }

    /// Returns true once for each rejection of the pair in use, identified by the time at which it began.
    pub(crate) fn is_waiting_news(&self, rejected_at: Duration) -> bool {
        let began = u64::try_from(rejected_at.as_nanos()).unwrap_or(u64::MAX).saturating_add(1);
        is_news(&self.waiting_reported_for, began)
    }

    /// Returns true once for the pair with this serial.
    pub(crate) fn is_age_news(&self, serial: u64) -> bool {
        is_news(&self.age_reported_for, serial)
    }
}

/// Stores `value` in `reported`. Returns true if it has changed.
fn is_news(reported: &AtomicU64, value: u64) -> bool {
    reported.load(Ordering::Relaxed) != value && reported.swap(value, Ordering::Relaxed) != value
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

/// Returns the index of an outcome. Index 0 is success.
fn outcome(kind: ErrorKind) -> usize {
    // The kinds are declared in the order of the table, without explicit numbers.
    kind as usize + 1
}

fn event_index(kind: EventKind) -> usize {
    EventKind::ALL.iter().position(|known| *known == kind).unwrap_or(usize::MAX)
}

fn method_index(method: &str) -> usize {
    METHODS.iter().position(|known| *known == method).unwrap_or(METHODS.len() - 1)
}

fn status_index(status: u16) -> usize {
    let class = match status {
        200..=299 => 0,
        300..=399 => 1,
        400..=499 => 2,
        500..=599 => 3,
        _ => 4,
    };
    STATUSES.iter().position(|known| *known == status).unwrap_or(STATUSES.len() + class)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_a_separate_counter_for_every_outcome_and_event() {
        for (index, kind) in ErrorKind::ALL.iter().enumerate() {
            assert_eq!(outcome(*kind), index + 1, "{kind:?}");
        }
        for (index, kind) in EventKind::ALL.iter().enumerate() {
            assert_eq!(event_index(*kind), index, "{kind:?}");
        }
    }

    #[test]
    fn it_counts_a_status_without_its_own_counter_in_its_class() {
        for (class, status) in [299, 399, 499, 599, 600].into_iter().enumerate() {
            assert_eq!(status_index(status), STATUSES.len() + class, "{status}");
        }
    }

    #[test]
    fn it_uses_the_same_memory_for_any_methods_and_statuses() {
        assert!(size_of::<Metrics>() < 2304, "{}", size_of::<Metrics>());
        let usage = Metrics::default();
        for status in 0..1000 {
            for method in ["GET", "PURGE", "", "get"] {
                usage.answered(method, status, Duration::ZERO, Duration::ZERO);
            }
        }
        let counted: u64 = usage
            .requests
            .iter()
            .flat_map(|row| (0..STATUSES.len() + CLASSES.len()).map(|index| row.read(index)))
            .sum();
        assert_eq!(counted, 4000, "none is lost");
        assert_eq!(usage.requests[method_index("other")].read(status_index(404)), 3);
        assert_eq!(usage.requests[0].read(status_index(418)), 100 - 7, "4xx without their own counters");
    }

    #[test]
    fn it_stores_the_rate_limit_and_the_results_of_webhooks() {
        let metrics = Metrics::default();
        assert_eq!(metrics.rate_limit(), RateLimit::default());
        let mut limit = RateLimit::default();
        limit.main.remaining = Some(7);
        metrics.limited(&limit);
        assert_eq!(metrics.rate_limit(), limit);
        metrics.delivered(None);
        metrics.delivered(Some(ErrorKind::WebhookStale));
        assert_eq!(metrics.webhooks().read(None), 1);
        assert_eq!(metrics.webhooks().read(Some(ErrorKind::WebhookStale)), 1);
        assert_eq!(format!("{metrics:?}"), "Metrics { .. }");
    }
}
