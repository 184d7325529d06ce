//! The pairs of a source and what is known about them, as one value that every change replaces. The caller passes in
//! the time.

use std::sync::Arc;
use std::time::Duration;

use super::lease::{Lease, Leases};
use super::next_step::{Blocker, CallNeeds, NextStep};
use super::pair::{LoadedPair, PairVersion};
use super::rejections::Rejection;
use super::{Keyring, RefreshOutcome, RejectedPair};
use crate::error::Error;
use crate::time::Moment;

/// The shortest interval between two reads of a source if its pair is good or no call waits for another pair.
const READ_INTERVAL: Duration = Duration::from_secs(1);
/// The shortest interval between two reads while calls wait for another pair.
const URGENT_INTERVAL: Duration = Duration::from_millis(250);
/// The interval at which a call that waits for another call asks again.
const POLL: Duration = Duration::from_millis(20);

#[derive(Clone, Default)]
pub(super) struct KeyringState {
    pub current: Option<PairVersion>,
    pub candidate: Option<CandidatePair>,
    pub previous: Option<PreviousPair>,
    /// The rejection of the current pair, if the service rejected it.
    pub rejection: Option<Rejection>,
    /// The account of the current pair, if known.
    pub account: Option<KnownAccount>,
    /// The number of changes of the process's rejections that this state has applied.
    pub rejections: u64,
    pub source: SourceStatus,
    pub leases: Leases,
    /// The number of held calls that were released since a rejection ended, or `None` if none has ended.
    released: Option<u32>,
    /// The number of pairs so far.
    serials: u64,
}

/// The state of the source.
#[derive(Clone, Default)]
pub(super) struct SourceStatus {
    /// The last pair that the source returned.
    last_pair: Option<LoadedPair>,
    /// When the source was last read, and when it may be read again.
    read_at: Option<Duration>,
    next_read: Duration,
    /// When the current or last read began, and when the last completed read began.
    read_began: Duration,
    completed_read_began: Option<Duration>,
    /// The error of the last read, if it failed.
    last_error: Option<Error>,
    /// True if the source can be checked for changes at almost no cost.
    is_watched: bool,
    /// True if a new client requires that the source is read.
    pub is_refresh_due: bool,
}

/// A pair that the source returned and that is not proven yet.
#[derive(Clone)]
pub(super) struct CandidatePair {
    pub version: PairVersion,
    pub rejected_until: Option<Duration>,
    /// Set once a webhook delivery was signed with this pair: until then, deliveries signed with the current pair are
    /// accepted too.
    pub signed_until: Option<Duration>,
}

/// The account of a pair, from a response.
#[derive(Clone, Copy)]
pub(super) struct KnownAccount {
    serial: u64,
    id: u64,
}

/// The pair before the current one.
#[derive(Clone)]
pub(super) struct PreviousPair {
    pub version: PairVersion,
    pub until: Duration,
}

impl KeyringState {
    /// Returns true if the current pair is good and nothing else is to be done.
    pub fn is_settled(&self, now: Duration) -> bool {
        self.rejection.is_none()
            && self.candidate.as_ref().is_none_or(|candidate| candidate.rejected_until.is_some())
            && !self.source.is_due(now)
    }

    /// Returns the next step of a call.
    pub fn next_step(&mut self, keyring: &Arc<Keyring>, call: &CallNeeds, now: Duration) -> NextStep {
        let lease = |number| Lease::new(keyring, number);
        let Some(current) = self.current.clone() else { return self.find_first(keyring, call, now) };
        let is_rejected = self.rejection.is_some();
        if is_rejected || call.may_prove {
            if let Some(candidate) = self.candidate.as_ref().filter(|one| one.is_eligible(is_rejected, now)) {
                let version = candidate.version.clone();
                match self.leases.take_proof(call.deadline, now) {
                    Some(number) => return NextStep::Prove(version, lease(number)),
                    None if is_rejected => return NextStep::Wait(POLL, Blocker::Proof),
                    None => {}
                }
            }
        }
        let Some(rejection) = self.rejection else {
            let is_due = self.source.is_due(now);
            return match is_due.then(|| self.lease_refresh(call.deadline, now)).flatten() {
                Some(number) => NextStep::Refresh(lease(number)),
                None => NextStep::Use(current),
            };
        };
        let is_waiting = now < rejection.since.saturating_add(call.rotation_wait);
        // The cool-down is over, so the pair is tried again. A call without a retry continues to wait while it may.
        if now >= rejection.until && (call.may_prove || !is_waiting) {
            return match self.leases.take_proof(call.deadline, now) {
                Some(number) => NextStep::Prove(current, lease(number)),
                None => NextStep::Wait(POLL, Blocker::Proof),
            };
        }
        if !(is_waiting || !self.source.was_read_since(rejection.at) || self.source.is_interval_over(now)) {
            return NextStep::Rejected(rejection.until.saturating_sub(now));
        }
        let wait_for = |wait, blocker| {
            if is_waiting {
                NextStep::WaitForPair { wait, blocker, rejected_at: rejection.since }
            } else {
                NextStep::Wait(wait, blocker)
            }
        };
        if now < self.source.next_read {
            return wait_for(self.source.next_read.saturating_sub(now).min(POLL), Blocker::Interval);
        }
        match self.lease_refresh(call.deadline, now) {
            Some(number) => NextStep::Refresh(lease(number)),
            None => wait_for(POLL, Blocker::Refresh),
        }
    }

