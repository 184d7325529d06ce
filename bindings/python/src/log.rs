//! The variable `JUSTCALL_LOG`, which the package's Python code interprets.

use justcall_auth::source::{Environment as _, ProcessEnvironment};
use pyo3::prelude::*;

/// Returns the variable `JUSTCALL_LOG`; None if it is not set.
///
/// It is also None if the process has more privileges than the user who started it.
#[pyfunction]
pub(crate) fn log_setting() -> Option<String> {
    Some(ProcessEnvironment.variable("JUSTCALL_LOG")?.to_string_lossy().into_owned())
}
