//! The pairs of a source and what is known of them, as one value that every change replaces. Time comes in, nothing else.

use std::sync::Arc;
use std::time::Duration;

use super::lease::{Lease, Leases};
use super::next_step::{Blocker, CallNeeds, NextStep};
use super::pair::{LoadedPair, PairVersion};
use super::rejections::Rejection;
use super::{Keyring, RefreshOutcome, RejectedPair};
use crate::error::Error;
use crate::time::Moment;

/// The shortest time between two reads of a source while its pair is good or no call waits for another.
const READ_INTERVAL: Duration = Duration::from_secs(1);
/// The shortest time between two reads while calls wait for another pair.
const URGENT_INTERVAL: Duration = Duration::from_millis(250);
/// How often a call that waits for another call asks again.
const POLL: Duration = Duration::from_millis(20);

#[derive(Clone, Default)]
pub(super) struct State {
    pub current: Option<PairVersion>,
    pub candidate: Option<Candidate>,
    pub previous: Option<Previous>,
    /// The service rejected the current pair.
    pub rejection: Option<Rejection>,
    /// The account that the service named for the pair with this serial.
    pub account: Option<KnownAccount>,
    /// How many changes of the process's rejections are taken into account here.
    pub rejections: u64,
    pub source: SourceStatus,
    pub leases: Leases,
    /// How many pairs there were.
    serials: u64,
}

/// What is known of the source.
#[derive(Clone, Default)]
pub(super) struct SourceStatus {
    /// The pair that it gave last.
    given: Option<LoadedPair>,
    /// When it was read last, and when it may be read again.
    read_at: Option<Duration>,
    next_read: Duration,
    /// When the read that is under way, or the last one, began; and when the last completed one did.
    read_began: Duration,
    completed_read_began: Option<Duration>,
    /// Why the last read gave nothing, if it did not.
    last_error: Option<Error>,
    /// A change can be seen at next to no cost.
    is_watched: bool,
    /// A new client expects it to be read.
    pub is_refresh_due: bool,
}

/// A pair that the source gave and the service has not accepted yet.
#[derive(Clone)]
pub(super) struct Candidate {
    pub version: PairVersion,
    pub rejected_until: Option<Duration>,
    /// Webhooks are signed with it already; until then those signed with the current pair count as well.
    pub signed_until: Option<Duration>,
}

/// The account of a pair, as the service named it.
#[derive(Clone, Copy)]
pub(super) struct KnownAccount {
    serial: u64,
    id: u64,
}

/// The pair before the current one.
#[derive(Clone)]
pub(super) struct Previous {
    pub version: PairVersion,
    pub until: Duration,
}

impl State {
    /// The current pair is good, and there is nothing else to do.
    pub fn is_settled(&self, now: Duration) -> bool {
        self.rejection.is_none()
            && self.candidate.as_ref().is_none_or(|candidate| candidate.rejected_until.is_some())
            && !self.source.is_due(now)
    }

