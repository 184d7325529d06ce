//! One call while it runs, without the GIL, and what Python code that runs in it raises: handlers of signals and of
//! events, and functions that are sources.
//!
//! The library's errors carry no exception, so what was raised waits here until the call is over.
//!
//! The call is that of a thread only while no Python code runs: greenlets switch in Python code, and another one may
//! make calls on this thread before the first goes on.

use std::cell::{Cell, RefCell};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use justcall_auth::{Call, Cancel, Client, Error, ErrorKind, Interrupt, Response};
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
#[derive(Default)]
pub(crate) struct Running {
    /// Ends the call.
    end: Cancel,
    raised: Mutex<Raised>,
}

/// What was raised during one call.
#[derive(Default)]
struct Raised {
    /// What ended it; the first, if several did.
    ending: Option<PyErr>,
    /// What the function raised that is the source, when it was asked last.
    by_source: Option<PyErr>,
}

impl Running {
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
    pub(crate) fn source_raised(&self, py: Python<'_>, raised: Option<PyErr>) {
        match raised {
            Some(raised) if !raised.is_instance_of::<PyException>(py) => self.end_with(raised),
            raised => self.raised().by_source = raised,
        }
    }
}

/// What a call came to.
pub(crate) struct Outcome<T> {
    result: Result<T, Error>,
    raised: Raised,
}

/// Does `work` without the GIL. It makes its calls with [`call_of`].
pub(crate) fn run<T: Send>(py: Python<'_>, work: impl FnOnce() -> Result<T, Error> + Send) -> Outcome<T> {
    let running = Arc::new(Running::default());
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
            (Err(error), Raised { by_source: Some(raised), .. })
                if error.kind() == ErrorKind::SourceUnavailable =>
            {
                Err(raised)
            }
            (result, _) => result.map_err(|error| exception(py, &error)),
        }
    }
}

/// A call of `client` in the work that runs on this thread: signals end it, and what ends the work.
pub(crate) fn call_of(client: &Client) -> Call<'_> {
    let end = CURRENT.with_borrow(|running| running.as_ref().map(|running| running.end.clone()));
    client.call().with_interrupt(Arc::new(Signals)).with_cancel(end.unwrap_or_default())
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
