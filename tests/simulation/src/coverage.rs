//! How often each fault and each branch was exercised.

/// Builds [`Seen`] from its rows.
macro_rules! seen {
    ($($name:ident: $what:literal,)*) => {
        /// Something that a simulation is to exercise.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Seen {
            $(#[doc = $what] $name,)*
        }

        impl Seen {
            /// Everything that is counted.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// What it is, in words.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $what),* }
            }
        }
    };
}

seen! {
    Requests: "requests sent",
    Arrivals: "requests that arrived",
    Resets: "resets of a pair",
    OverlappingResets: "resets that keep the old pair alive for a while",
    Revocations: "revocations without a new pair",
    Reinstatements: "pairs that the service takes back",
    Calls: "calls",
    GetCalls: "calls of GET",
    PutCalls: "calls of PUT",
    PostCalls: "calls of POST",
    OwnAccountCalls: "calls of the account page itself",
    VerifyCalls: "calls of verify",
    ReplaceCalls: "calls of replace",
    ReloadCalls: "calls of reload",
    FindCalls: "calls of find",
    BuiltIn: "calls by the built-in driver",
    Hosted: "calls by a host's own HTTP",
    Unlimited: "calls without a deadline",
    Succeeded: "calls that succeeded",
    FailedRejected: "calls that failed because the pair was refused",
    FailedTimeout: "calls that failed at their deadline",
    FailedConnection: "calls that failed because the connection did",
    FailedCancelled: "calls that failed because they were cancelled",
    FailedWrongAccount: "calls that failed because the pair is of another account",
    FailedService: "calls that failed with another answer of the service",
    FailedSource: "calls that failed because of the source",
    UnsentErrors: "errors that say that nothing was sent",
    SentErrors: "errors that say that the request may have been sent",
    Refused: "requests that the service refused with 401",
    RateLimited: "answers with 429",
    ServerErrors: "answers with 5xx",
    RequestTimeouts: "answers with 408",
    ForbiddenByService: "answers with 403 in the service's JSON",
    ForbiddenByProxy: "answers with 403 of a proxy",
    NotFound: "answers with 404",
    Unprocessable: "answers with 422",
    OtherAnswers: "answers with 400 or 302",
    PortalAnswers: "answers with 200 that are no JSON",
    AbsentAccountPage: "requests to an account page that does not exist",
    HiddenAccount: "answers of an account page that does not show the account",
    NotConnected: "requests of which no byte left",
    LostOnTheWay: "requests that left and did not arrive",
    LostAnswers: "answers that were lost",
    CutAnswers: "answers that were cut",
    HangingAnswers: "answers that never came",
    LateAnswers: "answers that came later than usual",
    Cancellations: "cancellations",
    CancelledInFlight: "cancellations while a request was under way",
    CancelledLoading: "cancellations while the source was read",
    CancelledWaiting: "cancellations while the call waited",
    Shutdowns: "clients that were shut down",
    AbandonedLoading: "exchanges left alone while the source was to be read",
    AbandonedSending: "exchanges left alone while a request was to be sent",
    AbandonedTaken: "exchanges left alone after their authorization was taken",
    DroppedExchanges: "exchanges dropped before their end",
    LateReports: "reports that came after the call's deadline or end",
    LateAuthorizations: "authorizations taken some time after the request was due",
    Forks: "children of fork",
    NewClients: "clients made while others call",
    SourceReads: "reads of the source",
    UnchangedReads: "reads that found nothing changed",
    FailedReads: "reads that failed",
    SlowReads: "reads that took longer than a call may",
    StaleReads: "reads that gave the content of a while ago",
    WrongAccountGiven: "sources that give a pair of another account",
    DeadPairGiven: "sources that give a pair that the service does not take",
    PairGivenEarly: "sources that give a pair before the service takes it",
    SourceEmpty: "sources that give nothing",
    Rotated: "events: rotated",
    CandidateRejected: "events: candidate rejected",
    PairRejected: "events: pair rejected",
    WaitingForSource: "events: waiting for the source",
    HeldCalls: "calls that were held while the pair in use was refused",
    ReleasedCalls: "held calls that were released over some time",
    Fleets: "episodes with a fleet on one source",
    Retrying: "events: retrying",
    RateLimitLow: "events: rate limit low",
    SourceChanged: "events: source changed",
    RotationDue: "events: rotation due",
    UsageSpike: "events: usage spike",
    SecondPosts: "POST requests sent again after a sure refusal",
    KnownAccounts: "requests sent while the account of the pair is known",
    QuietFailures: "failures that were judged by the wait for a good pair",
}

/// The counters of a run.
#[derive(Debug, Clone)]
pub struct Coverage([u64; Seen::ALL.len()]);

impl Default for Coverage {
    fn default() -> Self {
        Self([0; Seen::ALL.len()])
    }
}

impl Coverage {
    /// Counts `what` once.
    pub fn saw(&mut self, what: Seen) {
        self.0[what as usize] += 1;
    }

    /// How often `what` was seen.
    pub fn count(&self, what: Seen) -> u64 {
        self.0[what as usize]
    }

    /// Adds the counts of `other`.
    pub fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine += theirs;
        }
    }

    /// What was never exercised.
    pub fn missing(&self) -> Vec<Seen> {
        Seen::ALL.iter().copied().filter(|what| self.count(*what) == 0).collect()
    }
}
