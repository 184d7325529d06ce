//! Whether this thread has the GIL.

use std::cell::Cell;

thread_local! {
    /// This thread let go of the GIL.
    static DETACHED: Cell<bool> = const { Cell::new(false) };
}

/// Does `work` as one that let go of the GIL. It does not panic.
pub(crate) fn without<T>(work: impl FnOnce() -> T) -> T {
    let outer = DETACHED.replace(true);
    let result = work();
    DETACHED.set(outer);
    result
}

/// Returns whether this thread, which Python called, has the GIL.
pub(crate) fn is_held() -> bool {
    !DETACHED.get()
}

/// Marks this thread as one that has the GIL, until it is dropped.
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
