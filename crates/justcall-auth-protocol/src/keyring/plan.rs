//! What a call does next, for the sake of its pair: send one, prove one, look at the source, wait for another call, or
//! give up.
//!
//! One call of a process reads the source at a time, and one proves a pair. Each holds a [`Lease`]. A lease ends when it
//! is dropped, at the deadline of its call, or after [`LEASE_LIMIT`] if the call has none: a call that is abandoned does
//! not hold up the others.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::{Candidate, Held, Keyring, LOOK_INTERVAL, State};
use crate::error::Error;

/// How often a call that waits for another one looks whether it is done.
const POLL: Duration = Duration::from_millis(20);

/// How long a lease lasts if its call has no deadline.
pub(crate) const LEASE_LIMIT: Duration = Duration::from_secs(60);

/// What a waiting call waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Blocker {
    /// Another call reads the source.
    Refresh,
    /// Another call proves a pair.
    Proof,
    /// The source was read a moment ago.
    Interval,
}

/// What to do next.
#[derive(Debug)]
pub(crate) enum Plan {
    /// Send the current pair.
    Use(Held),
    /// Send this pair; the answer decides about it.
    Prove(Held, Lease),
    /// Look at the source.
    Look(Lease),
    /// Ask again after this time.
    Wait(Duration, Blocker),
    /// Ask again after this time: the pair was rejected, and the source may soon give another.
    Hold(Duration, Blocker),
    /// The pair was rejected, and there is no other; so long it is not sent again.
    Rejected(Duration),
    /// There is no pair, as the source gave none.
    Failed(Error),
}

/// What a call brings along.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seeking {
    /// When the call began.
    pub began: Duration,
    /// When it ends at the latest.
    pub deadline: Option<Duration>,
    /// How long calls are held for another pair, from the moment that the pair in use was rejected.
    pub rotation_wait: Duration,
    /// It has a second attempt left: it can afford to prove a pair beside a good one.
    pub may_prove: bool,
}

/// A lease as the keyring keeps it.
#[derive(Debug, Clone, Copy)]
pub(super) struct LeaseTerm {
    number: u64,
    end: Duration,
}

impl LeaseTerm {
    /// The only place that decides whether a lease is over.
    fn has_ended(self, now: Duration) -> bool {
        now >= self.end
    }
}

/// The exclusive right to read the source, or to prove a pair. Dropping it gives it back.
pub(crate) struct Lease {
    keyring: Arc<Keyring>,
    number: u64,
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.keyring.change(|state| {
            state.refresh_lease.take_if(|term| term.number == self.number);
            state.proof_lease.take_if(|term| term.number == self.number);
        });
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lease").field(&self.number).finish()
    }
}

impl Keyring {
    /// The pair in use, where nothing but using it is to be done.
    pub fn settled(&self, now: Duration) -> Option<Held> {
        let state = self.state.read();
        state.current.clone().filter(|_| state.is_settled(now) && !self.is_behind(&state))
    }

    /// What a call does next.
    pub(crate) fn plan(self: &Arc<Self>, call: &Seeking, now: Duration) -> Plan {
        if let Some(current) = self.settled(now) {
            return Plan::Use(current);
        }
        if self.is_behind(&self.state.read()) {
            self.catch_up(now);
        }
        let step = self.change(|state| state.step(call, now));
        let lease = |number| Lease { keyring: self.clone(), number };
        match step {
            Step::Use(held) => Plan::Use(held),
            Step::Prove(held, number) => Plan::Prove(held, lease(number)),
            Step::Look(number) => Plan::Look(lease(number)),
            Step::Wait(wait, blocker) => Plan::Wait(wait, blocker),
            Step::Hold(wait, blocker) => Plan::Hold(wait, blocker),
            Step::Rejected(left) => Plan::Rejected(left),
            Step::Failed(error) => Plan::Failed(error),
        }
    }

    /// A lease to read the source now, whatever pair there is; how long to wait while another call holds it.
    pub(crate) fn lease_refresh(
        self: &Arc<Self>,
        deadline: Option<Duration>,
        now: Duration,
    ) -> Result<Lease, Duration> {
        let number = self.change(|state| state.lease_refresh(deadline, now));
        number.map(|number| Lease { keyring: self.clone(), number }).ok_or(POLL)
    }
}

/// A plan whose lease is still a number.
enum Step {
    Use(Held),
    Prove(Held, u64),
    Look(u64),
    Wait(Duration, Blocker),
    Hold(Duration, Blocker),
    Rejected(Duration),
    Failed(Error),
}

