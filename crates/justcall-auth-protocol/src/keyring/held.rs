//! A pair as the keyring holds it, and what a look at the source gives.

use std::time::Duration;

use crate::credentials::Credentials;

/// A pair with its place in the order of pairs.
#[derive(Debug, Clone)]
pub struct Held {
    /// Tells every pair that was ever held from every other.
    pub(super) serial: u64,
    pub(super) generation: u64,
    pub(super) credentials: Credentials,
    pub(super) created_at: Option<Duration>,
    pub(super) first_seen: Duration,
    pub(super) previous_compromised: bool,
}

impl Held {
    /// How many pairs have been in use so far: 1 for the first. A candidate has the generation that it would become.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The pair.
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// When the pair was made, as its source tells, since the epoch.
    pub fn created_at(&self) -> Option<Duration> {
        self.created_at
    }

    /// When this process saw the pair first, since the epoch.
    pub fn first_seen(&self) -> Duration {
        self.first_seen
    }

    /// How old the pair is at `unix`: since it was made, where its source tells, else since it was first seen.
    pub fn age(&self, unix: Duration) -> Duration {
        unix.saturating_sub(self.created_at.unwrap_or(self.first_seen))
    }

    pub(crate) fn is(&self, other: &Self) -> bool {
        self.serial == other.serial
    }

    /// Whether both are the same pair, which a source may give again and a caller may give by hand.
    pub(crate) fn is_same_pair(&self, other: &Self) -> bool {
        self.is(other) || self.credentials.same_pair(&other.credentials)
    }
}

/// What a look at the source gave.
#[derive(Debug, Clone)]
pub enum Look {
    /// The same as at the last look.
    Unchanged,
    /// A pair.
    Found(Found),
}

/// A pair as its source gave it.
#[derive(Debug, Clone)]
pub struct Found {
    /// The pair.
    pub credentials: Credentials,
    /// When it was made, since the epoch, where the source tells.
    pub created_at: Option<Duration>,
    /// Whether it costs next to nothing to see that the source has changed, so that calls may look now and then.
    pub watched: bool,
    /// The pair before it got into wrong hands: it is not kept for webhooks.
    pub previous_compromised: bool,
}

impl From<Credentials> for Found {
    fn from(credentials: Credentials) -> Self {
        Self { credentials, created_at: None, watched: false, previous_compromised: false }
    }
}

impl From<Credentials> for Look {
    fn from(credentials: Credentials) -> Self {
        Self::Found(credentials.into())
    }
}
