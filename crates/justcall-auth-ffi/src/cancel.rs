//! Ends calls from outside.

use std::ptr;

use justcall_auth::Cancel;

use crate::function::{free, guarded, infallible, into_raw};

/// A handle that ends calls early, from any thread or from a signal handler. Attach a cancel handle
/// to a request with justcall_request_set_cancel(), or to call options with
/// justcall_call_options_set_cancel().
pub struct justcall_cancel {
    cancel: Cancel,
}

impl justcall_cancel {
    pub(crate) fn get(&self) -> &Cancel {
        &self.cancel
    }
}

/// Creates a cancel handle. Returns NULL only on an internal error. Free the handle with
/// justcall_cancel_free().
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn justcall_cancel_new() -> *mut justcall_cancel {
    guarded(ptr::null_mut(), || into_raw(justcall_cancel { cancel: Cancel::new() }))
}

/// Ends all calls that use this cancel handle with JUSTCALL_ERROR_CANCELLED. Running calls end
/// within about 50 milliseconds, even while they wait for the network or for a source. Calls that
/// start later end at once. A fired handle cannot be reset. The library does not interrupt a
/// running load callback or event handler: the call ends when the callback returns. Does nothing if
/// `cancel` is NULL.
///
/// Does not block and takes no lock. This function is thread-safe. Signal handlers may call this
/// function: it is async-signal-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_cancel_fire(cancel: *mut justcall_cancel) {
    // Without the guard, which a signal handler could not use: storing a flag does not panic.
    let cancel = cancel.cast_const();
    infallible!((), |cancel| cancel.cancel.fire());
}

/// Frees a cancel handle. Requests, call options and calls that use the handle remain valid. Does
/// nothing if `cancel` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_cancel_free(cancel: *mut justcall_cancel) {
    free!(cancel);
}
