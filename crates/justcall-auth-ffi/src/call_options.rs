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

/// A time limit and a cancel handle for calls of the functions whose names end in `_with`. Any
/// number of calls may use the same options. A call copies its options when it starts. Change
/// options on one thread at a time. While no thread changes the options, several threads may pass
/// them to calls at the same time.
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

/// Creates call options in which nothing is set. Calls with these options use the client's timeout
/// and have no cancel handle. Returns NULL only on an internal error. Free the options with
/// justcall_call_options_free().
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn justcall_call_options_new() -> *mut justcall_call_options {
    guarded(ptr::null_mut(), || into_raw(justcall_call_options { timeout: None, cancel: None }))
}

/// Limits each call with these options to `ms` milliseconds, instead of the client's timeout. 0
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

/// Sets the cancel handle of call options. justcall_cancel_fire() then ends calls with these
/// options. Replaces the cancel handle that was set before.
///
/// Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `options` or `cancel` is NULL. On failure, the
/// options are unchanged. The caller keeps ownership of `cancel` and may free it at any time, but
/// cannot fire a freed handle.
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

/// Frees call options. Calls that were started with the options continue. Does nothing if `options`
/// is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_call_options_free(options: *mut justcall_call_options) {
    free!(options);
}
