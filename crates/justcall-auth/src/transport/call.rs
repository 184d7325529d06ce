//! The current call of a thread, for the socket: its deadline, interrupt, pair and progress. The module documentation
//! of [`transport`](super) explains why it is in a thread-local.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::time::Duration;

use justcall_auth_protocol::error::{Error, ErrorKind};
pub(super) use justcall_auth_protocol::exchange::Phase;

use super::header::PairHeader;
use crate::cancel::Sleeper;
use crate::context::{CallContext, StopReason, Watch};

/// The hint of errors that a proxy causes, see [`CallState::with_proxy`].
pub(super) const PROXY_HINT: &str = "Check the proxy in HTTPS_PROXY or in the configuration. Also check whether the proxy allows connections to the service.";

/// Returns what a call does in `phase`, for messages.
const fn activity(phase: Phase) -> &'static str {
    match phase {
        Phase::Resolve => "looking up the host's address",
        Phase::Connect => "connecting",
        Phase::Send => "sending the request",
        Phase::Receive => "waiting for the answer",
    }
}

/// The server that a call sends to, for messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peer {
    /// JustCall.
    Service,
    /// A server of Vault or OpenBao.
    Vault,
}

impl Peer {
    /// Returns the name within a sentence.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Service => "the service",
            Self::Vault => "Vault",
        }
    }

    /// Returns the name of the URL, at the start of a sentence.
    pub const fn url_name(self) -> &'static str {
        match self {
            Self::Service => "The base URL",
            Self::Vault => "The address of Vault",
        }
    }
}

/// The state of one call on one thread.
pub(super) struct CallState {
    context: CallContext,
    peer: Peer,
    header: Option<PairHeader>,
    /// How much of the request ureq must be able to write at once, in bytes.
    output_size: usize,
    /// True if the pair header was written into the request.
    placed: Cell<bool>,
    phase: Cell<Phase>,
    /// The proxy that the call is connected to, until the tunnel exists.
    proxy: RefCell<Option<String>>,
    sent: Cell<bool>,
    /// True if the service sent the secret back.
    echoed: Cell<bool>,
    /// How the connection was lost.
    loss: Cell<Option<io::ErrorKind>>,
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
    /// Starts a call that sends no pair.
    pub fn begin(context: CallContext) -> Self {
        Self::begin_with(context, Peer::Service, None, 0)
    }

