//! What is left of the account's rate limit, and how fast the whole account uses it up: the requests of a pair that
//! somebody else has as well count there, and nowhere else that this process can see.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::service::{RateLimit, RateWindow};

/// A figure that was not told yet.
const UNKNOWN: u64 = u64::MAX;
/// A reset that is told in seconds from now moves by as much within one window, in seconds.
const RESET_JITTER: u64 = 2;

/// The windows of the account's rate limit, as the last answer told them.
#[derive(Default)]
pub(super) struct Budget {
    pub main: Window,
    pub burst: Window,
    /// What the account has used.
    used: AtomicU64,
    /// The least that was left in this window, and when the window ends.
    least: Told,
    until: Told,
}

/// The figures of one window.
#[derive(Default)]
pub(super) struct Window {
    pub limit: Told,
    pub remaining: Told,
    /// In seconds since the epoch.
    pub reset: Told,
}

/// A figure, once it was told.
pub(super) struct Told(AtomicU64);

impl Default for Told {
    fn default() -> Self {
        Self(AtomicU64::new(UNKNOWN))
    }
}

impl Told {
    pub fn read(&self) -> Option<u64> {
        Some(self.0.load(Ordering::Relaxed)).filter(|figure| *figure != UNKNOWN)
    }

    fn told(&self, figure: Option<u64>) {
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

    fn told(&self, window: &RateWindow) {
        self.limit.told(window.limit);
        self.remaining.told(window.remaining);
        self.reset.told(window.reset.map(|reset| reset.as_secs()));
    }
}

impl Budget {
    /// Returns both windows, as far as they are known.
    pub fn read(&self) -> RateLimit {
        RateLimit { main: self.main.read(), burst: self.burst.read() }
    }

    /// What the account has used since this process looks, as far as the answers told.
    pub fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    pub fn told(&self, limit: &RateLimit) {
        self.main.told(&limit.main);
        self.burst.told(&limit.burst);
        let used = self.used_since(&limit.main);
        self.used.fetch_add(used, Ordering::Relaxed);
    }

    /// How many requests `window` tells of that no answer told of before. Answers may come in another order than they
    /// were made in.
    fn used_since(&self, window: &RateWindow) -> u64 {
        let (Some(remaining), Some(reset)) = (window.remaining, window.reset) else { return 1 };
        let reset = reset.as_secs();
        let until = self.until.0.load(Ordering::Relaxed);
        if until != UNKNOWN && reset < until.saturating_sub(RESET_JITTER) {
            // Of the window before.
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

    fn told(budget: &Budget, remaining: u64, reset: u64) -> u64 {
        let (limit, reset) = (Some(1800), Some(Duration::from_secs(reset)));
        let main = RateWindow { limit, remaining: Some(remaining), reset };
        budget.told(&RateLimit { main, burst: RateWindow::default() });
        budget.used()
    }

    #[test]
    fn it_counts_what_others_use_too() {
        let budget = Budget::default();
        assert_eq!(told(&budget, 1000, 9000), 1, "what was used before is nobody's news");
        assert_eq!(told(&budget, 999, 9000), 2);
        assert_eq!(told(&budget, 989, 9001), 12, "nine of somebody else; a reset may jitter");
        assert_eq!(told(&budget, 987, 9000), 14);
        assert_eq!(told(&budget, 988, 9000), 14, "the answer before comes later: it was counted");
        assert_eq!(told(&budget, 1799, 12600), 15, "a new window");
        assert_eq!(told(&budget, 980, 9000), 16, "a late answer of the window before");
        assert_eq!(told(&budget, 1798, 12600), 17);
        assert_eq!(told(&budget, 1700, 12603), 18, "a window that ends three seconds later is another");
    }

    #[test]
    fn it_counts_its_own_where_the_service_tells_nothing() {
        let budget = Budget::default();
        budget.told(&RateLimit::default());
        budget.told(&RateLimit::default());
        assert_eq!((budget.used(), budget.main.remaining.read()), (2, None));
    }
}
