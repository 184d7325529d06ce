//! A bug on demand, for the test of the panic guard.

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
