//! Who is told what happens.

use std::panic::{AssertUnwindSafe, catch_unwind};

pub use justcall_auth_protocol::event::{Event, EventKind};

/// Told what happens to the pair and to calls, on the thread of the call that met it, between two of its steps.
///
/// No lock is held meanwhile: it may use the client. The call goes on when it returns, or panics.
pub trait Observe: Send + Sync {
    /// Something happened.
    fn happened(&self, event: &Event);
}

/// A closure will do.
impl<F: Fn(&Event) + Send + Sync> Observe for F {
    fn happened(&self, event: &Event) {
        self(event);
    }
}

/// Passes `events` to `observer`.
pub(crate) fn emit(observer: &dyn Observe, events: &[Event]) {
    for event in events {
        // It is not our code that would panic, and the call is as good as before.
        let _panicked = catch_unwind(AssertUnwindSafe(|| observer.happened(event)));
    }
}
