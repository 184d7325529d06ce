//! Reading the source without a request to the service: `reload`, and finding the first pair.
//!
//! A driver calls [`Refresh::next`] in a loop. On [`RefreshAction::Load`] it reads the source and reports the result to
//! [`Refresh::loaded`]. On [`RefreshAction::Wait`] it calls again after that time. On [`RefreshAction::Done`] it stops.

use std::mem;
use std::time::Duration;

use crate::error::{Error, ErrorKind};
use crate::event::{Event, EventKind};
use crate::keyring::{Blocker, CallNeeds, Keyring, LEASE_LIMIT, Lease, NextStep, RefreshOutcome, SourceRead};
use crate::policy::Policy;
use crate::shared::Shared;
use crate::time::Moment;

pub(crate) const SLOW_SOURCE_HINT: &str =
    "Check why the source of the credentials is slow, or set a longer timeout.";

/// The next action of the driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefreshAction {
    /// Read the source. No other call of the process reads it at the same time.
    Load,
    /// Call `next` again after this time.
    Wait(Duration),
    /// The refresh is over. True if the source returned a new pair.
    Done(bool),
}

/// One refresh from the source. See the [module](self).
#[derive(Debug)]
pub struct Refresh {
    shared: Shared,
    /// True if the source is read even if there is a pair.
    is_forced: bool,
    began: Duration,
    deadline: Option<Duration>,
    /// What the refresh waits for, if it waits for another call.
    blocker: Option<Blocker>,
    events: Vec<Event>,
    state: RefreshState,
}

#[derive(Debug)]
enum RefreshState {
    /// The keyring decides what to do.
    Ready,
    /// The driver reads the source.
    Loading(Lease),
    /// The refresh is over. True if there is a new pair.
    Done(Result<bool, Error>),
}

