//! The pairs of one source: the one in use, the one before it, the one that has yet to be proven.
//!
//! | pair | what it is for |
//! |---|---|
//! | current | calls are made with it |
//! | candidate | the source gave it; one call proves it, while the others go on with the current one |
//! | previous | webhooks that were signed before the reset are still verified with it, for a while |
//!
//! Reading takes no lock. Changes are made one at a time; `plan` says what a call does next.

mod held;
mod plan;
mod rejections;
mod signers;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::credentials::Credentials;
use crate::error::Error;
use crate::exchange::Moment;
use crate::sync::{Mutex, PoisonError, Published};
use crate::usage::Usage;
pub use held::{Found, Held, Look};
use plan::LeaseTerm;
pub(crate) use plan::{Blocker, LEASE_LIMIT, Lease, Plan, Seeking};
use rejections::Rejection;
pub use rejections::Rejections;

/// How often a source is looked at, at most, while its pair is good or nobody waits for another.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// How often it is looked at, at most, while calls wait for another pair.
const HASTY_INTERVAL: Duration = Duration::from_millis(250);

/// Holds the pairs that calls are made with, for all clients of one source, base URL and expected account. Thread-safe.
///
/// Times are monotonic, since a fixed point of the caller's, unless they are said to be since the epoch.
pub struct Keyring {
    scope: String,
    rejections: Arc<Rejections>,
    state: Published<State>,
    /// Taken by whoever changes the state; never while anything else happens.
    change: Mutex<()>,
    /// When a pair was sent last, in seconds since the epoch; 0 for never.
    last_used: AtomicU64,
    is_rate_limit_low: AtomicBool,
    usage: Usage,
}

#[derive(Clone, Default)]
struct State {
    current: Option<Held>,
    candidate: Option<Candidate>,
    previous: Option<Previous>,
    /// The service rejected the current pair.
    rejection: Option<Rejection>,
    /// The pair that the source gave last.
    given: Option<Found>,
    /// How many changes of the process's rejections are taken into account here.
    rejections: u64,
    /// The account that the service named for the pair with this serial.
    account: Option<KnownAccount>,
    /// When the source was looked at last, and when it may be looked at again.
    looked: Option<Duration>,
    next_look: Duration,
    /// When the look that is under way, or the last one, began; and when the last one did that is over.
    look_began: Duration,
    looked_from: Option<Duration>,
    /// Why the last look gave nothing, if it did not.
    trouble: Option<Error>,
    /// Looking costs next to nothing.
    watched: bool,
    /// A new client came: it expects its source to be looked at.
    look_due: bool,
    /// The call that reads the source, and the one that proves a pair.
    refresh_lease: Option<LeaseTerm>,
    proof_lease: Option<LeaseTerm>,
    /// What was said already: that calls wait, and that the pair with this serial is old.
    told_waiting: bool,
    told_old: u64,
    serials: u64,
    leases: u64,
}

/// A pair that the source gave and the service has not accepted yet.
#[derive(Clone)]
struct Candidate {
    held: Held,
    rejected_until: Option<Duration>,
    /// Webhooks are signed with it already; so long those signed with the current pair count as well.
    signed_until: Option<Duration>,
}

/// The account of a pair, as the service named it.
#[derive(Clone, Copy)]
struct KnownAccount {
    serial: u64,
    id: u64,
}

/// The pair before the current one.
#[derive(Clone)]
struct Previous {
    held: Held,
    until: Duration,
}

/// What came of a look at the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Looked {
    /// There is the first pair, or another one than before.
    Another,
    /// Nothing new.
    Same,
    /// The lease had ended: another call may have read the source since, so the result was ignored.
    Late,
}

/// Which pair the service rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rejected {
    /// The one in use, and nobody had seen that before.
    Current,
    /// The one in use, which is known to be rejected.
    CurrentAgain,
    /// A candidate: the one in use stays.
    Candidate,
    /// One that is not in use any more.
    Former,
}

