//! What an exchange asks of its driver, and why a driver brings no response.

use std::time::Duration;

use crate::error::{Error, ErrorKind};
use crate::table;

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

table! {
    /// How far a request got that was not answered.
    pub enum Phase {
        /// The word for it, as an error's reason.
        name: &'static str,
    }

    /// Looking up the host's address.
    Resolve { name: "resolve" }
    /// Connecting, TLS included.
    Connect { name: "connect" }
    /// Sending the request.
    Send { name: "send" }
    /// Waiting for the answer, or reading it.
    Receive { name: "receive" }
}

table! {
    /// Why an HTTP client of the program's own brought no response.
    pub enum Cause {
        /// Its name, the same in every language.
        name: &'static str,
    }

    /// The host's address was not found.
    Resolve { name: "resolve" }
    /// No connection was made.
    Connect { name: "connect" }
    /// The TLS handshake failed, for example because the certificate is not trusted.
    Tls { name: "tls" }
    /// The client's own time limit passed.
    Timeout { name: "timeout" }
    /// The connection was closed or reset before the response was complete.
    Closed { name: "closed" }
    /// The program ended the request.
    Cancelled { name: "cancelled" }
}

impl Cause {
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
