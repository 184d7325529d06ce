//! The errors of sources: no pair, a malformed pair, an unreadable source.

use std::fmt;

use justcall_auth_protocol::diagnose::{Code, Finding};
use justcall_auth_protocol::error::{Error, ErrorKind};

/// Returns the error for a search without a result. `places` lists the searched sources.
pub(super) fn missing(places: &str) -> Error {
    Error::with_message(
        ErrorKind::CredentialsMissing,
        format!("No API key and secret were found. The library searched {places}."),
    )
}

/// Returns the error for a source that cannot be read.
pub(super) fn unavailable(place: &str, why: impl fmt::Display) -> Error {
    Error::with_message(ErrorKind::SourceUnavailable, format!("{place} cannot be read: {why}."))
}

/// Returns the error for a malformed text.
pub(super) fn malformed(why: &str) -> Error {
    Error::with_message(ErrorKind::CredentialsMalformed, format!("{why}."))
}

/// Returns the error for a malformed text with its line, counted from 1.
pub(super) fn unparsable(line: usize, why: &str) -> Error {
    let finding = Finding::at(Code::SourceUnparsable, &format!("line {line}"));
    malformed(&format!("line {line}: {why}"))
        .with_findings(vec![finding])
        .with_reason(Code::SourceUnparsable.name())
        .with_hint(
            "Write JUSTCALL_API_KEY=… and JUSTCALL_API_SECRET=… on separate lines, or JSON {\"api_key\": …, \"api_secret\": …}. Nothing was sent.",
        )
}

/// Returns the error for a malformed text with `findings`.
pub(super) fn refused(findings: Vec<Finding>) -> Error {
    let join = |texts: Vec<&str>| texts.join(" ");
    let message = join(findings.iter().map(Finding::message).collect());
    let remedy = join(findings.iter().map(Finding::remedy).collect());
    let error = Error::with_message(ErrorKind::CredentialsMalformed, message);
    let error = findings.first().map_or(error.clone(), |worst| error.with_reason(worst.code().name()));
    error.with_findings(findings).with_hint(format!("{remedy} Nothing was sent."))
}

/// Adds `place`, the source of the text, to the message of a malformed pair.
pub(super) fn malformed_in(place: &str, error: &Error) -> Error {
    error.clone().with_new_message(format!("{place}: {}", error.message()))
}
