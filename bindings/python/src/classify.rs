//! `classify`: what an answer means that the program fetched by other means.

use std::time::SystemTime;

use justcall_auth::Response;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyString};

use crate::arguments::{refusal, text, wrong_type};
use crate::errors::exception;

/// Raises the `JustCallError` that an answer stands for; does nothing for a status of 200 to 299.
///
/// For programs that send their requests by other means. The status decides; `headers` and `body` only
/// explain. `headers` is a mapping, or an iterable of pairs, of names and values, each `str` or `bytes`;
/// `retry_after` is read from it. `body` is `bytes`, `bytearray` or `str`; `service_message` is read from
/// it, and since the pair is not known here, one that the service echoes is not masked.
///
/// Raises `InvalidArgumentError` for a status outside 0 to 65535.
#[pyfunction]
pub(crate) fn classify(
    py: Python<'_>,
    http_status: &Bound<'_, PyAny>,
    headers: &Bound<'_, PyAny>,
    body: &Bound<'_, PyAny>,
) -> PyResult<()> {
    let http_status = http_status.extract().map_err(|failure| {
        refusal(http_status, &failure, "http_status", "int", "is not between 0 and 65535")
    })?;
    let response = Response::new(http_status, pairs(headers)?, bytes(body)?);
    let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    justcall_auth::classify::classify(&response, None, unix).map_err(|error| exception(py, &error))
}

/// The headers of every common client: a mapping, or something like one, has `items`; the rest is iterated.
fn pairs(headers: &Bound<'_, PyAny>) -> PyResult<Vec<(String, String)>> {
    let items = match headers.getattr_opt("items")? {
        Some(items) => items.call0()?,
        None => headers.clone(),
    };
    items
        .try_iter()?
        .map(|pair| {
            let (name, value): (Bound<'_, PyAny>, Bound<'_, PyAny>) = pair?.extract()?;
            Ok((header_text(&name)?, header_text(&value)?))
        })
        .collect()
}

fn header_text(half: &Bound<'_, PyAny>) -> PyResult<String> {
    if let Ok(bytes) = half.cast::<PyBytes>() {
        return Ok(String::from_utf8_lossy(bytes.as_bytes()).into_owned());
    }
    if half.is_instance_of::<PyString>() {
        return text("headers", half);
    }
    Err(wrong_type(half, "headers", "of str or bytes"))
}

fn bytes(body: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    if let Ok(bytes) = body.cast::<PyBytes>() {
        return Ok(bytes.as_bytes().to_vec());
    }
    if let Ok(bytes) = body.cast::<PyByteArray>() {
        return Ok(bytes.to_vec());
    }
    if body.is_instance_of::<PyString>() {
        return text("body", body).map(String::into_bytes);
    }
    Err(wrong_type(body, "body", "bytes, bytearray or str"))
}
