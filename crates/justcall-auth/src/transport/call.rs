//! The current call of a thread, for the socket: its deadline, its interrupt, its pair and how far it got. The module
//! documentation of [`transport`](super) explains why it is in a thread-local.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::time::Duration;

use justcall_auth_protocol::error::{Error, ErrorKind};
pub(super) use justcall_auth_protocol::exchange::Phase;
use justcall_auth_secret::WipedBuffer;

use super::header::PairHeader;
use crate::context::{CallContext, StopReason};

/// The hint of an error that a proxy is to blame for: see [`CallState::with_proxy`].
pub(super) const PROXY_HINT: &str = "Check the proxy in HTTPS_PROXY or in the configuration, and whether it lets this machine reach the service.";

/// What a call that is in `phase` is doing.
const fn doing(phase: Phase) -> &'static str {
    match phase {
        Phase::Resolve => "looking up the host's address",
        Phase::Connect => "connecting",
        Phase::Send => "sending the request",
        Phase::Receive => "waiting for the answer",
    }
}

/// The state of one call on one thread.
pub(super) struct CallState {
    context: CallContext,
    header: Option<PairHeader>,
    /// The header is in what was sent.
    placed: Cell<bool>,
    phase: Cell<Phase>,
    /// The proxy that the call deals with in place of the service.
    proxy: RefCell<Option<String>>,
    sent: Cell<bool>,
    /// The service sent the secret back.
    echoed: Cell<bool>,
    failure: RefCell<Option<Error>>,
}

thread_local! {
    static CURRENT: RefCell<Option<Rc<CallState>>> = const { RefCell::new(None) };
}

/// Makes a call the current one of this thread until it is dropped.
pub(super) struct CurrentCall {
    state: Rc<CallState>,
    outer: Option<Rc<CallState>>,
}

impl CurrentCall {
    /// A call that sends no pair.
    pub fn begin(context: CallContext) -> Self {
        Self::begin_with(context, None)
    }

    /// A call that sends `header`, which the response is searched for.
    pub fn begin_with(context: CallContext, header: Option<PairHeader>) -> Self {
        let state = Rc::new(CallState {
            context,
            header,
            placed: Cell::new(false),
            phase: Cell::new(Phase::Resolve),
            proxy: RefCell::new(None),
            sent: Cell::new(false),
            echoed: Cell::new(false),
            failure: RefCell::new(None),
        });
        let outer = CURRENT.with(|current| current.replace(Some(state.clone())));
        Self { state, outer }
    }
}

impl std::ops::Deref for CurrentCall {
    type Target = CallState;

    fn deref(&self) -> &CallState {
        &self.state
    }
}

impl Drop for CurrentCall {
    fn drop(&mut self) {
        let outer = self.outer.take();
        CURRENT.with(|current| drop(current.replace(outer)));
    }
}

/// The call that this thread is making.
pub(super) fn current() -> Rc<CallState> {
    CURRENT
        .with(|current| current.borrow().clone())
        .expect("a transport works only inside `CurrentCall::begin`")
}

/// Asks the program, with no call as the current one.
fn aside<T>(ask: impl FnOnce() -> T) -> T {
    let current = CURRENT.take();
    let answer = ask();
    CURRENT.set(current);
    answer
}

impl CallState {
    /// The pair that the call sends.
    pub fn header(&self) -> Option<&PairHeader> {
        self.header.as_ref()
    }

    /// What is to be sent of `output`: the first that holds the placeholder gets the pair.
    pub fn complete(&self, output: &[u8]) -> Option<WipedBuffer> {
        if self.placed.get() {
            return None;
        }
        let complete = self.header()?.put_into(output)?;
        self.placed.set(true);
        Some(complete)
    }

    /// Fails if the pair was to be sent and was not: no response may count against a pair that was not sent.
    pub fn check_placed(&self) -> io::Result<()> {
        if self.header.is_some() && !self.placed.get() {
            return Err(
                self.fail(Error::with_message(ErrorKind::Internal, "The request left without its pair."))
            );
        }
        Ok(())
    }