impl Keyring {
    /// A keyring that holds nothing yet: the first call loads the source. `scope` tells which service the pairs are
    /// for; what is rejected is remembered in `rejections`, which outlives the keyring.
    pub fn new(scope: impl Into<String>, rejections: Arc<Rejections>) -> Self {
        Self {
            scope: scope.into(),
            rejections,
            state: Published::default(),
            change: Mutex::default(),
            last_used: AtomicU64::new(0),
            is_rate_limit_low: AtomicBool::new(false),
            usage: Usage::default(),
        }
    }

    /// The pair to send, once there is one.
    pub fn current(&self) -> Option<Held> {
        self.state.read().current.clone()
    }

    /// The pair before the current one, for as long as webhooks may still be signed with it.
    pub fn previous(&self, now: Duration) -> Option<Held> {
        self.state
            .read()
            .previous
            .as_ref()
            .filter(|previous| now < previous.until)
            .map(|kept| kept.held.clone())
    }

    /// The pair that the source gave and the service has not accepted yet.
    pub fn candidate(&self) -> Option<Held> {
        self.state.read().candidate.as_ref().map(|candidate| candidate.held.clone())
    }

    /// When a pair was sent last, in seconds since the epoch.
    pub fn last_used(&self) -> Option<Duration> {
        Some(self.last_used.load(Ordering::Relaxed)).filter(|used| *used > 0).map(Duration::from_secs)
    }

    /// How long the current pair must not be sent yet, as it was rejected.
    pub fn rejected_for(&self, now: Duration) -> Option<Duration> {
        let state = self.state.read();
        let rejection = state.rejection.filter(|_| state.rejections >= self.rejections.forgotten())?;
        rejection.until.checked_sub(now).filter(|left| !left.is_zero())
    }

    /// How long `held` must not be sent yet, as it was rejected.
    pub(crate) fn rejection_of(&self, held: &Held, now: Duration) -> Option<Duration> {
        let rejection = self.rejections.of(&self.scope, &held.credentials, now)?;
        Some(rejection.until.saturating_sub(now))
    }

    /// Whether another keyring of the process may know more about the pairs of `state`.
    fn is_behind(&self, state: &State) -> bool {
        state.rejections != self.rejections.changes()
    }

    /// Takes into account what the service rejected in other keyrings of the process.
    fn catch_up(&self, now: Duration) {
        // Before the rejections are read: what changes meanwhile is taken into account the next time.
        let rejections = self.rejections.changes();
        let state = self.state.read();
        let known = |held: &Held| self.rejections.of(&self.scope, &held.credentials, now);
        let of_current = state.current.as_ref().and_then(|held| Some((held.serial, known(held)?)));
        let of_candidate =
            state.candidate.as_ref().and_then(|one| Some((one.held.serial, known(&one.held)?)));
        drop(state);
        self.change(|state| {
            state.rejections = rejections;
            let current = state.current.as_ref().map(|held| held.serial);
            if let Some((_, known)) = of_current.filter(|(serial, _)| current == Some(*serial)) {
                if state.rejection.is_none_or(|before| before.until < known.until) {
                    let since = state.rejection.map_or(known.since, |before| before.since);
                    state.rejection = Some(Rejection { since, ..known });
                }
            }
            if let (Some(candidate), Some((serial, known))) = (&mut state.candidate, of_candidate) {
                if candidate.held.serial == serial {
                    candidate.rejected_until = candidate.rejected_until.max(Some(known.until));
                }
            }
        });
    }

    /// Asks for the source to be looked at again, by the next call.
    pub fn look_again(&self) {
        self.change(|state| state.look_due = true);
    }

    /// Takes what the source gave to the call that holds `lease`. The first pair is in use at once; another than the
    /// current one is a candidate. A source that cannot be read costs nothing while there is a pair. After the end of the
    /// lease the result is ignored.
    pub(crate) fn looked(&self, lease: &Lease, result: Result<Look, Error>, now: &Moment) -> Looked {
        let found = match result {
            Ok(Look::Found(found)) => Ok(Some(found)),
            Ok(Look::Unchanged) => Ok(self.given_but_not_used()),
            Err(error) => Err(error),
        };
        self.change(|state| {
            if !state.may_report(lease, now.monotonic) {
                return Looked::Late;
            }
            state.looked = Some(now.monotonic);
            state.looked_from = Some(state.look_began);
            let jitter = Duration::from_millis(now.random % 64);
            state.next_look = now.monotonic.saturating_add(HASTY_INTERVAL + jitter);
            state.look_due = false;
            let found = match found {
                Ok(Some(found)) => found,
                Ok(None) => return Looked::Same,
                Err(error) => {
                    state.trouble = Some(error);
                    return Looked::Same;
                }
            };
            state.trouble = None;
            state.watched = found.watched;
            state.given = Some(found.clone());
            // Here, so that a rejection which is forgotten meanwhile is not taken into account.
            let rejection = self.rejections.of(&self.scope, &found.credentials, now.monotonic);
            state.take(found, rejection, now)
        })
    }