    /// There is no pair yet. One call reads the source, and its result counts for all calls that wait.
    fn find_first(&mut self, keyring: &Arc<Keyring>, call: &CallNeeds, now: Duration) -> NextStep {
        match &self.source.last_error {
            Some(error) if self.source.read_at.is_some_and(|read| read > call.began) => {
                NextStep::Failed(error.clone())
            }
            _ => match self.lease_refresh(call.deadline, now) {
                Some(number) => NextStep::Refresh(Lease::new(keyring, number)),
                None => NextStep::Wait(POLL, Blocker::Refresh),
            },
        }
    }

    /// Returns the number of a new lease to read the source, or `None` if another one is in force.
    pub fn lease_refresh(&mut self, deadline: Option<Duration>, now: Duration) -> Option<u64> {
        let number = self.leases.take_refresh(deadline, now)?;
        self.source.read_began = now;
        Some(number)
    }

    /// The time after which a call asks again for a lease to read the source.
    pub const LEASE_POLL: Duration = POLL;

    /// Returns the pair of the source if the service rejected the pair that `replace` put into use.
    pub fn unused_source_pair(&self) -> Option<LoadedPair> {
        self.source.last_pair.clone().filter(|_| self.rejection.is_some())
    }

    /// Applies the result of reading the source. `rejection` is the process's rejection of the pair, if any.
    pub fn finish_refresh(
        &mut self,
        result: Result<Option<LoadedPair>, Error>,
        rejection: Option<Rejection>,
        now: &Moment,
    ) -> RefreshOutcome {
        self.source.finish_read(now);
        match result {
            Ok(Some(pair)) => {
                self.source.last_error = None;
                self.source.is_watched = pair.is_watched;
                self.source.last_pair = Some(pair.clone());
                self.apply(pair, rejection, now)
            }
            Ok(None) => RefreshOutcome::SamePair,
            Err(error) => {
                self.source.last_error = Some(error);
                RefreshOutcome::SamePair
            }
        }
    }

    fn apply(&mut self, pair: LoadedPair, rejection: Option<Rejection>, now: &Moment) -> RefreshOutcome {
        match (&self.current, &mut self.candidate) {
            (Some(current), _) if current.credentials().same_pair(&pair.credentials) => {
                // The source has returned to the current pair, or has never changed.
                self.candidate = None;
                self.previous.take_if(|_| pair.previous_compromised);
                RefreshOutcome::SamePair
            }
            (Some(_), Some(candidate)) if candidate.version.credentials().same_pair(&pair.credentials) => {
                candidate.version.pair.previous_compromised |= pair.previous_compromised;
                RefreshOutcome::SamePair
            }
            (Some(_), _) => {
                let version = self.new_version(pair, now);
                let rejected_until = rejection.map(|rejection| rejection.until);
                self.candidate = Some(CandidatePair { version, rejected_until, signed_until: None });
                RefreshOutcome::NewPair
            }
            (None, _) => {
                self.current = Some(self.new_version(pair, now));
                self.rejection = rejection;
                RefreshOutcome::NewPair
            }
        }
    }

    /// Returns a version of a pair passed to `replace`, which must be proven before it is used. Returns the current
    /// version if the pair is the same.
    pub fn admit(&mut self, pair: LoadedPair, now: &Moment) -> PairVersion {
        match &self.current {
            Some(current) if current.credentials().same_pair(&pair.credentials) => current.clone(),
            _ => self.new_version(pair, now),
        }
    }

    fn new_version(&mut self, pair: LoadedPair, now: &Moment) -> PairVersion {
        self.serials += 1;
        PairVersion {
            serial: self.serials,
            generation: self.current.as_ref().map_or(1, |current| current.generation + 1),
            pair,
            first_seen: now.unix,
        }
    }

    /// Puts `version` into use, because the service accepted it in a call that proved it. Returns the version in use
    /// if it replaced another pair.
    pub fn promote(
        &mut self,
        version: &PairVersion,
        overlap: Duration,
        now: Duration,
    ) -> Option<PairVersion> {
        match &self.current {
            Some(current) if current.is_same_pair(version) => {
                self.end_rejection();
                None
            }
            // A newer pair was proven in the meantime.
            Some(current) if current.serial > version.serial => None,
            replaced => {
                let generation = replaced.as_ref().map_or(1, |replaced| replaced.generation + 1);
                let is_promoted = |candidate: &&CandidatePair| candidate.version.is(version);
                let signed_until =
                    self.candidate.as_ref().filter(is_promoted).and_then(|one| one.signed_until);
                let until = signed_until.unwrap_or(now.saturating_add(overlap));
                let replaced_good = replaced.clone().filter(|_| !version.pair.previous_compromised);
                self.previous = replaced_good.map(|version| PreviousPair { version, until });
                let promoted = PairVersion { generation, ..version.clone() };
                self.current = Some(promoted.clone());
                // The source may have returned the same pair again in the meantime.
                self.candidate.take_if(|candidate| {
                    candidate.version.serial <= version.serial || candidate.version.is_same_pair(version)
                });
                self.end_rejection();
                Some(promoted)
            }
        }
    }

