//! The pairs of one source: the one in use, the previous one, and the one to be proven.
//!
//! | pair | use |
//! |---|---|
//! | current | calls use it |
//! | candidate | the source returned it; one call proves it, while the others use the current one |
//! | previous | for a limited time, it verifies webhook deliveries that were signed before the reset |
//!
//! [`Keyring`] publishes one `KeyringState`. Reading it takes no lock; changes are made one at a time. `KeyringState`
//! contains the rules. `NextStep` is the next step of a call. A `Lease` is the exclusive right to read the source or to
//! prove a pair.

mod lease;
mod next_step;
mod pair;
mod rejections;
mod state;
#[cfg(test)]
mod webhook_secrets_tests;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
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
use state::KeyringState;

/// The pairs for all clients with the same source, base URL and expected account. Thread-safe.
///
/// Times are monotonic, relative to a fixed point that the caller chooses, unless stated otherwise.
pub struct Keyring {
    scope: String,
    rejections: Arc<Rejections>,
    state: Published<KeyringState>,
    /// Locked only while the state is changed.
    change: Mutex<()>,
    /// Until when verifications skip the account page, in milliseconds. It says nothing about a pair, so it is not part
    /// of the state.
    without_account_page_until: AtomicU64,
}

/// How long the absence of the account page counts.
const ABSENCE: Duration = Duration::from_secs(10 * 60);

/// The outcome of reading the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RefreshOutcome {
    /// The source returned the first pair, or a new one.
    NewPair,
    /// The source returned no new pair.
    SamePair,
    /// The lease had ended, so the result was ignored. Another call may have read the source since.
    LeaseEnded,
}

/// The pair that the service rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RejectedPair {
    /// The pair in use, for the first time.
    Current,
    /// The pair in use, which was already rejected.
    CurrentAgain,
    /// A candidate. The pair in use stays.
    Candidate,
    /// A pair that is no longer in use.
    Former,
}

impl Keyring {
    /// Creates a keyring without a pair; the first call reads the source. `scope` identifies the service that the pairs
    /// belong to. `rejections` stores rejections and outlives the keyring.
    pub fn new(scope: impl Into<String>, rejections: Arc<Rejections>) -> Self {
        Self {
            scope: scope.into(),
            rejections,
            state: Published::default(),
            change: Mutex::default(),
            without_account_page_until: AtomicU64::new(0),
        }
    }

    /// Returns the pair in use, or `None` if there is none yet.
    pub fn current(&self) -> Option<PairVersion> {
        self.state.read().current.clone()
    }

    /// Returns the previous pair while webhooks may still be signed with it.
    pub fn previous(&self, now: Duration) -> Option<PairVersion> {
        let state = self.state.read();
        state
            .previous
            .as_ref()
            .filter(|previous| now < previous.until)
            .map(|previous| previous.version.clone())
    }

    /// Returns the pair that the source returned and that is not proven yet.
    pub fn candidate(&self) -> Option<PairVersion> {
        self.state.read().candidate.as_ref().map(|candidate| candidate.version.clone())
    }

    /// Returns the pair in use if it is good and nothing else is to be done.
    pub fn settled(&self, now: Duration) -> Option<PairVersion> {
        let state = self.state.read();
        state.current.clone().filter(|_| state.is_settled(now) && !self.is_outdated(&state))
    }

    /// Returns how much longer the pair in use must not be sent, or `None` if it may be sent.
    pub fn rejected_for(&self, now: Duration) -> Option<Duration> {
        let state = self.state.read();
        let rejection = state.rejection.filter(|_| state.rejections >= self.rejections.forgotten())?;
        rejection.until.checked_sub(now).filter(|left| !left.is_zero())
    }

    /// Records whether the service has an account page for the pairs of this keyring. Other keyrings ask it themselves,
    /// because what the page returns is a safeguard against a pair of another account.
    pub(crate) fn set_account_page(&self, exists: bool, now: Duration) {
        let until = if exists { Duration::ZERO } else { now.saturating_add(ABSENCE) };
        let millis = u64::try_from(until.as_millis()).unwrap_or(u64::MAX);
        self.without_account_page_until.store(millis, Ordering::Relaxed);
    }

    /// Returns true if the service had no account page a short time ago.
    pub(crate) fn has_no_account_page(&self, now: Duration) -> bool {
        now.as_millis() < u128::from(self.without_account_page_until.load(Ordering::Relaxed))
    }

    /// Returns how much longer `version` must not be sent, or `None` if it may be sent.
    pub(crate) fn rejection_of(&self, version: &PairVersion, now: Duration) -> Option<Duration> {
        let rejection = self.rejections.of(&self.scope, version.credentials(), now)?;
        Some(rejection.until.saturating_sub(now))
    }

    /// Requests that the next call reads the source.
    pub fn request_refresh(&self) {
        self.change(|state| state.source.is_refresh_due = true);
    }

    /// Returns the next step of a call.
    pub(crate) fn next_step(self: &Arc<Self>, call: &CallNeeds, now: Duration) -> NextStep {
        if let Some(current) = self.settled(now) {
            return NextStep::Use(current);
        }
        if self.is_outdated(&self.state.read()) {
            self.update_rejections(now);
        }
        self.change(|state| state.next_step(self, call, now))
    }

    /// Releases a call that was held until there was a good pair. Returns the number of calls that were released before
    /// it after the same reset, or `None` if there was no reset.
    pub(crate) fn release(&self) -> Option<u32> {
        self.change(KeyringState::release)
    }

