//! One call, as its driver and the checks know it.

use std::time::Duration;

use crate::machine::Machine;
use crate::service::{Account, Answer, Page, Pair};

/// What a call is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// A request that may be sent twice.
    Get,
    /// The same with PUT.
    Put,
    /// A request that must not be sent twice.
    Post,
    /// A request of the caller's own to the account page.
    OwnAccount,
    /// Verifies the pair in use.
    Verify,
    /// Proves this pair, and uses it if it is good.
    Replace(Pair),
    /// Reads the source.
    Reload,
    /// Reads the source unless there is a pair.
    Find,
}

impl Task {
    /// Whether the call is a request of the caller's own.
    pub fn is_request(self) -> bool {
        matches!(self, Self::Get | Self::Put | Self::Post | Self::OwnAccount)
    }
}

/// Which call; refers to nothing once the call has moved on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reference {
    /// Its place among the calls.
    pub slot: usize,
    /// Its step: what was scheduled for an earlier one is void.
    pub step: u64,
}

/// What the call's driver is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    /// It asks the exchange what to do.
    Asking,
    /// It reads the source; the second is what it will report.
    Reading(Reading),
    /// It was asked to send, and has not taken the authorization yet.
    Holding,
    /// It sends this request.
    Sending(usize),
    /// It waits.
    Waiting,
    /// It does nothing any more: the host has abandoned the exchange.
    Nothing,
}

/// Who drives the exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Driver {
    /// The library itself.
    BuiltIn,
    /// A host's own HTTP, which ends a request at the call's deadline.
    PunctualHost,
    /// A host's own HTTP, which lets a request take longer than the call may.
    SlowHost,
}

impl Driver {
    /// Whether requests end at the call's deadline.
    pub fn is_punctual(self) -> bool {
        self != Self::SlowHost
    }
}

/// How a read of the source ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// It gives what the source holds at its end.
    Current,
    /// It gives what the source held before.
    Stale,
    /// It fails.
    Fails,
    /// It would take longer than the call may.
    TooSlow,
}

/// A call that has begun.
#[derive(Debug)]
pub struct Call {
    /// Counts the calls of an episode.
    pub number: u64,
    pub(crate) process: usize,
    pub(crate) client: usize,
    pub(crate) ring: usize,
    pub(crate) task: Task,
    pub(crate) driver: Driver,
    /// Something held it up that no deadline ends.
    pub(crate) may_be_late: bool,
    /// The request that was under way when its host left it alone.
    pub(crate) left_with: Option<usize>,
    pub(crate) began: Duration,
    pub(crate) deadline: Option<Duration>,
    pub(crate) max_retries: u32,
    /// `None` when it is over or dropped.
    pub(crate) machine: Option<Machine>,
    pub(crate) step: u64,
    pub(crate) doing: Doing,
    pub(crate) is_cancelled: bool,
    /// Since when it waits because the pair in use is refused.
    pub(crate) held_since: Option<Duration>,
    /// It was held, has not sent since, and has time to be released slowly.
    pub(crate) is_released: bool,
    /// What the exchange was asked at this very moment, to notice a driver that spins.
    pub(crate) asked: (Duration, u32),
    /// When the request that is due became due.
    pub(crate) due_since: Duration,
    /// See [`World::tick`](crate::world::World).
    pub(crate) due_tick: u64,
    /// The account that was known then.
    pub(crate) due_known: Option<Account>,
    pub(crate) record: Record,
}

/// What happened to the requests of a call: what its error must agree with.
#[derive(Debug, Clone, Copy, Default)]
pub struct Record {
    /// How often the request that the call is about became due.
    pub due: u32,
    /// How often its authorization was taken.
    pub taken: u32,
    /// How often the driver then reported that it was surely not sent.
    pub reported_unsent: u32,
    /// How often it arrived.
    pub arrived: u32,
    /// A POST of the caller's own was sent and was not surely refused.
    pub is_post_open: bool,
    /// A POST of the caller's own was sent and surely refused.
    pub is_post_closed: bool,
    /// POST requests that arrived and were not refused for their pair, and those of them that were surely not carried out.
    pub posts_accepted: u32,
    /// See [`Record::posts_accepted`].
    pub posts_refused: u32,
    /// The call's error said that nothing was sent.
    pub is_denied: bool,
    /// Second attempts: after a refusal, and those that an event reported.
    pub refusals: u32,
    /// See [`Record::refusals`].
    pub retries: u32,
    /// The last answer's status, and what it was sent for.
    pub last_status: u16,
    /// See [`Record::last_status`].
    pub last: Option<(Page, Pair)>,
    /// When its last request came back, with an answer or without.
    pub returned: Option<Duration>,
    /// The earliest time at which it may be sent again.
    pub not_before: Duration,
}

/// A request under way.
#[derive(Debug, Clone)]
pub struct Flight {
    /// Which call sent it.
    pub(crate) slot: usize,
    pub(crate) process: usize,
    pub(crate) pair: Pair,
    pub(crate) page: Page,
    pub(crate) purpose: Purpose,
    /// When it became due: what was known then is what counts.
    pub(crate) due: (Duration, u64),
    /// When its first byte leaves.
    pub(crate) leaves: Duration,
    /// It decides whether the pair is good: its call holds the lease to prove one, or replaces the pair by hand.
    pub(crate) is_proof: bool,
    pub(crate) fate: Fate,
    /// It does not arrive: its driver ended it before it left.
    pub(crate) is_called_off: bool,
    /// What the service answered.
    pub(crate) answer: Option<Answer>,
}

/// What a request is sent for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// It asks about the pair, before or after the request that the call is about.
    Question,
    /// It is what the call is about, and may be sent twice.
    Subject,
    /// It is the POST that the call is about.
    Post,
}

impl Purpose {
    /// Whether it is the request that the call is about.
    pub fn is_subject(self) -> bool {
        self != Self::Question
    }
}

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is answered.
    Answered,
    /// No byte leaves.
    NotConnected,
    /// It leaves and does not arrive.
    LostOnTheWay,
    /// It arrives, and the answer is lost.
    LostAnswer,
    /// It arrives, and the answer is cut.
    CutAnswer,
    /// It arrives, and is never answered.
    Hanging,
}

impl Fate {
    /// Whether the request arrives.
    pub fn arrives(self) -> bool {
        !matches!(self, Self::NotConnected | Self::LostOnTheWay)
    }
}