    /// Starts a call that sends `header`. The response is searched for its secret.
    pub fn begin_with(
        context: CallContext,
        peer: Peer,
        header: Option<PairHeader>,
        output_size: usize,
    ) -> Self {
        let state = Rc::new(CallState {
            context,
            peer,
            header,
            output_size,
            placed: Cell::new(false),
            phase: Cell::new(Phase::Resolve),
            proxy: RefCell::new(None),
            sent: Cell::new(false),
            echoed: Cell::new(false),
            loss: Cell::new(None),
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

/// Returns the current call of this thread.
pub(super) fn current() -> Rc<CallState> {
    CURRENT
        .with(|current| current.borrow().clone())
        .expect("a transport works only inside `CurrentCall::begin`")
}

/// Returns how much of the request ureq must be able to write at once, in bytes.
pub(super) fn output_size() -> usize {
    CURRENT.with_borrow(|current| current.as_ref().map_or(0, |call| call.output_size))
}

/// Runs code of the program. During that time the thread has no current call.
fn run_without_call<T>(code: impl FnOnce() -> T) -> T {
    let current = CURRENT.take();
    let answer = code();
    CURRENT.set(current);
    answer
}

impl CallState {
    /// Returns the server that the call sends to.
    pub fn peer(&self) -> Peer {
        self.peer
    }

    /// Returns the secret that the call sends in a header.
    pub fn header(&self) -> Option<&PairHeader> {
        self.header.as_ref()
    }

    /// Passes `output` to `send`, with the secret if it contains the placeholder, once a call.
    pub fn send_output(
        &self,
        output: &[u8],
        mut send: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        if let Some(header) = self.header().filter(|_| !self.placed.get()) {
            if header.send_with_pair(output, &mut send)? {
                self.placed.set(true);
                return Ok(());
            }
        }
        send(output)
    }

    /// Fails if the pair was not sent: a response must not count against a pair that was not sent.
    pub fn check_placed(&self) -> io::Result<()> {
        if self.header.is_some() && !self.placed.get() {
            return Err(self.fail(Error::with_message(
                ErrorKind::Internal,
                "The library sent the request without the pair.",
            )));
        }
        Ok(())
    }

    /// Records how the connection was lost.
    pub fn note_loss(&self, kind: io::ErrorKind) {
        self.loss.set(Some(kind));
    }

    /// Returns how the connection was lost, if it was.
    pub fn loss(&self) -> Option<io::ErrorKind> {
        self.loss.get()
    }

    /// Sets the phase of the call.
    pub fn enter(&self, phase: Phase) {
        self.phase.set(phase);
    }

    pub fn phase(&self) -> Phase {
        self.phase.get()
    }

    /// Runs `step` with the proxy at `address`. If it fails, the error names the proxy.
    pub fn with_proxy<T>(&self, address: String, step: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        self.proxy.replace(Some(address));
        step().inspect(|_| drop(self.proxy.take()))
    }

    /// Returns the address of the proxy, while the call talks to it.
    pub fn proxy(&self) -> Option<String> {
        self.proxy.borrow().clone()
    }

    /// Records that a part of the request was sent.
    pub fn mark_sent(&self) {
        self.sent.set(true);
    }

    pub fn was_sent(&self) -> bool {
        self.sent.get()
    }

    /// Records that the service sent the secret back in this call.
    pub fn mark_echoed(&self) {
        self.echoed.set(true);
    }

    pub fn was_echoed(&self) -> bool {
        self.echoed.get()
    }

    /// Returns how long to block before the next check.
    pub fn slice(&self) -> io::Result<Duration> {
        self.slice_with(None)
    }

    /// Returns how long to block before the next check while `watch` exists.
    pub fn slice_with(&self, watch: Option<&Watch<'_>>) -> io::Result<Duration> {
        run_without_call(|| self.context.slice_with(watch)).map_err(|reason| self.stop(reason))
    }

    /// Lets the cancel handles wake `sleeper`, if the call needs no checks at short intervals.
    pub fn watch(&self, sleeper: Sleeper) -> Option<Watch<'_>> {
        self.context.watch(sleeper)
    }

    /// Checks the cancel handles, but not the interrupt.
    pub fn check_cancelled(&self) -> io::Result<()> {
        self.context.check_cancelled().map_err(|reason| self.stop(reason))
    }

    /// Checks for cancellation. Call it only if no data came for a slice.
    pub fn check_interrupt(&self) -> io::Result<()> {
        run_without_call(|| self.context.check_interrupt()).map_err(|reason| self.stop(reason))
    }

    fn stop(&self, reason: StopReason) -> io::Error {
        let phase = self.phase();
        self.fail(match reason {
            StopReason::Interrupted => Error::new(ErrorKind::Cancelled),
            StopReason::Deadline => {
                let timeout = |activity: &str| {
                    let message = format!("The timeout of the call elapsed while {activity}.");
                    Error::with_message(ErrorKind::Timeout, message).with_reason(phase.name())
                };
                match (self.proxy(), phase) {
                    (None, _) => timeout(activity(phase)),
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

    /// Stores `error` as the reason why the call fails. Returns an I/O error for the layers between.
    pub fn fail(&self, error: Error) -> io::Error {
        let seen = io::Error::other(error.clone());
        self.failure.replace(Some(error));
        seen
    }

    /// Returns the stored reason why the call failed, if there is one.
    pub fn failure(&self) -> Option<Error> {
        self.failure.borrow().clone()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    thread_local! {
        /// A call that continues after the interrupt in which it began, as in another greenlet.
        static OTHER: RefCell<Option<CurrentCall>> = const { RefCell::new(None) };
    }

    #[test]
    fn it_remains_the_current_call_after_other_calls_in_its_interrupt() {
        let turns = Arc::new(Mutex::new(0));
        let counted = turns.clone();
        let switch = move || {
            *counted.lock().expect("no panic") += 1;
            assert!(CURRENT.with_borrow(Option::is_none), "code of the program runs without a current call");
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

    #[test]
    fn it_knows_whether_a_part_of_the_request_was_sent() {
        let call = CurrentCall::begin(CallContext::default());
        assert!(!call.was_sent());
        call.mark_sent();
        assert!(call.was_sent());
    }
}
