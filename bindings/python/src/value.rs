//! Values for Python. Those of the package's own classes are made without their `__init__`: what a frozen dataclass does there for each of
//! its fields takes longer than all that the module does for an answer.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyAny, PyBytes, PyDict, PyString, PyType};

use crate::exception::out_of_memory;

/// A value of the frozen dataclass `class`, of these fields, which are all that it has.
pub(crate) fn value<'py, const N: usize>(
    class: &Bound<'py, PyType>,
    fields: [(&Bound<'py, PyString>, Bound<'py, PyAny>); N],
) -> PyResult<Bound<'py, PyAny>> {
    let value = blank(class)?;
    // Where the fields are: the class refuses to be assigned to.
    let own = value.getattr(intern!(class.py(), "__dict__"))?.cast_into::<PyDict>()?;
    for (name, field) in fields {
        own.set_item(name, field)?;
    }
    Ok(value)
}

/// A value of `class` with no attribute set.
pub(crate) fn blank<'py>(class: &Bound<'py, PyType>) -> PyResult<Bound<'py, PyAny>> {
    static NEW: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = class.py();
    let new = || py.get_type::<PyAny>().getattr("__new__").map(Bound::unbind);
    NEW.get_or_try_init(py, new)?.bind(py).call1((class,))
}

/// Returns a `bytes` object with this content.
pub(crate) fn bytes<'py>(py: Python<'py>, bytes: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    let made = PyBytes::new_with(py, bytes.len(), |room| {
        room.copy_from_slice(bytes);
        Ok(())
    });
    made.map_err(|_| out_of_memory(py))
}
