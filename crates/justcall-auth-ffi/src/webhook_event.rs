//! A verified delivery.

use std::ffi::{CString, c_char, c_void};
use std::ptr;

use justcall_auth::webhook::object_path;
use justcall_auth::{Error, WebhookEvent};

use crate::error::justcall_error;
use crate::fallible::fallible;
use crate::function::{free, infallible};
use crate::output;
use crate::status::justcall_status;

/// A verified webhook delivery. A webhook event contains everything that the signature covers, and
/// none of the unsigned data in the body. A webhook event is immutable, so several threads may use
/// it at the same time.
pub struct justcall_webhook_event {
    url: CString,
    event_type: CString,
    timestamp: i64,
    secret_index: usize,
    signature: CString,
}

impl justcall_webhook_event {
    /// # Errors
    /// `out_of_memory`.
    pub(crate) fn new(event: &WebhookEvent) -> Result<Self, Error> {
        Ok(Self {
            url: output::long_text(event.url())?,
            event_type: output::long_text(event.event_type())?,
            timestamp: event.timestamp(),
            secret_index: event.secret_index(),
            signature: output::text(event.signature()),
        })
    }
}

/// Returns the URL that the delivery was signed for. The URL is one of the expected URLs, unless
/// the verifier accepts every URL. Returns NULL if `event` is NULL. The text is valid until `event`
/// is freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_webhook_event_url(event: *const justcall_webhook_event) -> *const c_char {
    infallible!(ptr::null(), |event| event.url.as_ptr())
}

/// Returns the type of the event, such as `"call.completed"`. Returns NULL if `event` is NULL. The
/// text is valid until `event` is freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_webhook_event_type(event: *const justcall_webhook_event) -> *const c_char {
    infallible!(ptr::null(), |event| event.event_type.as_ptr())
}

/// Returns the time when the delivery was signed, in seconds since 1970-01-01 UTC. Returns 0 if
/// `event` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_webhook_event_timestamp(event: *const justcall_webhook_event) -> i64 {
    infallible!(0, |event| event.timestamp)
}

/// Returns the number of the secret that signed the delivery. Secrets are numbered from 0, in the
/// order in which they were added. If the verifier uses a client, number 0 is the secret of its
/// current pair. Returns 0 if `event` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_webhook_event_secret_index(event: *const justcall_webhook_event) -> usize {
    infallible!(0, |event| event.secret_index)
}

/// Returns the signature as 64 hexadecimal digits in lower case, even if the delivery had upper
/// case. The signature is the same for every repetition of a delivery. Another event of the same
/// type in the same second has the same signature too. Returns NULL if `event` is NULL. The text is
/// valid until `event` is freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_webhook_event_signature(
    event: *const justcall_webhook_event,
) -> *const c_char {
    infallible!(ptr::null(), |event| event.signature.as_ptr())
}

/// Copies the API path of the object that the event is about into `buffer`, with a NUL at the end.
/// An example is `"/v2.1/calls/123456789"`. Pass this path to justcall_client_request() with the
/// method "GET" to get genuine data: the body of a delivery may be forged. `body` is the
/// `body_length` bytes that were verified. Sets `*length` to the length of the path without the
/// NUL. `length` may be NULL.
///
/// This function supports event types that start with `call.`, `jc.call_`, `sd.call_`, `sms.` or
/// `jc.contact_`. For any other type, this function fails with JUSTCALL_ERROR_INVALID_ARGUMENT,
/// even if the delivery is genuine. Get the path for such a type from the API reference, or ignore
/// the event and answer 200.
///
/// Fails with JUSTCALL_ERROR_BUFFER_TOO_SMALL if `capacity` is too small for the path and its NUL.
/// A capacity of 128 bytes is always enough. Fails with JUSTCALL_ERROR_WEBHOOK_MALFORMED if the
/// body does not name an object. Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `event` is NULL, or
/// if `buffer` is NULL and `capacity` is not 0. Does not block.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_webhook_event_object_path(
    event: *const justcall_webhook_event,
    body: *const c_void,
    body_length: usize,
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(error, |buffer: buffer(capacity, length), event: handle, body: optional_bytes(body_length)| {
        let event_type = event.event_type.to_string_lossy();
        let path = object_path(&event_type, body.unwrap_or_default())?;
        buffer.fill(path.as_bytes())
    })
}

/// Frees a webhook event and every text that was borrowed from it. Does nothing if `event` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_webhook_event_free(event: *mut justcall_webhook_event) {
    free!(event);
}
