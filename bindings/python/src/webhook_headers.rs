//! The headers of a delivery, out of whatever a framework holds them in.

use justcall_auth::WebhookHeaders;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};

use crate::arguments::wrong_type;
use crate::capi;
use crate::pairs::pairs;

/// Before each name in a WSGI `environ`.
const WSGI_PREFIX: &[u8] = b"HTTP_";

/// The name and value of a header.
pub(crate) type Header<'py> = (Bound<'py, PyBytes>, Bound<'py, PyBytes>);

/// Those headers that a delivery is verified by. Whatever the others hold is left alone: an `environ` has objects among
/// its values.
pub(crate) fn signing_headers<'py>(headers: &Bound<'py, PyAny>) -> PyResult<Vec<Header<'py>>> {
    let mut found = Vec::with_capacity(3);
    let mut look_at = |name: &Bound<'py, PyAny>, value: &Bound<'py, PyAny>| {
        if let Some(name) = needed(name)? {
            found.push((name, bytes_of(value)?));
        }
        PyResult::Ok(())
    };
    if let Ok(dictionary) = headers.cast_exact::<PyDict>() {
        for (name, value) in dictionary {
            look_at(&name, &value)?;
        }
    } else {
        for (name, value) in pairs("headers", headers)? {
            look_at(&name, &value)?;
        }
    }
    Ok(found)
}

/// The name as HTTP spells it, if a delivery is verified by that header.
fn needed<'py>(name: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyBytes>>> {
    // Most names have another length, and are not worth to be converted.
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

/// The bytes of half a header. What has no encoding becomes a byte that no name or value has: frameworks pass on bytes
/// that are no text as halves of surrogate pairs, and whoever sends such is the one at fault, not the program.
fn bytes_of<'py>(half: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    if let Ok(text) = half.cast::<PyString>() {
        return Ok(text.encode_utf8().unwrap_or_else(|_| PyBytes::new(half.py(), b"\xFF")));
    }
    half.cast::<PyBytes>().cloned().map_err(|_| wrong_type(half, "headers", "of str or bytes"))
}
