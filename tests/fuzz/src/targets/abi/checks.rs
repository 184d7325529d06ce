//! What must hold for every call, and for the texts of every handle.

use std::ffi::{CStr, c_char};
use std::ptr::NonNull;

use justcall_auth_abi::account::{
    justcall_account, justcall_account_email, justcall_account_id, justcall_account_plan,
    justcall_account_verified_by,
};
use justcall_auth_abi::error::{
    justcall_error, justcall_error_attempts, justcall_error_hint, justcall_error_http_status,
    justcall_error_message, justcall_error_method, justcall_error_name, justcall_error_path,
    justcall_error_reason, justcall_error_request_sent, justcall_error_response,
    justcall_error_retry_after_ms, justcall_error_retryable, justcall_error_service_message,
    justcall_error_status,
};
use justcall_auth_abi::report::{
    justcall_report, justcall_report_code, justcall_report_count, justcall_report_message,
    justcall_report_remedy, justcall_report_severity,
};
use justcall_auth_abi::response::{
    justcall_response, justcall_response_body, justcall_response_header, justcall_response_header_count,
    justcall_response_header_name, justcall_response_header_value, justcall_response_http_status,
    justcall_response_rate_limit,
};
use justcall_auth_abi::status::justcall_status;
use justcall_auth_abi::webhook_event::{
    justcall_webhook_event, justcall_webhook_event_secret_index, justcall_webhook_event_signature,
    justcall_webhook_event_timestamp, justcall_webhook_event_type, justcall_webhook_event_url,
};

use super::SECRET;
use crate::disclosure::contains;

/// Calls a function that can fail. Returns its status and the error that it stored.
pub fn status(
    has_place: bool,
    call: impl FnOnce(*mut *mut justcall_error) -> justcall_status,
) -> (justcall_status, *mut justcall_error) {
    let mut error = NonNull::dangling().as_ptr();
    let place = if has_place { &raw mut error } else { std::ptr::null_mut() };
    let status = call(place);
    if !has_place {
        return (status, std::ptr::null_mut());
    }
    assert_eq!(error.is_null(), status == 0, "status {status}");
    if !error.is_null() {
        // SAFETY: the library has just stored it.
        unsafe { check_error(error, status) };
    }
    (status, error)
}

/// Calls a function that makes a handle. Returns the handle or NULL, and the error.
pub fn made<T>(
    has_place: bool,
    call: impl FnOnce(*mut *mut T, *mut *mut justcall_error) -> justcall_status,
) -> (*mut T, *mut justcall_error) {
    let mut out = NonNull::dangling().as_ptr();
    let place = &raw mut out;
    let (status, error) = status(has_place, |error| call(place, error));
    assert_eq!(out.is_null(), status != 0, "status {status}");
    (out, error)
}

/// Checks a text of the library: NULL, or UTF-8 without the secret.
///
/// # Safety
/// It is NULL or a text that lives during the call.
pub unsafe fn check_text(text: *const c_char) {
    if text.is_null() {
        return;
    }
    // SAFETY: see above.
    let bytes = unsafe { CStr::from_ptr(text) }.to_bytes();
    assert!(std::str::from_utf8(bytes).is_ok(), "a text is not UTF-8: {bytes:?}");
    assert!(!contains(bytes, SECRET.as_bytes()), "a text contains the secret");
}

/// Checks everything that an error says.
///
/// # Safety
/// It is NULL or an error that lives during the call.
pub unsafe fn check_error(error: *const justcall_error, status: justcall_status) {
    // SAFETY: see above.
    unsafe {
        for text in [
            justcall_error_name(error),
            justcall_error_message(error),
            justcall_error_hint(error),
            justcall_error_service_message(error),
            justcall_error_reason(error),
            justcall_error_method(error),
            justcall_error_path(error),
        ] {
            check_text(text);
        }
        assert!(error.is_null() || justcall_error_status(error) == status);
        assert!(
            matches!(justcall_error_retryable(error), 0 | 1)
                && matches!(justcall_error_request_sent(error), 0 | 1)
        );
        assert!(justcall_error_retry_after_ms(error) >= -1 && justcall_error_http_status(error) >= 0);
        let _attempts = justcall_error_attempts(error);
        check_response(justcall_error_response(error));
    }
}

/// # Safety
/// It is NULL or a response that lives during the call.
pub unsafe fn check_response(response: *const justcall_response) {
    // SAFETY: see above. The body has as many bytes as its length says.
    unsafe {
        let count = justcall_response_header_count(response);
        for index in (0..count).chain([count, usize::MAX]) {
            let (name, value) = (
                justcall_response_header_name(response, index),
                justcall_response_header_value(response, index),
            );
            assert_eq!((name.is_null(), value.is_null()), (index >= count, index >= count));
            check_text(name);
            check_text(justcall_response_header(response, name));
        }
        let mut length = usize::MAX;
        let body = justcall_response_body(response, &raw mut length);
        assert!(body.is_null() && length == 0 || length < 1 << 20);
        if !body.is_null() {
            let bytes = std::slice::from_raw_parts(body.cast::<u8>(), length);
            std::hint::black_box(bytes.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte)));
        }
        assert!((-1..=6).all(|which| justcall_response_rate_limit(response, which) >= -1));
        assert!(justcall_response_http_status(response) >= 0);
        check_text(justcall_response_header(response, std::ptr::null()));
    }
}

/// # Safety
/// It is NULL or a report that lives during the call.
pub unsafe fn check_report(report: *const justcall_report) {
    // SAFETY: see above.
    unsafe {
        let count = justcall_report_count(report);
        for index in (0..count).chain([count, usize::MAX]) {
            check_text(justcall_report_code(report, index));
            check_text(justcall_report_message(report, index));
            check_text(justcall_report_remedy(report, index));
            let _severity = justcall_report_severity(report, index);
        }
    }
}

/// # Safety
/// It is NULL or an account that lives during the call.
pub unsafe fn check_account(account: *const justcall_account) {
    // SAFETY: see above.
    unsafe {
        let texts = [justcall_account_email, justcall_account_plan, justcall_account_verified_by];
        for text in texts {
            check_text(text(account));
        }
        let _id = justcall_account_id(account);
    }
}

/// # Safety
/// It is NULL or an event that lives during the call.
pub unsafe fn check_event(event: *const justcall_webhook_event) {
    // SAFETY: see above.
    unsafe {
        let texts =
            [justcall_webhook_event_url, justcall_webhook_event_type, justcall_webhook_event_signature];
        for text in texts {
            check_text(text(event));
        }
        let _numbers = (justcall_webhook_event_timestamp(event), justcall_webhook_event_secret_index(event));
    }
}
