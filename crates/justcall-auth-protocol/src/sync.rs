//! What the keyring is shared with: state that is read without a lock, and the lock of those who change it.
//!
//! Under `cfg(shuttle)` both are the model checker's own, so that it can try every order of events on the code as it is.

use std::ops::Deref;
use std::sync::Arc;

#[cfg(not(shuttle))]
pub(crate) use std::sync::{Mutex, MutexGuard, PoisonError};

#[cfg(shuttle)]
pub(crate) use shuttle::sync::{Mutex, MutexGuard};
#[cfg(shuttle)]
pub(crate) use std::sync::PoisonError;

/// A value that is replaced as a whole. Whoever reads it never waits and keeps what was read.
#[cfg(not(shuttle))]
#[derive(Default)]
pub(crate) struct Published<T>(arc_swap::ArcSwap<T>);

#[cfg(not(shuttle))]
impl<T> Published<T> {
    /// The value as it is now.
    pub fn read(&self) -> impl Deref<Target = Arc<T>> {
        self.0.load()
    }

    /// Replaces the value.
    pub fn publish(&self, value: T) {
        self.0.store(Arc::new(value));
    }
}

/// As above, with a step at which the model checker may switch.
#[cfg(shuttle)]
#[derive(Default)]
pub(crate) struct Published<T>(Mutex<Arc<T>>);

#[cfg(shuttle)]
impl<T> Published<T> {
    pub fn read(&self) -> impl Deref<Target = Arc<T>> {
        Box::new(self.0.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    pub fn publish(&self, value: T) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(value);
    }
}
