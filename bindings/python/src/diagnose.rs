//! `diagnose`: the local check of a pair.

use justcall_auth::source::ProcessEnvironment;
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::credentials::copy;
use crate::errors::detached;
use crate::finding::findings;

/// What is wrong with `text` as a pair, or with the pair that `default:` would use. Sends nothing.
///
/// `text` is what people paste: `key:secret`, a header's value, a header line, a fragment of a command;
/// `str`, `bytes` or `bytearray`, which is left as it is. It may be something else altogether. With None
/// the environment and the files that `default:` would read are looked at, without the GIL; no program is
/// run.
///
/// The worst comes first; the list is empty when nothing is wrong. No text of a finding holds a half of a
/// pair, so findings are safe to log.
#[pyfunction]
#[pyo3(signature = (text = None))]
pub(crate) fn diagnose<'py>(
    py: Python<'py>,
    text: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyList>> {
    let text = text.map(|text| copy("text", text, usize::MAX)).transpose()?;
    let check = || {
        Ok(match &text {
            Some(text) => justcall_auth::diagnose(text.as_ref(), &ProcessEnvironment),
            None => justcall_auth::diagnose_environment(&ProcessEnvironment),
        })
    };
    findings(py, &detached(py, check)?)
}
