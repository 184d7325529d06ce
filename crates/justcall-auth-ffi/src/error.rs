//! A failure, with all that a person or a program needs to act on it.

use std::ffi::{CString, c_char};
use std::ptr;

use justcall_auth::Error;

use crate::function::{free, infallible, into_raw};
use crate::output;
use crate::response::justcall_response;
use crate::status::{self, JUSTCALL_OK, justcall_status};

/// Why a call failed. Every function that can fail stores one through its last parameter, if that
/// is not NULL. It is yours, to be freed with justcall_error_free(). Immutable: any number of
/// threads may use one at once.
pub struct justcall_error {
    error: Error,
    message: CString,
    hint: CString,
    service_message: Option<CString>,
    reason: Option<CString>,
    response: Option<justcall_response>,
    method: Option<CString>,
    path: Option<CString>,
}

impl justcall_error {
    /// The handle of `failure` and its number; those of `out_of_memory` if there is no memory for what is in it.
    pub(crate) fn into_raw(failure: Error) -> (justcall_status, *mut Self) {
        match Self::new(failure).or_else(Self::new) {
            Ok(error) => (error.error.kind().number(), into_raw(error)),
            Err(error) => (error.kind().number(), ptr::null_mut()),
        }
    }

    /// # Errors
    /// `out_of_memory`.
    fn new(error: Error) -> Result<Self, Error> {
        Ok(Self {
            message: output::long_text(error.message())?,
            hint: output::long_text(error.hint())?,
            service_message: error.service_message().map(output::text),
            reason: error.reason().map(output::text),
            response: error.response().cloned().map(justcall_response::new).transpose()?,
            method: error.method().map(output::text),
            path: error.path().map(output::text),
            error,
        })
    }

    pub(crate) fn get(&self) -> &Error {
        &self.error
    }
}

/// Returns the status of the failure, the same as the call returned. Returns JUSTCALL_OK if `error`
/// is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_error_status(error: *const justcall_error) -> justcall_status {
    infallible!(JUSTCALL_OK, |error| error.error.kind().number())
}

/// Returns the name of the status, as justcall_status_name() does: for logs and for comparing, the
/// same in every language. Never NULL, `"ok"` if `error` is NULL. The text lives as long as the
/// program.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_error_name(error: *const justcall_error) -> *const c_char {
    status::name(infallible!(JUSTCALL_OK, |error| error.error.kind().number())).as_ptr()
}

/// Returns what happened, in one or more sentences. Safe to log: it never holds a secret. Never
/// NULL, empty if `error` is NULL. The text lives as long as `error`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_error_message(error: *const justcall_error) -> *const c_char {
    infallible!(c"".as_ptr(), |error| error.message.as_ptr())
}

/// Returns what to do about it, for the person who can. Safe to log. Never NULL, empty if `error`
/// is NULL. The text lives as long as `error`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_error_hint(error: *const justcall_error) -> *const c_char {
    infallible!(c"".as_ptr(), |error| error.hint.as_ptr())
}

/// Returns the message in the body of the service's response, or NULL: check before you print it.
/// It is NULL if there was no response, if its body has no message, or if `error` is NULL. The text
/// has at most 512 bytes on one line, with an echoed secret masked, and lives as long as `error`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_error_service_message(error: *const justcall_error) -> *const c_char {
    infallible!(ptr::null(), |error| error.service_message.as_ref()?.as_ptr())
}

/// Returns one word more exact than the name. For JUSTCALL_ERROR_FORBIDDEN: `plan`, `role`, `ip`,
/// `addon` or `unspecified`; for JUSTCALL_ERROR_CREDENTIALS_MALFORMED what is wrong, such as
/// `trailing_whitespace`; for JUSTCALL_ERROR_TIMEOUT and JUSTCALL_ERROR_CONNECTION_FAILED the
/// phase: `resolve`, `connect`, `send` or `receive`. Returns NULL if there is none or `error` is
/// NULL. The text lives as long as `error`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_error_reason(error: *const justcall_error) -> *const c_char {
    infallible!(ptr::null(), |error| error.reason.as_ref()?.as_ptr())
}

/// Returns the HTTP status of the last response. Returns 0 if there was no response or `error` is
/// NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_error_http_status(error: *const justcall_error) -> i32 {
    infallible!(0, |error| i32::from(error.error.http_status()))
}

/// Returns 1 if the same call may succeed later although nothing is changed, else 0. Returns 0 if
/// `error` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_error_retryable(error: *const justcall_error) -> i32 {
    infallible!(0, |error| i32::from(error.error.retryable()))
}

/// Returns how many milliseconds to wait before the next attempt: the time that the service asks
/// for, or the time for which a rejected pair is not sent again. Returns -1 if there is no such
/// time or `error` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_error_retry_after_ms(error: *const justcall_error) -> i64 {
    infallible!(-1, |error| i64::try_from(error.error.retry_after()?.as_millis()).unwrap_or(i64::MAX))
}

/// Returns 1 if any attempt may have delivered the request to the service, whatever ended the call.
/// Returns 0 if surely none did, or if `error` is NULL.
///
/// After 1, send a POST again only if the service surely refused it. It did if
/// justcall_error_status() is 400, 401, 403, 404, 422 or 429; of these, only 429 is retryable
/// unchanged. After any other status the service may have executed the request. Do not decide by
/// justcall_error_http_status(): the response may be that of an earlier attempt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_error_request_sent(error: *const justcall_error) -> i32 {
    infallible!(0, |error| i32::from(error.error.request_sent()))
}

/// Returns the HTTP method of the request that failed, such as `"POST"`. Returns NULL if the
/// failure is not one of a request or `error` is NULL. The text lives as long as `error`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_error_method(error: *const justcall_error) -> *const c_char {
    infallible!(ptr::null(), |error| error.method.as_ref()?.as_ptr())
}

/// Returns the path of the request that failed, without its query. The path may hold a telephone
/// number, so no text of the error repeats it: mind where you log it. Returns NULL if the failure
/// is not one of a request or `error` is NULL. The text lives as long as `error`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_error_path(error: *const justcall_error) -> *const c_char {
    infallible!(ptr::null(), |error| error.path.as_ref()?.as_ptr())
}

/// Returns how often the request was sent, or given to your HTTP client to send. Returns 0 if it
/// never was, if the failure is not one of a request, or if `error` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_error_attempts(error: *const justcall_error) -> u32 {
    infallible!(0, |error| error.error.attempts())
}

/// Returns the last response: the one that the call failed with, such as a 422 whose body names the
/// fields, or the one that a retry followed. Returns NULL if there was no response or `error` is
/// NULL. The response belongs to the error and lives as long as it: do not free it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_error_response(error: *const justcall_error) -> *const justcall_response {
    infallible!(ptr::null(), |error| ptr::from_ref(error.response.as_ref()?))
}

/// Frees an error and every text borrowed from it. Does nothing if `error` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_error_free(error: *mut justcall_error) {
    free!(error);
}
