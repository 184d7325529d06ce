//! Synchronisation of the keyring: a value that is read without a lock, and a lock for changes.
//!
//! Under `cfg(shuttle)` both are types of the model checker, so that it can try every order of events on unchanged
//! code.

use std::ops::Deref;
use std::sync::Arc;

#[cfg(not(shuttle))]
pub(crate) use std::sync::{Mutex, MutexGuard, PoisonError};

#[cfg(shuttle)]
pub(crate) use shuttle::sync::{Mutex, MutexGuard};
#[cfg(shuttle)]
pub(crate) use std::sync::PoisonError;

/// A value that is replaced as a whole. Readers never wait, and keep the value that they read.
#[cfg(not(shuttle))]
#[derive(Default)]
pub(crate) struct Published<T>(arc_swap::ArcSwap<T>);

#[cfg(not(shuttle))]
impl<T> Published<T> {
    /// Returns the current value.
    pub fn read(&self) -> impl Deref<Target = Arc<T>> {
        self.0.load()
    }

    /// Replaces the value.
    pub fn publish(&self, value: T) {
        self.0.store(Arc::new(value));
    }
}

/// The same interface, with a point at which the model checker may switch threads.
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
