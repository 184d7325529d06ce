//! The guard around every function that may run code of the library's own beyond reading a handle: no unwinding
//! leaves the library, and none enters it.
//!
//! A panic is a bug; the guard makes it the status `internal` and lets the host live. No handle is
//! left in a broken state by one: clients, credentials, accounts and errors are immutable or change
//! in one step behind a lock that ignores poison, and a setter of a configuration checks first and
//! then assigns. An exchange changes in several steps: it refuses further use, by the poison of its
//! lock.
//!
//! Cancelling a thread unwinds it too, from inside the system's calls: cancellation is disabled for the whole call,
//! callbacks included.
//!
//! The host's panic hook is left as it is. The error does not repeat the panic's text, which could
//! hold anything.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use justcall_auth::{Error, ErrorKind};

use crate::cancellation::CancellationDisabled;
use crate::error::justcall_error;
use crate::status::{JUSTCALL_OK, justcall_status};

/// Runs the body of a function that can fail; stores its error, or NULL, where `error` points.
///
/// # Safety
/// `error` is NULL or may be written to.
pub(crate) unsafe fn status(
    error: *mut *mut justcall_error,
    body: impl FnOnce() -> Result<(), Error>,
) -> justcall_status {
    let _disabled = CancellationDisabled::new();
    let failure = or_else(|| Err(Error::new(ErrorKind::Internal)), body).err();
    let (status, handle) = match failure {
        None => (JUSTCALL_OK, ptr::null_mut()),
        Some(failure) if error.is_null() => (failure.kind().number(), ptr::null_mut()),
        Some(failure) => justcall_error::into_raw(failure),
    };
    if !error.is_null() {
        // SAFETY: as the caller of this function promises.
        unsafe { error.write(handle) };
    }
    status
}

/// Runs the body of a function that has no way to report an error; `otherwise` stands for what it
/// cannot give.
pub(crate) fn or<T>(otherwise: T, body: impl FnOnce() -> T) -> T {
    let _disabled = CancellationDisabled::new();
    or_else(|| otherwise, body)
}

/// As [`or`]; what stands in is made only when it is needed.
fn or_else<T>(otherwise: impl FnOnce() -> T, body: impl FnOnce() -> T) -> T {
    // Nothing that the body leaves half done is seen again: see the top of this file.
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|panic| {
        // Dropping what was thrown could panic itself.
        mem::forget(panic);
        otherwise()
    })
}

#[cfg(test)]
mod tests {
    use std::panic;

    use super::*;

    /// A payload that is a bug itself.
    struct PanicsAgain;

    impl Drop for PanicsAgain {
        fn drop(&mut self) {
            panic!("while the payload is dropped");
        }
    }

    #[test]
    fn it_survives_a_payload_that_panics_again() {
        assert_eq!(or(7, || panic::resume_unwind(Box::new(PanicsAgain))), 7);
    }

    #[test]
    fn it_makes_a_panic_the_status_internal() {
        let mut error = ptr::null_mut();
        // SAFETY: `error` may be written to.
        let status = unsafe { status(&raw mut error, || panic::resume_unwind(Box::new("canary"))) };
        assert_eq!(status, ErrorKind::Internal.number());
        // SAFETY: the guard has stored a handle, which nobody else has.
        let error = unsafe { Box::from_raw(error) };
        assert!(!format!("{:?}", error.get()).contains("canary"));
    }
}
