//! The actions that an exchange asks of its driver, and the causes of a missing response.

use std::time::Duration;

use crate::error::{Error, ErrorKind};
use crate::table;

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

table! {
    /// The phase in which a request failed without a response.
    pub enum Phase {
        /// Returns the name of the phase, used as the reason of an error.
        name: &'static str,
    }

    /// Resolving the host name.
    Resolve { name: "resolve" }
    /// Connecting, TLS included.
    Connect { name: "connect" }
    /// Sending the request.
    Send { name: "send" }
    /// Waiting for the response, or reading it.
    Receive { name: "receive" }
}

table! {
    /// The cause of a missing response, as reported by the program's own HTTP client.
    pub enum Cause {
        /// Returns the name of the cause, the same in every language.
        name: &'static str,
    }

    /// The host name was not resolved.
    Resolve { name: "resolve" }
    /// No connection was established.
    Connect { name: "connect" }
    /// The TLS handshake failed, for example because the certificate is not trusted.
    Tls { name: "tls" }
    /// The client's own time limit passed.
    Timeout { name: "timeout" }
    /// The connection was closed or reset before the response was complete.
    Closed { name: "closed" }
    /// The program cancelled the request.
    Cancelled { name: "cancelled" }
}

impl Cause {
    /// Returns the error that the built-in transport reports for the same cause.
    pub fn into_error(self, request_sent: bool) -> Error {
        let connection_failed = |message: &str, phase: Phase| {
            Error::with_message(ErrorKind::ConnectionFailed, message).with_reason(phase.name())
        };
        let error = match self {
            Self::Resolve => {
                connection_failed("The address of the service's host was not found.", Phase::Resolve)
            }
            Self::Connect => {
                connection_failed("The connection to the service could not be opened.", Phase::Connect)
            }
            Self::Tls => Error::new(ErrorKind::TlsFailed),
            Self::Timeout => {
                let phase = if request_sent { Phase::Receive } else { Phase::Connect };
                Error::with_message(ErrorKind::Timeout, "The HTTP client reached its time limit.")
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
