//! A deliberate panic in the middle of a call, while the pair is in plain memory, for tests.

use std::sync::atomic::{AtomicBool, Ordering};

static WANTED: AtomicBool = AtomicBool::new(false);

/// Makes the next call of this process panic when it writes the pair into a request.
pub fn panic_in_next_call() {
    WANTED.store(true, Ordering::Relaxed);
}

pub(crate) fn panic_if_requested() {
    assert!(!WANTED.swap(false, Ordering::Relaxed), "a test requested this panic in the middle of a call");
}
