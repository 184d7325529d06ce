//! A source that is a function of the Python program.

use std::cell::RefCell;

use justcall_auth::source::Load;
use justcall_auth::{Error, ErrorKind};
use pyo3::PyTraverseError;
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::pyclass::PyVisit;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

use crate::credentials::Credentials;
use crate::errors::exception;
use crate::running;

thread_local! {
    /// The functions that this thread is in, by address: their clients' calls would wait for the very function.
    static ASKED: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

const HINT: &str =
    "See the cause of this exception, where it has one; the callable must return justcall_auth.Credentials.";

/// The function.
pub(crate) struct Callable(Py<PyAny>);

impl Callable {
    pub(crate) fn new(function: Bound<'_, PyAny>) -> Self {
        Self(function.unbind())
    }

    /// Shows the garbage collector what this holds.
    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.0)
    }

    /// Whether this thread is in the function.
    pub(crate) fn is_asked(&self) -> bool {
        ASKED.with_borrow(|asked| asked.contains(&self.address()))
    }

    fn address(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// The pair; else what was raised, and what it is called where that exception cannot go: in calls of other threads,
    /// which waited for this one's look at the source.
    fn ask(&self, py: Python<'_>) -> Result<justcall_auth::Credentials, (PyErr, Error)> {
        ASKED.with_borrow_mut(|asked| asked.push(self.address()));
        let called = self.0.bind(py).call0();
        ASKED.with_borrow_mut(Vec::pop);
        let given = called.map_err(|raised| {
            let error = unavailable(&format!("raised {}", type_name(raised.value(py))));
            (as_failure(py, raised, &error), error)
        })?;
        given.cast::<Credentials>().map(|credentials| credentials.get().0.clone()).map_err(|_| {
            let error = unavailable(&format!("returned {}, not Credentials", type_name(&given)));
            (exception(py, &error), error)
        })
    }
}

impl Load for Callable {
    fn load(&self) -> Result<justcall_auth::Credentials, Error> {
        let asked = Python::try_attach(|py| {
            let (result, raised) = match self.ask(py) {
                Ok(credentials) => (Ok(credentials), None),
                Err((raised, error)) => (Err(error), Some(raised)),
            };
            running::source_raised(py, raised);
            result
        });
        // Nothing: the interpreter is shutting down.
        asked.unwrap_or_else(|| Err(Error::new(ErrorKind::Cancelled)))
    }
}

fn unavailable(what: &str) -> Error {
    let message = format!("The callable that is the source {what}.");
    Error::with_message(ErrorKind::SourceUnavailable, message).hint_is(HINT)
}

/// What is raised for an exception of the function: those of this package, and those that end programs, as they are; for
/// others `error`, with them as its cause.
fn as_failure(py: Python<'_>, raised: PyErr, error: &Error) -> PyErr {
    static BASE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let is_ours = match BASE.import(py, "justcall_auth._error_base", "JustCallError") {
        Ok(base) => raised.is_instance(py, base),
        Err(failure) => return failure,
    };
    if is_ours || !raised.is_instance_of::<PyException>(py) {
        return raised;
    }
    let failure = exception(py, error);
    failure.set_cause(py, Some(raised));
    failure
}

fn type_name(object: &Bound<'_, PyAny>) -> String {
    object.get_type().qualname().map_or_else(|_| "something".to_owned(), |name| name.to_string())
}
