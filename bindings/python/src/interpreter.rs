//! The check that one interpreter of the process uses the module, because its classes belong to one interpreter.

use pyo3::exceptions::PyImportError;
use pyo3::prelude::*;

use crate::capi;
use crate::lazy::Lazy;

/// Fails with `ImportError` if another interpreter imported the module before. The module would raise the exceptions of
/// the first interpreter, and no `except` of the second would match them.
pub(crate) fn check(py: Python<'_>) -> PyResult<()> {
    /// The modules of the first interpreter. The reference prevents reuse of their address.
    static FIRST: Lazy<PyAny> = Lazy::new();
    let modules = capi::modules(py);
    if FIRST.get_or_try_make(py, || Ok(modules.clone().unbind()))?.is(&modules) {
        return Ok(());
    }
    Err(PyImportError::new_err(
        "justcall_auth works in only one interpreter of a process, and another interpreter uses it already. Run the application in the main interpreter. In mod_wsgi, set `WSGIApplicationGroup %{GLOBAL}`. In uWSGI, set `single-interpreter = true`.",
    ))
}
