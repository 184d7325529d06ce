//! A failure, with all that a person or a program needs to act on it.

use std::ffi::{CString, c_char};
use std::ptr;

use justcall_auth::Error;

use crate::function::{free, infallible, into_raw};
use crate::output;
use crate::response::justcall_response;
use crate::status::{self, JUSTCALL_OK, justcall_status};

/// The details of a failure. Every function that can fail stores an error through its last
/// parameter, unless that parameter is NULL. Free the error with justcall_error_free(). An error is
/// immutable, so several threads may use it at the same time.
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

/// Returns the status of the failure, which is the status that the call returned. Returns
/// JUSTCALL_OK if `error` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_error_status(error: *const justcall_error) -> justcall_status {
    infallible!(JUSTCALL_OK, |error| error.error.kind().number())
}

/// Returns the name of the status, like justcall_status_name(). Use the name in logs and in
/// comparisons: it is the same in every programming language. Never returns NULL. Returns `"ok"` if
/// `error` is NULL. The text is static: do not free it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_error_name(error: *const justcall_error) -> *const c_char {
    status::name(infallible!(JUSTCALL_OK, |error| error.error.kind().number())).as_ptr()
}

/// Returns a description of the failure, in one or more sentences. The text never contains a
/// secret, so you may log it. Never returns NULL. Returns an empty text if `error` is NULL. The
/// text is valid until `error` is freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_error_message(error: *const justcall_error) -> *const c_char {
    infallible!(c"".as_ptr(), |error| error.message.as_ptr())
}

/// Returns an instruction that explains to a person how to fix the failure. The text never contains
/// a secret, so you may log it. Never returns NULL. Returns an empty text if `error` is NULL. The
/// text is valid until `error` is freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_error_hint(error: *const justcall_error) -> *const c_char {
    infallible!(c"".as_ptr(), |error| error.hint.as_ptr())
}

/// Returns the error message in the body of the service's response. Returns NULL if there was no
/// response, if its body contains no message, or if `error` is NULL. Check for NULL before you
/// print the text. The text is one line of at most 512 bytes. The library masks a secret that the
/// service echoes. The text is valid until `error` is freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_error_service_message(error: *const justcall_error) -> *const c_char {
    infallible!(ptr::null(), |error| error.service_message.as_ref()?.as_ptr())
}

/// Returns one word that is more specific than the name of the status. The possible words depend on
/// the status:
///
/// - JUSTCALL_ERROR_FORBIDDEN: `plan`, `role`, `ip`, `addon` or `unspecified`.
/// - JUSTCALL_ERROR_CREDENTIALS_MALFORMED: the fault in the pair, such as `trailing_whitespace`.
/// - JUSTCALL_ERROR_TIMEOUT and JUSTCALL_ERROR_CONNECTION_FAILED: the phase `resolve`, `connect`,
///   `send` or `receive`.
///
/// Returns NULL if the error has no reason, or if `error` is NULL. The text is valid until `error`
/// is freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_error_reason(error: *const justcall_error) -> *const c_char {
    infallible!(ptr::null(), |error| error.reason.as_ref()?.as_ptr())
}

/// Returns the HTTP status of the last response. Returns 0 if there was no response, or if `error`
/// is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_error_http_status(error: *const justcall_error) -> i32 {
    infallible!(0, |error| i32::from(error.error.http_status()))
}

/// Returns 1 if the same call may succeed later without any change. Returns 0 otherwise, or if
/// `error` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_error_retryable(error: *const justcall_error) -> i32 {
    infallible!(0, |error| i32::from(error.error.retryable()))
}

/// Returns how many milliseconds to wait before you call again. The service asked for this time, or
/// the library does not send a rejected pair again in this time. Returns -1 if the error has no
/// such time, or if `error` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_error_retry_after_ms(error: *const justcall_error) -> i64 {
    infallible!(-1, |error| i64::try_from(error.error.retry_after()?.as_millis()).unwrap_or(i64::MAX))
}

/// Returns 1 if at least one attempt may have delivered the request to the service, even if the
/// error describes a later attempt. Returns 0 if certainly no attempt delivered the request, or if
/// `error` is NULL.
///
/// If the result is 1, send a POST request again only if the service certainly refused it. The
/// service refused the request if justcall_error_status() returns 400, 401, 403, 404, 422 or 429.
/// Of these statuses, only 429 allows a retry of the unchanged request. After any other status, the
/// service may have executed the request. Do not use justcall_error_http_status() for this
/// decision, because the last response may belong to an earlier attempt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_error_request_sent(error: *const justcall_error) -> i32 {
    infallible!(0, |error| i32::from(error.error.request_sent()))
}

/// Returns the HTTP method of the request that failed, such as `"POST"`. Returns NULL if the
/// failure does not belong to a request, or if `error` is NULL. The text is valid until `error` is
/// freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_error_method(error: *const justcall_error) -> *const c_char {
    infallible!(ptr::null(), |error| error.method.as_ref()?.as_ptr())
}

/// Returns the path of the request that failed, without its query. The path may contain a telephone
/// number, so be careful where you log it. No other text of the error contains the path. Returns
/// NULL if the failure does not belong to a request, or if `error` is NULL. The text is valid until
/// `error` is freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_error_path(error: *const justcall_error) -> *const c_char {
    infallible!(ptr::null(), |error| error.path.as_ref()?.as_ptr())
}

/// Returns how many times the request was sent, or passed to your HTTP client to send. Returns 0 if
/// the request was never sent, if the failure does not belong to a request, or if `error` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_error_attempts(error: *const justcall_error) -> u32 {
    infallible!(0, |error| error.error.attempts())
}

/// Returns the last response of the service. The last response is usually the response that made
/// the call fail, such as a 422 whose body names the invalid fields. If a retry got no response,
/// the last response is that of an earlier attempt. Returns NULL if there was no response, or if
/// `error` is NULL. The error owns the response: do not free it. The response is valid until
/// `error` is freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_error_response(error: *const justcall_error) -> *const justcall_response {
    infallible!(ptr::null(), |error| ptr::from_ref(error.response.as_ref()?))
}

/// Frees an error and every text that was borrowed from it. Does nothing if `error` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_error_free(error: *mut justcall_error) {
    free!(error);
}