    /// What a call does next.
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
        // Its cool-down is over: perhaps the service takes it again. A call that would end if not goes on waiting.
        if now >= rejection.until && (call.may_prove || !is_waiting) {
            return match self.leases.take_proof(call.deadline, now) {
                Some(number) => NextStep::Prove(current, lease(number)),
                None => NextStep::Wait(POLL, Blocker::Proof),
            };
        }
        if !(is_waiting || !self.source.was_read_since(rejection.at) || self.source.is_rested(now)) {
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

    /// There is no pair yet: one call reads the source, and its result counts for all that wait.
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

    /// The number of a new lease to read the source, or `None` while another one is in force.
    pub fn lease_refresh(&mut self, deadline: Option<Duration>, now: Duration) -> Option<u64> {
        let number = self.leases.take_refresh(deadline, now)?;
        self.source.read_began = now;
        Some(number)
    }

    /// The time after which a call asks again for a lease to read the source.
    pub const LEASE_POLL: Duration = POLL;

    /// The pair that the source still gives, if the service rejected the one that `replace` put in its place.
    pub fn given_but_not_used(&self) -> Option<LoadedPair> {
        self.source.given.clone().filter(|_| self.rejection.is_some())
    }

    /// Takes the result of reading the source; `rejection` is what the process knows against the pair.
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
                self.source.given = Some(pair.clone());
                self.take(pair, rejection, now)
            }
            Ok(None) => RefreshOutcome::SamePair,
            Err(error) => {
                self.source.last_error = Some(error);
                RefreshOutcome::SamePair
            }
        }
    }

    fn take(&mut self, pair: LoadedPair, rejection: Option<Rejection>, now: &Moment) -> RefreshOutcome {
        match (&self.current, &mut self.candidate) {
            (Some(current), _) if current.credentials().same_pair(&pair.credentials) => {
                // The source took another pair back, or never had one.
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
                self.candidate = Some(Candidate { version, rejected_until, signed_until: None });
                RefreshOutcome::NewPair
            }
            (None, _) => {
                self.current = Some(self.new_version(pair, now));
                self.rejection = rejection;
                RefreshOutcome::NewPair
            }
        }
    }

    /// A pair passed to `replace`, to be proven before it is used; the current one if it is the same.
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

    /// The service accepted `version`, as a call found that was to prove it: it is the current pair from here on. Returns
    /// it if another one was current before.
    pub fn promote(
        &mut self,
        version: &PairVersion,
        overlap: Duration,
        now: Duration,
    ) -> Option<PairVersion> {
        match &self.current {
            Some(current) if current.is_same_pair(version) => {
                self.rejection = None;
                None
            }
            // A pair that came later was proven meanwhile.
            Some(current) if current.serial > version.serial => None,
            replaced => {
                let generation = replaced.as_ref().map_or(1, |replaced| replaced.generation + 1);
                let is_it = |candidate: &&Candidate| candidate.version.is(version);
                let signed_until = self.candidate.as_ref().filter(is_it).and_then(|one| one.signed_until);
                let until = signed_until.unwrap_or(now.saturating_add(overlap));
                let kept = replaced.clone().filter(|_| !version.pair.previous_compromised);
                self.previous = kept.map(|version| Previous { version, until });
                let promoted = PairVersion { generation, ..version.clone() };
                self.current = Some(promoted.clone());
                // The source may have given the same pair again meanwhile.
                self.candidate.take_if(|candidate| {
                    candidate.version.serial <= version.serial || candidate.version.is_same_pair(version)
                });
                self.rejection = None;
                Some(promoted)
            }
        }
    }

    /// The service rejected `version`.
    pub fn reject(&mut self, version: &PairVersion, rejection: Rejection) -> RejectedPair {
        if self.current.as_ref().is_some_and(|current| current.is_same_pair(version)) {
            // The requests that were in flight when it was rejected are no news.
            let is_known = self.rejection.is_some_and(|known| rejection.at < known.until);
            if !is_known {
                let since = self.rejection.map_or(rejection.since, |before| before.since);
                self.rejection = Some(Rejection { since, ..rejection });
            }
            return if is_known { RejectedPair::CurrentAgain } else { RejectedPair::Current };
        }
        if self.set_aside(version, rejection.until) { RejectedPair::Candidate } else { RejectedPair::Former }
    }

    /// Does not send the candidate `version` before `until`. Returns false if it is not the candidate.
    pub fn set_aside(&mut self, version: &PairVersion, until: Duration) -> bool {
        let candidate = self.candidate.as_mut();
        let candidate = candidate.filter(|candidate| candidate.version.is_same_pair(version));
        candidate.map(|candidate| candidate.rejected_until = Some(until)).is_some()
    }

    /// Forgets what was rejected before the change `forgotten` of the process's rejections.
    pub fn forget_rejections(&mut self, forgotten: u64) {
        if self.rejections < forgotten {
            self.rejections = forgotten;
            self.rejection = None;
            if let Some(candidate) = &mut self.candidate {
                candidate.rejected_until = None;
            }
        }
    }

    /// Takes into account what the service rejected in other keyrings of the process: `known` gives what is known
    /// against the pair with a serial.
    pub fn catch_up(&mut self, known: impl Fn(u64) -> Option<Rejection>) {
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

    /// The account that the service named for `version`.
    pub fn account_of(&self, version: &PairVersion) -> Option<u64> {
        self.account.filter(|known| known.serial == version.serial).map(|known| known.id)
    }

    /// The account of the pair in use, if `version` is another one.
    pub fn account_required_of(&self, version: &PairVersion) -> Option<u64> {
        let current = self.current.as_ref().filter(|current| !current.is(version))?;
        self.account_of(current)
    }

    /// Remembers the account that the service named for `version`, if that is the pair in use.
    pub fn set_account(&mut self, version: &PairVersion, id: u64) {
        if let Some(current) = self.current.as_ref().filter(|current| current.is_same_pair(version)) {
            self.account = Some(KnownAccount { serial: current.serial, id });
        }
    }
}

impl SourceStatus {
    /// A source whose pair is good is read if that is cheap, or if a new client came.
    fn is_due(&self, now: Duration) -> bool {
        (self.is_watched || self.is_refresh_due) && self.is_rested(now)
    }

    fn is_rested(&self, now: Duration) -> bool {
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

impl Candidate {
    /// One that the service rejected costs no second request while the pair in use is good.
    fn is_eligible(&self, is_rejected: bool, now: Duration) -> bool {
        self.rejected_until.is_none_or(|until| is_rejected && now >= until)
    }
}
