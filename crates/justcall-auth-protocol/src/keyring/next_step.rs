//! The needs of a call, and its next step.

use std::time::Duration;

use super::{Lease, PairVersion};
use crate::error::Error;

/// What a call needs of the keyring.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CallNeeds {
    /// When the call began.
    pub began: Duration,
    /// The deadline of the call.
    pub deadline: Option<Duration>,
    /// How long calls wait for another pair after the pair in use was rejected.
    pub rotation_wait: Duration,
    /// True if the call has a retry left, so that it may prove a candidate although the current pair is good.
    pub may_prove: bool,
}

/// The next step of a call.
#[derive(Debug)]
pub(crate) enum NextStep {
    /// Send the current pair.
    Use(PairVersion),
    /// Send this pair, and use the response as proof or rejection.
    Prove(PairVersion, Lease),
    /// Read the source.
    Refresh(Lease),
    /// Ask again after this time.
    Wait(Duration, Blocker),
    /// The pair was rejected, and the source may soon return another.
    WaitForPair {
        /// Ask again after this time.
        wait: Duration,
        blocker: Blocker,
        /// When the pair was rejected for the first time.
        rejected_at: Duration,
    },
    /// The pair was rejected and is not sent for this time; there is no other.
    Rejected(Duration),
    /// There is no pair, because the source could not be read.
    Failed(Error),
}

/// What a waiting call waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Blocker {
    /// Another call reads the source.
    Refresh,
    /// Another call proves a pair.
    Proof,
    /// The shortest interval between two reads of the source.
    Interval,
}
