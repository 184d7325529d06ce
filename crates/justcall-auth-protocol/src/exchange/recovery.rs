//! The way of a call through a reset of its pair, and what is told on the way.

use crate::error::Error;
use crate::event::{Event, EventKind};
use crate::keyring::{Held, Rejected};
use crate::response::Response;
use crate::service;
use crate::usage::Spike;

use super::{Exchange, Moment, State, Task, Ticket};

/// What a call that was refused has met so far.
#[derive(Debug, Default)]
pub(super) struct Recovery {
    /// Why the service, or the expected account, refused its pair.
    refusal: Option<Error>,
    /// Why the source gave nothing, at the last look.
    trouble: Option<Error>,
}

impl Recovery {
    /// What looking at the source came to.
    pub fn source_said(&mut self, trouble: Option<Error>) {
        self.trouble = trouble;
    }

    /// What the call ends with when no better pair comes.
    pub fn failure(&self) -> Option<Error> {
        let refusal = self.refusal.clone()?;
        Some(match &self.trouble {
            None => refusal,
            Some(trouble) => {
                let hint = format!("{} The source gave no other pair: {}", refusal.hint(), trouble.message());
                refusal.hint_is(hint)
            }
        })
    }
}

impl Exchange {
    /// The service accepted the pair: where it had yet to be proven, it is in use from here on.
    /// `account` is the one that the service named with it. A pair that must show its account has not done so by an answer
    /// to another question, which may have been asked before the account was required.
    pub(super) fn promote(&mut self, ticket: &Ticket, account: Option<u64>, now: &Moment) {
        let is_given = matches!(self.task, Task::Replace(_));
        let required = self.keyring.account_required_of(&ticket.held).filter(|_| !is_given);
        if ticket.proof.is_none() && !is_given || required.is_some() && account != required {
            return;
        }
        if let Some(held) = self.keyring.promote(&ticket.held, self.policy.overlap, now.monotonic) {
            self.tell_about(&held, EventKind::Rotated, "Another pair was proven and is in use now", 0);
        }
    }

    /// The service rejected the pair that was sent. Another attempt is made while the call may make one: the keyring
    /// says with which pair, or that there is none.
    pub(super) fn rejected(&mut self, error: Error, ticket: Ticket, now: &Moment) {
        let until = now.monotonic.saturating_add(self.policy.cool_down);
        let rejected = self.keyring.reject(&ticket.held, now.monotonic, until);
        let event = match rejected {
            Rejected::Current => Some((EventKind::PairRejected, "The service rejected the pair in use")),
            Rejected::Candidate => Some((EventKind::CandidateRejected, "The service rejected the new pair")),
            Rejected::CurrentAgain | Rejected::Former => None,
        };
        if let Some((kind, what)) = event {
            self.tell_about(&ticket.held, kind, what, error.http_status());
        }
        drop(ticket);
        self.doubt = None;
        self.restart_verification();
        if matches!(self.task, Task::Replace(_)) || self.retries >= self.policy.max_retries {
            return drop(self.fail(error));
        }
        self.repeat(&error);
        self.recovery.refusal = Some(error);
        self.state = State::Ready;
    }

    /// The pair belongs to another account than the expected one. A candidate is set aside as one that was rejected.
    pub(super) fn refuse(&mut self, error: Error, ticket: Ticket, now: &Moment) {
        let is_candidate =
            ticket.proof.is_some() && !self.keyring.current().is_some_and(|current| current.is(&ticket.held));
        if !is_candidate {
            return drop(self.fail(error));
        }
        let until = now.monotonic.saturating_add(self.policy.cool_down);
        self.keyring.set_aside(&ticket.held, until);
        self.tell_about(&ticket.held, EventKind::CandidateRejected, error.message().trim_end_matches('.'), 0);
        drop(ticket);
        self.restart_verification();
        self.recovery.refusal = Some(error);
        self.state = State::Ready;
    }

    /// Another pair may come soon.
    pub(super) fn hold(&mut self, now: &Moment) {
        if self.keyring.tell_waiting() {
            let wait = self.policy.rotation_wait;
            let message = format!(
                "The service rejected the pair in use; calls wait up to {} s for the source to give another.",
                wait.as_secs_f64()
            );
            let generation = self.keyring.current().map_or(0, |held| held.generation());
            let event = Event::new(EventKind::WaitingForSource, message).with_wait(wait);
            self.tell(event.of_generation(generation));
        }
        if self.recovery.refusal.is_none() {
            let left = self.keyring.rejected_for(now.monotonic).unwrap_or_default();
            self.recovery.refusal = Some(super::rejected_lately(left));
        }
    }

    /// What an answer tells beside what was asked.
    pub(super) fn watch(&mut self, response: &Response, ticket: &Ticket, now: &Moment) {
        let sent = &ticket.held;
        let took = now.monotonic.saturating_sub(ticket.since);
        let limit = service::rate_limit_at(response, now.unix);
        let usage = self.keyring.usage();
        usage.limited(&limit);
        let method = self.outgoing().method();
        let spike = usage.answered(method, response.http_status(), took, now.monotonic);
        self.tell_spike(spike);
        let main = limit.main;
        if let (Some(limit), Some(remaining)) = (main.limit, main.remaining) {
            let is_low = remaining.saturating_mul(10) < limit;
            if self.keyring.rate_limit_is(is_low) && is_low {
                let message =
                    format!("{remaining} of {limit} requests are left in the account's rate limit.");
                self.tell(Event::new(EventKind::RateLimitLow, message).with_status(response.http_status()));
            }
        }
        let due = self.policy.rotation_due;
        let age = sent.age(now.unix);
        if !due.is_zero() && age >= due && self.keyring.tell_old(sent) {
            let days = age.as_secs() / (24 * 60 * 60);
            self.tell_about(sent, EventKind::RotationDue, &format!("The pair in use is {days} days old"), 0);
        }
    }

    pub(super) fn tell_spike(&mut self, spike: Option<Spike>) {
        if let Some(Spike { requests, busiest }) = spike {
            let message = format!(
                "{requests} requests were made within a minute, and more may come; the busiest one before had {busiest:.0}."
            );
            let generation = self.keyring.current().map_or(0, |held| held.generation());
            self.tell(Event::new(EventKind::UsageSpike, message).of_generation(generation));
        }
    }

    fn tell_about(&mut self, held: &Held, kind: EventKind, what: &str, http_status: u16) {
        let message = format!("{what}, {}.", held.credentials().key_hint());
        self.tell(Event::new(kind, message).of_generation(held.generation()).with_status(http_status));
    }
}
