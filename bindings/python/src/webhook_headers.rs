//! The headers of a delivery, out of whatever a framework holds them in.

use std::borrow::Cow;

use justcall_auth::WebhookHeaders;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};

use crate::arguments::wrong_type;
use crate::pairs::pairs;

/// Before each name in a WSGI `environ`.
const WSGI_PREFIX: &[u8] = b"HTTP_";

/// The names and values of those headers that a delivery is verified by. Whatever the others hold is left alone: an
/// `environ` has objects among its values.
pub(crate) fn signing_headers(headers: &Bound<'_, PyAny>) -> PyResult<Vec<(Vec<u8>, Vec<u8>)>> {
    let mut found = Vec::with_capacity(3);
    let mut look_at = |name: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>| {
        if let Some(name) = needed(name)? {
            found.push((name, bytes_of(value)?.into_owned()));
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
fn needed(name: &Bound<'_, PyAny>) -> PyResult<Option<Vec<u8>>> {
    let name = bytes_of(name)?;
    if WebhookHeaders::has_name(&name) {
        return Ok(Some(name.into_owned()));
    }
    let Some(name) = name.strip_prefix(WSGI_PREFIX) else { return Ok(None) };
    let name: Vec<u8> = name.iter().map(|&byte| if byte == b'_' { b'-' } else { byte }).collect();
    Ok(WebhookHeaders::has_name(&name).then_some(name))
}

/// The bytes of half a header. What has no encoding becomes a byte that no name or value has: frameworks pass on bytes
/// that are no text as halves of surrogate pairs, and whoever sends such is the one at fault, not the program.
fn bytes_of<'a>(half: &'a Bound<'_, PyAny>) -> PyResult<Cow<'a, [u8]>> {
    if let Ok(text) = half.cast::<PyString>() {
        return Ok(match text.to_cow() {
            Ok(Cow::Borrowed(text)) => Cow::Borrowed(text.as_bytes()),
            Ok(Cow::Owned(text)) => Cow::Owned(text.into_bytes()),
            Err(_) => Cow::Borrowed(b"\xFF"),
        });
    }
    match half.cast::<PyBytes>() {
        Ok(bytes) => Ok(Cow::Borrowed(bytes.as_bytes())),
        Err(_) => Err(wrong_type(half, "headers", "of str or bytes")),
    }
}
