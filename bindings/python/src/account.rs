//! The account as the package's `Account`, which is written in Python.

use justcall_auth::Account;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

/// The `Account` that `account` is in Python.
pub(crate) fn account<'py>(py: Python<'py>, account: &Account) -> PyResult<Bound<'py, PyAny>> {
    static ACCOUNT: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    ACCOUNT.import(py, "justcall_auth._account", "Account")?.call1((
        account.id(),
        account.email(),
        account.plan(),
        account.verified_by(),
    ))
}
