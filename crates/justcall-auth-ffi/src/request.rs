//! A request to the service.

use std::ffi::{c_char, c_void};
use std::time::Duration;

use justcall_auth::{Cancel, Request, copy};

use crate::cancel::justcall_cancel;
use crate::error::justcall_error;
use crate::fallible::fallible;
use crate::function::free;
use crate::status::justcall_status;

/// A request that justcall_client_send() sends: method, path, headers, body. For one thread at a
/// time while it is changed; any number of threads may send one at once.
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

/// Creates a request of `method`, an HTTP method in capitals such as `"POST"`, for `path`, which
/// starts with a slash, is joined to the base URL, is percent-encoded already and may hold a query.
/// The request carries `Accept` and `Content-Type: application/json` unless you set others.
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if an argument is NULL, if `method` is not such a
/// method, or if `path` is a full URL or could become one (`//host`, dot segments, backslashes,
/// control characters, spaces, a fragment, anything outside ASCII). On success `*out` is yours, to
/// be freed with justcall_request_free(); on failure it is NULL.
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

/// Adds `name=value` to the query. Both are percent-encoded for you.
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if an argument is NULL or the path would become
/// longer than 8 KiB; the request is then unchanged.
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

/// Sets a header. Replaces a header of the same name, whatever its upper and lower case.
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if an argument is NULL, if `name` is not a header
/// name or is one that only the library sets (`Authorization`, `Host`, those that frame the message
/// or belong to one connection), if `value` holds a control character or a space at an end, or if
/// `Accept-Encoding` accepts an encoding other than `gzip` and `identity`, which the library would
/// not decode; the request is then unchanged.
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

/// Sets the body: `body_length` bytes of any kind, such as the text of a JSON document, which are
/// copied. NULL with a length of 0 sets an empty body.
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `request` is NULL, or if `body` is NULL and its
/// length is not 0; the request is then unchanged.
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

/// Limits each call of this request to `ms` milliseconds, in place of the client's timeout. 0 means
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

/// Lets `cancel` end the calls of this request: see justcall_cancel_fire(). Replaces an earlier
/// one. `cancel` stays yours and may be freed at once, though then it cannot be fired any more.
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if an argument is NULL; the request is then
/// unchanged.
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
