//! Keeps `pthread_cancel()` out of the library: it unwinds the stack of the thread, and the process aborts when that
//! reaches a function of Rust.

use std::ffi::c_int;

/// `PTHREAD_CANCEL_DISABLE` of `<pthread.h>`.
const DISABLE: c_int = if cfg!(target_vendor = "apple") { 0 } else { 1 };

/// Disables the cancellation of this thread until it is dropped, which restores the state that the host had set. A
/// request to cancel stays pending meanwhile and takes effect at the host's next cancellation point.
pub(crate) struct CancellationDisabled {
    before: c_int,
}

impl CancellationDisabled {
    pub fn new() -> Self {
        Self { before: set_state(DISABLE) }
    }
}

impl Drop for CancellationDisabled {
    fn drop(&mut self) {
        set_state(self.before);
    }
}

/// Sets the state of this thread; returns the one before.
#[cfg(all(unix, not(target_os = "android")))]
fn set_state(state: c_int) -> c_int {
    // The crate libc does not declare it on every system that has it.
    unsafe extern "C" {
        fn pthread_setcancelstate(state: c_int, before: *mut c_int) -> c_int;
    }
    let mut before = state;
    // SAFETY: `before` may be written to. It fails for a state that does not exist, and then changes nothing.
    unsafe { pthread_setcancelstate(state, &raw mut before) };
    before
}

/// Windows and Android cannot cancel threads.
#[cfg(not(all(unix, not(target_os = "android"))))]
fn set_state(state: c_int) -> c_int {
    state
}
