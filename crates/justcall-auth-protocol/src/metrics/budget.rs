//! The rest of the account's rate limit, and how fast the whole account uses it. Requests that other programs send with
//! the same account are visible only here.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::service::{RateLimit, RateWindow};

/// The value of a figure that no response has contained yet.
const UNKNOWN: u64 = u64::MAX;
/// How much a reset in seconds from now may vary within one window, in seconds.
const RESET_JITTER: u64 = 2;

/// The windows of the account's rate limit, from the latest response.
#[derive(Default)]
pub(super) struct Budget {
    pub main: Window,
    pub burst: Window,
    /// The number of requests that the account has used.
    used: AtomicU64,
    /// The lowest remaining number in the current window, and the end of that window.
    least: Figure,
    until: Figure,
}

/// The figures of one window.
#[derive(Default)]
pub(super) struct Window {
    pub limit: Figure,
    pub remaining: Figure,
    /// In seconds since the epoch.
    pub reset: Figure,
}

/// A figure that is unknown until a response contains it.
pub(super) struct Figure(AtomicU64);

impl Default for Figure {
    fn default() -> Self {
        Self(AtomicU64::new(UNKNOWN))
    }
}

impl Figure {
    pub fn read(&self) -> Option<u64> {
        Some(self.0.load(Ordering::Relaxed)).filter(|figure| *figure != UNKNOWN)
    }

    fn set(&self, figure: Option<u64>) {
        if let Some(figure) = figure {
            self.0.store(figure, Ordering::Relaxed);
        }
    }
}

impl Window {
    /// Returns the figures that are known.
    fn read(&self) -> RateWindow {
        let reset = self.reset.read().map(Duration::from_secs);
        RateWindow { limit: self.limit.read(), remaining: self.remaining.read(), reset }
    }

    fn set(&self, window: &RateWindow) {
        self.limit.set(window.limit);
        self.remaining.set(window.remaining);
        self.reset.set(window.reset.map(|reset| reset.as_secs()));
    }
}

impl Budget {
    /// Returns both windows, as far as they are known.
    pub fn read(&self) -> RateLimit {
        RateLimit { main: self.main.read(), burst: self.burst.read() }
    }

    /// Returns how many requests the account has used since this process started, as far as responses show it.
    pub fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    pub fn set(&self, limit: &RateLimit) {
        self.main.set(&limit.main);
        self.burst.set(&limit.burst);
        let used = self.used_since(&limit.main);
        self.used.fetch_add(used, Ordering::Relaxed);
    }

    /// Returns the number of requests that `window` shows and no earlier response has shown. Responses may arrive in
    /// another order than their requests.
    fn used_since(&self, window: &RateWindow) -> u64 {
        let (Some(remaining), Some(reset)) = (window.remaining, window.reset) else { return 1 };
        let reset = reset.as_secs();
        let until = self.until.0.load(Ordering::Relaxed);
        if until != UNKNOWN && reset < until.saturating_sub(RESET_JITTER) {
            // The response belongs to the previous window.
            return 1;
        }
        if until == UNKNOWN || reset > until.saturating_add(RESET_JITTER) {
            self.until.0.store(reset, Ordering::Relaxed);
            self.least.0.store(remaining, Ordering::Relaxed);
            return 1;
        }
        self.least.0.fetch_min(remaining, Ordering::Relaxed).saturating_sub(remaining)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used_after(budget: &Budget, remaining: u64, reset: u64) -> u64 {
        let (limit, reset) = (Some(1800), Some(Duration::from_secs(reset)));
        let main = RateWindow { limit, remaining: Some(remaining), reset };
        budget.set(&RateLimit { main, burst: RateWindow::default() });
        budget.used()
    }

    #[test]
    fn it_counts_the_requests_of_other_programs_too() {
        let budget = Budget::default();
        assert_eq!(used_after(&budget, 1000, 9000), 1, "earlier requests are not counted");
        assert_eq!(used_after(&budget, 999, 9000), 2);
        assert_eq!(used_after(&budget, 989, 9001), 12, "nine of other programs; a reset may vary");
        assert_eq!(used_after(&budget, 987, 9000), 14);
        assert_eq!(
            used_after(&budget, 988, 9000),
            14,
            "an earlier response that arrives late was already counted"
        );
        assert_eq!(used_after(&budget, 1799, 12600), 15, "a new window");
        assert_eq!(used_after(&budget, 980, 9000), 16, "a late response of the previous window");
        assert_eq!(used_after(&budget, 1798, 12600), 17);
        assert_eq!(used_after(&budget, 1790, 12598), 25, "two seconds before the end of the window");
        assert_eq!(used_after(&budget, 1788, 12602), 27, "two seconds after it");
        assert_eq!(used_after(&budget, 1700, 12603), 28, "a window that ends three seconds later is another");
    }

    #[test]
    fn it_counts_its_own_requests_if_responses_contain_no_rate_limit() {
        let budget = Budget::default();
        budget.set(&RateLimit::default());
        budget.set(&RateLimit::default());
        assert_eq!((budget.used(), budget.main.remaining.read()), (2, None));
    }

    #[test]
    fn it_keeps_the_figures_that_a_response_lacks() {
        let budget = Budget::default();
        let window = |limit, remaining, reset| RateWindow {
            limit,
            remaining,
            reset: Option::map(reset, Duration::from_secs),
        };
        let burst = window(Some(60), Some(59), Some(9000));
        budget.set(&RateLimit { main: window(Some(1800), Some(7), None), burst });
        budget.set(&RateLimit { main: window(None, Some(6), None), burst: RateWindow::default() });
        assert_eq!(budget.read(), RateLimit { main: window(Some(1800), Some(6), None), burst });
    }
}