impl State {
    /// The current pair is good, and there is nothing else to do.
    fn is_settled(&self, now: Duration) -> bool {
        self.rejection.is_none()
            && self.candidate.as_ref().is_none_or(|candidate| candidate.rejected_until.is_some())
            && !self.is_look_due(now)
    }

    /// A source whose pair is good is looked at where that is cheap, or where a new client came.
    fn is_look_due(&self, now: Duration) -> bool {
        (self.watched || self.look_due) && self.is_rested(now)
    }

    fn is_rested(&self, now: Duration) -> bool {
        self.looked.is_none_or(|looked| now >= looked.saturating_add(LOOK_INTERVAL))
    }

    fn step(&mut self, call: &Seeking, now: Duration) -> Step {
        let Some(current) = self.current.clone() else { return self.find_first(call, now) };
        let is_rejected = self.rejection.is_some();
        if is_rejected || call.may_prove {
            if let Some(candidate) = self.candidate.as_ref().filter(|one| one.is_eligible(is_rejected, now)) {
                let held = candidate.held.clone();
                match self.lease_proof(call, now) {
                    Some(lease) => return Step::Prove(held, lease),
                    None if is_rejected => return Step::Wait(POLL, Blocker::Proof),
                    None => {}
                }
            }
        }
        let Some(rejection) = self.rejection else {
            let due = self.is_look_due(now);
            return match due.then(|| self.lease_refresh(call.deadline, now)).flatten() {
                Some(lease) => Step::Look(lease),
                None => Step::Use(current),
            };
        };
        let is_held = now < rejection.since.saturating_add(call.rotation_wait);
        // Its cool-down is over: perhaps the service takes it again. A call that would end if not goes on waiting.
        if now >= rejection.until && (call.may_prove || !is_held) {
            let lease = self.lease_proof(call, now);
            return lease.map_or(Step::Wait(POLL, Blocker::Proof), |lease| Step::Prove(current, lease));
        }
        let looked_since = self.looked_from.is_some_and(|from| from >= rejection.at);
        if !(is_held || !looked_since || self.is_rested(now)) {
            return Step::Rejected(rejection.until.saturating_sub(now));
        }
        if now < self.next_look {
            let wait = self.next_look.saturating_sub(now).min(POLL);
            let wait = (wait, Blocker::Interval);
            return if is_held { Step::Hold(wait.0, wait.1) } else { Step::Wait(wait.0, wait.1) };
        }
        match self.lease_refresh(call.deadline, now) {
            Some(lease) => Step::Look(lease),
            None if is_held => Step::Hold(POLL, Blocker::Refresh),
            None => Step::Wait(POLL, Blocker::Refresh),
        }
    }

    /// There is no pair yet: one call looks, and what it finds, or does not, goes for all that wait.
    fn find_first(&mut self, call: &Seeking, now: Duration) -> Step {
        match &self.trouble {
            Some(trouble) if self.looked.is_some_and(|looked| looked > call.began) => {
                Step::Failed(trouble.clone())
            }
            _ => {
                self.lease_refresh(call.deadline, now).map_or(Step::Wait(POLL, Blocker::Refresh), Step::Look)
            }
        }
    }

    /// Whether `number` is the lease to read the source that is in force.
    pub(super) fn may_report(&self, lease: &Lease, now: Duration) -> bool {
        self.refresh_lease.is_some_and(|term| term.number == lease.number && !term.has_ended(now))
    }

    fn lease_refresh(&mut self, deadline: Option<Duration>, now: Duration) -> Option<u64> {
        if self.refresh_lease.is_some_and(|term| !term.has_ended(now)) {
            return None;
        }
        self.look_began = now;
        let term = self.new_lease(deadline, now);
        self.refresh_lease = Some(term);
        Some(term.number)
    }

    fn lease_proof(&mut self, call: &Seeking, now: Duration) -> Option<u64> {
        if self.proof_lease.is_some_and(|term| !term.has_ended(now)) {
            return None;
        }
        let term = self.new_lease(call.deadline, now);
        self.proof_lease = Some(term);
        Some(term.number)
    }

    fn new_lease(&mut self, deadline: Option<Duration>, now: Duration) -> LeaseTerm {
        self.leases += 1;
        LeaseTerm { number: self.leases, end: deadline.unwrap_or(now.saturating_add(LEASE_LIMIT)) }
    }
}

impl Candidate {
    /// One that the service rejected costs no second request while the pair in use is good.
    fn is_eligible(&self, is_rejected: bool, now: Duration) -> bool {
        self.rejected_until.is_none_or(|until| is_rejected && now >= until)
    }
}
