//! The rejected pairs of a process.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::credentials::Credentials;
use crate::sync::{Mutex, MutexGuard, PoisonError};

/// The limit on stored rejections, which bounds the memory under an attack.
const MAX_REJECTIONS: usize = 16 * 1024;

/// When a pair was rejected, and until when it must not be sent. Times are monotonic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rejection {
    /// The first rejection, if the pair was rejected again since.
    pub since: Duration,
    pub at: Duration,
    pub until: Duration,
}

/// The rejected pairs of a process. They are stored outside the clients, so that a program with one client per request
/// benefits too.
///
/// Pairs are stored as keyed hashes, which cannot be reversed.
#[derive(Default)]
pub struct Rejections {
    key: RandomState,
    known: Mutex<HashMap<u64, Rejection>>,
    /// The number of changes. A keyring that has applied all changes need not look up its pairs.
    changes: AtomicU64,
    /// The number of the change that last removed all rejections, or 0 if none did.
    forgotten: AtomicU64,
}

impl Rejections {
    pub(super) fn of(&self, scope: &str, credentials: &Credentials, now: Duration) -> Option<Rejection> {
        let fingerprint = self.fingerprint(scope, credentials);
        self.lock().get(&fingerprint).copied().filter(|rejection| rejection.until > now)
    }

    pub(super) fn remember(&self, scope: &str, credentials: &Credentials, rejection: Rejection) {
        let fingerprint = self.fingerprint(scope, credentials);
        let mut known = self.lock();
        if known.len() >= MAX_REJECTIONS {
            known.retain(|_, old| old.until > rejection.at);
        }
        if known.len() < MAX_REJECTIONS {
            known.insert(fingerprint, rejection);
        }
        drop(known);
        self.changes.fetch_add(1, Ordering::Release);
    }

    /// Returns the number of changes so far, in all keyrings of the process.
    pub(super) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// Removes every rejection, so that the pairs may be sent immediately. Keyrings that have applied a rejection drop
    /// it before their next use.
    pub fn forget_all(&self) {
        let mut known = self.lock();
        known.clear();
        // Within the lock, so that the later of two calls stores the larger number.
        let change = self.changes.fetch_add(1, Ordering::Release) + 1;
        self.forgotten.store(change, Ordering::Release);
    }

    /// Returns the number of the change that last removed all rejections, or 0 if none did.
    pub(super) fn forgotten(&self) -> u64 {
        self.forgotten.load(Ordering::Acquire)
    }

    pub(super) fn forget(&self, scope: &str, credentials: &Credentials) {
        let fingerprint = self.fingerprint(scope, credentials);
        self.lock().remove(&fingerprint);
    }

    fn fingerprint(&self, scope: &str, credentials: &Credentials) -> u64 {
        credentials.expose_authorization(|pair| self.key.hash_one((scope, pair)))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Rejection>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Rejections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rejections").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_limits_the_number_of_stored_rejections() {
        let rejections = Rejections::default();
        let remember = |secret: &str, at: u64| {
            let pair = Credentials::new(b"abc123def456", secret.as_bytes()).expect("a good pair");
            let (at, until) = (Duration::from_secs(at), Duration::from_secs(at + 30));
            rejections.remember("https://api.justcall.io", &pair, Rejection { since: at, at, until });
        };
        remember("of-a-later-end", 2);
        for number in 0..16_384 + 10 {
            remember(&format!("secret{number}"), 1);
        }
        assert_eq!(rejections.lock().len(), 16_384);
        remember("late", 31);
        assert_eq!(rejections.lock().len(), 2, "expired rejections are removed");
    }

    /// Returns a pair that was rejected at 0 s for 30 s, with its rejection.
    fn rejected() -> (Rejections, Credentials, Rejection) {
        let rejections = Rejections::default();
        let pair = Credentials::new(b"abc123def456", b"sec789xyz000").expect("a good pair");
        let until = Duration::from_secs(30);
        let rejection = Rejection { since: Duration::ZERO, at: Duration::ZERO, until };
        rejections.remember("https://api.justcall.io", &pair, rejection);
        (rejections, pair, rejection)
    }

    #[test]
    fn it_removes_all_rejections_and_counts_that_as_a_change() {
        let (rejections, pair, rejection) = rejected();
        assert_eq!((rejections.changes(), rejections.forgotten()), (1, 0));
        assert!(rejections.of("https://api.justcall.io", &pair, Duration::ZERO).is_some());
        rejections.forget_all();
        assert_eq!((rejections.changes(), rejections.forgotten()), (2, 2));
        assert_eq!(rejections.of("https://api.justcall.io", &pair, Duration::ZERO), None);
        rejections.remember("https://api.justcall.io", &pair, rejection);
        assert_eq!((rejections.changes(), rejections.forgotten()), (3, 2));
        assert!(rejections.of("https://api.justcall.io", &pair, Duration::ZERO).is_some());
    }

    #[test]
    fn it_ends_a_rejection_at_its_time_and_shows_none() {
        let (rejections, pair, Rejection { until, .. }) = rejected();
        let last = until.checked_sub(Duration::from_nanos(1)).expect("30 s");
        assert!(rejections.of("https://api.justcall.io", &pair, last).is_some());
        assert_eq!(rejections.of("https://api.justcall.io", &pair, until), None);
        assert_eq!(rejections.of("http://127.0.0.1:8080", &pair, last), None, "of another server");
        assert_eq!(format!("{rejections:?}"), "Rejections { .. }");
        rejections.forget("https://api.justcall.io", &pair);
        assert_eq!(rejections.of("https://api.justcall.io", &pair, last), None);
    }
}
