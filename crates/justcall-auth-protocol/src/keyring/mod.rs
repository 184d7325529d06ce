//! The pairs of one source: the one in use, the one before it, the one that has yet to be proven.
//!
//! | pair | what it is for |
//! |---|---|
//! | current | calls are made with it |
//! | candidate | the source gave it; one call proves it, while the others go on with the current one |
//! | previous | webhooks that were signed before the reset are still verified with it, for a while |
//!
//! [`Keyring`] publishes one `State`. Reading it takes no lock; changes are made one at a time. `State` holds the rules,
//! `NextStep` is what a call does next, a `Lease` is the exclusive right to read the source or to prove a pair.

mod lease;
mod next_step;
mod pair;
mod rejections;
mod state;
#[cfg(test)]
mod webhook_secrets_tests;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::credentials::Credentials;
use crate::error::Error;
use crate::sync::{Mutex, PoisonError, Published};
use crate::time::Moment;
pub(crate) use lease::{LEASE_LIMIT, Lease};
pub(crate) use next_step::{Blocker, CallNeeds, NextStep};
pub use pair::{LoadedPair, PairVersion, SourceRead};
use rejections::Rejection;
pub use rejections::Rejections;
use state::State;

/// Holds the pairs that calls are made with, for all clients of one source, base URL and expected account. Thread-safe.
///
/// Times are monotonic, since a fixed point of the caller's, unless they are said to be since the epoch.
pub struct Keyring {
    scope: String,
    rejections: Arc<Rejections>,
    state: Published<State>,
    /// Held while the state is changed, and never while anything else happens.
    change: Mutex<()>,
}

/// The outcome of reading the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RefreshOutcome {
    /// There is the first pair, or another one than before.
    NewPair,
    /// Nothing new.
    SamePair,
    /// The lease had ended: another call may have read the source since, so the result was ignored.
    LeaseEnded,
}

/// Which pair the service rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RejectedPair {
    /// The one in use, and that was not known.
    Current,
    /// The one in use, which is known to be rejected.
    CurrentAgain,
    /// A candidate: the one in use stays.
    Candidate,
    /// One that is not in use any more.
    Former,
}

impl Keyring {
    /// Creates a keyring that holds nothing yet: the first call loads the source. `scope` names the service that the pairs
    /// are for; what is rejected is remembered in `rejections`, which outlives the keyring.
    pub fn new(scope: impl Into<String>, rejections: Arc<Rejections>) -> Self {
        Self { scope: scope.into(), rejections, state: Published::default(), change: Mutex::default() }
    }

    /// Returns the pair to send, once there is one.
    pub fn current(&self) -> Option<PairVersion> {
        self.state.read().current.clone()
    }

    /// Returns the pair before the current one, for as long as webhooks may still be signed with it.
    pub fn previous(&self, now: Duration) -> Option<PairVersion> {
        let state = self.state.read();
        state.previous.as_ref().filter(|previous| now < previous.until).map(|kept| kept.version.clone())
    }

    /// Returns the pair that the source gave and the service has not accepted yet.
    pub fn candidate(&self) -> Option<PairVersion> {
        self.state.read().candidate.as_ref().map(|candidate| candidate.version.clone())
    }

    /// Returns the pair in use, if there is nothing to do but use it.
    pub fn settled(&self, now: Duration) -> Option<PairVersion> {
        let state = self.state.read();
        state.current.clone().filter(|_| state.is_settled(now) && !self.is_behind(&state))
    }

    /// Returns how long the current pair must not be sent yet, as it was rejected.
    pub fn rejected_for(&self, now: Duration) -> Option<Duration> {
        let state = self.state.read();
        let rejection = state.rejection.filter(|_| state.rejections >= self.rejections.forgotten())?;
        rejection.until.checked_sub(now).filter(|left| !left.is_zero())
    }

    /// Returns how long `version` must not be sent yet, as it was rejected.
    pub(crate) fn rejection_of(&self, version: &PairVersion, now: Duration) -> Option<Duration> {
        let rejection = self.rejections.of(&self.scope, version.credentials(), now)?;
        Some(rejection.until.saturating_sub(now))
    }

    /// Asks for a refresh from the source by the next call.
    pub fn request_refresh(&self) {
        self.change(|state| state.source.is_refresh_due = true);
    }

    /// Returns what a call does next.
    pub(crate) fn next_step(self: &Arc<Self>, call: &CallNeeds, now: Duration) -> NextStep {
        if let Some(current) = self.settled(now) {
            return NextStep::Use(current);
        }
        if self.is_behind(&self.state.read()) {
            self.catch_up(now);
        }
        self.change(|state| state.next_step(self, call, now))
    }

    /// Returns a lease to read the source now, whatever pair there is.
    ///
    /// # Errors
    /// How long to wait while another call holds the lease.
    pub(crate) fn lease_refresh(
        self: &Arc<Self>,
        deadline: Option<Duration>,
        now: Duration,
    ) -> Result<Lease, Duration> {
        let number = self.change(|state| state.lease_refresh(deadline, now));
        number.map(|number| Lease::new(self, number)).ok_or(State::LEASE_POLL)
    }

    fn end_lease(&self, number: u64) {
        self.change(|state| state.leases.end(number));
    }

