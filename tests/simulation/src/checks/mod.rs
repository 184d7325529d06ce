//! The promises, and what was found when one was not kept.

mod calls;
mod pairs;

use std::fmt;

use crate::plant::Plant;

/// A promise that is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// No call fails while a good pair is within the wait.
    GoodPairWithinTheWait,
    /// No keyring sends a pair after it has learned that the pair is bad.
    KnownBadPair,
    /// At most one refused request for each process, pair and cool-down, beside those under way.
    OneRefusal,
    /// No POST is sent twice, unless the first was surely refused or not sent.
    PostTwice,
    /// `request_sent` is true for what arrived, and false if nothing was sent.
    RequestSent,
    /// Every call ends, and in time; no driver spins.
    EveryCallEnds,
    /// No request leaves with the pair of another account.
    AnotherAccount,
    /// Only an accepted pair takes the place of another.
    GoodPairKept,
    /// One call of a keyring reads the source at a time.
    OneReader,
    /// No more attempts than allowed, none before its time, and the result is that of the last answer.
    Attempts,
}

impl Check {
    /// The promise in words.
    pub const fn promise(self) -> &'static str {
        match self {
            Self::GoodPairWithinTheWait => "no call fails while a good pair is within the wait",
            Self::KnownBadPair => "no pair is sent after it is known to be bad",
            Self::OneRefusal => "at most one refused request for each process and cool-down",
            Self::PostTwice => "no POST is sent twice",
            Self::RequestSent => "request_sent is true for what arrived and false if nothing was sent",
            Self::EveryCallEnds => "every call ends",
            Self::AnotherAccount => "no request leaves with another account's pair",
            Self::GoodPairKept => "only an accepted pair takes the place of another",
            Self::OneReader => "one call reads the source at a time",
            Self::Attempts => "attempts are counted, timed and reported as they were",
        }
    }
}

/// A promise that was not kept.
#[derive(Debug, Clone)]
pub struct Violation {
    /// Which promise.
    pub check: Check,
    /// What happened instead.
    pub message: String,
    /// The seed of the episode.
    pub seed: u64,
    /// The bug that was planted in it.
    pub plant: Option<Plant>,
    /// The events before it.
    pub trace: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.trace)?;
        writeln!(f, "not kept: {} ({:?})", self.check.promise(), self.check)?;
        writeln!(f, "{}", self.message)?;
        write!(f, "again: cargo xtask simulate --seed {} --episodes 1", self.seed)?;
        self.plant.map_or(Ok(()), |plant| write!(f, " --plant {plant:?}"))
    }
}
