//! The meaning of an answer that came over the program's own HTTP.

use std::ffi::{c_char, c_void};

use justcall_auth::classify::classify;
use justcall_auth::unix_time;

use crate::error::justcall_error;
use crate::fallible::fallible;
use crate::response::from_own_http;
use crate::status::justcall_status;

/// Classifies a response that your own HTTP client received from the service. Returns JUSTCALL_OK
/// for the HTTP statuses 200 to 299. For any other HTTP status, returns the status and the error
/// that a client of this library would return. Only the HTTP status decides the result. The headers
/// and the body only add details to the error.
///
/// `header_names` and `header_values` are arrays of `header_count` NUL-terminated strings each.
/// `header_count` is at most 1000. The library replaces bytes in these strings that are not UTF-8.
/// `body` is `body_length` bytes of any kind. Both arrays may be NULL if `header_count` is 0, and
/// `body` may be NULL if `body_length` is 0. The library keeps no reference to these arguments.
/// This function does not know the pair, so justcall_error_service_message() does not mask a secret
/// that the service echoes.
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `http_status` is not between 100 and 999. libcurl
/// reports the HTTP status 0 if it received no response. Also fails with
/// JUSTCALL_ERROR_INVALID_ARGUMENT if a required pointer is NULL, or if a length is over
/// SIZE_MAX / 2. justcall_error_http_status() returns 0 for these failures. Does not block. This
/// function is thread-safe.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_classify(
    http_status: i32,
    header_names: *const *const c_char,
    header_values: *const *const c_char,
    header_count: usize,
    body: *const c_void,
    body_length: usize,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(error, |http_status: http_status,
                      header_names: headers(header_count),
                      header_values: headers(header_count),
                      body: optional_bytes(body_length)| {
        let response = from_own_http(http_status, &header_names, &header_values, body)?;
        classify(&response, None, unix_time())
    })
}