    /// The pair that the source still gives, if the service rejected the one that took its place by hand.
    fn given_but_not_used(&self) -> Option<Found> {
        let state = self.state.read();
        state.given.clone().filter(|_| state.rejection.is_some())
    }

    /// A pair given by hand, to be proven before it is used; the current one where it is the same.
    pub(crate) fn admit(&self, credentials: Credentials, now: &Moment) -> Held {
        self.change(|state| match &state.current {
            Some(current) if current.credentials.same_pair(&credentials) => current.clone(),
            _ => state.number(credentials.into(), now),
        })
    }

    /// The service accepted `held`, as a call found that was to prove it: it is the current pair from here on. Gives
    /// it back when another one was current before.
    pub(crate) fn promote(&self, held: &Held, overlap: Duration, now: Duration) -> Option<Held> {
        self.rejections.forget(&self.scope, &held.credentials);
        self.change(|state| match &state.current {
            Some(current) if current.is_same_pair(held) => {
                state.rejection = None;
                state.told_waiting = false;
                None
            }
            // A pair that came later was proven meanwhile.
            Some(current) if current.serial > held.serial => None,
            replaced => {
                let generation = replaced.as_ref().map_or(1, |replaced| replaced.generation + 1);
                let is_it = |candidate: &&Candidate| candidate.held.is(held);
                let signed_until = state.candidate.as_ref().filter(is_it).and_then(|one| one.signed_until);
                let until = signed_until.unwrap_or(now.saturating_add(overlap));
                let kept = replaced.clone().filter(|_| !held.previous_compromised);
                state.previous = kept.map(|held| Previous { held, until });
                let promoted = Held { generation, ..held.clone() };
                state.current = Some(promoted.clone());
                // The source may have given the same pair again meanwhile.
                state.candidate.take_if(|candidate| {
                    candidate.held.serial <= held.serial || candidate.held.is_same_pair(held)
                });
                state.rejection = None;
                state.told_waiting = false;
                Some(promoted)
            }
        })
    }

    /// The service rejected `held`: it is not sent before `until`.
    pub(crate) fn reject(&self, held: &Held, now: Duration, until: Duration) -> Rejected {
        let rejection = Rejection { since: now, at: now, until };
        self.rejections.remember(&self.scope, &held.credentials, rejection);
        self.change(|state| {
            if state.current.as_ref().is_some_and(|current| current.is_same_pair(held)) {
                // Those that were in flight when it was rejected tell nothing new.
                let is_known = state.rejection.is_some_and(|known| now < known.until);
                if !is_known {
                    let since = state.rejection.map_or(now, |before| before.since);
                    state.rejection = Some(Rejection { since, ..rejection });
                }
                return if is_known { Rejected::CurrentAgain } else { Rejected::Current };
            }
            let candidate = state.candidate.as_mut();
            match candidate.filter(|candidate| candidate.held.is_same_pair(held)) {
                Some(candidate) => {
                    candidate.rejected_until = Some(until);
                    Rejected::Candidate
                }
                None => Rejected::Former,
            }
        })
    }

    /// The candidate `held` is not for this keyring: it is not sent before `until`. For others it may be the right one.
    pub(crate) fn set_aside(&self, held: &Held, until: Duration) {
        self.change(|state| {
            let candidate = state.candidate.as_mut();
            if let Some(candidate) = candidate.filter(|candidate| candidate.held.is_same_pair(held)) {
                candidate.rejected_until = Some(until);
            }
        });
    }

