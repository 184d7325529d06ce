//! What the service rejected, remembered for a whole process.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::credentials::Credentials;
use crate::sync::{Mutex, MutexGuard, PoisonError};

/// As many rejections as are remembered: more are not a slip of configuration but an attack on memory.
const MAX_REJECTIONS: usize = 16 * 1024;

/// When a pair was rejected, and until when it is not sent again. Monotonic times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rejection {
    /// The first time, where it was tried again since.
    pub since: Duration,
    pub at: Duration,
    pub until: Duration,
}

/// What the service rejected, for a whole process: also a program that makes one client a request remembers it.
///
/// Pairs are kept as keyed hashes, from which nobody gets them back.
#[derive(Default)]
pub struct Rejections {
    key: RandomState,
    known: Mutex<HashMap<u64, Rejection>>,
    /// How many changes there were: a keyring that has seen all of them looks no further.
    changes: AtomicU64,
    /// The number of the change that forgot everything before it; 0 if there was none.
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

    /// How many changes there were so far, in all keyrings of the process.
    pub(super) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// Forgets every rejection: the pairs may be sent again at once. Keyrings that took a rejection into account forget
    /// it before they use it again.
    pub fn forget_all(&self) {
        let mut known = self.lock();
        known.clear();
        // Under the lock, so that of two calls the later one has the larger number.
        let change = self.changes.fetch_add(1, Ordering::Release) + 1;
        self.forgotten.store(change, Ordering::Release);
    }

    /// The number of the last change that forgot everything before it; 0 if there was none.
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
    fn it_bounds_what_it_remembers() {
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
        assert_eq!(rejections.lock().len(), 2, "what is over makes room");
    }

    #[test]
    fn it_forgets_everything_and_says_so() {
        let rejections = Rejections::default();
        let pair = Credentials::new(b"abc123def456", b"sec789xyz000").expect("a good pair");
        let until = Duration::from_secs(30);
        let rejection = Rejection { since: Duration::ZERO, at: Duration::ZERO, until };
        rejections.remember("https://api.justcall.io", &pair, rejection);
        assert_eq!((rejections.changes(), rejections.forgotten()), (1, 0));
        assert!(rejections.of("https://api.justcall.io", &pair, Duration::ZERO).is_some());
        rejections.forget_all();
        assert_eq!((rejections.changes(), rejections.forgotten()), (2, 2));
        assert_eq!(rejections.of("https://api.justcall.io", &pair, Duration::ZERO), None);
        rejections.remember("https://api.justcall.io", &pair, rejection);
        assert_eq!((rejections.changes(), rejections.forgotten()), (3, 2));
        assert!(rejections.of("https://api.justcall.io", &pair, Duration::ZERO).is_some());
    }
}
