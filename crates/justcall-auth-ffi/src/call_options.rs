//! What a call may take, whatever it asks.

use std::ptr;
use std::time::Duration;

use justcall_auth::{CallOptions, Cancel};

use crate::argument::Argument;
use crate::cancel::justcall_cancel;
use crate::error::justcall_error;
use crate::fallible::fallible;
use crate::function::{free, guarded, into_raw};
use crate::status::justcall_status;

/// A time limit and a cancel handle for a call: for the functions whose names end in `_with`. One
/// handle may serve any number of calls. For one thread at a time while it is changed; then any
/// number of threads may call with it at once. A call copies it when it starts.
pub struct justcall_call_options {
    timeout: Option<Duration>,
    cancel: Option<Cancel>,
}

impl justcall_call_options {
    fn get(&self) -> CallOptions {
        let mut options = CallOptions::new();
        if let Some(timeout) = self.timeout {
            options.set_timeout(timeout);
        }
        if let Some(cancel) = &self.cancel {
            options.add_cancel(cancel.clone());
        }
        options
    }
}

impl Argument<*const justcall_call_options> {
    /// Options, or NULL for none.
    pub fn call_options(self) -> CallOptions {
        self.optional_handle().map(justcall_call_options::get).unwrap_or_default()
    }
}

/// Creates options that change nothing: the timeout is the client's, and nothing cancels the call.
/// Free them with justcall_call_options_free(). Returns NULL only on an internal error.
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn justcall_call_options_new() -> *mut justcall_call_options {
    guarded(ptr::null_mut(), || into_raw(justcall_call_options { timeout: None, cancel: None }))
}

/// Limits calls with these options to `ms` milliseconds each, in place of the client's timeout. 0
/// means no limit.
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `options` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_call_options_set_timeout_ms(
    options: *mut justcall_call_options,
    ms: u64,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(error, |options: handle_mut| {
        options.timeout = Some(Duration::from_millis(ms));
        Ok(())
    })
}

/// Lets `cancel` end calls with these options: see justcall_cancel_fire(). Replaces an earlier one.
/// `cancel` stays yours and may be freed at once, though then it cannot be fired any more.
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if an argument is NULL; the options are then
/// unchanged.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_call_options_set_cancel(
    options: *mut justcall_call_options,
    cancel: *const justcall_cancel,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(error, |options: handle_mut, cancel: handle| {
        options.cancel = Some(cancel.get().clone());
        Ok(())
    })
}

/// Frees options; calls that were started with them go on. Does nothing if `options` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_call_options_free(options: *mut justcall_call_options) {
    free!(options);
}
