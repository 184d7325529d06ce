//! What a call needs of the keyring, and what the keyring has it do next.

use std::time::Duration;

use super::{Lease, PairVersion};
use crate::error::Error;

/// What a call needs of the keyring.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CallNeeds {
    /// When the call began.
    pub began: Duration,
    /// When it ends at the latest.
    pub deadline: Option<Duration>,
    /// How long calls wait for another pair, from the moment that the pair in use was rejected.
    pub rotation_wait: Duration,
    /// It has a retry left: it can afford to prove a pair beside a good one.
    pub may_prove: bool,
}

/// What a call does next.
#[derive(Debug)]
pub(crate) enum NextStep {
    /// Send the current pair.
    Use(PairVersion),
    /// Send this pair; the response decides about it.
    Prove(PairVersion, Lease),
    /// Read the source.
    Refresh(Lease),
    /// Ask again after this time.
    Wait(Duration, Blocker),
    /// The pair was rejected, and the source may soon give another.
    WaitForPair {
        /// Ask again after this time.
        wait: Duration,
        blocker: Blocker,
        /// When the pair was rejected first.
        rejected_at: Duration,
    },
    /// The pair was rejected, and there is no other; it is not sent again for this time.
    Rejected(Duration),
    /// There is no pair, as the source gave none.
    Failed(Error),
}

/// What a waiting call waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Blocker {
    /// Another call reads the source.
    Refresh,
    /// Another call proves a pair.
    Proof,
    /// The source was read a moment ago.
    Interval,
}
