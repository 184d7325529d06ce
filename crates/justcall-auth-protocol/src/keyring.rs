//! The pair in use, its generation, and whether the service rejected it.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use crate::credentials::Credentials;

/// How often a source is looked at, at most.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// A pair as the keyring holds it: the number tells one pair from the next.
#[derive(Debug, Clone)]
pub struct Held {
    generation: u64,
    credentials: Credentials,
}

impl Held {
    /// Which pair this is; the first is 1.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The pair.
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }
}

/// Holds the pair that calls are made with, for all clients of one source, base URL and expected account. Thread-safe.
///
/// Times are monotonic, since a fixed point of the caller's.
pub struct Keyring {
    scope: String,
    rejections: Arc<Rejections>,
    state: RwLock<State>,
}

#[derive(Default)]
struct State {
    current: Option<Held>,
    /// The account of the current pair was seen to be the expected one.
    account_proven: bool,
    /// The current pair is not sent before then.
    rejected_until: Option<Duration>,
    /// When the source was looked at last.
    looked: Option<Duration>,
    /// A new client came: it expects its source to be looked at.
    look_due: bool,
}

impl Keyring {
    /// A keyring that holds nothing yet: the first call loads the source. `scope` tells which service the pairs are
    /// for; what is rejected is remembered in `rejections`, which outlives the keyring.
    pub fn new(scope: impl Into<String>, rejections: Arc<Rejections>) -> Self {
        Self { scope: scope.into(), rejections, state: RwLock::default() }
    }

    /// The pair to send, once there is one.
    pub fn current(&self) -> Option<Held> {
        self.read().current.clone()
    }

    /// Takes what the source gave at `now`. Another pair than the current one becomes the next generation.
    pub fn install(&self, credentials: Credentials, now: Duration) -> Held {
        let rejected_until = self.rejections.until(&self.scope, &credentials, now);
        let mut state = self.write();
        state.looked = Some(now);
        state.look_due = false;
        match &state.current {
            Some(held) if held.credentials.same_pair(&credentials) => held.clone(),
            replaced => {
                let held =
                    Held { generation: replaced.as_ref().map_or(1, |held| held.generation + 1), credentials };
                state.current = Some(held.clone());
                state.account_proven = false;
                state.rejected_until = rejected_until;
                held
            }
        }
    }

    /// Remembers that the service rejected `held`: it is not sent before `until`.
    pub fn reject(&self, held: &Held, now: Duration, until: Duration) {
        self.rejections.remember(&self.scope, &held.credentials, now, until);
        let mut state = self.write();
        if state.is_current(held) {
            state.rejected_until = Some(until);
        }
    }

    /// The service accepted `held`: whatever was remembered against it no longer holds.
    pub fn accept(&self, held: &Held) {
        let rejected = self.read().rejected_until.is_some();
        if rejected {
            self.rejections.forget(&self.scope, &held.credentials);
            let mut state = self.write();
            if state.is_current(held) {
                state.rejected_until = None;
            }
        }
    }

    /// How long the current pair must not be sent yet, as it was rejected.
    pub fn rejected_for(&self, now: Duration) -> Option<Duration> {
        self.read().rejected_until.and_then(|until| until.checked_sub(now)).filter(|left| !left.is_zero())
    }

    /// Asks for the source to be looked at again, by the next call.
    pub fn look_again(&self) {
        self.write().look_due = true;
    }

    /// The source was looked at and could not be read: what is held stays.
    pub fn looked_in_vain(&self, now: Duration) {
        let mut state = self.write();
        state.looked = Some(now);
        state.look_due = false;
    }

    /// Whether a call that begins at `now` should look at the source first: when there is no pair, when a new client
    /// came, or when the pair was rejected and the source was not looked at for a second.
    pub fn wants_look(&self, now: Duration) -> bool {
        let rejected = self.rejected_for(now).is_some();
        let state = self.read();
        let rested = state.looked.is_none_or(|looked| now >= looked.saturating_add(LOOK_INTERVAL));
        state.current.is_none() || rested && (rejected || state.look_due)
    }

    /// Whether the account of `held` was seen to be the expected one.
    pub fn is_account_proven(&self, held: &Held) -> bool {
        let state = self.read();
        state.account_proven && state.is_current(held)
    }

    /// Remembers that the account of `held` is the expected one.
    pub fn prove_account(&self, held: &Held) {
        let mut state = self.write();
        state.account_proven = state.is_current(held);
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_current(&self, held: &Held) -> bool {
        self.current.as_ref().is_some_and(|current| current.generation == held.generation)
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring").field("current", &self.current()).finish_non_exhaustive()
    }
}

/// As many rejections as are remembered: more are not a slip of configuration but an attack on memory.
const MAX_REJECTIONS: usize = 16 * 1024;

/// What the service rejected, for a whole process: also a program that makes one client a request remembers it.
///
/// Pairs are kept as keyed hashes, from which nobody gets them back.
#[derive(Default)]
pub struct Rejections {
    key: RandomState,
    until: Mutex<HashMap<u64, Duration>>,
}

impl Rejections {
    fn until(&self, scope: &str, credentials: &Credentials, now: Duration) -> Option<Duration> {
        let fingerprint = self.fingerprint(scope, credentials);
        self.lock().get(&fingerprint).copied().filter(|until| *until > now)
    }

