//! What an exchange is told: the rules of a client, the time, some randomness; and what it tells its driver.

use std::time::Duration;

use crate::error::{Error, ErrorKind};
use crate::url::BaseUrl;

/// What a client asks of all its calls.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Where the service is.
    pub base_url: BaseUrl,
    /// What `verify` asks in place of [`service::ACCOUNT_PATH`](crate::service::ACCOUNT_PATH).
    pub verify_path: Option<String>,
    /// For the whole call, waits included. Zero: no limit.
    pub timeout: Duration,
    /// How many second attempts a call may make, of every kind together.
    pub max_retries: u32,
    /// The account that a pair must belong to before anything else is asked with it.
    pub expected_account: Option<u64>,
    /// How long calls are held for another pair, from the moment that the pair in use was rejected.
    pub rotation_wait: Duration,
    /// How long a pair that the service rejected is not sent again, unless the source gives another.
    pub cool_down: Duration,
    /// How long webhooks signed with the previous pair are accepted.
    pub overlap: Duration,
    /// The age at which a pair should be replaced. Zero: never.
    pub rotation_due: Duration,
}

impl Default for Policy {
    /// The service itself, 30 seconds, 2 retries, any account, no wait, 30 seconds, 15 minutes, 90 days.
    fn default() -> Self {
        Self {
            base_url: BaseUrl::default(),
            verify_path: None,
            timeout: Duration::from_secs(30),
            max_retries: 2,
            expected_account: None,
            rotation_wait: Duration::ZERO,
            cool_down: Duration::from_secs(30),
            overlap: Duration::from_secs(15 * 60),
            rotation_due: Duration::from_secs(90 * 24 * 60 * 60),
        }
    }
}

/// The time and some randomness, as the driver sees them now.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// Time that never jumps, since any fixed point.
    pub monotonic: Duration,
    /// The time of day, since the epoch: the service's reset headers count in it.
    pub unix: Duration,
    /// Uniformly random: spreads the retries of many callers.
    pub random: u64,
}

/// What the driver must do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Look at the source. No other call of the process does so meanwhile.
    Load,
    /// Send the request.
    Send {
        /// The time left until the call's deadline, for the driver's own timeout. `None` if the call has no limit.
        remaining: Option<Duration>,
    },
    /// Ask again after this time.
    Wait(Duration),
    /// Take the result.
    Done,
}

/// How far a request got that was not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Looking up the host's address.
    Resolve,
    /// Connecting, TLS included.
    Connect,
    /// Sending the request.
    Send,
    /// Waiting for the answer, or reading it.
    Receive,
}

impl Phase {
    /// The word for it, as an error's reason.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Resolve => "resolve",
            Self::Connect => "connect",
            Self::Send => "send",
            Self::Receive => "receive",
        }
    }
}

/// Why an HTTP client of the program's own brought no response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The host's address was not found.
    Resolve,
    /// No connection was made.
    Connect,
    /// The TLS handshake failed, for example because the certificate is not trusted.
    Tls,
    /// The client's own time limit passed.
    Timeout,
    /// The connection was closed or reset before the response was complete.
    Closed,
    /// The program ended the request.
    Cancelled,
}

impl Cause {
    /// Every cause.
    pub const ALL: [Self; 6] =
        [Self::Resolve, Self::Connect, Self::Tls, Self::Timeout, Self::Closed, Self::Cancelled];

    /// Its name, the same in every language.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Resolve => "resolve",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Closed => "closed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The row of the error table that the built-in transport reports for the same failure.
    pub fn into_error(self, request_sent: bool) -> Error {
        let failed = |message: &str, phase: Phase| {
            Error::with_message(ErrorKind::ConnectionFailed, message).reason_is(phase.name())
        };
        let error = match self {
            Self::Resolve => failed("The address of the service's host was not found.", Phase::Resolve),
            Self::Connect => failed("No connection to the service was made.", Phase::Connect),
            Self::Tls => Error::new(ErrorKind::TlsFailed),
            Self::Timeout => {
                let phase = if request_sent { Phase::Receive } else { Phase::Connect };
                Error::with_message(ErrorKind::Timeout, "The HTTP client ran out of time.")
                    .reason_is(phase.name())
            }
            Self::Closed if request_sent => {
                failed("The connection was closed before the response was complete.", Phase::Receive)
            }
            Self::Closed => failed("The connection was closed before the request was sent.", Phase::Send),
            Self::Cancelled => Error::new(ErrorKind::Cancelled),
        };
        error.request_sent_is(request_sent)
    }
}
