//! Errors of calls without a response, as rows of the error table.

use std::io;

use justcall_auth_protocol::error::{Error, ErrorKind};

use super::call::{CallState, PROXY_HINT, Peer, Phase};
use super::{exhaustion, tls};

/// Converts `error` of `call` into an error of the table.
pub(super) fn explain(error: &ureq::Error, call: &CallState) -> Error {
    let error = call.failure().unwrap_or_else(|| match error {
        ureq::Error::Io(error) if error.kind() == io::ErrorKind::OutOfMemory => {
            Error::new(ErrorKind::OutOfMemory)
        }
        ureq::Error::Io(error) => match tls::failure(error, call.peer()) {
            // After the handshake, the server is known to be the right one, and a retry may succeed.
            Some(_) if call.phase() >= Phase::Send && tls::is_damaged(error) => lost(error, call),
            Some(failure) => failure,
            None => lost(error, call),
        },
        ureq::Error::LargeResponseHeader(..) => {
            Error::with_message(ErrorKind::InvalidResponse, "The headers of the response are too large.")
        }
        ureq::Error::Protocol(_) => {
            Error::with_message(ErrorKind::InvalidResponse, "The response is not valid HTTP.")
        }
        ureq::Error::BadUri(_) | ureq::Error::Http(_) => {
            Error::invalid_argument("The URL cannot be used for a request.")
        }
        _ => {
            let message = format!("The connection to {} failed.", call.peer().name());
            Error::with_message(ErrorKind::ConnectionFailed, message).with_reason(call.phase().name())
        }
    });
    error.with_request_sent(call.was_sent())
}

/// Returns the error for a connection that could not be established or was lost.
fn lost(error: &io::Error, call: &CallState) -> Error {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionRefused, ConnectionReset, UnexpectedEof};
    let phase = call.phase();
    if let Some(exhausted) = exhaustion::of(error).filter(|_| phase == Phase::Connect) {
        return exhausted.error().with_reason(phase.name());
    }
    let proxy = call.proxy();
    let host = match call.peer() {
        Peer::Service => "The service's host",
        Peer::Vault => "Vault's host",
    };
    let peer = proxy.as_ref().map_or(host.to_owned(), |proxy| format!("The proxy {proxy}"));
    let what = match error.kind() {
        ConnectionRefused => format!("{peer} refused the connection"),
        ConnectionReset | ConnectionAborted | BrokenPipe if proxy.is_some() => {
            format!("{peer} reset the connection")
        }
        ConnectionReset | ConnectionAborted | BrokenPipe => "The connection was reset".to_owned(),
        UnexpectedEof if proxy.is_some() => format!("{peer} closed the connection early"),
        UnexpectedEof => "The connection was closed early".to_owned(),
        _ => {
            let to = proxy.as_ref().map(|proxy| format!(" to the proxy {proxy}")).unwrap_or_default();
            let happened = if phase == Phase::Connect { "could not be opened" } else { "failed" };
            format!("The connection{to} {happened}{}", system_words(error))
        }
    };
    let when = match phase {
        Phase::Resolve | Phase::Connect => "before anything was sent",
        Phase::Send => "while the request was being sent",
        Phase::Receive => "before the response was complete",
    };
    let error = Error::with_message(ErrorKind::ConnectionFailed, format!("{what}, {when}."))
        .with_reason(phase.name());
    if proxy.is_some() { error.with_hint(PROXY_HINT) } else { error }
}

/// Returns the system's text for `error`, or nothing if another library created it, because that text may contain
/// received data.
fn system_words(error: &io::Error) -> String {
    error.raw_os_error().map(|_| format!(": {error}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::call::CurrentCall;
    use super::*;
    use crate::context::CallContext;

    fn explained(error: &ureq::Error) -> Error {
        let call = CurrentCall::begin(CallContext::default());
        call.enter(Phase::Connect);
        explain(error, &call)
    }

    #[test]
    fn it_explains_what_ureq_reports() {
        for (error, kind, words) in [
            (
                ureq::Error::LargeResponseHeader(2, 1),
                ErrorKind::InvalidResponse,
                "The headers of the response are too large.",
            ),
            (
                ureq::Error::BadUri(String::new()),
                ErrorKind::InvalidArgument,
                "The URL cannot be used for a request.",
            ),
            (
                ureq::Error::ConnectionFailed,
                ErrorKind::ConnectionFailed,
                "The connection to the service failed.",
            ),
            (
                io::Error::from(io::ErrorKind::OutOfMemory).into(),
                ErrorKind::OutOfMemory,
                Error::new(ErrorKind::OutOfMemory).message(),
            ),
        ] {
            let explained = explained(&error);
            assert_eq!((explained.kind(), explained.message()), (kind, words), "{error:?}");
            assert!(!explained.request_sent(), "{error:?}");
        }
    }

    #[test]
    fn it_quotes_the_system_but_no_other_library() {
        let system = rustix::io::Errno::HOSTUNREACH;
        let explained_system = explained(&io::Error::from(system).into());
        assert!(
            explained_system.message().contains(&format!(": {}", io::Error::from(system))),
            "{explained_system}"
        );
        let other = explained(&io::Error::other("received data").into());
        assert_eq!(other.message(), "The connection could not be opened, before anything was sent.");
    }
}
