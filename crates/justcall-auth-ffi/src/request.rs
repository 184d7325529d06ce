//! A request to the service.

use std::ffi::{c_char, c_void};
use std::time::Duration;

use justcall_auth::{Cancel, Request, copy};

use crate::cancel::justcall_cancel;
use crate::error::justcall_error;
use crate::fallible::fallible;
use crate::function::free;
use crate::status::justcall_status;

/// A request to the service: its method, path, headers and body. Send it with
/// justcall_client_send() or justcall_exchange_new(). Change a request on one thread at a time.
/// While no thread changes a request, several threads may send it at the same time.
pub struct justcall_request {
    request: Request,
    cancel: Option<Cancel>,
}

impl justcall_request {
    pub(crate) fn get(&self) -> &Request {
        &self.request
    }

    /// What may end its calls.
    pub(crate) fn cancels(&self) -> &[Cancel] {
        self.cancel.as_slice()
    }
}

/// Creates a request. `method` is an HTTP method in capitals, such as `"POST"`. `path` starts with
/// a slash, must be percent-encoded, and may contain a query. The library appends `path` to the
/// base URL. The request has the headers `Accept` and `Content-Type: application/json`, unless you
/// set others.
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `method` is not such a method, or if `method`,
/// `path` or `out` is NULL. Also fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `path` is a full URL
/// or could become one. Therefore `path` must not contain `//host`, dot segments, backslashes,
/// control characters, spaces, a fragment or non-ASCII characters.
///
/// On success, free `*out` with justcall_request_free(). On failure, `*out` is NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_request_new(
    method: *const c_char,
    path: *const c_char,
    out: *mut *mut justcall_request,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(out, error, |method: text, path: text| {
        let request = Request::new(method, path)?;
        Ok(justcall_request { request, cancel: None })
    })
}

/// Adds `name=value` to the query of a request. The library percent-encodes both.
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `request`, `name` or `value` is NULL, or if the
/// path would become longer than 8 KiB. On failure, the request is unchanged.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_request_add_query(
    request: *mut justcall_request,
    name: *const c_char,
    value: *const c_char,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(error, |request: handle_mut, name: text, value: text| {
        request.request.add_query(name, value).map(drop)
    })
}

/// Sets a header of a request. Replaces an existing header with the same name. Header names are not
/// case-sensitive.
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT for one of these reasons:
///
/// - `request`, `name` or `value` is NULL.
/// - `name` is not a valid header name.
/// - `name` is a header that only the library sets: `Authorization`, `Host`, and headers that frame
///   the message or belong to one connection.
/// - `value` contains a control character, or starts or ends with a space.
/// - `Accept-Encoding` accepts an encoding other than `gzip` and `identity`, because the library
///   could not decode it.
///
/// On failure, the request is unchanged.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_request_set_header(
    request: *mut justcall_request,
    name: *const c_char,
    value: *const c_char,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(error, |request: handle_mut, name: text, value: text| {
        request.request.set_header(name, value).map(drop)
    })
}

/// Sets the body of a request to `body_length` bytes of any kind, such as a JSON document. The
/// function copies the bytes. NULL with a length of 0 sets an empty body.
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `request` is NULL, or if `body` is NULL and
/// `body_length` is not 0. On failure, the request is unchanged.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_request_set_body(
    request: *mut justcall_request,
    body: *const c_void,
    body_length: usize,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(error, |request: handle_mut, body: optional_bytes(body_length)| {
        request.request.set_body(copy::bytes(body.unwrap_or_default())?);
        Ok(())
    })
}

/// Limits each call of this request to `ms` milliseconds, instead of the client's timeout. 0 means
/// no limit.
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `request` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_request_set_timeout_ms(
    request: *mut justcall_request,
    ms: u64,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(error, |request: handle_mut| {
        request.request.set_timeout(Duration::from_millis(ms));
        Ok(())
    })
}

/// Sets the cancel handle of a request. justcall_cancel_fire() then ends the calls of this request.
/// Replaces the cancel handle that was set before.
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `request` or `cancel` is NULL. On failure, the
/// request is unchanged. The caller keeps ownership of `cancel` and may free it at any time, but
/// cannot fire a freed handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_request_set_cancel(
    request: *mut justcall_request,
    cancel: *const justcall_cancel,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(error, |request: handle_mut, cancel: handle| {
        request.cancel = Some(cancel.get().clone());
        Ok(())
    })
}

/// Frees a request. Does nothing if `request` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_request_free(request: *mut justcall_request) {
    free!(request);
}
