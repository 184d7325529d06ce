//! The next step of a call, as the keyring plans it for the sake of the pair.

use std::time::Duration;

use super::recovery::Recovery;
use super::verification::account_page;
use super::{Action, Exchange, Moment, State, Ticket, rejected_lately};
use crate::error::Error;
use crate::keyring::{Claim, Held, Plan, Seeking};

impl Exchange {
    /// Does what the keyring plans for a call like this one.
    pub(super) fn follow_plan(&mut self, now: &Moment) -> Result<Action, Error> {
        let seeking = Seeking {
            began: self.began,
            deadline: self.deadline,
            rotation_wait: self.policy.rotation_wait,
            may_prove: self.retries < self.policy.max_retries,
        };
        match self.keyring.plan(&seeking, now.monotonic) {
            Plan::Use(held) => Ok(self.send(held, None, now)),
            Plan::Prove(held, claim) => Ok(self.send(held, Some(claim), now)),
            Plan::Look(claim) => Ok(self.look(claim)),
            Plan::Wait(wait) => Ok(Action::Wait(wait)),
            Plan::Hold(wait) => {
                self.hold(now);
                Ok(Action::Wait(wait))
            }
            Plan::Rejected(left) => {
                let error = self.recovery.failure().unwrap_or_else(|| rejected_lately(left));
                Err(self.fail(error))
            }
            Plan::Failed(error) => Err(self.fail(error)),
        }
    }

    /// Looks at the source where a look is due; else any pair will do.
    pub(super) fn look_if_due(&mut self, now: &Moment) -> Result<Action, Error> {
        let seeking = Seeking {
            began: self.began,
            deadline: self.deadline,
            rotation_wait: Duration::ZERO,
            may_prove: false,
        };
        match self.keyring.plan(&seeking, now.monotonic) {
            Plan::Look(claim) => Ok(self.look(claim)),
            Plan::Failed(error) => Err(self.fail(error)),
            Plan::Wait(wait) if self.keyring.current().is_none() => Ok(Action::Wait(wait)),
            _ => Ok(self.done()),
        }
    }

    pub(super) fn look(&mut self, claim: Claim) -> Action {
        self.state = State::Looking(claim);
        Action::Load
    }

    pub(super) fn send(&mut self, held: Held, proof: Option<Claim>, now: &Moment) -> Action {
        let must_prove_account =
            self.policy.expected_account.is_some() && !self.keyring.is_account_proven(&held);
        if must_prove_account && self.verification.is_none() {
            self.verification = Some(account_page(&self.policy));
        }
        self.recovery = Recovery::default();
        self.state = State::Sending(Ticket { held, proof, is_taken: false, since: now.monotonic });
        Action::Send
    }
}
