//! An object of the program that the module keeps, such as a callback.

use pyo3::prelude::*;
use pyo3::pyclass::{PyTraverseError, PyVisit};

use crate::capi;
use crate::gil;

/// The object. Its destructor may be Python code of the program, which [`capi`] runs.
pub(crate) struct Held(Option<Py<PyAny>>);

impl Held {
    pub(crate) fn new(object: Bound<'_, PyAny>) -> Self {
        Self(Some(object.unbind()))
    }

    pub(crate) fn bind<'py>(&self, py: Python<'py>) -> &Bound<'py, PyAny> {
        self.0.as_ref().expect("the object is set until the drop").bind(py)
    }

    /// Visits the object for the garbage collector.
    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.0)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Without the GIL, pyo3 releases the object later. A wait for the GIL here could be a deadlock with a thread that
        // waits for a lock of this thread.
        if gil::is_held() {
            if let Some(object) = self.0.take() {
                Python::try_attach(|py| capi::release(py, object));
            }
        }
    }
}
