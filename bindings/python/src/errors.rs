//! Failures of the library as the package's exceptions.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

use justcall_auth::{Error, ErrorKind, service};
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{IntoPyDict, PyDict, PyType};

use crate::capi;
use crate::diagnose::findings;
use crate::response::response;
use crate::running;

/// Does `work` without the GIL. Its failure becomes an exception.
pub(crate) fn detached<T: Send>(
    py: Python<'_>,
    work: impl FnOnce() -> Result<T, Error> + Send,
) -> PyResult<T> {
    guarded(py, work).map_err(|error| exception(py, &error))
}

/// Does `work` without the GIL. A panic, which is a bug, becomes `internal`.
pub(crate) fn guarded<T: Send>(
    py: Python<'_>,
    work: impl FnOnce() -> Result<T, Error> + Send,
) -> Result<T, Error> {
    // What a panic leaves half done is behind locks that ignore poison, or dropped here.
    let guarded = || {
        catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
            // Dropping what was thrown could panic itself.
            mem::forget(panic);
            Err(Error::new(ErrorKind::Internal))
        })
    };
    py.detach(|| running::without_gil(guarded))
}

/// The exception that `error` is in Python; what kept it from being made, if that failed.
pub(crate) fn exception(py: Python<'_>, error: &Error) -> PyErr {
    build(py, error).map_or_else(|failure| failure, PyErr::from_value)
}

/// `OutOfMemoryError`, in place of Python's `MemoryError`, which is a base of it.
pub(crate) fn out_of_memory(py: Python<'_>) -> PyErr {
    exception(py, &Error::new(ErrorKind::OutOfMemory))
}

fn build<'py>(py: Python<'py>, error: &Error) -> PyResult<Bound<'py, PyAny>> {
    static BY_CODE: PyOnceLock<Py<PyDict>> = PyOnceLock::new();
    let class =
        BY_CODE.import(py, "justcall_auth._errors", "BY_CODE")?.as_any().get_item(error.kind().number())?;
    let details = [
        ("hint", error.hint().into_pyobject(py)?.into_any()),
        ("http_status", error.http_status().into_pyobject(py)?.into_any()),
        ("service_message", error.service_message().into_pyobject(py)?),
        ("retry_after", error.retry_after().map(|wait| wait.as_secs_f64()).into_pyobject(py)?),
        ("request_sent", error.request_sent().into_pyobject(py)?.to_owned().into_any()),
        ("reason", error.reason().into_pyobject(py)?),
        ("findings", findings(py, error.findings())?.into_any()),
        (
            "response",
            error
                .response()
                .map(|answer| response(py, answer, &service::rate_limit(answer)))
                .transpose()?
                .into_pyobject(py)?,
        ),
        ("method", error.method().into_pyobject(py)?),
        ("path", error.path().into_pyobject(py)?),
        ("attempts", error.attempts().into_pyobject(py)?.into_any()),
    ];
    capi::call_package(&class, (error.message(),), Some(&details.into_py_dict(py)?))
}

/// Whether an exception is one of this package.
pub(crate) fn is_ours(py: Python<'_>, raised: &PyErr) -> PyResult<bool> {
    static BASE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    Ok(raised.is_instance(py, BASE.import(py, "justcall_auth._error_base", "JustCallError")?))
}

/// The kind of failure that an exception of the program's own function is: its own for one of this package, `cancelled`
/// for those that end programs and tasks, and `invalid_argument` for any other, as for a function that panics.
pub(crate) fn kind_of(py: Python<'_>, raised: &PyErr) -> ErrorKind {
    if !raised.is_instance_of::<PyException>(py) {
        return ErrorKind::Cancelled;
    }
    let code = || raised.value(py).getattr("code").and_then(|code| code.extract());
    let kind = is_ours(py, raised).ok().filter(|is_ours| *is_ours).and_then(|_| code().ok());
    kind.and_then(ErrorKind::from_number).unwrap_or(ErrorKind::InvalidArgument)
}

/// The error table: code, name, message, remedy and whether it is retryable, of each row.
#[pyfunction]
pub(crate) fn error_table() -> Vec<(i32, &'static str, &'static str, &'static str, bool)> {
    ErrorKind::ALL
        .iter()
        .map(|kind| (kind.number(), kind.name(), kind.message(), kind.remedy(), kind.retryable()))
        .collect()
}
