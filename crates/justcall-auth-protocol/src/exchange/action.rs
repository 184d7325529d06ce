//! What an exchange asks of its driver, and why a driver brings no response.

use std::time::Duration;

use crate::error::{Error, ErrorKind};

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
            Error::with_message(ErrorKind::ConnectionFailed, message).with_reason(phase.name())
        };
        let error = match self {
            Self::Resolve => failed("The address of the service's host was not found.", Phase::Resolve),
            Self::Connect => failed("No connection to the service was made.", Phase::Connect),
            Self::Tls => Error::new(ErrorKind::TlsFailed),
            Self::Timeout => {
                let phase = if request_sent { Phase::Receive } else { Phase::Connect };
                Error::with_message(ErrorKind::Timeout, "The HTTP client ran out of time.")
                    .with_reason(phase.name())
            }
            Self::Closed if request_sent => {
                failed("The connection was closed before the response was complete.", Phase::Receive)
            }
            Self::Closed => failed("The connection was closed before the request was sent.", Phase::Send),
            Self::Cancelled => Error::new(ErrorKind::Cancelled),
        };
        error.with_request_sent(request_sent)
    }
}
