//! The callbacks of a program, and the context that they get.

use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use justcall_auth_abi::credentials::{justcall_credentials, justcall_credentials_new};
use justcall_auth_abi::error::justcall_error;
use justcall_auth_abi::event::{
    justcall_event, justcall_event_generation, justcall_event_http_status, justcall_event_kind,
    justcall_event_message, justcall_event_name, justcall_event_wait_ms,
};
use justcall_auth_abi::source::justcall_error_new;
use justcall_auth_abi::status::justcall_status;
use justcall_auth_abi::webhook_event::{justcall_webhook_event, justcall_webhook_event_url};

use super::SECRET;
use super::checks::check_text;

/// The context of every callback. Each setter gets a share of it, which the library gives back.
#[derive(Default)]
pub struct Context {
    calls: AtomicUsize,
}

/// Returns a share of the context for a setter.
pub fn share(context: &Arc<Context>) -> *mut c_void {
    Arc::into_raw(context.clone()).cast_mut().cast()
}

/// Gives a share back.
pub unsafe extern "C" fn free_context(context: *mut c_void) {
    // SAFETY: it is a share, which is given back once.
    drop(unsafe { Arc::from_raw(context.cast_const().cast::<Context>()) });
}

/// Counts a call of a callback. Returns its number.
fn count(context: *mut c_void) -> usize {
    // SAFETY: the library has the share until it gives it back.
    let context = unsafe { &*context.cast_const().cast::<Context>() };
    context.calls.fetch_add(1, Ordering::Relaxed)
}

/// Loads one of two pairs, or fails in one of the ways that the header describes.
pub unsafe extern "C" fn load(
    context: *mut c_void,
    out: *mut *mut justcall_credentials,
    error: *mut *mut justcall_error,
) -> justcall_status {
    let number = count(context);
    let message = c"The database is down.";
    // SAFETY: the texts live during the calls, and the outputs are those of the library.
    unsafe {
        match number % 8 {
            5 => justcall_error_new(12, message.as_ptr(), error),
            6 => 4711,
            7 => 0,
            other => {
                let key = if other < 3 { "keyofthisprogram" } else { "anotherkey123456" };
                let (key_length, secret_length) = (key.len(), SECRET.len());
                let (key, secret) = (key.as_ptr().cast(), SECRET.as_ptr().cast());
                justcall_credentials_new(key, key_length, secret, secret_length, out, error)
            }
        }
    }
}

/// Reads an event.
pub unsafe extern "C" fn handle(context: *mut c_void, event: *const justcall_event) {
    count(context);
    // SAFETY: the event lives until this function returns.
    unsafe {
        check_text(justcall_event_name(event));
        check_text(justcall_event_message(event));
        assert!(justcall_event_kind(event) > 0 && justcall_event_http_status(event) >= 0);
        let _numbers = (justcall_event_generation(event), justcall_event_wait_ms(event));
    }
}

/// Finds that a delivery is new, was seen, or that the database is down.
pub unsafe extern "C" fn was_seen(
    context: *mut c_void,
    event: *const justcall_webhook_event,
) -> justcall_status {
    // SAFETY: the event lives until this function returns.
    unsafe { check_text(justcall_webhook_event_url(event)) };
    [0, 36, 12][count(context) % 3]
}
