//! Converts a protection report to the package's `ProtectionReport`, which is written in Python.

use justcall_auth::ProtectionReport;
use pyo3::prelude::*;
use pyo3::types::PyType;

use crate::capi;
use crate::lazy::Lazy;

/// Returns the Python object for `report`.
pub(crate) fn protection<'py>(py: Python<'py>, report: &ProtectionReport) -> PyResult<Bound<'py, PyAny>> {
    static REPORT: Lazy<PyType> = Lazy::new();
    let class = capi::imported(py, &REPORT, "justcall_auth._protection", "ProtectionReport")?;
    let fields = (report.asked().name(), report.obtained().name(), report.why_not());
    capi::call_package(class, fields, None)
}
