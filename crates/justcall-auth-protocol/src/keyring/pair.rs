//! A pair in the keyring, and a pair as loaded from its source.

use std::time::Duration;

use crate::credentials::Credentials;

/// A pair with its position in the sequence of pairs.
#[derive(Debug, Clone)]
pub struct PairVersion {
    /// Unique among all pairs of the keyring.
    pub(super) serial: u64,
    pub(super) generation: u64,
    pub(super) pair: LoadedPair,
    pub(super) first_seen: Duration,
}

impl PairVersion {
    /// Returns the generation: the number of pairs that have been in use, starting at 1. A candidate has the generation
    /// that it will have in use.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Returns the pair.
    pub fn credentials(&self) -> &Credentials {
        &self.pair.credentials
    }

    /// Returns when the pair was created, since the epoch, or `None` if the source does not state it.
    pub fn created_at(&self) -> Option<Duration> {
        self.pair.created_at
    }

    /// Returns when the keyring received the pair, since the epoch.
    pub fn first_seen(&self) -> Duration {
        self.first_seen
    }

    /// Returns the age of the pair at `unix`, from its creation if that is known, otherwise from when the keyring
    /// received it.
    pub fn age(&self, unix: Duration) -> Duration {
        unix.saturating_sub(self.pair.created_at.unwrap_or(self.first_seen))
    }

    /// Returns a number that is unique among the pairs of the keyring.
    pub(crate) fn serial(&self) -> u64 {
        self.serial
    }

    /// Returns true if both are the same version.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.serial == other.serial
    }

    /// Returns true if both contain the same pair. A source may return a pair again, and a caller may pass it to
    /// `replace`.
    pub(crate) fn is_same_pair(&self, other: &Self) -> bool {
        self.is(other) || self.credentials().same_pair(other.credentials())
    }
}

/// The result of reading the source.
#[derive(Debug, Clone)]
pub enum SourceRead {
    /// The source has not changed since the last read.
    Unchanged,
    /// A pair.
    Pair(LoadedPair),
}

/// A pair as loaded from its source.
#[derive(Debug, Clone)]
pub struct LoadedPair {
    /// The pair.
    pub credentials: Credentials,
    /// When the pair was created, since the epoch, if the source states it.
    pub created_at: Option<Duration>,
    /// True if the source can be checked for changes at almost no cost. Calls then check it regularly.
    pub is_watched: bool,
    /// True if the previous pair is compromised, so that webhooks signed with it are not accepted.
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
