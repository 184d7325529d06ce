//! The options of every call: its time limit and its cancel handle.

use justcall_auth::CallOptions;
use pyo3::prelude::*;

use crate::arguments::{CallTimeout, wrong_type};

/// Cancels calls from another thread. Pass a `Cancel` as `cancel` to any number of calls.
///
/// After `fire`, each of these calls raises `CallCancelledError`: those in progress and those that
/// start later. An `Exchange` does the same. A source callable is not interrupted. A cancel handle
/// cannot be reset: create another one for later calls. Safe to share between threads.
#[pyclass(frozen, weakref, module = "justcall_auth")]
pub(crate) struct Cancel(justcall_auth::Cancel);

#[pymethods]
impl Cancel {
    #[new]
    fn new() -> Self {
        Self(justcall_auth::Cancel::new())
    }

    /// Cancels the calls. Does not block. A second call does nothing.
    fn fire(&self) {
        self.0.fire();
    }

    /// Whether `fire` was called.
    #[getter]
    fn is_fired(&self) -> bool {
        self.0.is_fired()
    }

    fn __repr__(&self) -> &'static str {
        if self.0.is_fired() { "<Cancel fired>" } else { "<Cancel>" }
    }
}

/// The argument `cancel`.
pub(crate) struct CancelArgument(justcall_auth::Cancel);

impl FromPyObject<'_, '_> for CancelArgument {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        match object.cast::<Cancel>() {
            Ok(cancel) => Ok(Self(cancel.get().0.clone())),
            Err(_) => Err(wrong_type(&object, "cancel", "Cancel or None")),
        }
    }
}

/// Returns the options for the arguments `timeout` and `cancel` of a call.
pub(crate) fn options(timeout: CallTimeout, cancel: Option<CancelArgument>) -> CallOptions {
    let mut options = CallOptions::new();
    if let Some(timeout) = timeout.0 {
        options.set_timeout(timeout);
    }
    if let Some(cancel) = cancel {
        options.add_cancel(cancel.0);
    }
    options
}