impl Refresh {
    /// Creates a refresh that reads the source even if there is a pair.
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
            state: RefreshState::Ready,
        }
    }

    /// Returns the next action. Returns the same action again until the driver reports.
    ///
    /// # Errors
    /// Fails with the error of the refresh once it has failed. Every later call returns the same error.
    pub fn next(&mut self, now: &Moment) -> Result<RefreshAction, Error> {
        if let RefreshState::Done(result) = &self.state {
            return result.clone().map(RefreshAction::Done);
        }
        if self.is_over(now) {
            let error = match self.blocker {
                Some(Blocker::Refresh) => another_call_reads(),
                _ => timed_out(),
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
            // Any pair suffices.
            _ => Ok(self.done(false)),
        }
    }

    /// Reports the result of reading the source, after [`RefreshAction::Load`]. Returns false if the report is ignored,
    /// because none was expected or because the lease has ended.
    pub fn loaded(&mut self, result: Result<SourceRead, Error>, now: &Moment) -> bool {
        let lease = match mem::replace(&mut self.state, RefreshState::Ready) {
            RefreshState::Loading(lease) => lease,
            other => {
                self.state = other;
                return false;
            }
        };
        let finished = Finished::of(&self.shared.keyring, lease, result, now);
        if finished.outcome == RefreshOutcome::LeaseEnded {
            let late = late_error(&self.shared.keyring, self.deadline, now);
            if let Some(late) = late.or_else(|| self.is_forced.then(|| finished_late(false))) {
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

    /// Ends the refresh with `error`, unless it is over. Its lease ends, so that another call can read the source.
    pub fn cancel(&mut self, error: Error) {
        if !matches!(self.state, RefreshState::Done(_)) {
            self.fail(error);
        }
    }

    /// Returns the monotonic time at which the refresh ends, or `None` if it has no limit.
    pub fn deadline(&self) -> Option<Duration> {
        self.deadline
    }

    /// Returns true if the next action is [`RefreshAction::Load`].
    pub fn is_loading(&self) -> bool {
        matches!(self.state, RefreshState::Loading(_))
    }

    /// Returns true if the refresh waits for a lease that another call holds.
    pub fn waits_for_lease(&self) -> bool {
        matches!(self.blocker, Some(Blocker::Refresh | Blocker::Proof))
    }

    /// Returns the events since the last call of this method. Returns none while the refresh holds a lease, because an
    /// event handler may start a call, which would wait for this lease.
    pub fn take_events(&mut self) -> Vec<Event> {
        if self.is_loading() { Vec::new() } else { mem::take(&mut self.events) }
    }

    /// Ends the refresh without releasing its lease, because a child of `fork()` holds none.
    pub fn leave(self) {
        if let RefreshState::Loading(lease) = self.state {
            mem::forget(lease);
        }
    }

    fn load(&mut self, lease: Lease) -> RefreshAction {
        self.blocker = None;
        self.state = RefreshState::Loading(lease);
        RefreshAction::Load
    }

    fn wait(&mut self, wait: Duration, blocker: Blocker) -> RefreshAction {
        self.blocker = Some(blocker);
        RefreshAction::Wait(wait)
    }

    fn done(&mut self, is_new_pair: bool) -> RefreshAction {
        self.state = RefreshState::Done(Ok(is_new_pair));
        RefreshAction::Done(is_new_pair)
    }

    fn fail(&mut self, error: Error) -> Error {
        self.state = RefreshState::Done(Err(error.clone()));
        error
    }

    fn is_over(&self, now: &Moment) -> bool {
        is_over(self.deadline, now)
    }
}

/// The effects of a read of the source.
pub(crate) struct Finished {
    pub outcome: RefreshOutcome,
    /// The error, if the read failed.
    pub error: Option<Error>,
    /// The event, if the source returned a new pair.
    pub event: Option<Event>,
}

impl Finished {
    /// Passes the result of a read to the keyring, and ends the lease.
    pub fn of(keyring: &Keyring, lease: Lease, result: Result<SourceRead, Error>, now: &Moment) -> Self {
        let error = result.as_ref().err().cloned();
        let outcome = keyring.finish_refresh(&lease, result, now);
        drop(lease);
        let candidate = keyring.candidate().filter(|_| outcome == RefreshOutcome::NewPair);
        let event = candidate.map(|candidate| {
            let hint = candidate.credentials().key_hint();
            let message =
                format!("The source contains a new pair, {hint}. The next call proves the new pair.");
            Event::new(EventKind::SourceChanged, message).with_generation(candidate.generation())
        });
        Self { outcome, error, event }
    }
}

/// Returns the error of a call whose read ended after its lease. Returns `None` if the call may continue, because another
/// call found a pair in the meantime. It must not read the source again, which would take as long.
pub(crate) fn late_error(keyring: &Keyring, deadline: Option<Duration>, now: &Moment) -> Option<Error> {
    let has_pair = keyring.current().is_some() && keyring.rejected_for(now.monotonic).is_none();
    let is_over = is_over(deadline, now);
    (is_over || !has_pair).then(|| finished_late(is_over))
}

pub(crate) fn is_over(deadline: Option<Duration>, now: &Moment) -> bool {
    deadline.is_some_and(|deadline| now.monotonic >= deadline)
}

/// Returns the error for a read of the source that took longer than the lease.
fn finished_late(is_over: bool) -> Error {
    if is_over {
        let message = "Reading the source of the credentials took longer than the call's timeout.";
        return Error::with_message(ErrorKind::Timeout, message).with_hint(SLOW_SOURCE_HINT);
    }
    let limit = LEASE_LIMIT.as_secs();
    let message = format!("Reading the source took longer than {limit} s, so the result was ignored.");
    Error::with_message(ErrorKind::SourceUnavailable, message)
}

/// Returns the error for a call at its deadline while another call reads the source.
pub(crate) fn another_call_reads() -> Error {
    Error::with_message(ErrorKind::Timeout, "Another call is still reading the source of the credentials.")
        .with_hint(SLOW_SOURCE_HINT)
}

pub(crate) fn timed_out() -> Error {
    Error::with_message(ErrorKind::Timeout, "The timeout of the call elapsed before a response arrived.")
}
