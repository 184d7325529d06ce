//! The interpreter that the module belongs to: its classes and exceptions are those of one.

use pyo3::exceptions::PyImportError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use crate::capi;

/// Refuses, with `ImportError`, an interpreter that is not the first to import the module: what is raised would be the
/// first one's exceptions, and no `except` of the second would match.
pub(crate) fn check(py: Python<'_>) -> PyResult<()> {
    /// The first one's modules. Holding them keeps their address from being used again.
    static FIRST: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let modules = capi::modules(py);
    if FIRST.get_or_init(py, || modules.clone().unbind()).is(&modules) {
        return Ok(());
    }
    Err(PyImportError::new_err(
        "justcall_auth is in use by another interpreter of this process, and works in one only. Run the application \
         in the main interpreter: in mod_wsgi set `WSGIApplicationGroup %{GLOBAL}`, in uWSGI `single-interpreter = true`.",
    ))
}
