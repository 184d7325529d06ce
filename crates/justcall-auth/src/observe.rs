//! The receiver of events.

use std::panic::{AssertUnwindSafe, catch_unwind};

pub use justcall_auth_protocol::event::{Event, EventKind};

/// Receives events about the pair and about calls, between two steps of a call, on the thread of that call.
///
/// No lock is held during an event, so the observer may use the client. The call continues after the observer returns
/// or panics.
pub trait Observe: Send + Sync {
    /// Handles one event.
    fn happened(&self, event: &Event);
}

/// Lets a closure be an observer.
impl<F: Fn(&Event) + Send + Sync> Observe for F {
    fn happened(&self, event: &Event) {
        self(event);
    }
}

/// Passes `events` to `observer`.
pub(crate) fn emit(observer: &dyn Observe, events: &[Event]) {
    for event in events {
        // A panic in the program's own code must not fail the call.
        let _panicked = catch_unwind(AssertUnwindSafe(|| observer.happened(event)));
    }
}
