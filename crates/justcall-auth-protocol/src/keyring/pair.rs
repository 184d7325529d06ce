//! A pair as the keyring keeps it, and a pair as its source gives it.

use std::time::Duration;

use crate::credentials::Credentials;

/// A pair with its place in the order of pairs.
#[derive(Debug, Clone)]
pub struct PairVersion {
    /// Differs from that of every other pair that the keyring ever had.
    pub(super) serial: u64,
    pub(super) generation: u64,
    pub(super) pair: LoadedPair,
    pub(super) first_seen: Duration,
}

impl PairVersion {
    /// Returns how many pairs have been in use so far: 1 for the first. A candidate has the generation that it would
    /// become.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Returns the pair.
    pub fn credentials(&self) -> &Credentials {
        &self.pair.credentials
    }

    /// Returns when the pair was made, since the epoch, if its source says so.
    pub fn created_at(&self) -> Option<Duration> {
        self.pair.created_at
    }

    /// Returns when this process saw the pair first, since the epoch.
    pub fn first_seen(&self) -> Duration {
        self.first_seen
    }

    /// Returns how old the pair is at `unix`: since it was made if its source says so, else since it was first seen.
    pub fn age(&self, unix: Duration) -> Duration {
        unix.saturating_sub(self.pair.created_at.unwrap_or(self.first_seen))
    }

    /// Returns a number that no other pair of the same keyring has.
    pub(crate) fn serial(&self) -> u64 {
        self.serial
    }

    /// Returns whether both are the same version of a pair.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.serial == other.serial
    }

    /// Returns whether both are the same pair, which a source may give again and a caller may pass to `replace`.
    pub(crate) fn is_same_pair(&self, other: &Self) -> bool {
        self.is(other) || self.credentials().same_pair(other.credentials())
    }
}

/// What reading the source gave.
#[derive(Debug, Clone)]
pub enum SourceRead {
    /// The same as the last read.
    Unchanged,
    /// A pair.
    Pair(LoadedPair),
}

/// A pair as its source gave it.
#[derive(Debug, Clone)]
pub struct LoadedPair {
    /// The pair.
    pub credentials: Credentials,
    /// When it was made, since the epoch, if the source says so.
    pub created_at: Option<Duration>,
    /// Whether a change of the source can be seen at next to no cost, so that calls check it now and then.
    pub is_watched: bool,
    /// The previous pair is compromised: webhooks signed with it are not accepted.
    pub previous_compromised: bool,
}

impl From<Credentials> for LoadedPair {
    fn from(credentials: Credentials) -> Self {
        Self { credentials, created_at: None, is_watched: false, previous_compromised: false }
    }
}

impl From<Credentials> for SourceRead {
    fn from(credentials: Credentials) -> Self {
        Self::Pair(credentials.into())
    }
}
