//! Creates Python values. Objects of the package's own classes are created without `__init__`: that of a frozen
//! dataclass takes longer than the rest of the module's work for a response.

use pyo3::prelude::*;
use pyo3::types::{PyAny, PyBytes, PyDict, PyString, PyType};

use crate::exception::out_of_memory;
use crate::lazy::{Lazy, interned};

/// Creates an object of the frozen dataclass `class` with all its fields.
pub(crate) fn value<'py, const N: usize>(
    class: &Bound<'py, PyType>,
    fields: [(&Bound<'py, PyString>, Bound<'py, PyAny>); N],
) -> PyResult<Bound<'py, PyAny>> {
    let value = blank(class)?;
    // The fields are set in `__dict__`, because the class refuses assignments.
    let own = value.getattr(interned!(class.py(), "__dict__"))?.cast_into::<PyDict>()?;
    for (name, field) in fields {
        own.set_item(name, field)?;
    }
    Ok(value)
}

/// Creates an object of `class` without attributes.
pub(crate) fn blank<'py>(class: &Bound<'py, PyType>) -> PyResult<Bound<'py, PyAny>> {
    static NEW: Lazy<PyAny> = Lazy::new();
    let py = class.py();
    let new = || py.get_type::<PyAny>().getattr("__new__").map(Bound::unbind);
    NEW.get_or_try_make(py, new)?.call1((class,))
}

/// Creates a `bytes` object with this content.
pub(crate) fn bytes<'py>(py: Python<'py>, bytes: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    let made = PyBytes::new_with(py, bytes.len(), |room| {
        room.copy_from_slice(bytes);
        Ok(())
    });
    made.map_err(|_| out_of_memory(py))
}
