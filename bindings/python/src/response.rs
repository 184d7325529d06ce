//! An answer as the package's `Response`, which is written in Python.

use justcall_auth::Response;
use justcall_auth::service::{self, RateLimit};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyType};

/// The `Response` that `answer` is in Python.
pub(crate) fn response<'py>(py: Python<'py>, answer: &Response) -> PyResult<Bound<'py, PyAny>> {
    static RESPONSE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    static HEADERS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let headers = HEADERS.import(py, "justcall_auth._headers", "Headers")?.call1((answer.headers(),))?;
    RESPONSE.import(py, "justcall_auth._response", "Response")?.call1((
        answer.http_status(),
        headers,
        PyBytes::new(py, answer.body()),
        rate_limit(py, &service::rate_limit(answer))?,
    ))
}

/// The `RateLimit` that `told` is in Python.
pub(crate) fn rate_limit<'py>(py: Python<'py>, told: &RateLimit) -> PyResult<Bound<'py, PyAny>> {
    static RATE_LIMIT: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    RATE_LIMIT.import(py, "justcall_auth._response", "RateLimit")?.call1((
        told.main.limit,
        told.main.remaining,
        told.main.reset.map(|reset| reset.as_secs_f64()),
        told.burst.limit,
        told.burst.remaining,
        told.burst.reset.map(|reset| reset.as_secs_f64()),
    ))
}
