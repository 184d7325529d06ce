//! Cancellation by polling.

/// Polled while a call waits, at least every 50 ms, on the thread of the call.
///
/// A host with an interpreter checks its pending signals here; a program with a stop button checks a flag.
pub trait Interrupt: Send + Sync {
    /// Returns true to end the call with `cancelled`.
    fn interrupted(&self) -> bool;
}

/// Lets a closure be an interrupt.
impl<F: Fn() -> bool + Send + Sync> Interrupt for F {
    fn interrupted(&self) -> bool {
        self()
    }
}
