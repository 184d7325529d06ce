//! A function of the program's own, with the context that it is called with.

use std::ffi::c_void;

use justcall_auth::Error;

use crate::argument::Argument;

/// A callback that frees the `context` of another callback. The library calls it when it will not
/// call the other callback any more. The library may call it on any thread.
pub type justcall_free_fn = Option<unsafe extern "C" fn(context: *mut c_void)>;

/// A callback of the C type `F`. Frees its context when it is dropped.
pub(crate) struct Callback<F> {
    pub function: F,
    pub context: *mut c_void,
    free: justcall_free_fn,
}

// SAFETY: the header demands that the function may be called, and the context freed, on any thread.
unsafe impl<F: Send> Send for Callback<F> {}
// SAFETY: the header demands that the function may be called on several threads at once.
unsafe impl<F: Sync> Sync for Callback<F> {}

impl<F: Copy> Argument<Option<F>> {
    /// A function with its context, and what frees that.
    pub fn callback(self, context: *mut c_void, free: justcall_free_fn) -> Result<Callback<F>, Error> {
        let function = self.value().ok_or_else(|| self.null_error())?;
        Ok(Callback { function, context, free })
    }
}

impl<F> Drop for Callback<F> {
    fn drop(&mut self) {
        if let Some(free) = self.free {
            // SAFETY: it takes this context, and `function` is not called any more.
            unsafe { free(self.context) };
        }
    }
}
