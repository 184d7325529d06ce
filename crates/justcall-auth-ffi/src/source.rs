//! A source of the program's own: pairs in a database, another keychain.

use std::ffi::c_void;
use std::ptr;

use justcall_auth::source::Load;
use justcall_auth::{Credentials, Error, ErrorKind};

use crate::callback::Callback;
use crate::credentials::justcall_credentials;
use crate::function::argument;
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
pub type justcall_load_fn = Option<
    unsafe extern "C" fn(context: *mut c_void, out: *mut *mut justcall_credentials) -> justcall_status,
>;

impl Load for Callback<unsafe extern "C" fn(*mut c_void, *mut *mut justcall_credentials) -> justcall_status> {
    fn load(&self) -> Result<Credentials, Error> {
        let mut out = ptr::null_mut();
        // SAFETY: the header says that it is called with its context and a place for a handle.
        let status = unsafe { (self.function)(self.context, &raw mut out) };
        // What it stored belongs to the library now.
        let given = argument!(out).owned();
        match (status, given) {
            (JUSTCALL_OK, Some(credentials)) => Ok(credentials.get().clone()),
            (JUSTCALL_OK, None) => Err(Error::with_message(
                ErrorKind::CredentialsMissing,
                "The callback that loads the pair succeeded without giving one.",
            )
            .with_hint(
                "The callback returned JUSTCALL_OK: it must store credentials through `out` first, or return another status.",
            )),
            (failure, _) => {
                let kind = ErrorKind::from_number(failure).unwrap_or(ErrorKind::SourceUnavailable);
                let name = status::name(failure).to_string_lossy();
                let message = format!("The callback that loads the pair failed with {failure} ({name}).");
                // The table's hints are about the library's own sources, and its faults.
                Err(Error::with_message(kind, message).with_hint(
                    "The program's own callback returned this: check it, and where it reads the pair.",
                ))
            }
        }
    }
}
