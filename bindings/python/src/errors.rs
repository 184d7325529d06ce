//! Runs work without the GIL and converts its failures to exceptions.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

use justcall_auth::{Error, ErrorKind, service};
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

/// Returns the Python exception for `error`, or the exception that its creation raised.
pub(crate) fn exception(py: Python<'_>, error: &Error) -> PyErr {
    let received = error.response().map(|received| response(py, received, &service::rate_limit(received)));
    received.transpose().map_or_else(|failure| failure, |received| with_response(py, error, received))
}
