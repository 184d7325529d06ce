//! Runs work without the GIL and converts its failures to exceptions.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use justcall_auth::{Error, ErrorKind, service};
use pyo3::exceptions::PyMemoryError;
use pyo3::prelude::*;

use crate::exception::with_response;
use crate::gil;
use crate::response::response;

/// Runs `work` without the GIL. Returns its failure as an exception.
pub(crate) fn detached<T: Send>(
    py: Python<'_>,
    work: impl FnOnce() -> Result<T, Error> + Send,
) -> PyResult<T> {
    guarded(py, work).map_err(|error| exception(py, &error))
}

/// Runs `work` without the GIL. A panic, which is a bug, becomes the error `internal`.
pub(crate) fn guarded<T: Send>(
    py: Python<'_>,
    work: impl FnOnce() -> Result<T, Error> + Send,
) -> Result<T, Error> {
    py.detach(|| gil::without(|| caught(work)))
}

/// Runs `work`. A panic, which is a bug, becomes the error `internal`.
pub(crate) fn caught<T>(work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    // Data that a panic leaves incomplete is behind locks that ignore poison, or is dropped here.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        // The drop of the panic's payload could panic.
        mem::forget(panic);
        Err(Error::new(ErrorKind::Internal))
    })
}

/// The panic of pyo3 if Python has no memory for a small object.
const NO_OBJECT: &str = "PyObject pointer is null";

/// Makes Python objects. If they do not fit into memory, this is a `MemoryError`, also where pyo3 panics.
pub(crate) fn fitting<T>(make: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    catch_unwind(AssertUnwindSafe(make)).unwrap_or_else(|panic| match panic.downcast_ref::<&str>() {
        Some(message) if *message == NO_OBJECT => Err(PyMemoryError::new_err(())),
        _ => resume_unwind(panic),
    })
}

/// Makes what the program gets for a request that was sent. If it does not fit into memory, the failure states that.
pub(crate) fn received<T>(py: Python<'_>, make: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    fitting(make).map_err(|failure| with_request_sent(py, failure, true))
}

/// Returns the Python exception for `error`, or the exception that its creation raised.
pub(crate) fn exception(py: Python<'_>, error: &Error) -> PyErr {
    let made = fitting(|| {
        let received =
            error.response().map(|received| response(py, received, &service::rate_limit(received)));
        with_response(py, error, received.transpose()?)
    });
    made.unwrap_or_else(|failure| with_request_sent(py, failure, error.request_sent()))
}

/// Adds to a `MemoryError` whether a request was sent, with which a program decides whether it may send it again.
pub(crate) fn with_request_sent(py: Python<'_>, failure: PyErr, request_sent: bool) -> PyErr {
    if !failure.is_instance_of::<PyMemoryError>(py) {
        return failure;
    }
    let error = Error::new(ErrorKind::OutOfMemory).with_request_sent(request_sent);
    fitting(|| with_response(py, &error, None)).unwrap_or(failure)
}