    /// Takes what the source gave to the call that holds `lease`. The first pair is in use at once; another than the
    /// current one is a candidate. A source that cannot be read costs nothing while there is a pair. After the end of the
    /// lease the result is ignored.
    pub(crate) fn finish_refresh(
        &self,
        lease: &Lease,
        result: Result<SourceRead, Error>,
        now: &Moment,
    ) -> RefreshOutcome {
        let pair = result.map(|read| match read {
            SourceRead::Pair(pair) => Some(pair),
            SourceRead::Unchanged => self.state.read().given_but_not_used(),
        });
        self.change(|state| {
            if !state.leases.may_report(lease, now.monotonic) {
                return RefreshOutcome::LeaseEnded;
            }
            // Here, so that a rejection which is forgotten meanwhile is not taken into account.
            let rejection = match &pair {
                Ok(Some(pair)) => self.rejections.of(&self.scope, &pair.credentials, now.monotonic),
                _ => None,
            };
            state.finish_refresh(pair, rejection, now)
        })
    }

    /// Returns a version of a pair passed to `replace`, to be proven before it is used; the current one if it is the same.
    pub(crate) fn admit(&self, credentials: Credentials, now: &Moment) -> PairVersion {
        self.change(|state| state.admit(credentials.into(), now))
    }

    /// Puts `version` into use: the service accepted it, as a call found that was to prove it. Returns it if another one was
    /// current before.
    pub(crate) fn promote(
        &self,
        version: &PairVersion,
        overlap: Duration,
        now: Duration,
    ) -> Option<PairVersion> {
        self.rejections.forget(&self.scope, version.credentials());
        self.change(|state| state.promote(version, overlap, now))
    }

    /// Does not send `version` before `until`: the service rejected it.
    pub(crate) fn reject(&self, version: &PairVersion, now: Duration, until: Duration) -> RejectedPair {
        let rejection = Rejection { since: now, at: now, until };
        self.rejections.remember(&self.scope, version.credentials(), rejection);
        self.change(|state| state.reject(version, rejection))
    }

    /// Does not send the candidate `version` before `until`: it is not for this keyring. Another one may use it.
    pub(crate) fn set_aside(&self, version: &PairVersion, until: Duration) {
        self.change(|state| state.set_aside(version, until));
    }

    /// Returns the account that the service named for `version`.
    pub(crate) fn account_of(&self, version: &PairVersion) -> Option<u64> {
        self.state.read().account_of(version)
    }

    /// Returns the account that `version` must belong to before anything else is sent with it: that of the pair in use, for
    /// a pair that the source gave to take its place.
    pub(crate) fn account_required_of(&self, version: &PairVersion) -> Option<u64> {
        self.state.read().account_required_of(version)
    }

    /// Remembers the account that the service named for `version`, if that is the pair in use.
    pub(crate) fn set_account(&self, version: &PairVersion, id: u64) {
        if self.account_of(version) != Some(id) {
            self.change(|state| state.set_account(version, id));
        }
    }

    /// Returns the pairs that a webhook may be signed with at `now`, the likeliest first. The current one is not among them
    /// from the moment that the source says that it is compromised.
    pub fn webhook_pairs(&self, now: Duration) -> impl Iterator<Item = PairVersion> + use<> {
        let state = self.state.read();
        let candidate = state.candidate.as_ref();
        let is_compromised = candidate.is_some_and(|one| one.version.pair.previous_compromised);
        let is_over = candidate.and_then(|one| one.signed_until).is_some_and(|until| now >= until);
        let current = state.current.clone().filter(|_| !is_compromised && !is_over);
        let previous = self.previous(now).filter(|_| !is_compromised);
        [current, candidate.map(|one| one.version.clone()), previous].into_iter().flatten()
    }

    /// Takes note of a webhook that is signed with `version`. A process that only receives webhooks makes no call that would
    /// prove a candidate. To it a delivery that is signed with the candidate is the proof: webhooks signed with the current
    /// pair count for `overlap` from now on and no longer, as after a call.
    pub fn confirm_by_webhook(&self, version: &PairVersion, overlap: Duration, now: Duration) {
        let is_news = |state: &State| {
            state.candidate.as_ref().is_some_and(|one| one.version.is(version) && one.signed_until.is_none())
        };
        if !is_news(&self.state.read()) {
            return;
        }
        self.change(|state| {
            if let Some(candidate) = state.candidate.as_mut().filter(|one| one.version.is(version)) {
                candidate.signed_until.get_or_insert(now.saturating_add(overlap));
            }
        });
    }

    /// Whether another keyring of the process may know more about the pairs of `state`.
    fn is_behind(&self, state: &State) -> bool {
        state.rejections != self.rejections.changes()
    }

    /// Takes into account what the service rejected in other keyrings of the process.
    fn catch_up(&self, now: Duration) {
        // Before the rejections are read: what changes meanwhile is taken into account the next time.
        let rejections = self.rejections.changes();
        let known = |version: PairVersion| {
            let rejection = self.rejections.of(&self.scope, version.credentials(), now)?;
            Some((version.serial, rejection))
        };
        let known = [self.current().and_then(known), self.candidate().and_then(known)];
        let of = |serial| {
            known.iter().flatten().find(|(known, _)| *known == serial).map(|(_, rejection)| *rejection)
        };
        self.change(|state| {
            state.rejections = rejections;
            state.catch_up(of);
        });
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

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring").field("current", &self.current()).finish_non_exhaustive()
    }
}
