//! A source that is a function of the Python program.

use std::sync::atomic::{AtomicUsize, Ordering};

use justcall_auth::source::Load;
use justcall_auth::{Error, ErrorKind, callback_error};
use pyo3::PyTraverseError;
use pyo3::exceptions::PyException;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::pyclass::PyVisit;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyString;

use crate::arguments::type_name;
use crate::capi;
use crate::credentials::Credentials;
use crate::errors::exception;
use crate::exception::{is_ours, kind_of};
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

    /// Returns the pair. Else what the call raises, and the failure of calls of other threads, which waited for this read of
    /// the source and cannot raise the same exception.
    fn ask(&self, py: Python<'_>) -> Result<justcall_auth::Credentials, (PyErr, Error)> {
        let given = self.call(py).map_err(|raised| failure(py, raised))?;
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
                Err((raised, error)) => (Err(error.clone()), Some((error.kind(), raised))),
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

/// Returns what is raised for an exception of the function, and the error that it stands for. Exceptions of this package,
/// and those that end programs, are raised as they are; others become the cause of `SourceUnavailableError`.
fn failure(py: Python<'_>, raised: PyErr) -> (PyErr, Error) {
    match is_ours(py, &raised) {
        Ok(true) => {
            let error = in_its_words(py, &raised);
            (raised, error)
        }
        Ok(false) => {
            let error = unavailable(&format!("raised {}", type_name_of(raised.value(py))));
            if !raised.is_instance_of::<PyException>(py) {
                return (raised, error);
            }
            let failure = exception(py, &error);
            failure.set_cause(py, Some(raised));
            (failure, error)
        }
        Err(failure) => (failure, unavailable("raised something")),
    }
}

/// Returns the error of an exception of this package, with its kind, message and hint. Control characters and the secrets
/// of pairs in use are removed from the texts, which are cut at 512 bytes.
fn in_its_words(py: Python<'_>, raised: &PyErr) -> Error {
    let kind = kind_of(py, raised);
    let text = |name| {
        let text = capi::getattr(raised.value(py), name).ok()?;
        Some(callback_error(kind, &text.cast::<PyString>().ok()?.to_string_lossy()))
    };
    let error = text(intern!(py, "message")).unwrap_or_else(|| Error::new(kind));
    match text(intern!(py, "hint")) {
        Some(hint) => error.with_hint(hint.message()),
        None => error,
    }
}

fn type_name_of(object: &Bound<'_, PyAny>) -> String {
    type_name(object).unwrap_or_else(|_| "something".to_owned())
}
