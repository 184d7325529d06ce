//! The frame of the exported functions that can fail. Why the `unsafe` is sound, and what becomes of a panic, is in
//! `function.rs`.

use std::ptr;

use justcall_auth::{Error, ErrorKind};

use crate::error::justcall_error;
use crate::function::guarded_or_else;
use crate::output::Output;
use crate::status::{JUSTCALL_OK, justcall_status};

/// The body of an exported function that can fail, from the [`Argument`]s that it lists to the status that it returns.
///
/// `fallible!(error, |client: handle, body: bytes(length)| …)` converts the parameters `client` and `body` in this order,
/// with the methods [`Argument::handle`] and [`Argument::bytes`]. `…` then uses the results under the same names, and
/// gives a `Result<(), Error>`. The error is stored where `error` points.
///
/// `fallible!(out, error, |…| …)` creates a handle: `…` gives a `Result` with its content. `out` holds NULL until then.
macro_rules! fallible {
    ($error:ident, || $body:expr) => {
        $crate::fallible::status($crate::function::argument!($error).optional_output(), || {
            #[cfg(feature = "test-panic")]
            $crate::test_panic::panic_if_requested();
            $body
        })
    };
    ($error:ident, |$($name:ident: $kind:ident $(($($with:ident),+))?),+| $body:expr) => {
        $crate::fallible::status($crate::function::argument!($error).optional_output(), || {
            $(
                #[allow(unused_mut, reason = "only some kinds are changed")]
                let mut $name = $crate::function::argument!($name).$kind($($($with),+)?)?;
            )+
            #[cfg(feature = "test-panic")]
            $crate::test_panic::panic_if_requested();
            $body
        })
    };
    ($out:ident, $error:ident, || $body:expr) => {
        $crate::fallible::fallible!($error, |$out: out| {
            $body.map(|handle| $out.set($crate::function::into_raw(handle)))
        })
    };
    ($out:ident, $error:ident, |$($name:ident: $kind:ident $(($($with:ident),+))?),+| $body:expr) => {
        $crate::fallible::fallible!($error, |$out: out, $($name: $kind $(($($with),+))?),+| {
            $body.map(|handle| $out.set($crate::function::into_raw(handle)))
        })
    };
}
pub(crate) use fallible;

/// Runs the body of a function that can fail. Stores its error, or NULL, in `error`, and returns its status.
pub(crate) fn status(
    error: Output<*mut justcall_error>,
    body: impl FnOnce() -> Result<(), Error>,
) -> justcall_status {
    let failure = guarded_or_else(|| Err(Error::new(ErrorKind::Internal)), body).err();
    let (status, handle) = match failure {
        None => (JUSTCALL_OK, ptr::null_mut()),
        Some(failure) if error.is_null() => (failure.kind().number(), ptr::null_mut()),
        Some(failure) => justcall_error::into_raw(failure),
    };
    error.set(handle);
    status
}

#[cfg(test)]
mod tests {
    use std::panic;

    use super::*;
    use crate::function::argument;

    #[test]
    fn it_makes_a_panic_the_status_internal() {
        let mut error = ptr::null_mut();
        let place = &raw mut error;
        let status = fallible!(place, || panic::resume_unwind(Box::new("canary")));
        assert_eq!(status, ErrorKind::Internal.number());
        let error = argument!(error).owned().expect("the guard has stored a handle");
        assert!(!format!("{:?}", error.get()).contains("canary"));
    }
}
