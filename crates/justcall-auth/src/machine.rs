//! Drives a state machine of the protocol: the clock, the source, the events, and the process that it belongs to.

use std::sync::Arc;
use std::time::Duration;

use justcall_auth_protocol::error::{Error, ErrorKind};
use justcall_auth_protocol::event::Event;
use justcall_auth_protocol::keyring::SourceRead;
use justcall_auth_protocol::{Exchange, Moment, Refresh};
use justcall_auth_secret::ForkOwned;

use crate::clock;
use crate::context::CallContext;
use crate::observe::{self, Observe};
use crate::reentry;
use crate::shared_state::SharedSource;

/// A state machine that reads a source: one call that sends, or one refresh.
pub(crate) trait Machine {
    /// What the driver must do next.
    type Action;

    fn next(&mut self, now: &Moment) -> Result<Self::Action, Error>;
    fn loaded(&mut self, result: Result<SourceRead, Error>, now: &Moment) -> bool;
    fn cancel(&mut self, error: Error);
    fn deadline(&self) -> Option<Duration>;
    fn is_loading(&self) -> bool;
    fn waits_for_lease(&self) -> bool;
    fn take_events(&mut self) -> Vec<Event>;
    /// Ends it without giving back its leases.
    fn leave(self);
}

macro_rules! machine {
    ($machine:ty, $action:ty) => {
        impl Machine for $machine {
            type Action = $action;

            fn next(&mut self, now: &Moment) -> Result<Self::Action, Error> {
                <$machine>::next(self, now)
            }

            fn loaded(&mut self, result: Result<SourceRead, Error>, now: &Moment) -> bool {
                <$machine>::loaded(self, result, now)
            }

            fn cancel(&mut self, error: Error) {
                <$machine>::cancel(self, error);
            }

            fn deadline(&self) -> Option<Duration> {
                <$machine>::deadline(self)
            }

            fn is_loading(&self) -> bool {
                <$machine>::is_loading(self)
            }

            fn waits_for_lease(&self) -> bool {
                <$machine>::waits_for_lease(self)
            }

            fn take_events(&mut self) -> Vec<Event> {
                <$machine>::take_events(self)
            }

            fn leave(self) {
                <$machine>::leave(self);
            }
        }
    };
}

machine!(Exchange, justcall_auth_protocol::Action);
machine!(Refresh, justcall_auth_protocol::RefreshAction);

/// A state machine, with what its driver needs.
pub(crate) struct Driven<M> {
    /// With the leases that it holds in the keyring. A child of `fork()` has none to give back there, and could wait for ever
    /// for a lock that it inherited.
    machine: ForkOwned<M>,
    source: Arc<SharedSource>,
    observer: Option<Arc<dyn Observe>>,
    context: CallContext,
}

impl<M: Machine> Driven<M> {
    pub fn new(
        mut machine: M,
        source: Arc<SharedSource>,
        observer: Option<Arc<dyn Observe>>,
        context: &CallContext,
    ) -> Self {
        if source.detector.is_entered() {
            machine.cancel(reentry::waits_for_itself());
        }
        let context = context.until(machine.deadline());
        Self { machine: ForkOwned::with_leave(machine, M::leave), source, observer, context }
    }

    /// Returns the machine.
    pub fn get(&self) -> &M {
        &self.machine
    }

    /// Returns the machine.
    pub fn get_mut(&mut self) -> &mut M {
        &mut self.machine
    }

    /// Returns the machine, and ends the driving.
    pub fn into_inner(self) -> M {
        self.machine.into_inner()
    }

    /// Returns what the clients with this source share.
    pub fn source(&self) -> &SharedSource {
        &self.source
    }

    /// Returns the deadline of the call, and what may end it.
    pub fn context(&self) -> &CallContext {
        &self.context
    }

    /// Returns whether this is the process that began it.
    pub fn is_own(&self) -> bool {
        self.machine.is_own()
    }

    /// Returns what to do now.
    ///
    /// # Errors
    /// The failure, once it is final; `invalid_argument` in a child of the process that began it.
    pub fn next(&mut self) -> Result<M::Action, Error> {
        if !self.is_own() {
            return Err(Error::invalid_argument(
                "This exchange was begun before fork(): begin one in the child.",
            ));
        }
        if self.context.check_cancelled().is_err() {
            self.machine.cancel(Error::new(ErrorKind::Cancelled));
        }
        let mut action = self.machine.next(&clock::now());
        if self.machine.waits_for_lease() && self.source.is_entered() {
            self.machine.cancel(reentry::waits_for_itself());
            action = self.machine.next(&clock::now());
        }
        self.emit_events();
        action
    }

    /// Reads the source if that is due. The next step says what came of it.
    pub fn load(&mut self) {
        if !self.machine.is_loading() || !self.is_own() {
            return;
        }
        match self.source.detector.read(&self.context) {
            // Another call may have more time for it.
            Err(error) if error.kind() == ErrorKind::Cancelled || self.context.is_over() => {
                self.machine.cancel(error);
            }
            result => {
                if !self.machine.loaded(result, &clock::now()) {
                    self.source.detector.forget();
                }
            }
        }
        self.emit_events();
    }

    /// Sleeps for a part of `wait`; the machine says again how much is left. Past the deadline it knows what to do.
    pub fn wait(&mut self, wait: Duration) {
        if let Err(error) = self.context.pause(wait) {
            self.machine.cancel(error);
        }
    }

    /// Passes on what happened.
    pub fn emit_events(&mut self) {
        let events = self.machine.take_events();
        if let Some(observer) = self.observer.as_deref().filter(|_| !events.is_empty()) {
            observe::emit(observer, &events);
        }
    }
}
