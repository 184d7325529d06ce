//! The frame of the exported functions: one macro for those that cannot fail, one for those that free a handle. The one
//! for those that can fail is in `fallible.rs`.
//!
//! # Why the `unsafe` is sound
//!
//! The exported functions themselves hold no `unsafe`: [`argument!`] takes each of their parameters as an [`Argument`],
//! which checks what can be checked (NULL, UTF-8, lengths). The header demands the rest of every caller:
//!
//! - A pointer is NULL, or points to what the function's comment says for the whole call. Nothing writes there meanwhile.
//! - A handle came from this library, has the type that the prototype says, and was not freed. Only the `_free` function
//!   of its type frees it, once. An event is used only while its handler runs.
//! - A handle that the comment of its type leaves to one thread at a time is used by one thread at a time.
//! - An output may be written to.
//! - A callback may be called, and its context freed, on any thread.
//!
//! # Panics
//!
//! No unwinding leaves the library, and none enters it. A panic is a bug; the guard makes it the status `internal` and
//! lets the host live. No handle is left in a broken state by one: clients, credentials, accounts and errors are
//! immutable or change in one step behind a lock that ignores poison, and a setter of a configuration checks first and
//! then assigns. An exchange changes in several steps: it refuses further use, by the poison of its lock. Functions that
//! only read a handle run no code that can panic, so they go without the guard.
//!
//! Cancelling a thread unwinds it too, from inside the system's calls: cancellation is disabled for the whole call,
//! callbacks included.
//!
//! The host's panic hook is left as it is. The error does not repeat the panic's text, which could hold anything.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::argument::Argument;
use crate::cancellation::CancellationDisabled;

/// Takes `$name`, a parameter of an exported function or what a callback stored, as an [`Argument`].
macro_rules! argument {
    ($name:ident) => {{
        let value = $name;
        // SAFETY: the header demands of C programs what the top of this file lists.
        unsafe { $crate::argument::Argument::new(&stringify!($name), value) }
    }};
}
pub(crate) use argument;

/// The body of an exported function that cannot fail: what `$value` reads from `$handle`, or `$otherwise` if the handle is
/// NULL or a `?` in `$value` meets `None`.
macro_rules! infallible {
    ($otherwise:expr, |$handle:ident| $value:expr) => {
        $crate::function::read($crate::function::argument!($handle), $otherwise, |$handle| Some($value))
    };
}
pub(crate) use infallible;

/// The body of an exported function that frees `$handle`. NULL is nothing to free.
macro_rules! free {
    ($handle:ident) => {
        $crate::function::drop_handle($crate::function::argument!($handle))
    };
}
pub(crate) use free;

/// What `read` finds in a handle, or `otherwise`.
pub(crate) fn read<'a, T: 'a, R>(
    handle: Argument<*const T>,
    otherwise: R,
    read: impl FnOnce(&'a T) -> Option<R>,
) -> R {
    handle.optional_handle().and_then(read).unwrap_or(otherwise)
}

/// Makes a handle, which belongs to the C program. Any handle may move between threads.
pub(crate) fn into_raw<T: Send + Sync>(handle: T) -> *mut T {
    Box::into_raw(Box::new(handle))
}

/// Drops a handle that its owner gives up.
pub(crate) fn drop_handle<T>(handle: Argument<*mut T>) {
    if let Some(handle) = handle.owned() {
        guarded((), || drop(handle));
    }
}

/// Runs the body of a function that has no way to report an error; returns `otherwise` after a panic.
pub(crate) fn guarded<T>(otherwise: T, body: impl FnOnce() -> T) -> T {
    guarded_or_else(
        || otherwise,
        || {
            #[cfg(feature = "test-panic")]
            crate::test_panic::panic_if_requested();
            body()
        },
    )
}

/// As [`guarded`], but makes the stand-in only after a panic.
pub(crate) fn guarded_or_else<T>(otherwise: impl FnOnce() -> T, body: impl FnOnce() -> T) -> T {
    let _disabled = CancellationDisabled::new();
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
        assert_eq!(guarded(7, || panic::resume_unwind(Box::new(PanicsAgain))), 7);
    }
}
