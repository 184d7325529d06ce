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

/// A callback that loads the pair of a client. Set it with justcall_config_set_source_callback(),
/// which also sets its `context`.
///
/// On success, the callback stores credentials in `*out` and returns JUSTCALL_OK. On failure, the
/// callback returns a JUSTCALL_ERROR_ number, usually JUSTCALL_ERROR_CREDENTIALS_MISSING or
/// JUSTCALL_ERROR_SOURCE_UNAVAILABLE. The call that needs the pair then fails with the status of
/// the callback. On failure, the callback may also store an error in `*error`. The error may come
/// from justcall_error_new() or from another function of this library. The library takes ownership
/// of both handles and frees them. `*out` and `*error` are NULL when the callback starts.
///
/// The return value decides what happens next:
///
/// - JUSTCALL_OK with credentials in `*out`: the library uses the pair and ignores `*error`.
/// - JUSTCALL_OK without credentials: the call fails with JUSTCALL_ERROR_CREDENTIALS_MISSING.
/// - A JUSTCALL_ERROR_ number: the call fails with this status and ignores `*out`. The message,
///   hint and reason come from `*error`, even if the status of `*error` differs.
/// - An unknown status: the call fails with JUSTCALL_ERROR_SOURCE_UNAVAILABLE.
///
/// If the callback fails before any pair was loaded, the next call runs it again. If a pair was
/// loaded before, calls continue with that pair.
///
/// The library runs the callback on the thread of the call that needs the pair. Several threads may
/// run the callback at the same time. The callback may use clients that do not share the pair that
/// it loads. If the callback calls a client that shares this pair, the inner call fails with
/// JUSTCALL_ERROR_INVALID_ARGUMENT. The callback must not throw or longjmp. No timeout or cancel
/// handle interrupts the callback.
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

/// Creates an error for a load callback that fails. Stores the error in `*error`, unless `error` is
/// NULL, and returns `status`. A callback can end with `return
/// justcall_error_new(JUSTCALL_ERROR_SOURCE_UNAVAILABLE, "The database is down.", error);`
///
/// `message` describes what failed. If `message` is NULL or empty, the error gets the standard
/// message of `status`. The library replaces bytes of `message` that are not UTF-8 and removes
/// control characters. The library cuts `message` at 512 bytes, between two characters. The library
/// masks secrets of the pairs that clients of this process use in `message`. A secret that no
/// client uses yet is not masked, so do not put such a secret into `message`.
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `status` is JUSTCALL_OK or an unknown status. Free
/// the error with justcall_error_free(), unless your callback passes it to the library. Does not
/// block. This function is thread-safe.
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
