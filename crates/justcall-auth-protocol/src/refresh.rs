//! Reading the source without a request to the service: `reload`, and finding the first pair.
//!
//! A driver loops over [`Refresh::next`]: it reads the source after [`RefreshAction::Load`] and reports with
//! [`Refresh::loaded`], asks again after [`RefreshAction::Wait`], and stops at [`RefreshAction::Done`].

use std::mem;
use std::time::Duration;

use crate::error::{Error, ErrorKind};
use crate::event::{Event, EventKind};
use crate::keyring::{Blocker, CallNeeds, Keyring, LEASE_LIMIT, Lease, NextStep, RefreshOutcome, SourceRead};
use crate::policy::Policy;
use crate::shared::Shared;
use crate::time::Moment;

pub(crate) const STILL_READING: &str =
    "Check why the source of the credentials is slow, or allow a longer timeout than it needs.";

/// What the driver must do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefreshAction {
    /// Read the source. No other call of the process does so meanwhile.
    Load,
    /// Ask again after this time.
    Wait(Duration),
    /// It is over. True if the source gave another pair than before.
    Done(bool),
}

/// One refresh from the source. See the [module](self).
#[derive(Debug)]
pub struct Refresh {
    shared: Shared,
    /// Whether the source is read even if there is a pair.
    is_forced: bool,
    began: Duration,
    deadline: Option<Duration>,
    /// What it waits for, while it waits for another call.
    blocker: Option<Blocker>,
    events: Vec<Event>,
    state: State,
}

#[derive(Debug)]
enum State {
    /// The keyring is asked what to do.
    Ready,
    /// The driver reads the source.
    Loading(Lease),
    /// Over: whether there is another pair.
    Done(Result<bool, Error>),
}

impl Refresh {
    /// Creates a refresh that reads the source, whatever pair there is.
    pub fn reload(policy: &Policy, shared: Shared, now: &Moment) -> Self {
        Self::begin(policy, shared, true, now)
    }

    /// Creates a refresh that reads the source only if there is no pair yet, or if a read is due.
    pub fn find(policy: &Policy, shared: Shared, now: &Moment) -> Self {
        Self::begin(policy, shared, false, now)
    }

    fn begin(policy: &Policy, shared: Shared, is_forced: bool, now: &Moment) -> Self {
        Self {
            shared,
            is_forced,
            began: now.monotonic,
            deadline: policy.deadline(None, now),
            blocker: None,
            events: Vec::new(),
            state: State::Ready,
        }
    }

    /// Returns what to do now. Asking twice without reporting in between gives the same action again.
    ///
    /// # Errors
    /// The failure, once it is final; the same one at every later call.
    pub fn next(&mut self, now: &Moment) -> Result<RefreshAction, Error> {
        if let State::Done(result) = &self.state {
            return result.clone().map(RefreshAction::Done);
        }
        if self.is_over(now) {
            let error = match self.blocker {
                Some(Blocker::Refresh) => another_call_reads(),
                _ => time_used_up(),
            };
            return Err(self.fail(error));
        }
        if self.is_loading() {
            return Ok(RefreshAction::Load);
        }
        if self.is_forced {
            return Ok(match self.shared.keyring.lease_refresh(self.deadline, now.monotonic) {
                Ok(lease) => self.load(lease),
                Err(wait) => self.wait(wait, Blocker::Refresh),
            });
        }
        let needs = CallNeeds {
            began: self.began,
            deadline: self.deadline,
            rotation_wait: Duration::ZERO,
            may_prove: false,
        };
        match self.shared.keyring.next_step(&needs, now.monotonic) {
            NextStep::Refresh(lease) => Ok(self.load(lease)),
            NextStep::Failed(error) => Err(self.fail(error)),
            NextStep::Wait(wait, blocker) if self.shared.keyring.current().is_none() => {
                Ok(self.wait(wait, blocker))
            }
            // Any pair will do.
            _ => Ok(self.done(false)),
        }
    }

    /// Reports what reading the source gave, after [`RefreshAction::Load`]. Returns false if the report is ignored, because
    /// none was due or because the lease has ended.
    pub fn loaded(&mut self, result: Result<SourceRead, Error>, now: &Moment) -> bool {
        let lease = match mem::replace(&mut self.state, State::Ready) {
            State::Loading(lease) => lease,
            other => {
                self.state = other;
                return false;
            }
        };
        let finished = Finished::of(&self.shared.keyring, lease, result, now);
        if finished.outcome == RefreshOutcome::LeaseEnded {
            let late = late(&self.shared.keyring, self.deadline, now);
            if let Some(late) = late.or_else(|| self.is_forced.then(|| came_late(false))) {
                self.fail(late);
            }
            return false;
        }
        if let Some(event) = finished.event {
            self.shared.metrics.happened(event.kind());
            self.events.push(event);
        }
        match finished.error {
            Some(error) if self.is_forced || self.shared.keyring.current().is_none() => {
                self.fail(error);
            }
            _ if self.is_forced => {
                self.done(finished.outcome == RefreshOutcome::NewPair);
            }
            _ => {}
        }
        true
    }

