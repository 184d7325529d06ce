//! The three forms of a pair: JSON, dotenv lines, or `key:secret` on one line.

use std::time::Duration;

use justcall_auth_protocol::credentials::Credentials;
use justcall_auth_protocol::diagnose::{Code, Finding, half_name};
use justcall_auth_protocol::error::Error;
use justcall_auth_protocol::keyring::LoadedPair;
use justcall_auth_protocol::{date, service};
use serde_json::Value;
use zeroize::{Zeroize, Zeroizing};

use super::dotenv::{self, Assignment, COMPROMISED_VARIABLE, Dotenv};
use super::failure::{malformed, refused, unparsable};
use super::misnamed;

/// The JSON member, and the file beside the halves, that state whether the previous pair is compromised.
pub(super) const COMPROMISED: &str = "previous_compromised";

/// The JSON members of the key and the secret.
pub(super) const HALVES: [&str; 2] = ["api_key", "api_secret"];

/// The form of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A JSON object.
    Json,
    /// Lines `NAME=value`.
    Dotenv,
    /// `key:secret`, on one line.
    Line,
}

impl Form {
    /// Returns the form in which `text` is read.
    pub(super) fn of(text: &[u8]) -> Self {
        if text.trim_ascii_start().starts_with(b"{") {
            return Self::Json;
        }
        // A line `key:secret` has no name before its first equals sign, because names contain no colon.
        let lines = dotenv::read(text);
        let has_comments_only = || {
            lines.has_comments && lines.unread.is_empty() && Credentials::parse(strip_newline(text)).is_err()
        };
        if !lines.assignments.is_empty() || has_comments_only() { Self::Dotenv } else { Self::Line }
    }
}

/// Reads a pair in any of the three forms.
///
/// # Errors
/// Fails with `credentials_malformed`. The caller adds the source.
pub(super) fn parse(text: &[u8]) -> Result<LoadedPair, Error> {
    refuse_encoding(text)?;
    match Form::of(text) {
        Form::Json => parse_json(text),
        Form::Dotenv => parse_dotenv(text),
        Form::Line => parse_line(text),
    }
}

/// Refuses text that starts with a byte order mark, or is UTF-16 without one, because the parsers would find nothing in
/// it.
fn refuse_encoding(text: &[u8]) -> Result<(), Error> {
    const MARKS: [&[u8]; 3] = [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"];
    if MARKS.iter().any(|mark| text.starts_with(mark)) {
        return Err(refused(vec![Finding::of_pair(Code::ByteOrderMark)]));
    }
    match text {
        [0, _, 0, _, ..] | [_, 0, _, 0, ..] => Err(unparsable(1, "it is in UTF-16; save the file as UTF-8")),
        _ => Ok(()),
    }
}

/// Reads one line `key:secret`.
fn parse_line(text: &[u8]) -> Result<LoadedPair, Error> {
    let line = strip_newline(text);
    let parsed = Credentials::parse(line);
    // A text with neither blanks nor names is certainly meant as a pair.
    if parsed.is_err() && line.iter().any(|byte| byte.is_ascii_whitespace() || *byte == b'=') {
        misnamed::refuse(&dotenv::read(text))?;
    }
    Ok(parsed?.into())
}

/// Returns `text` without the final line break that editors and `echo` add.
pub(super) fn strip_newline(text: &[u8]) -> &[u8] {
    text.strip_suffix(b"\r\n").or_else(|| text.strip_suffix(b"\n")).unwrap_or(text)
}

/// Reads a pair in JSON.
///
/// # Errors
/// Fails as [`parse`] does.
pub(crate) fn parse_json(text: &[u8]) -> Result<LoadedPair, Error> {
    parse_fields(text, HALVES)
}

/// Reads a pair in JSON whose members for the key and the secret have these names.
///
/// # Errors
/// Fails as [`parse`] does.
pub(super) fn parse_fields(text: &[u8], [key, secret]: [&str; 2]) -> Result<LoadedPair, Error> {
    refuse_encoding(text)?;
    // The parser's message is not used, because it would quote its input.
    let mut json: Value = serde_json::from_slice(text).map_err(|error| {
        malformed(&format!("it is not valid JSON (line {}, column {})", error.line(), error.column()))
    })?;
    let hidden = json.as_object().into_iter().flat_map(|members| members.keys());
    let hidden = hidden.filter_map(|name| half_name(name.as_bytes())).find(|findings| !findings.is_empty());
    let mut take = |name: &str| match json.get_mut(name).map(Value::take) {
        Some(Value::String(half)) => Ok(Zeroizing::new(half)),
        Some(_) => Err(malformed(&format!("its `{name}` is not text"))),
        None => Err(match &hidden {
            Some(findings) => refused(findings.clone()),
            None => malformed(&format!("its JSON has no `{name}`")),
        }),
    };
    let halves = take(key).and_then(|key| Ok((key, take(secret)?)));
    let previous_compromised = match json.get(COMPROMISED) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(value)) => Ok(*value),
        Some(_) => Err(neither(COMPROMISED)),
    };
    let created_at = match json.get("created_at") {
        None | Some(Value::Null) => Ok(None),
        Some(value) => moment(value).map(Some).ok_or_else(|| {
            malformed(
                "its `created_at` is not a date and time in the form of RFC 3339, such as 2026-11-24T16:10:00Z",
            )
        }),
    };
    wipe(&mut json);
    let (key, secret) = halves?;
    let credentials = Credentials::new(key.as_bytes(), secret.as_bytes())?;
    let (created_at, previous_compromised) = (created_at?, previous_compromised?);
    Ok(LoadedPair { created_at, previous_compromised, ..credentials.into() })
}

