//! A source that is a function of the Python program.

use std::sync::atomic::{AtomicUsize, Ordering};

use justcall_auth::source::Load;
use justcall_auth::{Error, ErrorKind};
use pyo3::PyTraverseError;
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::pyclass::PyVisit;
use pyo3::sync::PyOnceLock;

use crate::arguments::type_name;
use crate::capi;
use crate::credentials::Credentials;
use crate::errors::exception;
use crate::exception::is_ours;
use crate::held::Held;
use crate::running;

const HINT: &str =
    "See the cause of this exception, where it has one; the callable must return justcall_auth.Credentials.";

/// The function.
pub(crate) struct Callable {
    function: Held,
    /// How many calls are in the function now.
    asking: AtomicUsize,
}

impl Callable {
    pub(crate) fn new(function: Bound<'_, PyAny>) -> Self {
        Self { function: Held::new(function), asking: AtomicUsize::new(0) }
    }

    /// Shows the garbage collector what this holds.
    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.function.traverse(visit)
    }

    /// Whether the code that asks is in the function: calls of its client would wait for the very function. Code of
    /// another greenlet, task or thread is not.
    pub(crate) fn is_asked(&self) -> bool {
        if self.asking.load(Ordering::Relaxed) == 0 {
            return false;
        }
        let asked = running::in_python(|py, _| {
            static IS_ASKED: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
            let is_asked = IS_ASKED.import(py, "justcall_auth._callback", "is_asked")?;
            capi::call_package(is_asked, (self.number(),), None)?.is_truthy()
        });
        // If it cannot be found out, the call may wait until its timeout; a call that is refused could not be made.
        matches!(asked, Some(Ok(true)))
    }

    /// Its number among the sources that are being asked: no two have the same.
    fn number(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// What the function returns.
    fn call<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        static ASK: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let ask = ASK.import(py, "justcall_auth._callback", "ask")?;
        self.asking.fetch_add(1, Ordering::Relaxed);
        let given = capi::call(ask, (self.function.bind(py), self.number()));
        self.asking.fetch_sub(1, Ordering::Relaxed);
        given
    }

    /// The pair; else what was raised, and what it is called where that exception cannot go: in calls of other threads,
    /// which waited for this one's look at the source.
    fn ask(&self, py: Python<'_>) -> Result<justcall_auth::Credentials, (PyErr, Error)> {
        let given = self.call(py).map_err(|raised| {
            let error = unavailable(&format!("raised {}", type_name_of(raised.value(py))));
            (as_failure(py, raised, &error), error)
        })?;
        let credentials = given.cast::<Credentials>().map(|credentials| credentials.get().0.clone());
        let credentials = credentials.map_err(|_| {
            let error = unavailable(&format!("returned {}, not Credentials", type_name_of(&given)));
            (exception(py, &error), error)
        });
        capi::release(py, given.unbind());
        credentials
    }
}

impl Load for Callable {
    fn load(&self) -> Result<justcall_auth::Credentials, Error> {
        let asked = running::in_python(|py, running| {
            let (result, raised) = match self.ask(py) {
                Ok(credentials) => (Ok(credentials), None),
                Err((raised, error)) => (Err(error), Some(raised)),
            };
            if let Some(running) = running {
                running.source_raised(py, raised);
            }
            result
        });
        // Nothing: the interpreter is shutting down.
        asked.unwrap_or_else(|| Err(Error::new(ErrorKind::Cancelled)))
    }

    /// The binding itself refuses such calls, by the context: several greenlets and tasks take turns on one thread.
    fn is_entered(&self) -> bool {
        false
    }
}

fn unavailable(what: &str) -> Error {
    let message = format!("The callable that is the source {what}.");
    Error::with_message(ErrorKind::SourceUnavailable, message).with_hint(HINT)
}

/// What is raised for an exception of the function: those of this package, and those that end programs, as they are; for
/// others `error`, with them as its cause.
fn as_failure(py: Python<'_>, raised: PyErr, error: &Error) -> PyErr {
    match is_ours(py, &raised) {
        Ok(is_ours) if is_ours || !raised.is_instance_of::<PyException>(py) => return raised,
        Ok(_) => {}
        Err(failure) => return failure,
    }
    let failure = exception(py, error);
    failure.set_cause(py, Some(raised));
    failure
}

fn type_name_of(object: &Bound<'_, PyAny>) -> String {
    type_name(object).unwrap_or_else(|_| "something".to_owned())
}
