//! Converts request bodies: bytes, text, or a value to encode as JSON.

use justcall_auth::copy;
use pyo3::exceptions::{PyMemoryError, PyRecursionError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyByteArray, PyBytes, PyMemoryView, PySlice, PyString};

use crate::arguments::{invalid, refusal, text, wrong_type};
use crate::capi;
use crate::errors::exception;
use crate::exception::out_of_memory;
use crate::lazy::Lazy;

/// Returns the bytes of the argument `name`; text is encoded in UTF-8.
pub(crate) fn bytes(name: &str, body: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    if let Ok(bytes) = body.cast::<PyBytes>() {
        return copied(bytes);
    }
    if let Ok(array) = body.cast::<PyByteArray>() {
        return copied(&snapshot(array, array.len())?);
    }
    if let Ok(view) = body.cast::<PyMemoryView>() {
        // The stable ABI of Python 3.9 has no buffer API, so the view makes the copy.
        let copied = view.call_method0("tobytes").map_err(|failure| {
            refusal(body, &failure, name, "a memoryview that can be copied", "was released")
        })?;
        return self::copied(copied.cast::<PyBytes>()?);
    }
    if body.is_instance_of::<PyString>() {
        return text(name, body).map(String::into_bytes);
    }
    Err(wrong_type(body, name, "bytes, bytearray, memoryview or str"))
}

/// Returns the first `length` bytes of a `bytearray`, copied by Python, so that lack of memory is an error. The copy is
/// made through a view, because a failed `bytes()` leaves the array locked.
pub(crate) fn snapshot<'py>(array: &Bound<'py, PyByteArray>, length: usize) -> PyResult<Bound<'py, PyBytes>> {
    let part = PySlice::new(array.py(), 0, isize::try_from(length).unwrap_or(isize::MAX), 1);
    let copy = PyMemoryView::from(array)?.get_item(part)?.call_method0("tobytes");
    Ok(copy.map_err(|_| out_of_memory(array.py()))?.cast_into()?)
}

/// Returns a copy of the bytes in Rust's memory.
fn copied(bytes: &Bound<'_, PyBytes>) -> PyResult<Vec<u8>> {
    copy::bytes(bytes.as_bytes()).map_err(|error| exception(bytes.py(), &error))
}

/// Returns the argument `json`, encoded as JSON in UTF-8, without spaces.
pub(crate) fn json(value: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    // The result is that of `json.dumps`, which would create an encoder for every value.
    static ENCODER: Lazy<PyAny> = Lazy::new();
    static ENCODE: Lazy<PyAny> = Lazy::new();
    let py = value.py();
    let encode = || {
        let options = [("allow_nan", false), ("ensure_ascii", false)].into_py_dict(py)?;
        options.set_item("separators", (",", ":"))?;
        let class = capi::imported(py, &ENCODER, "json", "JSONEncoder")?;
        let encoder = capi::call_package(class, (), Some(&options))?;
        encoder.getattr("encode").map(Bound::unbind)
    };
    let written =
        capi::call_package(ENCODE.get_or_try_make(py, encode)?, (value,), None).map_err(|failure| {
            match failure {
                failure if failure.is_instance_of::<PyValueError>(py) => invalid(
                    py,
                    "json",
                    "contains a number that is not finite or has too many digits, or contains itself",
                ),
                failure if failure.is_instance_of::<PyRecursionError>(py) => {
                    invalid(py, "json", "is nested too deeply")
                }
                failure if failure.is_instance_of::<PyMemoryError>(py) => out_of_memory(py),
                // A `TypeError` that names the type that JSON does not have, or an exception of the object's own code.
                failure => failure,
            }
        })?;
    text("json", &written).map(String::into_bytes)
}
