//! The actions that an exchange asks of its driver, and the causes of a missing response.

use std::time::Duration;

use crate::error::{Error, ErrorKind};

/// The next action of the driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Read the source. No other call of the process reads it at the same time.
    Load,
    /// Send the request.
    Send {
        /// The time left until the call's deadline, for the driver's own timeout. `None` if the call has no limit.
        remaining: Option<Duration>,
    },
    /// Call `next` again after this time.
    Wait(Duration),
    /// Take the result.
    Done,
}

/// The phase in which a request failed without a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Resolving the host name.
    Resolve,
    /// Connecting, TLS included.
    Connect,
    /// Sending the request.
    Send,
    /// Waiting for the response, or reading it.
    Receive,
}

impl Phase {
    /// Returns the name of the phase, used as the reason of an error.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Resolve => "resolve",
            Self::Connect => "connect",
            Self::Send => "send",
            Self::Receive => "receive",
        }
    }
}

/// The cause of a missing response, as reported by the program's own HTTP client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The host name was not resolved.
    Resolve,
    /// No connection was established.
    Connect,
    /// The TLS handshake failed, for example because the certificate is not trusted.
    Tls,
    /// The client's own time limit passed.
    Timeout,
    /// The connection was closed or reset before the response was complete.
    Closed,
    /// The program cancelled the request.
    Cancelled,
}

impl Cause {
    /// All causes.
    pub const ALL: [Self; 6] =
        [Self::Resolve, Self::Connect, Self::Tls, Self::Timeout, Self::Closed, Self::Cancelled];

    /// Returns the name of the cause, the same in every language.
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

    /// Returns the error that the built-in transport reports for the same cause.
    pub fn into_error(self, request_sent: bool) -> Error {
        let connection_failed = |message: &str, phase: Phase| {
            Error::with_message(ErrorKind::ConnectionFailed, message).with_reason(phase.name())
        };
        let error = match self {
            Self::Resolve => {
                connection_failed("The address of the service's host was not found.", Phase::Resolve)
            }
            Self::Connect => connection_failed("No connection to the service was made.", Phase::Connect),
            Self::Tls => Error::new(ErrorKind::TlsFailed),
            Self::Timeout => {
                let phase = if request_sent { Phase::Receive } else { Phase::Connect };
                Error::with_message(ErrorKind::Timeout, "The HTTP client ran out of time.")
                    .with_reason(phase.name())
            }
            Self::Closed if request_sent => connection_failed(
                "The connection was closed before the response was complete.",
                Phase::Receive,
            ),
            Self::Closed => {
                connection_failed("The connection was closed before the request was sent.", Phase::Send)
            }
            Self::Cancelled => Error::new(ErrorKind::Cancelled),
        };
        error.with_request_sent(request_sent)
    }
}
