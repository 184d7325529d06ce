//! The meaning of an answer that came over the program's own HTTP.

use std::ffi::c_char;

use justcall_auth::classify::classify;
use justcall_auth::unix_time;

use crate::error::justcall_error;
use crate::fallible::fallible;
use crate::response::from_own_http;
use crate::status::justcall_status;

/// Tells what an answer of the service means that you got over your own HTTP: JUSTCALL_OK for 200
/// to 299, else the status and error that a client of this library would give. The HTTP status
/// decides; headers and body only explain.
///
/// `header_names` and `header_values` are `header_count` (at most 1000) NUL-terminated strings
/// each, and may be NULL if that is 0; bytes in them that are not UTF-8 are replaced. `body` is
/// `body_length` bytes of any kind, and may be NULL if that is 0. Nothing of it is kept. The pair is
/// not known here, so a secret that the service echoes is not masked in
/// justcall_error_service_message().
///
/// Also fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `http_status` is no HTTP status (100 to 999;
/// libcurl gives 0 when there was no answer), a needed pointer is NULL, or a length impossible:
/// justcall_error_http_status() is then 0. Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_classify(
    http_status: i32,
    header_names: *const *const c_char,
    header_values: *const *const c_char,
    header_count: usize,
    body: *const u8,
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