    /// The account that the service named for `held`.
    pub(crate) fn account_of(&self, held: &Held) -> Option<u64> {
        self.state.read().account.filter(|known| known.serial == held.serial).map(|known| known.id)
    }

    /// The account that `held` must belong to before anything else is sent with it: that of the pair in use, for a pair
    /// that the source gave to take its place.
    pub(crate) fn account_required_of(&self, held: &Held) -> Option<u64> {
        let state = self.state.read();
        let current = state.current.as_ref().filter(|current| !current.is(held))?;
        state.account.filter(|known| known.serial == current.serial).map(|known| known.id)
    }

    /// Remembers the account that the service named for `held`, if that is the pair in use.
    pub(crate) fn account_is(&self, held: &Held, id: u64) {
        if self.account_of(held) != Some(id) {
            self.change(|state| {
                if let Some(current) = state.current.as_ref().filter(|current| current.is_same_pair(held)) {
                    state.account = Some(KnownAccount { serial: current.serial, id });
                }
            });
        }
    }

    /// A pair was sent at `unix`, since the epoch.
    pub(crate) fn used(&self, unix: Duration) {
        self.last_used.store(unix.as_secs(), Ordering::Relaxed);
    }

    /// What is counted of these pairs' calls.
    pub(crate) fn usage(&self) -> &Usage {
        &self.usage
    }

    /// Whether `is_low` is news.
    pub(crate) fn rate_limit_is(&self, is_low: bool) -> bool {
        self.is_rate_limit_low.load(Ordering::Relaxed) != is_low
            && self.is_rate_limit_low.swap(is_low, Ordering::Relaxed) != is_low
    }

    /// True once: calls wait for the source now.
    pub(crate) fn tell_waiting(&self) -> bool {
        !self.state.read().told_waiting
            && self.change(|state| !std::mem::replace(&mut state.told_waiting, true))
    }

    /// True once a pair: `held` is old.
    pub(crate) fn tell_old(&self, held: &Held) -> bool {
        self.state.read().told_old != held.serial
            && self.change(|state| std::mem::replace(&mut state.told_old, held.serial) != held.serial)
    }

    fn change<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        let guard = self.change.lock().unwrap_or_else(PoisonError::into_inner);
        let mut state = State::clone(&self.state.read());
        state.forget_rejections(self.rejections.forgotten());
        let result = change(&mut state);
        self.state.publish(state);
        drop(guard);
        result
    }
}

impl State {
    /// Forgets what was rejected before the change `forgotten` of the process's rejections.
    fn forget_rejections(&mut self, forgotten: u64) {
        if self.rejections < forgotten {
            self.rejections = forgotten;
            self.rejection = None;
            self.told_waiting = false;
            if let Some(candidate) = &mut self.candidate {
                candidate.rejected_until = None;
            }
        }
    }

    fn take(&mut self, found: Found, rejection: Option<Rejection>, now: &Moment) -> Looked {
        match (&self.current, &self.candidate) {
            (Some(current), _) if current.credentials.same_pair(&found.credentials) => {
                // The source took another pair back, or never had one.
                self.candidate = None;
                self.previous.take_if(|_| found.previous_compromised);
                Looked::Same
            }
            (Some(_), Some(candidate)) if candidate.held.credentials.same_pair(&found.credentials) => {
                if let Some(candidate) = &mut self.candidate {
                    candidate.held.previous_compromised |= found.previous_compromised;
                }
                Looked::Same
            }
            (Some(_), _) => {
                let held = self.number(found, now);
                let rejected_until = rejection.map(|rejection| rejection.until);
                self.candidate = Some(Candidate { held, rejected_until, signed_until: None });
                Looked::Another
            }
            (None, _) => {
                self.current = Some(self.number(found, now));
                self.rejection = rejection;
                Looked::Another
            }
        }
    }

    fn number(&mut self, found: Found, now: &Moment) -> Held {
        self.serials += 1;
        Held {
            serial: self.serials,
            generation: self.current.as_ref().map_or(1, |current| current.generation + 1),
            credentials: found.credentials,
            created_at: found.created_at,
            first_seen: now.unix,
            previous_compromised: found.previous_compromised,
        }
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring").field("current", &self.current()).finish_non_exhaustive()
    }
}
