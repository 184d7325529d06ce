//! A bug on demand, for the test of the panic guard.

use std::cell::Cell;

use crate::error::justcall_error;
use crate::fallible::fallible;
use crate::status::justcall_status;

/// Panics inside, which must come out as `internal` (90).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_test_panic(error: *mut *mut justcall_error) -> justcall_status {
    fallible!(error, || panic!("asked for by a test"))
}

/// Lets the next call panic where the pair is plain; that call must come out as `internal` (90).
#[unsafe(no_mangle)]
pub extern "C" fn justcall_test_panic_in_call() {
    justcall_auth::test_panic::panic_in_next_call();
}

thread_local! {
    static IN_NEXT_FUNCTION: Cell<bool> = const { Cell::new(false) };
}

/// Lets the next exported function with a guard panic on this thread, after it has read its arguments.
#[unsafe(no_mangle)]
pub extern "C" fn justcall_test_panic_in_next_function() {
    IN_NEXT_FUNCTION.set(true);
}

/// Cancels the panic of the next function. Returns 1 if there was none since it was requested.
#[unsafe(no_mangle)]
pub extern "C" fn justcall_test_panic_cancel() -> i32 {
    i32::from(IN_NEXT_FUNCTION.take())
}

/// Called inside each guard, before the work of the function.
pub(crate) fn panic_if_requested() {
    assert!(!IN_NEXT_FUNCTION.take(), "a test requested this panic in a function");
}
