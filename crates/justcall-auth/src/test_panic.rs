//! A bug on demand in the middle of a call, where the pair is plain.

use std::sync::atomic::{AtomicBool, Ordering};

static WANTED: AtomicBool = AtomicBool::new(false);

/// Lets the next call of this process that puts the pair into a request panic there.
pub fn panic_in_next_call() {
    WANTED.store(true, Ordering::Relaxed);
}

pub(crate) fn panic_if_told_to() {
    assert!(!WANTED.swap(false, Ordering::Relaxed), "asked for by a test, in mid-call");
}
