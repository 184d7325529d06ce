//! A source callable: a function of the Python program that returns the pair.

use std::sync::atomic::{AtomicUsize, Ordering};

use justcall_auth::source::Load;
use justcall_auth::{Error, ErrorKind, callback_error};
use pyo3::PyTraverseError;
use pyo3::exceptions::{PyException, PyMemoryError};
use pyo3::prelude::*;
use pyo3::pyclass::PyVisit;
use pyo3::types::PyString;

use crate::arguments::type_name;
use crate::capi;
use crate::credentials::Credentials;
use crate::errors::{exception, fitting};
use crate::exception::{is_ours, kind_of};
use crate::held::Held;
use crate::lazy::{Lazy, interned};
use crate::running;

const HINT: &str = "Check the callable, which must return justcall_auth.Credentials. If the callable raised an exception, read that exception in __cause__.";

/// The source callable.
pub(crate) struct Callable {
    function: Held,
    /// How many calls of the function are in progress.
    running_calls: AtomicUsize,
}

impl Callable {
    pub(crate) fn new(function: Bound<'_, PyAny>) -> Self {
        Self { function: Held::new(function), running_calls: AtomicUsize::new(0) }
    }

    /// Visits the function for the garbage collector.
    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.function.traverse(visit)
    }

    /// Returns whether the calling code runs in the function. Calls of its client would then wait for the function
    /// itself. Code of another greenlet, task or thread does not run in it.
    pub(crate) fn is_running(&self) -> bool {
        if self.running_calls.load(Ordering::Relaxed) == 0 {
            return false;
        }
        let is_running = running::in_python(|py, _| {
            static IS_IN_SOURCE: Lazy<PyAny> = Lazy::new();
            let is_in_source = capi::imported(py, &IS_IN_SOURCE, "justcall_auth._callback", "is_in_source")?;
            capi::call_package(is_in_source, (self.number(),), None)?.is_truthy()
        });
        // If this fails, the call is not refused: it may wait until its timeout, but it may also succeed.
        matches!(is_running, Some(Ok(true)))
    }

    /// Returns a number that is unique among the source callables.
    fn number(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// Calls the function and returns its result.
    fn call<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        static CALL_SOURCE: Lazy<PyAny> = Lazy::new();
        let call_source = capi::imported(py, &CALL_SOURCE, "justcall_auth._callback", "call_source")?;
        self.running_calls.fetch_add(1, Ordering::Relaxed);
        let returned = capi::call(call_source, (self.function.bind(py), self.number()));
        self.running_calls.fetch_sub(1, Ordering::Relaxed);
        returned
    }

    /// Returns the pair. Fails with the exception that the call raises, and with the error for calls of other threads,
    /// which waited for this read and cannot raise the same exception.
    fn load_pair(&self, py: Python<'_>) -> Result<justcall_auth::Credentials, (PyErr, Error)> {
        let returned = fitting(|| self.call(py)).map_err(|raised| failure(py, raised))?;
        let credentials = returned.cast::<Credentials>().map(|credentials| credentials.get().0.clone());
        let credentials = credentials.map_err(|_| {
            let error = unavailable(&format!("returned {}, not Credentials", type_name_of(&returned)));
            (exception(py, &error), error)
        });
        capi::release(py, returned.unbind());
        credentials
    }
}

impl Load for Callable {
    fn load(&self) -> Result<justcall_auth::Credentials, Error> {
        let loaded = running::in_python(|py, running| {
            let (result, raised) = match self.load_pair(py) {
                Ok(credentials) => (Ok(credentials), None),
                Err((raised, error)) => (Err(error.clone()), Some((error.kind(), raised))),
            };
            if let Some(running) = running {
                running.source_raised(py, raised);
            }
            result
        });
        // `None`: the interpreter is shutting down.
        loaded.unwrap_or_else(|| Err(Error::new(ErrorKind::Cancelled)))
    }

    /// Returns false: the binding refuses such calls by the context, because greenlets and tasks share a thread.
    fn is_entered(&self) -> bool {
        false
    }
}

fn unavailable(what: &str) -> Error {
    let message = format!("The source callable {what}.");
    Error::with_message(ErrorKind::SourceUnavailable, message).with_hint(HINT)
}

/// Returns the exception to raise for an exception of the function, and its error. Exceptions of this package, and those
/// that end programs, are raised unchanged, and so is a lack of memory. Others become the cause of `SourceUnavailableError`.
fn failure(py: Python<'_>, raised: PyErr) -> (PyErr, Error) {
    match is_ours(py, &raised) {
        Ok(true) => {
            let error = error_of(py, &raised);
            (raised, error)
        }
        Ok(false) if raised.is_instance_of::<PyMemoryError>(py) => {
            (raised, Error::new(ErrorKind::OutOfMemory))
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
fn error_of(py: Python<'_>, raised: &PyErr) -> Error {
    let kind = kind_of(py, raised);
    let text = |name| {
        let text = capi::getattr(raised.value(py), name).ok()?;
        Some(callback_error(kind, &text.cast::<PyString>().ok()?.to_string_lossy()))
    };
    let error = text(interned!(py, "message")).unwrap_or_else(|| Error::new(kind));
    match text(interned!(py, "hint")) {
        Some(hint) => error.with_hint(hint.message()),
        None => error,
    }
}

fn type_name_of(object: &Bound<'_, PyAny>) -> String {
    type_name(object).unwrap_or_else(|_| "something".to_owned())
}
