//! `classify`: the error for a response to a request that the program sent itself.

use justcall_auth::{Headers, Response, copy};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use crate::arguments::{HttpStatus, text, wrong_type};
use crate::body::bytes;
use crate::errors::exception;
use crate::pairs::pairs;

/// Raises the `JustCallError` for a response; does nothing if its status is from 200 to 299.
///
/// For programs that send requests themselves. The pair is not known here, so a secret that the service
/// echoes is not masked.
///
/// Args:
///     http_status: The HTTP status, which selects the error.
///     headers: A mapping, or an iterable of pairs, of names and values, each `str` or `bytes`.
///         `retry_after` is read from it.
///     body: `bytes`, `bytearray`, `memoryview` or `str`. `service_message` is read from it.
///
/// Raises `InvalidArgumentError` if the status is not from 0 to 65535.
#[pyfunction]
pub(crate) fn classify(
    py: Python<'_>,
    http_status: HttpStatus,
    headers: &Bound<'_, PyAny>,
    body: &Bound<'_, PyAny>,
) -> PyResult<()> {
    let unix = justcall_auth::unix_time();
    let response =
        Response::new(http_status.0, headers_of(headers)?, bytes("body", body)?).with_received(unix);
    justcall_auth::classify::classify(&response, None, unix).map_err(|error| exception(py, &error))
}

/// Converts the headers of any common HTTP client.
pub(crate) fn headers_of(headers: &Bound<'_, PyAny>) -> PyResult<Headers> {
    let texts = |(name, value)| Ok((header_text(&name)?, header_text(&value)?));
    let texts = pairs("headers", headers)?.into_iter().map(texts).collect::<PyResult<Vec<_>>>()?;
    Headers::try_from_pairs(&texts).map_err(|error| exception(headers.py(), &error.into()))
}

fn header_text(half: &Bound<'_, PyAny>) -> PyResult<String> {
    if let Ok(bytes) = half.cast::<PyBytes>() {
        return copy::lossy_text(bytes.as_bytes()).map_err(|error| exception(half.py(), &error));
    }
    if half.is_instance_of::<PyString>() {
        return text("headers", half);
    }
    Err(wrong_type(half, "headers", "of str or bytes"))
}
