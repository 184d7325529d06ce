//! Events: what happens to the pair and to calls, as observers learn it.

use std::time::Duration;

use crate::table;

table! {
    /// What happened.
    #[non_exhaustive]
    pub enum EventKind {
        /// Its name, the same in every language.
        name: &'static str,
        /// The number that stands for it in C.
        number: i32,
    }

    /// Another pair was proven and is in use now.
    Rotated { name: "rotated", number: 1 }
    /// The service rejected a new pair, or it belongs to another account: the one in use stays.
    CandidateRejected { name: "candidate_rejected", number: 2 }
    /// The service rejected the pair in use.
    PairRejected { name: "pair_rejected", number: 3 }
    /// Calls are held until the source gives another pair.
    WaitingForSource { name: "waiting_for_source", number: 4 }
    /// A call is made again, after a wait.
    Retrying { name: "retrying", number: 5 }
    /// Less than a tenth of the account's rate limit is left.
    RateLimitLow { name: "rate_limit_low", number: 6 }
    /// The source gave another pair: the next call proves it.
    SourceChanged { name: "source_changed", number: 7 }
    /// The pair in use is older than it should become.
    RotationDue { name: "rotation_due", number: 8 }
    /// More requests were made in a minute than are usual.
    UsageSpike { name: "usage_spike", number: 9 }
}

/// Something that happened. Its text never holds a secret.
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

    /// What happened.
    pub fn kind(&self) -> EventKind {
        self.kind
    }

    /// What happened, in a sentence that is safe to log.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The generation of the pair that it is about: 1 for the first. 0 where it is about none.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The HTTP status that led to it, 0 where none did.
    pub fn http_status(&self) -> u16 {
        self.http_status
    }

    /// How long the call waits now, where it does.
    pub fn wait(&self) -> Option<Duration> {
        self.wait
    }
}