    fn remember(&self, scope: &str, credentials: &Credentials, now: Duration, until: Duration) {
        let fingerprint = self.fingerprint(scope, credentials);
        let mut known = self.lock();
        if known.len() >= MAX_REJECTIONS {
            known.retain(|_, until| *until > now);
        }
        if known.len() < MAX_REJECTIONS {
            known.insert(fingerprint, until);
        }
    }

    fn forget(&self, scope: &str, credentials: &Credentials) {
        let fingerprint = self.fingerprint(scope, credentials);
        self.lock().remove(&fingerprint);
    }

    fn fingerprint(&self, scope: &str, credentials: &Credentials) -> u64 {
        credentials.expose_authorization(|pair| self.key.hash_one((scope, pair)))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Duration>> {
        self.until.lock().unwrap_or_else(PoisonError::into_inner)
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

    const SCOPE: &str = "https://api.justcall.io";

    fn pair(secret: &str) -> Credentials {
        Credentials::new(b"abc123def456", secret.as_bytes()).expect("a good pair")
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn it_counts_a_generation_for_each_other_pair() {
        let keyring = Keyring::new(SCOPE, Arc::default());
        assert!(keyring.current().is_none());
        assert_eq!(keyring.install(pair("one"), seconds(1)).generation(), 1);
        assert_eq!(keyring.install(pair("one"), seconds(2)).generation(), 1);
        assert_eq!(keyring.install(pair("two"), seconds(3)).generation(), 2);
    }

    #[test]
    fn it_remembers_a_rejection_beyond_the_keyring_for_that_service_alone() {
        let rejections = Arc::new(Rejections::default());
        let keyring = Keyring::new(SCOPE, rejections.clone());
        let held = keyring.install(pair("one"), seconds(1));
        keyring.reject(&held, seconds(2), seconds(32));
        assert_eq!(keyring.rejected_for(seconds(12)), Some(seconds(20)));
        assert_eq!(keyring.rejected_for(seconds(32)), None);
        drop(keyring);

        let again = Keyring::new(SCOPE, rejections.clone());
        again.install(pair("one"), seconds(12));
        assert_eq!(again.rejected_for(seconds(12)), Some(seconds(20)));
        again.install(pair("two"), seconds(13));
        assert_eq!(again.rejected_for(seconds(13)), None);
        let elsewhere = Keyring::new("https://other.example", rejections);
        elsewhere.install(pair("one"), seconds(12));
        assert_eq!(elsewhere.rejected_for(seconds(12)), None);
    }

    #[test]
    fn it_forgets_a_rejection_that_the_service_took_back() {
        let keyring = Keyring::new(SCOPE, Arc::default());
        let held = keyring.install(pair("one"), seconds(1));
        keyring.reject(&held, seconds(1), seconds(31));
        keyring.accept(&held);
        assert_eq!(keyring.rejected_for(seconds(2)), None);
    }

    #[test]
    fn it_ignores_a_rejection_of_a_pair_that_is_gone() {
        let keyring = Keyring::new(SCOPE, Arc::default());
        let old = keyring.install(pair("one"), seconds(1));
        keyring.install(pair("two"), seconds(2));
        keyring.reject(&old, seconds(3), seconds(33));
        assert_eq!(keyring.rejected_for(seconds(3)), None);
    }

    #[test]
    fn it_looks_at_the_source_at_most_once_a_second() {
        let keyring = Keyring::new(SCOPE, Arc::default());
        assert!(keyring.wants_look(seconds(10)), "there is no pair yet");
        let held = keyring.install(pair("one"), seconds(10));
        assert!(!keyring.wants_look(seconds(20)), "the pair is good");
        keyring.reject(&held, seconds(20), seconds(50));
        assert!(keyring.wants_look(seconds(20)));
        keyring.install(pair("one"), seconds(20));
        assert!(!keyring.wants_look(seconds(20) + Duration::from_millis(999)));
        assert!(keyring.wants_look(seconds(21)));
        keyring.install(pair("two"), seconds(21));
        keyring.look_again();
        assert!(keyring.wants_look(seconds(22)), "a new client came");
    }

    #[test]
    fn it_bounds_what_it_remembers() {
        let rejections = Rejections::default();
        for number in 0..MAX_REJECTIONS + 10 {
            rejections.remember(SCOPE, &pair(&format!("secret{number}")), seconds(1), seconds(31));
        }
        assert_eq!(rejections.lock().len(), MAX_REJECTIONS);
        rejections.remember(SCOPE, &pair("late"), seconds(40), seconds(70));
        assert_eq!(rejections.lock().len(), 1, "what is over makes room");
    }
}
