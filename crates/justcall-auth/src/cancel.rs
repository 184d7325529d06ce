//! Cancellation of calls from outside.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Cancels the calls that it was passed to, from any thread. Clones share one state.
///
/// A fired handle stays fired: calls in progress end with `cancelled` within about 50 ms, and so do later calls. A call
/// that is running a load callback or an event handler ends after that function returns.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Creates a cancel handle that has not fired.
    pub fn new() -> Self {
        Self::default()
    }

    /// Cancels the calls.
    pub fn fire(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Returns true if the handle has fired.
    pub fn is_fired(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}