    /// Returns a lease to read the source now, even if there is a pair.
    ///
    /// # Errors
    /// Returns the time after which to ask again if another call holds the lease.
    pub(crate) fn lease_refresh(
        self: &Arc<Self>,
        deadline: Option<Duration>,
        now: Duration,
    ) -> Result<Lease, Duration> {
        let number = self.change(|state| state.lease_refresh(deadline, now));
        number.map(|number| Lease::new(self, number)).ok_or(KeyringState::LEASE_POLL)
    }

    fn end_lease(&self, number: u64) {
        self.change(|state| state.leases.end(number));
    }

    /// Applies the result of reading the source under `lease`. The first pair is used immediately; a new pair becomes
    /// the candidate. A failed read has no effect if there is a pair. The result is ignored if the lease has ended.
    pub(crate) fn finish_refresh(
        &self,
        lease: &Lease,
        result: Result<SourceRead, Error>,
        now: &Moment,
    ) -> RefreshOutcome {
        let pair = result.map(|read| match read {
            SourceRead::Pair(pair) => Some(pair),
            SourceRead::Unchanged => self.state.read().unused_source_pair(),
        });
        self.change(|state| {
            if !state.leases.is_in_force(lease, now.monotonic) {
                return RefreshOutcome::LeaseEnded;
            }
            // Read within the change, so that a rejection forgotten in the meantime has no effect.
            let rejection = match &pair {
                Ok(Some(pair)) => self.rejections.of(&self.scope, &pair.credentials, now.monotonic),
                _ => None,
            };
            state.finish_refresh(pair, rejection, now)
        })
    }

    /// Returns a version of a pair passed to `replace`, which must be proven before it is used. Returns the current
    /// version if the pair is the same.
    pub(crate) fn admit(&self, credentials: Credentials, now: &Moment) -> PairVersion {
        self.change(|state| state.admit(credentials.into(), now))
    }

    /// Puts `version` into use, because the service accepted it in a call that proved it. Returns the version in use if
    /// it replaced another pair. There is no effect if `lease`, to prove a pair, has ended: the service may have rejected
    /// the pair since.
    pub(crate) fn promote(
        &self,
        version: &PairVersion,
        lease: Option<&Lease>,
        overlap: Duration,
        now: Duration,
    ) -> Option<PairVersion> {
        self.change(|state| {
            if lease.is_some_and(|lease| !state.leases.is_in_force(lease, now)) {
                return None;
            }
            self.rejections.forget(&self.scope, version.credentials());
            state.promote(version, overlap, now)
        })
    }

    /// Prevents `version` from being sent until `until`, because the service rejected it.
    pub(crate) fn reject(&self, version: &PairVersion, now: Duration, until: Duration) -> RejectedPair {
        let rejection = Rejection { since: now, at: now, until };
        self.rejections.remember(&self.scope, version.credentials(), rejection);
        self.change(|state| state.reject(version, rejection))
    }

    /// Prevents the candidate `version` from being sent until `until` in this keyring only, because it belongs to
    /// another account.
    pub(crate) fn set_aside(&self, version: &PairVersion, until: Duration) {
        self.change(|state| state.set_aside(version, until));
    }

    /// Returns the account of `version`, if known.
    pub(crate) fn account_of(&self, version: &PairVersion) -> Option<u64> {
        self.state.read().account_of(version)
    }

    /// Returns the account that `version` must belong to before other requests are sent with it: the account of the
    /// pair that it is to replace.
    pub(crate) fn account_required_of(&self, version: &PairVersion) -> Option<u64> {
        self.state.read().account_required_of(version)
    }

    /// Stores the account of `version` if that is the pair in use.
    pub(crate) fn set_account(&self, version: &PairVersion, id: u64) {
        if self.account_of(version) != Some(id) {
            self.change(|state| state.set_account(version, id));
        }
    }

    /// Returns the pairs that a webhook delivery may be signed with at `now`, the most likely first. They do not
    /// include the current pair once the source reports it as compromised.
    pub fn webhook_pairs(&self, now: Duration) -> impl Iterator<Item = PairVersion> + use<> {
        let state = self.state.read();
        let candidate = state.candidate.as_ref();
        let is_compromised = candidate.is_some_and(|one| one.version.pair.previous_compromised);
        let is_over = candidate.and_then(|one| one.signed_until).is_some_and(|until| now >= until);
        let current = state.current.clone().filter(|_| !is_compromised && !is_over);
        let previous = self.previous(now).filter(|_| !is_compromised);
        [current, candidate.map(|one| one.version.clone()), previous].into_iter().flatten()
    }

    /// Records a webhook delivery that is signed with `version`. In a process that only receives webhooks, no call
    /// proves a candidate, so such a delivery is the proof. From then on, deliveries signed with the current pair are
    /// accepted for `overlap`, as after a call.
    pub fn confirm_by_webhook(&self, version: &PairVersion, overlap: Duration, now: Duration) {
        let is_news = |state: &KeyringState| {
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

    /// Returns true if another keyring of the process may know of a rejection that `state` lacks.
    fn is_outdated(&self, state: &KeyringState) -> bool {
        state.rejections != self.rejections.changes()
    }

    /// Applies the rejections that other keyrings of the process have recorded.
    fn update_rejections(&self, now: Duration) {
        // Read before the rejections, so that changes in the meantime are applied the next time.
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
            state.update_rejections(of);
        });
    }

    fn change<R>(&self, change: impl FnOnce(&mut KeyringState) -> R) -> R {
        let guard = self.change.lock().unwrap_or_else(PoisonError::into_inner);
        let mut state = KeyringState::clone(&self.state.read());
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
