//! What ends a waiting call early: a signal, or `close()` from another thread.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use justcall_auth::Interrupt;
use pyo3::prelude::*;

/// Watches over one call.
pub(crate) struct Watch {
    closed: Arc<AtomicBool>,
    raised: Mutex<Option<PyErr>>,
}

impl Watch {
    /// A watch on signals, and on the client being closed.
    pub(crate) fn new(closed: Arc<AtomicBool>) -> Arc<Self> {
        Arc::new(Self { closed, raised: Mutex::new(None) })
    }

    /// What a signal handler raised during the call, to be raised in place of the call's result.
    pub(crate) fn raised(&self) -> Option<PyErr> {
        self.raised.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Interrupt for Watch {
    fn interrupted(&self) -> bool {
        if self.closed.load(Ordering::Acquire) {
            return true;
        }
        // Python's own handlers run here, on the main thread; elsewhere this does nothing.
        #[expect(clippy::redundant_closure_for_method_calls, reason = "the method is not general enough")]
        let checked = Python::try_attach(|py| py.check_signals());
        match checked {
            Some(Ok(())) => false,
            Some(Err(raised)) => {
                *self.raised.lock().unwrap_or_else(PoisonError::into_inner) = Some(raised);
                true
            }
            // The interpreter is shutting down.
            None => true,
        }
    }
}
