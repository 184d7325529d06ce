//! The messages for a program that passes a pair to `Client` directly, as other libraries accept it.

use justcall_auth::Error;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

/// The instruction for a pair.
const HOW: &str = "pass a pair as Client.from_credentials(Credentials(key, secret))";

/// Adds the instruction to the error of an invalid source, which may be a pair. The error does not repeat it.
pub(super) fn explained(error: Error) -> Error {
    let hint = format!("{} Or {HOW}.", error.hint());
    error.with_hint(hint)
}

/// Refuses extra positional arguments and unknown names, as Python does, with the instruction for a pair.
pub(super) fn refuse_halves(more: &Bound<'_, PyTuple>, unknown: Option<&Bound<'_, PyDict>>) -> PyResult<()> {
    let unknown = unknown.and_then(|unknown| unknown.keys().iter().next());
    let what = match (unknown, more.len()) {
        (Some(name), _) => format!("an unexpected keyword argument {}", name.repr()?),
        (None, 0) => return Ok(()),
        (None, more) => format!("{} positional arguments, but takes one", more + 1),
    };
    Err(PyTypeError::new_err(format!("Client() got {what}; {HOW}")))
}
