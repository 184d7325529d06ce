//! Converts findings to the package's `Finding`, which is written in Python.

use justcall_auth::Finding;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyType};

use crate::capi;
use crate::lazy::Lazy;

/// Returns the Python list for `found`.
pub(crate) fn findings<'py>(py: Python<'py>, found: &[Finding]) -> PyResult<Bound<'py, PyList>> {
    static FINDING: Lazy<PyType> = Lazy::new();
    let class = capi::imported(py, &FINDING, "justcall_auth._finding", "Finding")?;
    let one = |finding: &Finding| {
        let fields = (finding.code().name(), finding.severity().name(), finding.message(), finding.remedy());
        capi::call_package(class, fields, None)
    };
    PyList::new(py, found.iter().map(one).collect::<PyResult<Vec<_>>>()?)
}
