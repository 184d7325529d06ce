//! Ends calls from outside.

use std::ptr;

use justcall_auth::Cancel;

use crate::function::{free, guarded, infallible, into_raw};

/// Ends the calls whose requests it was given to, with justcall_request_set_cancel(). Any number of
/// threads may use one at once.
pub struct justcall_cancel {
    cancel: Cancel,
}

impl justcall_cancel {
    pub(crate) fn get(&self) -> &Cancel {
        &self.cancel
    }
}

/// One that was not fired. Yours, to be freed with justcall_cancel_free(). NULL only after a bug of
/// the library.
#[unsafe(no_mangle)]
pub extern "C" fn justcall_cancel_new() -> *mut justcall_cancel {
    guarded(ptr::null_mut(), || into_raw(justcall_cancel { cancel: Cancel::new() }))
}

/// Ends the calls: those that are under way, within about 50 ms and whatever they are waiting for,
/// and those that are begun later, with JUSTCALL_ERROR_CANCELLED. It stays fired. A function that
/// loads the pair, and a handler of events, are waited for. Does nothing if `cancel` is NULL. Any
/// thread may call this, at any time; a signal handler may, too.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_cancel_fire(cancel: *const justcall_cancel) {
    infallible!((), |cancel| cancel.cancel.fire());
}

/// Frees the handle; requests that it was given to, and their calls, live on. Does nothing if
/// `cancel` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_cancel_free(cancel: *mut justcall_cancel) {
    free!(cancel);
}
