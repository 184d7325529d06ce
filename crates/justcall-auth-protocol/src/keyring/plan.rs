//! What a call does next, for the sake of its pair: send one, prove one, look at the source, wait for another call, or
//! give up.
//!
//! Of all calls of a process one looks at the source and one proves a pair at a time. Each holds a [`Claim`], which ends
//! when it is dropped, whatever became of the call.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::{Candidate, Held, Keyring, LOOK_INTERVAL, State};
use crate::error::Error;

/// How often a call that waits for another one looks whether it is done.
const POLL: Duration = Duration::from_millis(20);

/// What to do next.
#[derive(Debug)]
pub(crate) enum Plan {
    /// Send the current pair.
    Use(Held),
    /// Send this pair; the answer decides about it.
    Prove(Held, Claim),
    /// Look at the source.
    Look(Claim),
    /// Ask again after this time: another call is at it.
    Wait(Duration),
    /// Ask again after this time: the pair was rejected, and the source may soon give another.
    Hold(Duration),
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

/// Who is proving a pair. A call that is past its deadline does not bring an answer any more.
#[derive(Debug, Clone, Copy)]
pub(super) struct Proving {
    claim: u64,
    until: Option<Duration>,
}

/// The right to look at the source, or to prove a pair, until it is dropped.
pub(crate) struct Claim {
    keyring: Arc<Keyring>,
    number: u64,
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.keyring.change(|state| {
            state.looking.take_if(|looking| *looking == self.number);
            state.proving.take_if(|proving| proving.claim == self.number);
        });
    }
}

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Claim").field(&self.number).finish()
    }
}

impl Keyring {
    /// The pair in use, where nothing but using it is to be done.
    pub fn settled(&self, now: Duration) -> Option<Held> {
        let state = self.state.read();
        state.current.clone().filter(|_| state.is_settled(now))
    }

    /// What a call does next.
    pub(crate) fn plan(self: &Arc<Self>, call: &Seeking, now: Duration) -> Plan {
        if let Some(current) = self.settled(now) {
            return Plan::Use(current);
        }
        let step = self.change(|state| state.step(call, now));
        let claim = |number| Claim { keyring: self.clone(), number };
        match step {
            Step::Use(held) => Plan::Use(held),
            Step::Prove(held, number) => Plan::Prove(held, claim(number)),
            Step::Look(number) => Plan::Look(claim(number)),
            Step::Wait(wait) => Plan::Wait(wait),
            Step::Hold(wait) => Plan::Hold(wait),
            Step::Rejected(left) => Plan::Rejected(left),
            Step::Failed(error) => Plan::Failed(error),
        }
    }

    /// The right to look at the source now, whatever there is; `None` while another call does.
    pub(crate) fn claim_look(self: &Arc<Self>, now: Duration) -> Result<Claim, Duration> {
        let number = self.change(|state| state.claim_look(now));
        number.map(|number| Claim { keyring: self.clone(), number }).ok_or(POLL)
    }
}

/// A plan whose claim is still a number.
enum Step {
    Use(Held),
    Prove(Held, u64),
    Look(u64),
    Wait(Duration),
    Hold(Duration),
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
                match self.claim_proof(call, now) {
                    Some(claim) => return Step::Prove(held, claim),
                    None if is_rejected => return Step::Wait(POLL),
                    None => {}
                }
            }
        }
        let Some(rejection) = self.rejection else {
            let due = self.is_look_due(now);
            return match due.then(|| self.claim_look(now)).flatten() {
                Some(claim) => Step::Look(claim),
                None => Step::Use(current),
            };
        };
        let is_held = now < rejection.since.saturating_add(call.rotation_wait);
        // Its cool-down is over: perhaps the service takes it again. A call that would end if not goes on waiting.
        if now >= rejection.until && (call.may_prove || !is_held) {
            return self.claim_proof(call, now).map_or(Step::Wait(POLL), |claim| Step::Prove(current, claim));
        }
        let looked_since = self.looked_from.is_some_and(|from| from >= rejection.at);
        if !(is_held || !looked_since || self.is_rested(now)) {
            return Step::Rejected(rejection.until.saturating_sub(now));
        }
        if now < self.next_look {
            let wait = self.next_look.saturating_sub(now).min(POLL);
            return if is_held { Step::Hold(wait) } else { Step::Wait(wait) };
        }
        match self.claim_look(now) {
            Some(claim) => Step::Look(claim),
            None if is_held => Step::Hold(POLL),
            None => Step::Wait(POLL),
        }
    }

    /// There is no pair yet: one call looks, and what it finds, or does not, goes for all that wait.
    fn find_first(&mut self, call: &Seeking, now: Duration) -> Step {
        match &self.trouble {
            Some(trouble) if self.looked.is_some_and(|looked| looked > call.began) => {
                Step::Failed(trouble.clone())
            }
            _ => self.claim_look(now).map_or(Step::Wait(POLL), Step::Look),
        }
    }

    fn claim_look(&mut self, now: Duration) -> Option<u64> {
        if self.looking.is_some() {
            return None;
        }
        self.look_began = now;
        self.claims += 1;
        self.looking = Some(self.claims);
        self.looking
    }

    fn claim_proof(&mut self, call: &Seeking, now: Duration) -> Option<u64> {
        let is_free = self.proving.is_none_or(|proving| proving.until.is_some_and(|until| now >= until));
        if !is_free {
            return None;
        }
        self.claims += 1;
        self.proving = Some(Proving { claim: self.claims, until: call.deadline });
        Some(self.claims)
    }
}

impl Candidate {
    /// One that the service rejected costs no second request while the pair in use is good.
    fn is_eligible(&self, is_rejected: bool, now: Duration) -> bool {
        self.rejected_until.is_none_or(|until| is_rejected && now >= until)
    }
}
