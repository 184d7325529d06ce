//! Converts an account to the package's `Account`, which is written in Python.

use justcall_auth::Account;
use pyo3::prelude::*;
use pyo3::types::PyType;

use crate::capi;
use crate::lazy::{Lazy, interned};
use crate::value::value;

/// Returns the Python object for `account`.
pub(crate) fn account<'py>(py: Python<'py>, account: &Account) -> PyResult<Bound<'py, PyAny>> {
    static ACCOUNT: Lazy<PyType> = Lazy::new();
    let class = capi::imported(py, &ACCOUNT, "justcall_auth._account", "Account")?;
    let fields = [
        (interned!(py, "id"), account.id().into_pyobject(py)?),
        (interned!(py, "email"), account.email().into_pyobject(py)?),
        (interned!(py, "plan"), account.plan().into_pyobject(py)?),
        (interned!(py, "verified_by"), account.verified_by().into_pyobject(py)?.into_any()),
    ];
    value(class, fields)
}
