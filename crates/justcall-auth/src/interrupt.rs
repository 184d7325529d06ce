//! What may end a waiting call early.

/// Asked while a call waits, at least every 50 ms, on the thread that made the call.
///
/// A host with an interpreter looks at its pending signals here; a program with a stop button looks at a flag.
pub trait Interrupt: Send + Sync {
    /// True to end the call with `cancelled`.
    fn interrupted(&self) -> bool;
}

/// A closure will do.
impl<F: Fn() -> bool + Send + Sync> Interrupt for F {
    fn interrupted(&self) -> bool {
        self()
    }
}
