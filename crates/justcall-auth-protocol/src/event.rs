//! Events about the pair and about calls, for the program's event handler.

use std::time::Duration;

use crate::table;

table! {
    /// The kind of an event.
    #[non_exhaustive]
    pub enum EventKind {
        /// Returns the name of the kind, the same in every language.
        name: &'static str,
        /// Returns the number of the kind in C.
        number: i32,
    }

    /// Another pair was proven and is now in use.
    Rotated { name: "rotated", number: 1 }
    /// The service rejected a new pair, or the pair belongs to another account. The pair in use stays.
    CandidateRejected { name: "candidate_rejected", number: 2 }
    /// The service rejected the pair in use.
    PairRejected { name: "pair_rejected", number: 3 }
    /// Calls wait until the source has another pair.
    WaitingForSource { name: "waiting_for_source", number: 4 }
    /// A call is retried after a wait.
    Retrying { name: "retrying", number: 5 }
    /// Less than a tenth of the account's rate limit is left.
    RateLimitLow { name: "rate_limit_low", number: 6 }
    /// The source has another pair. The next call proves it.
    SourceChanged { name: "source_changed", number: 7 }
    /// The pair in use has reached the age at which it should be replaced.
    RotationDue { name: "rotation_due", number: 8 }
    /// A minute had more requests than usual.
    UsageSpike { name: "usage_spike", number: 9 }
}

/// One event. Its text never contains a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    kind: EventKind,
    message: String,
    generation: u64,
    http_status: u16,
    wait: Option<Duration>,
}

impl Event {
    pub(crate) fn new(kind: EventKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), generation: 0, http_status: 0, wait: None }
    }

    #[must_use]
    pub(crate) fn with_generation(self, generation: u64) -> Self {
        Self { generation, ..self }
    }

    #[must_use]
    pub(crate) fn with_status(self, http_status: u16) -> Self {
        Self { http_status, ..self }
    }

    #[must_use]
    pub(crate) fn with_wait(self, wait: Duration) -> Self {
        Self { wait: Some(wait), ..self }
    }

    /// Returns the kind of the event.
    pub fn kind(&self) -> EventKind {
        self.kind
    }

    /// Returns the message, a sentence that is safe to log.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns the generation of the pair that the event is about, starting at 1. Returns 0 if it is about no pair.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Returns the HTTP status that caused the event, or 0 if no response did.
    pub fn http_status(&self) -> u16 {
        self.http_status
    }

    /// Returns how long the call waits now, or `None` if it does not wait.
    pub fn wait(&self) -> Option<Duration> {
        self.wait
    }
}
