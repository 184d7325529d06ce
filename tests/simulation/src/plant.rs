//! Planted bugs: each makes the simulated world break one promise, to show that its check works.

use crate::checks::Check;

/// A bug to plant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plant {
    /// The change detector of files does not notice a new pair.
    BlindDetector,
    /// The driver reports a refusal as a lost connection.
    HiddenRefusals,
    /// Each keyring of a process remembers its rejections alone.
    SeparateRejections,
    /// The driver's connection pool sends a request again when its answer is lost.
    ResendingPool,
    /// The driver reports that nothing was sent although the request left.
    DeniedRequests,
    /// The driver reports that the request may have been sent although no byte left, and its record says otherwise.
    ClaimedRequests,
    /// The driver forgets a call that waits.
    LostWakeup,
    /// A proxy answers for the account page from its cache.
    CachedAccountPage,
    /// A proxy turns the service's 401 into 404.
    TurnedRefusals,
    /// The driver reads the source without a lease, whenever it waits.
    EagerReader,
    /// The host ignores the wait before a retry.
    HastyRetries,
    /// The driver sends held calls at the moment at which there is a good pair.
    RushedRelease,
}

impl Plant {
    /// Every planted bug, and the check that must find it.
    pub const ALL: &[(Self, Check)] = &[
        (Self::BlindDetector, Check::GoodPairWithinTheWait),
        (Self::HiddenRefusals, Check::KnownBadPair),
        (Self::SeparateRejections, Check::OneRefusal),
        (Self::ResendingPool, Check::PostTwice),
        (Self::DeniedRequests, Check::RequestSent),
        (Self::ClaimedRequests, Check::RequestSent),
        (Self::LostWakeup, Check::EveryCallEnds),
        (Self::CachedAccountPage, Check::AnotherAccount),
        (Self::TurnedRefusals, Check::GoodPairKept),
        (Self::EagerReader, Check::OneReader),
        (Self::HastyRetries, Check::Attempts),
        (Self::RushedRelease, Check::SpreadRelease),
    ];
}
