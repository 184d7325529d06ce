//! Ends calls from outside.

use std::ptr;

use justcall_auth::Cancel;

use crate::function::{free, guarded, infallible, into_raw};

/// Ends calls early, from any thread or from a signal handler. Give it to a request with
/// justcall_request_set_cancel(), or to options with justcall_call_options_set_cancel().
pub struct justcall_cancel {
    cancel: Cancel,
}

impl justcall_cancel {
    pub(crate) fn get(&self) -> &Cancel {
        &self.cancel
    }
}

/// Creates a cancel handle. Free it with justcall_cancel_free(). Returns NULL only on an internal
/// error.
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn justcall_cancel_new() -> *mut justcall_cancel {
    guarded(ptr::null_mut(), || into_raw(justcall_cancel { cancel: Cancel::new() }))
}

/// Ends the calls that `cancel` was given to, with JUSTCALL_ERROR_CANCELLED: those that are under
/// way within about 50 ms, whatever they wait for, and those that start later at once. A load
/// callback or an event handler that is running is not interrupted; the call ends when it returns.
/// A handle stays fired. Does nothing if `cancel` is NULL.
///
/// Does not block and takes no lock. Any thread may call this at any time, and so may a signal
/// handler: the function is async-signal-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_cancel_fire(cancel: *mut justcall_cancel) {
    // Without the guard, which a signal handler could not use: storing a flag does not panic.
    let cancel = cancel.cast_const();
    infallible!((), |cancel| cancel.cancel.fire());
}

/// Frees the handle. Requests and options that it was given to, and their calls, live on. Does
/// nothing if `cancel` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_cancel_free(cancel: *mut justcall_cancel) {
    free!(cancel);
}