    /// Sets what the call is doing from now on.
    pub fn enter(&self, phase: Phase) {
        self.phase.set(phase);
    }

    pub fn phase(&self) -> Phase {
        self.phase.get()
    }

    /// Does `step` with the proxy at `address`: if it fails, the proxy is to blame.
    pub fn with_proxy<T>(&self, address: String, step: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        self.proxy.replace(Some(address));
        step().inspect(|_| drop(self.proxy.take()))
    }

    /// The address of the proxy that the call deals with now.
    pub fn proxy(&self) -> Option<String> {
        self.proxy.borrow().clone()
    }

    /// Some of the request has left this machine.
    pub fn mark_sent(&self) {
        self.sent.set(true);
    }

    pub fn was_sent(&self) -> bool {
        self.sent.get()
    }

    /// The service sent the secret back in this call.
    pub fn mark_echoed(&self) {
        self.echoed.set(true);
    }

    pub fn was_echoed(&self) -> bool {
        self.echoed.get()
    }

    /// How long to block before looking again.
    pub fn slice(&self) -> io::Result<Duration> {
        aside(|| self.context.slice()).map_err(|reason| self.give_up(reason))
    }

    /// Asks whether to stop. Called only when nothing came for a slice.
    pub fn check_interrupt(&self) -> io::Result<()> {
        aside(|| self.context.check_interrupt()).map_err(|reason| self.give_up(reason))
    }

    fn give_up(&self, reason: StopReason) -> io::Error {
        let phase = self.phase();
        self.fail(match reason {
            StopReason::Interrupted => Error::new(ErrorKind::Cancelled),
            StopReason::Deadline => {
                let timeout = |doing: &str| {
                    let message = format!("The call ran out of time while {doing}.");
                    Error::with_message(ErrorKind::Timeout, message).with_reason(phase.name())
                };
                match (self.proxy(), phase) {
                    (None, _) => timeout(doing(phase)),
                    (Some(_), Phase::Resolve) => {
                        timeout("looking up the proxy's address").with_hint(PROXY_HINT)
                    }
                    (Some(proxy), _) => {
                        timeout(&format!("connecting through the proxy {proxy}")).with_hint(PROXY_HINT)
                    }
                }
            }
        })
    }

    /// Keeps `error` as the reason why the call fails; the layers between see an I/O error.
    pub fn fail(&self, error: Error) -> io::Error {
        let seen = io::Error::other(error.clone());
        self.failure.replace(Some(error));
        seen
    }

    /// Why the call failed, where our own layers know.
    pub fn failure(&self) -> Option<Error> {
        self.failure.borrow().clone()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    thread_local! {
        /// A call that goes on after the interrupt in which it began, as that of another greenlet does.
        static OTHER: RefCell<Option<CurrentCall>> = const { RefCell::new(None) };
    }

    #[test]
    fn it_stays_the_current_call_whatever_calls_begin_and_end_in_its_interrupt() {
        let turns = Arc::new(Mutex::new(0));
        let counted = turns.clone();
        let switch = move || {
            *counted.lock().expect("no panic") += 1;
            assert!(CURRENT.with_borrow(Option::is_none), "the program's code is in no call");
            match OTHER.take() {
                None => OTHER.set(Some(CurrentCall::begin(CallContext::default()))),
                Some(other) => drop(other),
            }
            // The other greenlet switches back.
            drop(CURRENT.take());
            false
        };
        let call = CurrentCall::begin(CallContext::new(Vec::new(), Some(Arc::new(switch))));
        for _ in 0..2 {
            call.check_interrupt().expect("nothing ends it");
            assert!(Rc::ptr_eq(&current(), &call.state));
        }
        assert_eq!(*turns.lock().expect("no panic"), 2);
        drop(call);
        assert!(CURRENT.with_borrow(Option::is_none));
    }
}