    /// Ends the rejection of the current pair, because there is a good pair.
    fn end_rejection(&mut self) {
        if self.rejection.take().is_some() {
            self.released = Some(0);
        }
    }

    /// Releases a call that was held. Returns the number of calls that were released before it after the same reset.
    pub fn release(&mut self) -> Option<u32> {
        let place = self.released?;
        self.released = Some(place.saturating_add(1));
        Some(place)
    }

    /// Records that the service rejected `version`.
    pub fn reject(&mut self, version: &PairVersion, rejection: Rejection) -> RejectedPair {
        if self.current.as_ref().is_some_and(|current| current.is_same_pair(version)) {
            // Requests that were in flight at the first rejection do not count again.
            let is_known = self.rejection.is_some_and(|known| rejection.at < known.until);
            if !is_known {
                let since = self.rejection.map_or(rejection.since, |before| before.since);
                self.rejection = Some(Rejection { since, ..rejection });
            }
            return if is_known { RejectedPair::CurrentAgain } else { RejectedPair::Current };
        }
        if self.set_aside(version, rejection.until) { RejectedPair::Candidate } else { RejectedPair::Former }
    }

    /// Prevents the candidate `version` from being sent until `until`, or longer if that is known already. Returns false if
    /// it is not the candidate.
    pub fn set_aside(&mut self, version: &PairVersion, until: Duration) -> bool {
        let Some(candidate) = self.candidate.as_mut().filter(|one| one.version.is_same_pair(version)) else {
            return false;
        };
        candidate.rejected_until = candidate.rejected_until.max(Some(until));
        true
    }

    /// Removes the rejections before the change with the number `forgotten`.
    pub fn forget_rejections(&mut self, forgotten: u64) {
        if self.rejections < forgotten {
            self.rejections = forgotten;
            self.rejection = None;
            if let Some(candidate) = &mut self.candidate {
                candidate.rejected_until = None;
            }
        }
    }

    /// Applies the rejections that other keyrings of the process have recorded. `known` returns the rejection of the
    /// pair with a serial.
    pub fn update_rejections(&mut self, known: impl Fn(u64) -> Option<Rejection>) {
        if let Some(known) = self.current.as_ref().and_then(|current| known(current.serial)) {
            if self.rejection.is_none_or(|before| before.until < known.until) {
                let since = self.rejection.map_or(known.since, |before| before.since);
                self.rejection = Some(Rejection { since, ..known });
            }
        }
        if let Some(candidate) = &mut self.candidate {
            if let Some(known) = known(candidate.version.serial) {
                candidate.rejected_until = candidate.rejected_until.max(Some(known.until));
            }
        }
    }

    /// Returns the account of `version`, if known.
    pub fn account_of(&self, version: &PairVersion) -> Option<u64> {
        self.account.filter(|known| known.serial == version.serial).map(|known| known.id)
    }

    /// Returns the account of the pair in use if `version` is another one.
    pub fn account_required_of(&self, version: &PairVersion) -> Option<u64> {
        let current = self.current.as_ref().filter(|current| !current.is(version))?;
        self.account_of(current)
    }

    /// Stores the account of `version` if that is the pair in use.
    pub fn set_account(&mut self, version: &PairVersion, id: u64) {
        if let Some(current) = self.current.as_ref().filter(|current| current.is_same_pair(version)) {
            self.account = Some(KnownAccount { serial: current.serial, id });
        }
    }
}

impl SourceStatus {
    /// Returns true if a source with a good pair should be read, because that is cheap or a new client requires it.
    fn is_due(&self, now: Duration) -> bool {
        (self.is_watched || self.is_refresh_due) && self.is_interval_over(now)
    }

    fn is_interval_over(&self, now: Duration) -> bool {
        self.read_at.is_none_or(|read| now >= read.saturating_add(READ_INTERVAL))
    }

    fn was_read_since(&self, time: Duration) -> bool {
        self.completed_read_began.is_some_and(|began| began >= time)
    }

    fn finish_read(&mut self, now: &Moment) {
        self.read_at = Some(now.monotonic);
        self.completed_read_began = Some(self.read_began);
        let jitter = Duration::from_millis(now.random % 64);
        self.next_read = now.monotonic.saturating_add(URGENT_INTERVAL + jitter);
        self.is_refresh_due = false;
    }
}

impl CandidatePair {
    /// Returns true if the candidate may be proven. A rejected candidate is not sent again while the pair in use is
    /// good.
    fn is_eligible(&self, is_rejected: bool, now: Duration) -> bool {
        self.rejected_until.is_none_or(|until| is_rejected && now >= until)
    }
}
