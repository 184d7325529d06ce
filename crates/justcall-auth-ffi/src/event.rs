//! What happens to the pair and to calls, reported to a function of the program.

use std::ffi::{CString, c_char, c_void};

use justcall_auth::{Event, EventKind, Observe};

use crate::callback::Callback;
use crate::function::infallible;
use crate::output;

/// Something that happened. It belongs to the library and lives while the handler that it was
/// passed to runs: copy what you keep. Its texts are safe to log: they never hold a secret.
pub struct justcall_event {
    kind: EventKind,
    name: CString,
    message: CString,
    generation: u64,
    http_status: u16,
    wait_ms: u64,
}

impl justcall_event {
    fn new(event: &Event) -> Self {
        let wait = event.wait().unwrap_or_default();
        Self {
            kind: event.kind(),
            name: output::text(event.kind().name()),
            message: output::text(event.message()),
            generation: event.generation(),
            http_status: event.http_status(),
            wait_ms: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

/// Another pair was proven and is in use now.
pub const JUSTCALL_EVENT_ROTATED: i32 = 1;
/// The service rejected a new pair, or it belongs to another account: the one in use stays.
pub const JUSTCALL_EVENT_CANDIDATE_REJECTED: i32 = 2;
/// The service rejected the pair in use.
pub const JUSTCALL_EVENT_PAIR_REJECTED: i32 = 3;
/// Calls wait until the source has another pair: see justcall_config_set_rotation_wait_ms().
pub const JUSTCALL_EVENT_WAITING_FOR_SOURCE: i32 = 4;
/// A call is retried, after a wait.
pub const JUSTCALL_EVENT_RETRYING: i32 = 5;
/// Less than a tenth of the account's rate limit is left.
pub const JUSTCALL_EVENT_RATE_LIMIT_LOW: i32 = 6;
/// The source gave another pair: the next call proves it.
pub const JUSTCALL_EVENT_SOURCE_CHANGED: i32 = 7;
/// The pair in use is 90 days old or older: rotate it. Reported once a pair.
pub const JUSTCALL_EVENT_ROTATION_DUE: i32 = 8;
/// A minute has more than twice the requests of the busiest one before it, and more than 60.
/// Reported once an hour at most; the message has the figures.
pub const JUSTCALL_EVENT_USAGE_SPIKE: i32 = 9;

/// Handles an event. `context` is what justcall_config_set_event_handler() was given. `event` and
/// its texts live until the function returns.
///
/// Called on the thread of the call that caused the event, between two of its steps; several
/// threads may call it at once. The call continues when it returns. The library holds no lock
/// meanwhile, so it may use any client, this one included. It must not free the client, unwind or
/// longjmp.
pub type justcall_event_fn = Option<unsafe extern "C" fn(context: *mut c_void, event: *const justcall_event)>;

impl Observe for Callback<unsafe extern "C" fn(*mut c_void, *const justcall_event)> {
    fn happened(&self, event: &Event) {
        let event = justcall_event::new(event);
        // SAFETY: the header says that it is called with its context and an event that lives until it returns.
        unsafe { (self.function)(self.context, &raw const event) };
    }
}

/// Returns the kind of `event`: one of the JUSTCALL_EVENT numbers, or one that a later library has.
/// Returns 0 if `event` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_event_kind(event: *const justcall_event) -> i32 {
    infallible!(0, |event| event.kind.number())
}

/// Returns the name of the kind of `event`, such as `"rotated"`: the same in every language. Never
/// NULL, `"none"` if `event` is NULL. The text lives as long as `event`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_event_name(event: *const justcall_event) -> *const c_char {
    infallible!(c"none".as_ptr(), |event| event.name.as_ptr())
}

/// Returns what happened, in one or more sentences. Safe to log. Never NULL, empty if `event` is
/// NULL. The text lives as long as `event`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_event_message(event: *const justcall_event) -> *const c_char {
    infallible!(c"".as_ptr(), |event| event.message.as_ptr())
}

/// Returns the generation of the pair that `event` is about, as justcall_client_generation()
/// counts. A pair that is not in use yet has the number that it gets if it is taken into use.
/// Returns 0 if `event` is about no pair or is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_event_generation(event: *const justcall_event) -> u64 {
    infallible!(0, |event| event.generation)
}

/// Returns the HTTP status that caused `event`. Returns 0 if none did or `event` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_event_http_status(event: *const justcall_event) -> i32 {
    infallible!(0, |event| i32::from(event.http_status))
}

/// Returns how many milliseconds the call waits now: exactly for JUSTCALL_EVENT_RETRYING, at most
/// for JUSTCALL_EVENT_WAITING_FOR_SOURCE. Returns 0 if it does not wait or `event` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_event_wait_ms(event: *const justcall_event) -> u64 {
    infallible!(0, |event| event.wait_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_numbers_every_kind() {
        let numbers = [
            (EventKind::Rotated, JUSTCALL_EVENT_ROTATED),
            (EventKind::CandidateRejected, JUSTCALL_EVENT_CANDIDATE_REJECTED),
            (EventKind::PairRejected, JUSTCALL_EVENT_PAIR_REJECTED),
            (EventKind::WaitingForSource, JUSTCALL_EVENT_WAITING_FOR_SOURCE),
            (EventKind::Retrying, JUSTCALL_EVENT_RETRYING),
            (EventKind::RateLimitLow, JUSTCALL_EVENT_RATE_LIMIT_LOW),
            (EventKind::SourceChanged, JUSTCALL_EVENT_SOURCE_CHANGED),
            (EventKind::RotationDue, JUSTCALL_EVENT_ROTATION_DUE),
            (EventKind::UsageSpike, JUSTCALL_EVENT_USAGE_SPIKE),
        ];
        assert_eq!(EventKind::ALL.iter().map(|kind| (*kind, kind.number())).collect::<Vec<_>>(), numbers);
    }
}
