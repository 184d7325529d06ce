//! Python objects that are made at their first use and kept.

use std::sync::OnceLock;

use pyo3::prelude::*;

/// An object that is made at its first use.
///
/// It is stored without releasing the GIL. A thread that forks holds the GIL, so the child finds the object stored or
/// absent. pyo3's `PyOnceLock` and `intern!` release the GIL while they store, and a child that was created meanwhile would
/// wait forever for a thread that it does not have.
pub(crate) struct Lazy<T>(OnceLock<Py<T>>);

impl<T> Lazy<T> {
    pub const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// Returns the object. If it is not stored, it is the result of `make`, or that of another thread that was faster.
    pub fn get_or_try_make<'py>(
        &self,
        py: Python<'py>,
        make: impl FnOnce() -> PyResult<Py<T>>,
    ) -> PyResult<&Bound<'py, T>> {
        if let Some(stored) = self.0.get() {
            return Ok(stored.bind(py));
        }
        let object = make()?;
        Ok(self.0.get_or_init(|| object).bind(py))
    }
}

/// Returns the text as a `str` that is made once.
macro_rules! interned {
    ($py:expr, $text:literal) => {{
        static TEXT: $crate::lazy::Lazy<pyo3::types::PyString> = $crate::lazy::Lazy::new();
        let py: pyo3::Python<'_> = $py;
        TEXT.get_or_try_make(py, || Ok(pyo3::types::PyString::intern(py, $text).unbind()))
            .expect("it is made")
    }};
}
pub(crate) use interned;