    /// Ends it with `error`, unless it is over. Another call may read the source then.
    pub fn give_up(&mut self, error: Error) {
        if !matches!(self.state, State::Done(_)) {
            self.fail(error);
        }
    }

    /// Returns the monotonic time at which it ends, if it has a limit.
    pub fn deadline(&self) -> Option<Duration> {
        self.deadline
    }

    /// Returns whether [`RefreshAction::Load`] is due.
    pub fn is_loading(&self) -> bool {
        matches!(self.state, State::Loading(_))
    }

    /// Returns whether it waits for a lease that another call holds.
    pub fn waits_for_lease(&self) -> bool {
        matches!(self.blocker, Some(Blocker::Refresh | Blocker::Proof))
    }

    /// Returns what happened since the last time. While it holds a lease that is nothing: who handles an event may make a call
    /// that would wait for this one.
    pub fn take_events(&mut self) -> Vec<Event> {
        if self.is_loading() { Vec::new() } else { mem::take(&mut self.events) }
    }

    /// Ends it without giving back its lease: a child of `fork()` has none.
    pub fn leave(self) {
        if let State::Loading(lease) = self.state {
            mem::forget(lease);
        }
    }

    fn load(&mut self, lease: Lease) -> RefreshAction {
        self.blocker = None;
        self.state = State::Loading(lease);
        RefreshAction::Load
    }

    fn wait(&mut self, wait: Duration, blocker: Blocker) -> RefreshAction {
        self.blocker = Some(blocker);
        RefreshAction::Wait(wait)
    }

    fn done(&mut self, is_new_pair: bool) -> RefreshAction {
        self.state = State::Done(Ok(is_new_pair));
        RefreshAction::Done(is_new_pair)
    }

    fn fail(&mut self, error: Error) -> Error {
        self.state = State::Done(Err(error.clone()));
        error
    }

    fn is_over(&self, now: &Moment) -> bool {
        is_over(self.deadline, now)
    }
}

/// What came of a read of the source.
pub(crate) struct Finished {
    pub outcome: RefreshOutcome,
    /// Why the source gave nothing.
    pub error: Option<Error>,
    /// The source gave another pair.
    pub event: Option<Event>,
}

impl Finished {
    /// Gives the result of a read to the keyring, and ends the lease.
    pub fn of(keyring: &Keyring, lease: Lease, result: Result<SourceRead, Error>, now: &Moment) -> Self {
        let error = result.as_ref().err().cloned();
        let outcome = keyring.finish_refresh(&lease, result, now);
        drop(lease);
        let candidate = keyring.candidate().filter(|_| outcome == RefreshOutcome::NewPair);
        let event = candidate.map(|candidate| {
            let hint = candidate.credentials().key_hint();
            let message = format!("The source gives another pair, {hint}; the next call proves it.");
            Event::new(EventKind::SourceChanged, message).with_generation(candidate.generation())
        });
        Self { outcome, error, event }
    }
}

/// Returns the failure of a call whose read ended after its lease; `None` if the call goes on, because another call found a
/// pair meanwhile. It does not read the source again, which would take as long.
pub(crate) fn late(keyring: &Keyring, deadline: Option<Duration>, now: &Moment) -> Option<Error> {
    let has_pair = keyring.current().is_some() && keyring.rejected_for(now.monotonic).is_none();
    let is_over = is_over(deadline, now);
    (is_over || !has_pair).then(|| came_late(is_over))
}

pub(crate) fn is_over(deadline: Option<Duration>, now: &Moment) -> bool {
    deadline.is_some_and(|deadline| now.monotonic >= deadline)
}

/// The failure of a call whose read of the source took longer than the lease.
fn came_late(is_over: bool) -> Error {
    if is_over {
        let message = "Reading the source of the credentials took longer than the call's timeout.";
        return Error::with_message(ErrorKind::Timeout, message).with_hint(STILL_READING);
    }
    let limit = LEASE_LIMIT.as_secs();
    let message = format!("Reading the source took longer than {limit} s; its result was ignored.");
    Error::with_message(ErrorKind::SourceUnavailable, message)
}

/// The failure of a call that waits for another one's read until its deadline.
pub(crate) fn another_call_reads() -> Error {
    Error::with_message(ErrorKind::Timeout, "Another call is still reading the source of the credentials.")
        .with_hint(STILL_READING)
}

pub(crate) fn time_used_up() -> Error {
    Error::with_message(ErrorKind::Timeout, "The call's time was used up before an answer came.")
}
