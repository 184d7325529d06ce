//! The next step of a call, as the keyring plans it for the sake of the pair.

use std::time::Duration;

use super::recovery::Recovery;
use super::verification::account_page;
use super::{Action, Exchange, Moment, State, Ticket, rejected_lately};
use crate::error::Error;
use crate::keyring::{Blocker, Held, Lease, Plan, Seeking};

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
            Plan::Prove(held, lease) => Ok(self.send(held, Some(lease), now)),
            Plan::Look(lease) => Ok(self.look(lease)),
            Plan::Wait(wait, blocker) => Ok(self.wait(wait, blocker)),
            Plan::Hold(wait, blocker) => {
                self.hold(now);
                Ok(self.wait(wait, blocker))
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
            Plan::Look(lease) => Ok(self.look(lease)),
            Plan::Failed(error) => Err(self.fail(error)),
            Plan::Wait(wait, blocker) if self.keyring.current().is_none() => Ok(self.wait(wait, blocker)),
            _ => Ok(self.done()),
        }
    }

    fn wait(&mut self, wait: Duration, blocker: Blocker) -> Action {
        self.blocker = Some(blocker);
        Action::Wait(wait)
    }

    pub(super) fn look(&mut self, lease: Lease) -> Action {
        self.blocker = None;
        self.state = State::Looking(lease);
        Action::Load
    }

    pub(super) fn send(&mut self, held: Held, proof: Option<Lease>, now: &Moment) -> Action {
        // A retry of the users page may come to another pair, of which the account page was not asked yet.
        if self.asked_elsewhere.as_ref().is_some_and(|asked| !asked.is_same_pair(&held)) {
            self.restart_verification();
        }
        let required = self.account_required_of(&held);
        let must_prove_account = required.is_some() && self.keyring.account_of(&held) != required;
        if must_prove_account && self.verification.is_none() {
            self.verification = Some(account_page(&self.policy));
        }
        self.recovery = Recovery::default();
        self.blocker = None;
        self.delivery.attempts += u32::from(self.is_subject_due());
        self.state = State::Sending(Ticket { held, proof, is_taken: false, since: now.monotonic });
        self.send_action(now)
    }
}
