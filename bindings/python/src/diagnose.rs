//! `diagnose`: the local check of a pair, and its findings as the package's `Finding`, which is written in Python.

use justcall_auth::Finding;
use justcall_auth::source::ProcessEnvironment;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyList, PyType};

use crate::capi;
use crate::credentials::copy;
use crate::errors::detached;

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

/// The list of `Finding` that `found` is in Python.
pub(crate) fn findings<'py>(py: Python<'py>, found: &[Finding]) -> PyResult<Bound<'py, PyList>> {
    static FINDING: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let class = FINDING.import(py, "justcall_auth._finding", "Finding")?;
    let one = |finding: &Finding| {
        let fields = (finding.code().name(), finding.severity().name(), finding.message(), finding.remedy());
        capi::call_package(class, fields, None)
    };
    PyList::new(py, found.iter().map(one).collect::<PyResult<Vec<_>>>()?)
}
