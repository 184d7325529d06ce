//! Work without the GIL, and its failures as exceptions.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

use justcall_auth::{Error, ErrorKind, service};
use pyo3::prelude::*;

use crate::exception::with_response;
use crate::gil;
use crate::response::response;

/// Does `work` without the GIL. Its failure becomes an exception.
pub(crate) fn detached<T: Send>(
    py: Python<'_>,
    work: impl FnOnce() -> Result<T, Error> + Send,
) -> PyResult<T> {
    guarded(py, work).map_err(|error| exception(py, &error))
}

/// Does `work` without the GIL. A panic, which is a bug, becomes `internal`.
pub(crate) fn guarded<T: Send>(
    py: Python<'_>,
    work: impl FnOnce() -> Result<T, Error> + Send,
) -> Result<T, Error> {
    // What a panic leaves half done is behind locks that ignore poison, or dropped here.
    let guarded = || {
        catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
            // Dropping what was thrown could panic itself.
            mem::forget(panic);
            Err(Error::new(ErrorKind::Internal))
        })
    };
    py.detach(|| gil::without(guarded))
}

/// Returns the exception that `error` is in Python; what kept it from being made, if that failed.
pub(crate) fn exception(py: Python<'_>, error: &Error) -> PyErr {
    let answer = error.response().map(|answer| response(py, answer, &service::rate_limit(answer)));
    answer.transpose().map_or_else(|failure| failure, |answer| with_response(py, error, answer))
}
