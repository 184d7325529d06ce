//! Records whether this thread has the GIL.

use std::cell::Cell;

thread_local! {
    /// Whether this thread released the GIL.
    static DETACHED: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work`, which does not panic, and records that the thread does not have the GIL meanwhile.
pub(crate) fn without<T>(work: impl FnOnce() -> T) -> T {
    let outer = DETACHED.replace(true);
    let result = work();
    DETACHED.set(outer);
    result
}

/// Returns whether this thread has the GIL.
pub(crate) fn is_held() -> bool {
    !DETACHED.get()
}

/// Records that this thread has the GIL, until it is dropped.
pub(crate) struct Attached {
    outer: bool,
}

impl Attached {
    pub(crate) fn new() -> Self {
        Self { outer: DETACHED.replace(false) }
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        DETACHED.set(self.outer);
    }
}
