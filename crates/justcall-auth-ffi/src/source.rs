//! A source of the program's own: pairs in a database, another keychain.

use std::ffi::c_void;
use std::ptr;

use justcall_auth::source::Load;
use justcall_auth::{Credentials, Error, ErrorKind};

use crate::credentials::justcall_credentials;
use crate::status::{self, JUSTCALL_OK, justcall_status};

/// Gives the pair of a client when it is needed: stores credentials, which the library then owns,
/// through `out` and returns JUSTCALL_OK. Otherwise returns a JUSTCALL_ERROR_ number, with which the
/// call that needs the pair then fails; JUSTCALL_ERROR_CREDENTIALS_MISSING and
/// JUSTCALL_ERROR_SOURCE_UNAVAILABLE say what is usually meant. `context` is what
/// justcall_config_set_source_callback() was given.
///
/// Called on the thread of the call that needs the pair, so perhaps on several at once. It may use
/// clients that do not share this pair; a call of one that does fails with
/// JUSTCALL_ERROR_INVALID_ARGUMENT. It must not unwind or longjmp.
pub type justcall_load = Option<
    unsafe extern "C" fn(context: *mut c_void, out: *mut *mut justcall_credentials) -> justcall_status,
>;

/// Frees the `context` of a callback, once nobody will call it any more. May be called on any
/// thread.
pub type justcall_free_context = Option<unsafe extern "C" fn(context: *mut c_void)>;

/// A C function with its context, as a source.
pub(crate) struct Callback {
    load: unsafe extern "C" fn(*mut c_void, *mut *mut justcall_credentials) -> justcall_status,
    context: *mut c_void,
    free: justcall_free_context,
}

// SAFETY: the header demands that the function may be called, and the context freed, on any thread.
unsafe impl Send for Callback {}
// SAFETY: likewise, on several threads at once.
unsafe impl Sync for Callback {}

impl Callback {
    /// # Safety
    /// `load` and `free` do with `context` what the header demands.
    pub unsafe fn new(
        load: justcall_load,
        context: *mut c_void,
        free: justcall_free_context,
    ) -> Result<Self, Error> {
        let load = load.ok_or_else(|| crate::input::is_null("load"))?;
        Ok(Self { load, context, free })
    }
}

impl Load for Callback {
    fn load(&self) -> Result<Credentials, Error> {
        let mut out: *mut justcall_credentials = ptr::null_mut();
        // SAFETY: the caller of `new` promised it.
        let status = unsafe { (self.load)(self.context, &raw mut out) };
        // SAFETY: what the callback stored is a handle that it gives up, as the header demands.
        let given = (!out.is_null()).then(|| unsafe { Box::from_raw(out) });
        match (status, given) {
            (JUSTCALL_OK, Some(credentials)) => Ok(credentials.get().clone()),
            (JUSTCALL_OK, None) => Err(Error::with_message(
                ErrorKind::CredentialsMissing,
                "The callback that loads the pair succeeded without giving one.",
            )
            .hint_is(
                "The callback returned JUSTCALL_OK: it must store credentials through `out` first, or return another status.",
            )),
            (failure, _) => {
                let kind = ErrorKind::from_number(failure).unwrap_or(ErrorKind::SourceUnavailable);
                let name = status::name(failure).to_string_lossy();
                let message = format!("The callback that loads the pair failed with {failure} ({name}).");
                // The table's hints are about the library's own sources, and its faults.
                Err(Error::with_message(kind, message).hint_is(
                    "The program's own callback returned this: check it, and where it reads the pair.",
                ))
            }
        }
    }
}

impl Drop for Callback {
    fn drop(&mut self) {
        if let Some(free) = self.free {
            // SAFETY: the caller of `new` promised it, and nobody calls `load` any more.
            unsafe { free(self.context) };
        }
    }
}
