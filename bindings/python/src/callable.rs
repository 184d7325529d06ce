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

thread_local! {
    /// What a function raised when this thread asked it last, for the call that asked: the library's errors carry no
    /// exception. A call that the function makes itself is over, and has taken its own, before this is set.
    static RAISED: RefCell<Option<PyErr>> = const { RefCell::new(None) };
}

const HINT: &str =
    "See the cause of this exception, if there is one; the callable must return justcall_auth.Credentials.";

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

    fn ask(&self, py: Python<'_>) -> PyResult<justcall_auth::Credentials> {
        let given = self.0.bind(py).call0().map_err(|raised| as_failure(py, raised))?;
        let Ok(credentials) = given.cast::<Credentials>() else {
            let message =
                format!("The callable that is the source returned {}, not Credentials.", type_name(&given));
            return Err(exception(
                py,
                &Error::with_message(ErrorKind::SourceUnavailable, message).hint_is(HINT),
            ));
        };
        Ok(credentials.get().0.clone())
    }
}

impl Load for Callable {
    fn load(&self) -> Result<justcall_auth::Credentials, Error> {
        let asked = Python::try_attach(|py| {
            RAISED.take();
            self.ask(py).map_err(|raised| {
                RAISED.set(Some(raised));
                Error::new(ErrorKind::SourceUnavailable)
            })
        });
        // Nothing: the interpreter is shutting down.
        asked.unwrap_or_else(|| Err(Error::new(ErrorKind::Cancelled)))
    }
}

/// What a call on this thread comes to: its result, or what the function raised that kept it from one.
///
/// What ends programs and tasks (`KeyboardInterrupt`, `SystemExit`) is raised also where the call went on without.
pub(crate) fn outcome<T>(py: Python<'_>, result: Result<T, Error>) -> PyResult<T> {
    let raised = RAISED.take();
    match (result, raised) {
        (Err(error), Some(raised)) if error.kind() == ErrorKind::SourceUnavailable => Err(raised),
        (_, Some(raised)) if !raised.is_instance_of::<PyException>(py) => Err(raised),
        (result, _) => result.map_err(|error| exception(py, &error)),
    }
}

/// What is raised for an exception of the function: those of this package, and those that end programs, as they are.
fn as_failure(py: Python<'_>, raised: PyErr) -> PyErr {
    static BASE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let is_ours = match BASE.import(py, "justcall_auth._error_base", "JustCallError") {
        Ok(base) => raised.is_instance(py, base),
        Err(failure) => return failure,
    };
    if is_ours || !raised.is_instance_of::<PyException>(py) {
        return raised;
    }
    let message = format!("The callable that is the source raised {}.", type_name(raised.value(py)));
    let failure = exception(py, &Error::with_message(ErrorKind::SourceUnavailable, message).hint_is(HINT));
    failure.set_cause(py, Some(raised));
    failure
}

fn type_name(object: &Bound<'_, PyAny>) -> String {
    object.get_type().qualname().map_or_else(|_| "something".to_owned(), |name| name.to_string())
}
