//! The promises.

mod calls;
mod pairs;
mod release;

pub(crate) use release::Release;

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
    /// The calls that were held during a reset do not spend the account's burst limit in one second.
    SpreadRelease,
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
            Self::SpreadRelease => "held calls are released over some time",
        }
    }
}
