//! A source of the program's own: pairs in a database, another keychain.

use std::ffi::{c_char, c_void};
use std::ptr;

use justcall_auth::source::Load;
use justcall_auth::{Credentials, Error, ErrorKind, callback_error, copy};

use crate::callback::Callback;
use crate::credentials::justcall_credentials;
use crate::error::justcall_error;
use crate::fallible::fallible;
use crate::function::argument;
use crate::status::{self, JUSTCALL_OK, justcall_status};

/// Loads the pair of a client. Stores credentials in `*out` and returns JUSTCALL_OK. On failure it
/// returns a JUSTCALL_ERROR_ number, with which the call that needs the pair then fails, usually
/// JUSTCALL_ERROR_CREDENTIALS_MISSING or JUSTCALL_ERROR_SOURCE_UNAVAILABLE, and may store an error
/// in `*error`: one of justcall_error_new(), or one that another function of this library stored
/// there. The library owns what is stored, and frees it. `*out` and `*error` are NULL before.
/// `context` is what justcall_config_set_source_callback() was given.
///
/// The returned number decides:
///
/// - JUSTCALL_OK with credentials in `*out`: the pair is used. An error in `*error` is ignored.
/// - JUSTCALL_OK without credentials: the call fails with JUSTCALL_ERROR_CREDENTIALS_MISSING.
/// - Another number: the call fails with it. Credentials in `*out` are ignored. Message, hint and
///   reason come from `*error`, also if the status of that error is another one.
/// - A number that the library does not have: the call fails with
///   JUSTCALL_ERROR_SOURCE_UNAVAILABLE.
///
/// If there is no pair yet, a failed load is repeated at the next call. If there is a pair, calls
/// continue with it.
///
/// Called on the thread of the call that needs the pair; several threads may call it at once. It
/// may use clients that do not share this pair; a call of one that does fails with
/// JUSTCALL_ERROR_INVALID_ARGUMENT. It must not unwind or longjmp. No timeout or cancel handle
/// interrupts it.
pub type justcall_load_fn = Option<
    unsafe extern "C" fn(
        context: *mut c_void,
        out: *mut *mut justcall_credentials,
        error: *mut *mut justcall_error,
    ) -> justcall_status,
>;

impl Load
    for Callback<
        unsafe extern "C" fn(
            *mut c_void,
            *mut *mut justcall_credentials,
            *mut *mut justcall_error,
        ) -> justcall_status,
    >
{
    fn load(&self) -> Result<Credentials, Error> {
        let (mut out, mut error) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: the header says that it is called with its context and places for two handles.
        let status = unsafe { (self.function)(self.context, &raw mut out, &raw mut error) };
        // What it stored belongs to the library now.
        let (given, error) = (argument!(out).owned(), argument!(error).owned());
        match (status, given) {
            (JUSTCALL_OK, Some(credentials)) => Ok(credentials.get().clone()),
            (JUSTCALL_OK, None) => Err(Error::with_message(
                ErrorKind::CredentialsMissing,
                "The source callback returned JUSTCALL_OK without credentials.",
            )
            .with_hint(
                "Store credentials in `out` before the callback returns JUSTCALL_OK, or return another status.",
            )),
            (failure, _) => Err(failed(failure, error.as_deref())),
        }
    }
}

/// The failure of a load callback that returned `status` and stored `error`.
fn failed(status: justcall_status, error: Option<&justcall_error>) -> Error {
    let kind = ErrorKind::from_number(status).unwrap_or(ErrorKind::SourceUnavailable);
    if let Some(error) = error.map(justcall_error::get) {
        // Only what is about the source: the callback may have failed with a call of another client.
        let failure = Error::with_message(kind, error.message()).with_hint(error.hint());
        return error.reason().into_iter().fold(failure, Error::with_reason);
    }
    let name = status::name(status).to_string_lossy();
    // The table's hints are about the library's own sources, and its faults.
    callback_error(kind, &format!("The source callback failed with {status} ({name})."))
}

/// Creates the error of a load callback that fails: stores it in `*error`, if `error` is not NULL,
/// and returns `status`, so that a callback can end with `return
/// justcall_error_new(JUSTCALL_ERROR_SOURCE_UNAVAILABLE, "The database is down.", error);`
///
/// `message` says what failed; if it is NULL or empty the message is that of `status`. Bytes that
/// are not UTF-8 are replaced, control characters are removed, secrets of the pairs that clients of
/// this process use are masked, and the message is cut at 512 bytes, between two characters. A
/// secret that no client uses yet is not recognised: leave it out.
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `status` is JUSTCALL_OK or not a number that the
/// library in use has. Free the error with justcall_error_free(), unless it is left to the library
/// as the result of a callback. Does not block. Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_error_new(
    status: justcall_status,
    message: *const c_char,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(error, || {
        let kind = ErrorKind::from_number(status)
            .ok_or_else(|| Error::invalid_argument("The argument status is not a JUSTCALL_ERROR_ number."))?;
        let message = argument!(message).string().map(copy::lossy_text).transpose()?;
        Err(callback_error(kind, &message.unwrap_or_default()))
    })
}
