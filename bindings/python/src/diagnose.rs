//! `diagnose` and `diagnose_environment`: the local checks of a pair.

use justcall_auth::source::ProcessEnvironment;
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::credentials::copy;
use crate::errors::detached;
use crate::finding::findings;

/// Returns what is wrong with a text as a pair. Reads no file and sends nothing.
///
/// The most severe finding comes first; the list is empty if nothing is wrong. No finding contains a
/// half of a pair, so findings are safe to log.
///
/// Args:
///     text: What a user pasted: `key:secret`, the value of a header, a header line, a part of a
///         command, or unrelated text. It is `str`, `bytes` or `bytearray`, and is not changed. If it
///         is the secret followed by the key that is in `JUSTCALL_API_KEY`, a finding reports that they
///         are swapped.
#[pyfunction]
pub(crate) fn diagnose<'py>(py: Python<'py>, text: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
    let text = copy("text", text, usize::MAX)?;
    findings(py, &detached(py, || Ok(justcall_auth::diagnose(text.as_ref(), &ProcessEnvironment)))?)
}

/// Returns what is wrong with the pair that `default:` would use. Sends nothing.
///
/// The findings include settings that hide another pair. Reads the environment and the files that
/// `default:` would read, without the GIL. Runs no program.
///
/// The most severe finding comes first; the list is empty if nothing is wrong. No finding contains a
/// half of a pair, so findings are safe to log.
#[pyfunction]
pub(crate) fn diagnose_environment(py: Python<'_>) -> PyResult<Bound<'_, PyList>> {
    findings(py, &detached(py, || Ok(justcall_auth::diagnose_environment(&ProcessEnvironment)))?)
}
