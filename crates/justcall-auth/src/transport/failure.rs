//! Why no answer came, told as a row of the error table.

use std::io;

use justcall_auth_protocol::error::{Error, ErrorKind};

use super::call::{Phase, State};
use super::tls;

/// What `error` means for `call`.
pub(super) fn explain(error: &ureq::Error, call: &State) -> Error {
    let error = call.failure().unwrap_or_else(|| match error {
        ureq::Error::Io(error) if error.kind() == io::ErrorKind::OutOfMemory => {
            Error::new(ErrorKind::OutOfMemory)
        }
        ureq::Error::Io(error) => tls::failure(error).unwrap_or_else(|| lost(error, call)),
        ureq::Error::LargeResponseHeader(..) => {
            Error::with_message(ErrorKind::InvalidResponse, "The head of the answer is too large.")
        }
        ureq::Error::Protocol(_) => {
            Error::with_message(ErrorKind::InvalidResponse, "What answered does not speak HTTP as it should.")
        }
        ureq::Error::BadUri(_) | ureq::Error::Http(_) => Error::invalid_argument("The URL cannot be sent."),
        _ => Error::with_message(ErrorKind::ConnectionFailed, "The connection to the service failed.")
            .reason_is(call.phase().name()),
    });
    error.request_sent_is(call.was_sent())
}

/// A connection that was not made, or did not last.
fn lost(error: &io::Error, call: &State) -> Error {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionRefused, ConnectionReset, UnexpectedEof};
    let phase = call.phase();
    let what = match error.kind() {
        ConnectionRefused => "The service's host refused the connection".to_owned(),
        ConnectionReset | ConnectionAborted | BrokenPipe => "The connection was reset".to_owned(),
        UnexpectedEof => "The connection was closed early".to_owned(),
        _ if phase == Phase::Connect => format!("No connection could be made: {error}"),
        _ => format!("The connection failed: {error}"),
    };
    let when = match phase {
        Phase::Resolve | Phase::Connect => "before anything was sent",
        Phase::Send => "while the request was being sent",
        Phase::Receive => "before the answer was complete",
    };
    Error::with_message(ErrorKind::ConnectionFailed, format!("{what}, {when}.")).reason_is(phase.name())
}
