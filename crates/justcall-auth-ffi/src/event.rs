//! What happens to the pair and to calls, reported to a function of the program.

use std::ffi::{CString, c_char, c_void};

use justcall_auth::{Event, EventKind, Observe};

use crate::callback::Callback;
use crate::function::infallible;
use crate::output;

/// An event that the library reports to your event handler. The library owns the event and frees it
/// when the handler returns. Copy the texts of an event that you need longer. The texts of an event
/// never contain a secret, so you may log them.
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

/// The service accepted a new pair, and the new pair is now in use.
pub const JUSTCALL_EVENT_ROTATED: i32 = 1;
/// The service rejected a new pair, or the new pair belongs to another account. The old pair
/// remains in use.
pub const JUSTCALL_EVENT_CANDIDATE_REJECTED: i32 = 2;
/// The service rejected the pair in use.
pub const JUSTCALL_EVENT_PAIR_REJECTED: i32 = 3;
/// Calls wait until the source has another pair. justcall_config_set_rotation_wait_ms() sets how
/// long calls wait.
pub const JUSTCALL_EVENT_WAITING_FOR_SOURCE: i32 = 4;
/// A call failed and will be retried after a wait.
pub const JUSTCALL_EVENT_RETRYING: i32 = 5;
/// Less than a tenth of the account's rate limit is left.
pub const JUSTCALL_EVENT_RATE_LIMIT_LOW: i32 = 6;
/// The source has a new pair. The next call proves the new pair.
pub const JUSTCALL_EVENT_SOURCE_CHANGED: i32 = 7;
/// The pair in use is at least 90 days old and should be rotated. The library reports this event
/// once for each pair.
pub const JUSTCALL_EVENT_ROTATION_DUE: i32 = 8;
/// The number of requests in one minute was unusually high. The number was over 60, and more than
/// twice that of the busiest minute before. The library reports this event at most once an hour,
/// and the message contains the numbers.
pub const JUSTCALL_EVENT_USAGE_SPIKE: i32 = 9;

/// A callback that handles an event. Set it with justcall_config_set_event_handler(), which also
/// sets its `context`. `event` and its texts are valid until the callback returns.
///
/// The library runs the callback on the thread of the call that caused the event, between two steps
/// of that call. The call continues when the callback returns. Several threads may run the callback
/// at the same time. The library holds no lock while the callback runs, so the callback may use any
/// client, including this one. The callback must not free the client. The callback must not throw
/// or longjmp.
pub type justcall_event_fn = Option<unsafe extern "C" fn(context: *mut c_void, event: *const justcall_event)>;

impl Observe for Callback<unsafe extern "C" fn(*mut c_void, *const justcall_event)> {
    fn happened(&self, event: &Event) {
        let event = justcall_event::new(event);
        // SAFETY: the header says that it is called with its context and an event that lives until it returns.
        unsafe { (self.function)(self.context, &raw const event) };
    }
}

/// Returns the kind of `event`, which is one of the JUSTCALL_EVENT numbers. A later version of the
/// library may return a number that this header does not define. Returns 0 if `event` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_event_kind(event: *const justcall_event) -> i32 {
    infallible!(0, |event| event.kind.number())
}

/// Returns the name of the kind of `event`, such as `"rotated"`. The name is the same in every
/// programming language. Never returns NULL. Returns `"none"` if `event` is NULL. The text is valid
/// until the event handler returns.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_event_name(event: *const justcall_event) -> *const c_char {
    infallible!(c"none".as_ptr(), |event| event.name.as_ptr())
}

/// Returns a description of `event`, in one or more sentences. The text never contains a secret, so
/// you may log it. Never returns NULL. Returns an empty text if `event` is NULL. The text is valid
/// until the event handler returns.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_event_message(event: *const justcall_event) -> *const c_char {
    infallible!(c"".as_ptr(), |event| event.message.as_ptr())
}

/// Returns the generation of the pair that `event` is about, as in justcall_client_generation(). If
/// the pair is not in use yet, returns the generation that it will have when it comes into use.
/// Returns 0 if `event` is about no pair, or if `event` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_event_generation(event: *const justcall_event) -> u64 {
    infallible!(0, |event| event.generation)
}

/// Returns the HTTP status that caused `event`. Returns 0 if no HTTP status caused it, or if
/// `event` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_event_http_status(event: *const justcall_event) -> i32 {
    infallible!(0, |event| i32::from(event.http_status))
}

/// Returns how many milliseconds the call now waits. For JUSTCALL_EVENT_RETRYING, the number is
/// exact. For JUSTCALL_EVENT_WAITING_FOR_SOURCE, the number is the maximum. Returns 0 if the call
/// does not wait, or if `event` is NULL.
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
