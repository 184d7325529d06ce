//! One call of a thread while it runs, without the GIL, and what Python code that runs in it raises: handlers of signals
//! and of events, and functions that are sources.
//!
//! The library's errors carry no exception, so what was raised waits here until the call is over. A call that such code
//! makes itself has a place of its own, and is over before the code is.

use std::cell::RefCell;
use std::sync::Arc;

use justcall_auth::{Call, Cancel, Client, Error, ErrorKind, Interrupt, Response};
use pyo3::exceptions::PyException;
use pyo3::prelude::*;

use crate::errors::{exception, guarded};

thread_local! {
    static RAISED: RefCell<Option<Raised>> = const { RefCell::new(None) };
}

/// What was raised during one call.
#[derive(Default)]
struct Raised {
    /// Ends the call.
    end: Cancel,
    /// What ended it; the first, where several did.
    ending: Option<PyErr>,
    /// What the function raised that is the source, when it was asked last.
    by_source: Option<PyErr>,
}

/// What a call came to.
pub(crate) struct Outcome<T> {
    result: Result<T, Error>,
    raised: Raised,
}

/// Does `work` without the GIL. It makes its calls with [`call_of`].
pub(crate) fn run<T: Send>(py: Python<'_>, work: impl FnOnce() -> Result<T, Error> + Send) -> Outcome<T> {
    let outer = RAISED.replace(Some(Raised::default()));
    let result = guarded(py, work);
    let raised = RAISED.replace(outer).unwrap_or_default();
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
    let end = RAISED.with_borrow(|raised| raised.as_ref().map(|raised| raised.end.clone()));
    client.call().interrupted_by(Arc::new(Signals)).cancelled_by(end.unwrap_or_default())
}

/// Ends the call that runs on this thread with `raised`. Gives it back where none does.
pub(crate) fn end_with(raised: PyErr) -> Option<PyErr> {
    RAISED.with_borrow_mut(|running| match running {
        Some(running) => {
            running.ending.get_or_insert(raised);
            running.end.fire();
            None
        }
        None => Some(raised),
    })
}

/// The function that is the source was asked, and raised this or nothing. What is meant to end programs and tasks, such
/// as `KeyboardInterrupt`, ends the call even where there is a pair to go on with.
pub(crate) fn source_raised(py: Python<'_>, raised: Option<PyErr>) {
    match raised {
        Some(raised) if !raised.is_instance_of::<PyException>(py) => drop(end_with(raised)),
        raised => RAISED.with_borrow_mut(|running| {
            if let Some(running) = running {
                running.by_source = raised;
            }
        }),
    }
}

/// Python's signals, asked while a call waits.
pub(crate) struct Signals;

impl Interrupt for Signals {
    fn interrupted(&self) -> bool {
        // Python's own handlers run here, on the main thread; elsewhere this does nothing.
        let ended = Python::try_attach(|py| py.check_signals().map_err(end_with).is_err());
        // Nothing: the interpreter is shutting down.
        ended.unwrap_or(true)
    }
}
