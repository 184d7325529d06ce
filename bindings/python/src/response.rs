//! Converts a response to the package's `Response`, which is written in Python.

use std::time::Duration;

use justcall_auth::Response;
use justcall_auth::service::RateLimit;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple, PyType};

use crate::capi;
use crate::exception::out_of_memory;
use crate::lazy::{Lazy, interned};
use crate::value::{blank, bytes, value};

/// Returns the Python object for `response`.
pub(crate) fn response<'py>(
    py: Python<'py>,
    response: &Response,
    limits: &RateLimit,
) -> PyResult<Bound<'py, PyAny>> {
    static RESPONSE: Lazy<PyType> = Lazy::new();
    let class = capi::imported(py, &RESPONSE, "justcall_auth._response", "Response")?;
    let fields = [
        (interned!(py, "http_status"), response.http_status().into_pyobject(py)?.into_any()),
        (interned!(py, "headers"), headers(py, response)?),
        (interned!(py, "body"), bytes(py, response.body())?.into_any()),
        (interned!(py, "rate_limit"), rate_limit(py, limits)?),
    ];
    value(class, fields)
}

/// Returns the Python object for the headers of `response`.
fn headers<'py>(py: Python<'py>, response: &Response) -> PyResult<Bound<'py, PyAny>> {
    static HEADERS: Lazy<PyType> = Lazy::new();
    let headers = blank(capi::imported(py, &HEADERS, "justcall_auth._headers", "Headers")?)?;
    let text = |text: &str| PyString::from_bytes(py, text.as_bytes()).map_err(|_| out_of_memory(py));
    let pairs = response.headers().iter().map(|(name, value)| Ok((text(name)?, text(value)?)));
    let pairs = pairs.collect::<PyResult<Vec<_>>>()?;
    headers.setattr(interned!(py, "_pairs"), PyTuple::new(py, pairs)?)?;
    Ok(headers)
}

/// Returns the Python object for `limits`.
pub(crate) fn rate_limit<'py>(py: Python<'py>, limits: &RateLimit) -> PyResult<Bound<'py, PyAny>> {
    static RATE_LIMIT: Lazy<PyType> = Lazy::new();
    let class = capi::imported(py, &RATE_LIMIT, "justcall_auth._response", "RateLimit")?;
    let seconds = |reset: Option<Duration>| reset.map(|reset| reset.as_secs_f64());
    let fields = [
        (interned!(py, "limit"), limits.main.limit.into_pyobject(py)?),
        (interned!(py, "remaining"), limits.main.remaining.into_pyobject(py)?),
        (interned!(py, "reset"), seconds(limits.main.reset).into_pyobject(py)?),
        (interned!(py, "burst_limit"), limits.burst.limit.into_pyobject(py)?),
        (interned!(py, "burst_remaining"), limits.burst.remaining.into_pyobject(py)?),
        (interned!(py, "burst_reset"), seconds(limits.burst.reset).into_pyobject(py)?),
    ];
    value(class, fields)
}
