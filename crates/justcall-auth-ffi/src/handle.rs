//! Handles: how one leaves the library, and how it comes back to be freed.

use std::ptr;

use justcall_auth::Error;

use crate::guard;
use crate::input;

/// Where a new handle goes. Holds NULL until there is one.
pub(crate) struct Out<T>(*mut *mut T);

/// Gives a handle away to the C program. Any handle may go from thread to thread.
pub(crate) fn give<T: Send + Sync>(handle: T) -> *mut T {
    Box::into_raw(Box::new(handle))
}

impl<T: Send + Sync> Out<T> {
    /// Takes the output parameter `name` and stores NULL there.
    ///
    /// # Safety
    /// `out` is NULL or may be written to until this value is used up.
    pub(crate) unsafe fn new(name: &str, out: *mut *mut T) -> Result<Self, Error> {
        if out.is_null() {
            return Err(input::is_null(name));
        }
        // SAFETY: it is not NULL, and the rest is the caller's promise.
        unsafe { out.write(ptr::null_mut()) };
        Ok(Self(out))
    }

    /// Stores a handle, which is the C program's from now on.
    pub(crate) fn put(self, handle: T) {
        // SAFETY: checked and promised when this value was made.
        unsafe { self.0.write(give(handle)) };
    }
}

/// Takes a handle back and drops it; NULL is nothing to drop.
///
/// # Safety
/// `handle` is NULL or came from [`give`], and nobody uses it any more.
pub(crate) unsafe fn free<T>(handle: *mut T) {
    if !handle.is_null() {
        // SAFETY: it is a box that was given away and comes back once.
        guard::or((), || drop(unsafe { Box::from_raw(handle) }));
    }
}
