//! The meaning of an answer that came over the program's own HTTP.

use std::ffi::{c_char, c_void};

use justcall_auth::classify::classify;
use justcall_auth::unix_time;

use crate::error::justcall_error;
use crate::fallible::fallible;
use crate::response::from_own_http;
use crate::status::justcall_status;

/// Classifies a response of the service that came over your own HTTP client. Returns JUSTCALL_OK
/// for the HTTP statuses 200 to 299, else the status that a client of this library would return,
/// with its error. The HTTP status decides; headers and body only explain.
///
/// `header_names` and `header_values` are `header_count` (at most 1000) NUL-terminated strings
/// each, and may be NULL if that is 0; bytes in them that are not UTF-8 are replaced. `body` is
/// `body_length` bytes of any kind, and may be NULL if that is 0. Nothing of it is kept. The pair
/// is not known here, so a secret that the service echoes is not masked in
/// justcall_error_service_message().
///
/// Also fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `http_status` is not between 100 and 999, if
/// a needed pointer is NULL, or if a length is impossible. justcall_error_http_status() of such an
/// error is 0. libcurl reports the status 0 if there was no response. Does not block. Any thread
/// may call this.
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
        let response = from_own_http(http_status, header_names, header_values, body)?;
        classify(&response, None, unix_time())
    })
}
