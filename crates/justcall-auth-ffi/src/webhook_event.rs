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

/// A verified delivery: all that its signature covers, and nothing of the body's data, which is not
/// signed. Immutable: any number of threads may use one at once.
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

/// Returns the URL that the delivery was signed for: one of those expected, or any if every URL is
/// accepted. Returns NULL if `event` is NULL. The text lives as long as `event`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_webhook_event_url(event: *const justcall_webhook_event) -> *const c_char {
    infallible!(ptr::null(), |event| event.url.as_ptr())
}

/// Returns the event's type, such as `"call.completed"`. Returns NULL if `event` is NULL. The text
/// lives as long as `event`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_webhook_event_type(event: *const justcall_webhook_event) -> *const c_char {
    infallible!(ptr::null(), |event| event.event_type.as_ptr())
}

/// Returns when the delivery was signed, in seconds since 1970-01-01 UTC. Returns 0 if `event` is
/// NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_webhook_event_timestamp(event: *const justcall_webhook_event) -> i64 {
    infallible!(0, |event| event.timestamp)
}

/// Returns which secret signed the delivery: its place in the order in which secrets were added,
/// from 0. Of a client, 0 is the current pair. Returns 0 if `event` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_webhook_event_secret_index(event: *const justcall_webhook_event) -> usize {
    infallible!(0, |event| event.secret_index)
}

/// Returns the signature as 64 lower-case hexadecimal digits, however it was written: the same for
/// every repetition of this delivery, but also for another event of the type in the same second.
/// Returns NULL if `event` is NULL. The text lives as long as `event`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_webhook_event_signature(
    event: *const justcall_webhook_event,
) -> *const c_char {
    infallible!(ptr::null(), |event| event.signature.as_ptr())
}

/// Copies the path at which the API has the object that the event is about, such as
/// `"/v2.1/calls/123456789"`, into `buffer`, NUL-terminated. `body` is the `body_length` bytes that
/// were verified. What justcall_client_request() returns for "GET" of that path is true, whereas
/// the body may be forged.
///
/// Knows the types that start with `call.`, `jc.call_`, `sd.call_`, `sms.` or `jc.contact_`. Fails
/// with JUSTCALL_ERROR_INVALID_ARGUMENT for any other type, also if the delivery is genuine:
/// request the object by its path in the API reference, or ignore such events and answer 200.
///
/// Stores the length without the NUL in `*length`, unless `length` is NULL. Fails with
/// JUSTCALL_ERROR_BUFFER_TOO_SMALL if `capacity` is not greater than that; 128 bytes are enough.
/// Fails with JUSTCALL_ERROR_WEBHOOK_MALFORMED if the body names no object. Also fails with
/// JUSTCALL_ERROR_INVALID_ARGUMENT if `event` is NULL, or if `buffer` is NULL and `capacity` is not
/// 0. Does not block.
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

/// Frees an event and every text borrowed from it. Does nothing if `event` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_webhook_event_free(event: *mut justcall_webhook_event) {
    free!(event);
}
