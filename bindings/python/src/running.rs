//! One call while it runs, without the GIL, and what Python code that runs in it raises: handlers of signals and of
//! events, and functions that are sources.
//!
//! The library's errors carry no exception, so what was raised waits here until the call is over.
//!
//! The call is that of a thread only while no Python code runs: greenlets switch in Python code, and another one may
//! make calls on this thread before the first goes on.

use std::cell::{Cell, RefCell};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use justcall_auth::{Call, CallOptions, Cancel, Client, Error, ErrorKind, Interrupt, Response};
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use crate::capi;
use crate::errors::{exception, guarded};
use crate::gil::Attached;

thread_local! {
    /// The call that this thread makes; nothing while Python code runs.
    static CURRENT: RefCell<Option<Arc<Running>>> = const { RefCell::new(None) };
    /// How many calls of this thread are in Python code now. One that is not below the current call on the stack belongs
    /// to a greenlet that waits for its turn.
    static IN_PYTHON: Cell<usize> = const { Cell::new(0) };
}

/// A call.
pub(crate) struct Running {
    /// The program's options, with what else may end the call.
    options: CallOptions,
    /// Ends the call.
    end: Cancel,
    raised: Mutex<Raised>,
}

/// What was raised during one call.
#[derive(Default)]
struct Raised {
    /// What ended it; the first, if several did.
    ending: Option<PyErr>,
    /// What the function raised that is the source, when it was asked last, and the kind of failure that this is.
    by_source: Option<(ErrorKind, PyErr)>,
}

impl Running {
    fn new(mut options: CallOptions) -> Self {
        let end = Cancel::new();
        options.add_cancel(end.clone()).set_interrupt(Arc::new(Signals));
        Self { options, end, raised: Mutex::default() }
    }

    fn raised(&self) -> MutexGuard<'_, Raised> {
        self.raised.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the call with `raised`.
    pub(crate) fn end_with(&self, raised: PyErr) {
        self.raised().ending.get_or_insert(raised);
        self.end.fire();
    }

    /// The function that is the source was asked, and raised this or nothing. What is meant to end programs and tasks,
    /// such as `KeyboardInterrupt`, ends the call even if there is a pair to go on with.
    pub(crate) fn source_raised(&self, py: Python<'_>, raised: Option<(ErrorKind, PyErr)>) {
        match raised {
            Some((_, raised)) if !raised.is_instance_of::<PyException>(py) => self.end_with(raised),
            raised => self.raised().by_source = raised,
        }
    }
}

/// What a call came to.
pub(crate) struct Outcome<T> {
    result: Result<T, Error>,
    raised: Raised,
}

/// Does `work` without the GIL, within the limits of `options`. It makes its calls with [`call_of`].
pub(crate) fn run<T: Send>(
    py: Python<'_>,
    options: CallOptions,
    work: impl FnOnce() -> Result<T, Error> + Send,
) -> Outcome<T> {
    let running = Arc::new(Running::new(options));
    let outer = CURRENT.replace(Some(running.clone()));
    let result = guarded(py, work);
    CURRENT.set(outer);
    let raised = std::mem::take(&mut *running.raised());
    Outcome { result, raised }
}

impl<T> Outcome<T> {
    /// The answer that the failure was read from, if it is one.
    pub(crate) fn failed_with(&self) -> Option<&Response> {
        self.result.as_ref().err().and_then(Error::response)
    }

    /// The result for Python. What ended the call is raised in place of it, and what the source raised in place of the
    /// failure that it led to.
    pub(crate) fn into_result(self, py: Python<'_>) -> PyResult<T> {
        match (self.result, self.raised) {
            (_, Raised { ending: Some(raised), .. }) => Err(raised),
            (Err(error), Raised { by_source: Some((kind, raised)), .. }) if error.kind() == kind => {
                Err(raised)
            }
            (result, _) => result.map_err(|error| exception(py, &error)),
        }
    }
}

/// Returns the options of the work that runs on this thread: signals end it too, and what ends the work.
pub(crate) fn options() -> CallOptions {
    let options = CURRENT.with_borrow(|running| running.as_ref().map(|running| running.options.clone()));
    options.expect("it is asked in the work of `run`, which is no Python code")
}

/// Returns a call of `client` in the work that runs on this thread.
pub(crate) fn call_of(client: &Client) -> Call<'_> {
    client.call().with_options(&options())
}

/// Runs Python code in the call that this thread makes, if it makes one. Gives nothing if the interpreter is shutting
/// down.
pub(crate) fn in_python<T>(code: impl FnOnce(Python<'_>, Option<&Running>) -> T) -> Option<T> {
    let back = Back { current: CURRENT.take(), _gil: Attached::new() };
    IN_PYTHON.set(IN_PYTHON.get() + 1);
    Python::try_attach(|py| code(py, back.current.as_deref()))
}

/// Makes a call the current one again when its Python code is over.
struct Back {
    current: Option<Arc<Running>>,
    _gil: Attached,
}

impl Drop for Back {
    fn drop(&mut self) {
        IN_PYTHON.set(IN_PYTHON.get() - 1);
        CURRENT.set(self.current.take());
    }
}

/// Python's signals, asked while a call waits.
pub(crate) struct Signals;

impl Interrupt for Signals {
    fn interrupted(&self) -> bool {
        let may_wait_for_a_greenlet = IN_PYTHON.get() > 0;
        let ended = in_python(|py, running| {
            // Python's own handlers run here, on the main thread; elsewhere this does nothing.
            let mut result = capi::check_signals(py);
            if result.is_ok() && may_wait_for_a_greenlet {
                result = let_greenlets_run(py);
            }
            match (result, running) {
                (Ok(()), _) => false,
                (Err(raised), Some(running)) => {
                    running.end_with(raised);
                    true
                }
                (Err(_), None) => true,
            }
        });
        // Nothing: the interpreter is shutting down.
        ended.unwrap_or(true)
    }
}

/// The call may wait for one of a greenlet of this thread, which goes on only if this one lets it.
fn let_greenlets_run(py: Python<'_>) -> PyResult<()> {
    static RUN: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    capi::call(RUN.import(py, "justcall_auth._callback", "let_greenlets_run")?, ()).map(drop)
}
