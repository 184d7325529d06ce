//! Reads the headers of a delivery from the objects of any framework.

use justcall_auth::WebhookHeaders;
use pyo3::exceptions::PyUnicodeEncodeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};

use crate::arguments::wrong_type;
use crate::capi;
use crate::pairs::pairs;

/// The prefix of header names in a WSGI `environ`.
const WSGI_PREFIX: &[u8] = b"HTTP_";

/// The name and value of a header.
pub(crate) type Header<'py> = (Bound<'py, PyBytes>, Bound<'py, PyBytes>);

/// Returns the headers that verification needs. Values of other headers are ignored, because an `environ` has values of
/// any type.
pub(crate) fn signing_headers<'py>(headers: &Bound<'py, PyAny>) -> PyResult<Vec<Header<'py>>> {
    let mut found = Vec::with_capacity(3);
    let mut add_needed = |name: &Bound<'py, PyAny>, value: &Bound<'py, PyAny>| {
        if let Some(name) = needed(name)? {
            found.push((name, bytes_of(value)?));
        }
        PyResult::Ok(())
    };
    if let Ok(dictionary) = headers.cast_exact::<PyDict>() {
        for (name, value) in dictionary {
            add_needed(&name, &value)?;
        }
    } else {
        for (name, value) in pairs("headers", headers)? {
            add_needed(&name, &value)?;
        }
    }
    Ok(found)
}

/// Returns the name in HTTP spelling if verification needs the header.
fn needed<'py>(name: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyBytes>>> {
    // The length excludes most names without a conversion.
    if let Ok(text) = name.cast::<PyString>() {
        let length = capi::length(text);
        if ![0, WSGI_PREFIX.len()]
            .iter()
            .any(|prefix| WebhookHeaders::has_name_of(length.wrapping_sub(*prefix)))
        {
            return Ok(None);
        }
    }
    let name = bytes_of(name)?;
    if WebhookHeaders::has_name(name.as_bytes()) {
        return Ok(Some(name));
    }
    let Some(upper) = name.as_bytes().strip_prefix(WSGI_PREFIX) else { return Ok(None) };
    let upper: Vec<u8> = upper.iter().map(|&byte| if byte == b'_' { b'-' } else { byte }).collect();
    Ok(WebhookHeaders::has_name(&upper).then(|| PyBytes::new(name.py(), &upper)))
}

/// Returns the bytes of a header's name or value. Text that cannot be encoded becomes a byte that is never valid.
/// Frameworks pass invalid bytes as lone surrogates, so this is a fault of the sender and not of the program.
fn bytes_of<'py>(half: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    if let Ok(text) = half.cast::<PyString>() {
        let py = half.py();
        return text.encode_utf8().or_else(|failure| match failure {
            failure if failure.is_instance_of::<PyUnicodeEncodeError>(py) => Ok(PyBytes::new(py, b"\xFF")),
            // Memory is exhausted. Without this header the delivery would be refused as unsigned or malformed.
            failure => Err(failure),
        });
    }
    half.cast::<PyBytes>().cloned().map_err(|_| wrong_type(half, "headers", "of str or bytes"))
}
