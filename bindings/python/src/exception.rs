//! Creates the package's exceptions, which are written in Python.

use justcall_auth::{Error, ErrorKind};
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyDict, PyType};

use crate::capi;
use crate::finding::findings;
use crate::lazy::Lazy;

/// Returns the Python exception for `error`, with `response`.
pub(crate) fn with_response(
    py: Python<'_>,
    error: &Error,
    response: Option<Bound<'_, PyAny>>,
) -> PyResult<PyErr> {
    build(py, error, response).map(PyErr::from_value)
}

/// Returns `OutOfMemoryError`, a subclass of Python's `MemoryError`.
pub(crate) fn out_of_memory(py: Python<'_>) -> PyErr {
    with_response(py, &Error::new(ErrorKind::OutOfMemory), None).unwrap_or_else(|failure| failure)
}

fn build<'py>(
    py: Python<'py>,
    error: &Error,
    response: Option<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    static BY_CODE: Lazy<PyDict> = Lazy::new();
    let class = capi::imported(py, &BY_CODE, "justcall_auth._errors", "BY_CODE")?
        .as_any()
        .get_item(error.kind().number())?;
    let details = [
        ("hint", error.hint().into_pyobject(py)?.into_any()),
        ("http_status", error.http_status().into_pyobject(py)?.into_any()),
        ("service_message", error.service_message().into_pyobject(py)?),
        ("retry_after", error.retry_after().map(|wait| wait.as_secs_f64()).into_pyobject(py)?),
        ("request_sent", error.request_sent().into_pyobject(py)?.to_owned().into_any()),
        ("reason", error.reason().into_pyobject(py)?),
        ("findings", findings(py, error.findings())?.into_any()),
        ("response", response.into_pyobject(py)?),
        ("method", error.method().into_pyobject(py)?),
        ("path", error.path().into_pyobject(py)?),
        ("attempts", error.attempts().into_pyobject(py)?.into_any()),
    ];
    capi::call_package(&class, (error.message(),), Some(&details.into_py_dict(py)?))
}

/// Returns whether an exception is one of this package.
pub(crate) fn is_ours(py: Python<'_>, raised: &PyErr) -> PyResult<bool> {
    static BASE: Lazy<PyType> = Lazy::new();
    Ok(raised.is_instance(py, capi::imported(py, &BASE, "justcall_auth._error_base", "JustCallError")?))
}

/// Returns the kind of failure for an exception of a callback: its own kind if it is of this package, `cancelled` if it
/// ends programs or tasks, otherwise `invalid_argument`.
pub(crate) fn kind_of(py: Python<'_>, raised: &PyErr) -> ErrorKind {
    if !raised.is_instance_of::<PyException>(py) {
        return ErrorKind::Cancelled;
    }
    let code = || raised.value(py).getattr("code").and_then(|code| code.extract());
    let kind = is_ours(py, raised).ok().filter(|is_ours| *is_ours).and_then(|_| code().ok());
    kind.and_then(ErrorKind::from_number).unwrap_or(ErrorKind::InvalidArgument)
}

/// Returns the rows of the error table: code, name, message, remedy, and whether it is retryable.
#[pyfunction]
pub(crate) fn error_table() -> Vec<(i32, &'static str, &'static str, &'static str, bool)> {
    ErrorKind::ALL
        .iter()
        .map(|kind| (kind.number(), kind.name(), kind.message(), kind.remedy(), kind.retryable()))
        .collect()
}