/// Parses a date and time. Returns the time since the epoch.
fn moment(value: &Value) -> Option<Duration> {
    date::rfc3339(value.as_str()?).and_then(|seconds| u64::try_from(seconds).ok()).map(Duration::from_secs)
}

/// Wipes every text in `json`. The members that were not read may contain a half under another name.
pub(super) fn wipe(json: &mut Value) {
    match json {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(members) => members.values_mut().for_each(wipe),
        _ => {}
    }
}

/// Reads a pair in lines `NAME=value`. The last line of a name counts. A half without a line is empty.
fn parse_dotenv(text: &[u8]) -> Result<LoadedPair, Error> {
    let lines = dotenv::read(text);
    let last = |name: &str| lines.assignments.iter().rfind(|line| line.name == name.as_bytes());
    let [key, secret] = [service::KEY_VARIABLE, service::SECRET_VARIABLE].map(last);
    if key.is_none() || secret.is_none() {
        misnamed::refuse(&lines)?;
    }
    if key.is_none() && secret.is_none() {
        return Err(unparsable(
            first_line(&lines),
            "neither this line nor another one sets JUSTCALL_API_KEY",
        ));
    }
    let halves = [key, secret].into_iter().flatten();
    for half in halves.clone() {
        if let Some(why) = half.broken {
            return Err(unparsable(half.line, why));
        }
    }
    let value = |half: Option<&Assignment>| half.map_or(0..0, |half| half.value.clone());
    let credentials = Credentials::new(&text[value(key)], &text[value(secret)])?;
    if let Some(half) = halves.clone().find(|half| half.is_ambiguous) {
        return Err(unparsable(half.line, AMBIGUOUS));
    }
    let compromised =
        last(COMPROMISED_VARIABLE).map_or(b"false".as_slice(), |line| &text[line.value.clone()]);
    let previous_compromised = truth(compromised, COMPROMISED_VARIABLE)?;
    Ok(LoadedPair { previous_compromised, ..credentials.into() })
}

pub(super) const AMBIGUOUS: &str =
    "its value has a character that shells and dotenv libraries read differently; use JSON instead";

/// Returns the first line that sets a variable, else the first line.
fn first_line(lines: &Dotenv) -> usize {
    lines.assignments.first().map_or(1, |line| line.line)
}

/// Parses `true` or `false`. `name` is used in the error.
pub(super) fn truth(text: &[u8], name: &str) -> Result<bool, Error> {
    match text {
        b"true" => Ok(true),
        b"false" => Ok(false),
        _ => Err(neither(name)),
    }
}

fn neither(name: &str) -> Error {
    malformed(&format!("its `{name}` is neither true nor false"))
}
