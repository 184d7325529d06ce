//! What a verified delivery tells for certain.

use std::ffi::{CString, c_char};
use std::ptr;

use justcall_auth::webhook::object_path;
use justcall_auth::{Error, WebhookEvent};

use crate::error::justcall_error;
use crate::fallible::fallible;
use crate::function::{free, infallible};
use crate::output;
use crate::status::justcall_status;

/// A verified delivery: all that its signature is over, and nothing of the body's data, which is
/// not signed. Immutable: any number of threads may read one at once.
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

/// The URL that the delivery was signed for: one of those expected, or any if any was. NULL if
/// `event` is NULL; lives as long as `event`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_webhook_event_url(event: *const justcall_webhook_event) -> *const c_char {
    infallible!(ptr::null(), |event| event.url.as_ptr())
}

/// The event's type, such as `"call.completed"`. NULL if `event` is NULL; lives as long as `event`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_webhook_event_type(event: *const justcall_webhook_event) -> *const c_char {
    infallible!(ptr::null(), |event| event.event_type.as_ptr())
}

/// When it was signed, in seconds since 1970-01-01 UTC. 0 if `event` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_webhook_event_timestamp(event: *const justcall_webhook_event) -> i64 {
    infallible!(0, |event| event.timestamp)
}

/// Which secret signed it: the place in the order in which secrets were added, from 0. Of a client
/// 0 is the current pair. 0 also if `event` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_webhook_event_secret_index(event: *const justcall_webhook_event) -> usize {
    infallible!(0, |event| event.secret_index)
}

/// The signature as 64 lower-case hexadecimal digits, however it was written: the same for every
/// repetition of this delivery, but also for another event of the type in the same second. NULL if
/// `event` is NULL; lives as long as `event`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_webhook_event_signature(
    event: *const justcall_webhook_event,
) -> *const c_char {
    infallible!(ptr::null(), |event| event.signature.as_ptr())
}

/// The path at which the API has the object that the event is about, such as
/// `"/v2.1/calls/123456789"`, into `buffer`; `body` is the bytes that were verified. What
/// justcall_client_request() gets with "GET" from there is true, where the body may be forged.
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT for a type of which it is not known where the API has
/// its objects, if `event` is NULL, or `buffer` is and the capacity is not 0; with
/// JUSTCALL_ERROR_WEBHOOK_MALFORMED if the body names no object; and with
/// JUSTCALL_ERROR_BUFFER_TOO_SMALL, where `*length` is the length without the NUL. `length` may be
/// NULL. 128 bytes are enough.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_webhook_event_object_path(
    event: *const justcall_webhook_event,
    body: *const u8,
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
