//! Ends calls from outside.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Ends the calls it was given to, from any thread. Cloning shares it.
///
/// Once fired it stays so: calls that are under way end with `cancelled` within about 50 ms, and so do those that are
/// begun later. A callback that loads the pair, and a handler of events, are waited for.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// One that was not fired.
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends the calls.
    pub fn fire(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether it was fired.
    pub fn is_fired(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}
