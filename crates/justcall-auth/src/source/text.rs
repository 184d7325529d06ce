//! The three ways to write a pair down: JSON, dotenv lines, or `key:secret` on one line.

use std::time::Duration;

use justcall_auth_protocol::credentials::Credentials;
use justcall_auth_protocol::error::{Error, ErrorKind};
use justcall_auth_protocol::{date, service};
use serde_json::Value;
use zeroize::{Zeroize, Zeroizing};

use super::dotenv::assignments;

/// The member of JSON, and the file beside the halves, that tells of the pair before: see [`super::Loaded`].
pub(super) const COMPROMISED: &str = "previous_compromised";
/// The same as a line of dotenv.
pub(super) const COMPROMISED_VARIABLE: &str = "JUSTCALL_PREVIOUS_COMPROMISED";

/// What a text tells.
pub(super) struct Told {
    pub credentials: Credentials,
    /// Since the epoch.
    pub created_at: Option<Duration>,
    pub previous_compromised: bool,
}

impl From<Credentials> for Told {
    fn from(credentials: Credentials) -> Self {
        Self { credentials, created_at: None, previous_compromised: false }
    }
}

/// How a text is written.
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
    /// The form that `text` is read in.
    pub(super) fn of(text: &[u8]) -> Self {
        if text.trim_ascii_start().starts_with(b"{") {
            return Self::Json;
        }
        // A line `key:secret` has no name before its first equals sign, for a colon is in none.
        if assignments(text).next().is_some() { Self::Dotenv } else { Self::Line }
    }
}

/// Reads a pair in any of the three forms.
///
/// # Errors
/// `credentials_malformed`; the caller adds the place.
pub(super) fn parse(text: &[u8]) -> Result<Told, Error> {
    match Form::of(text) {
        Form::Json => parse_json(text),
        Form::Dotenv => parse_dotenv(text),
        Form::Line => Ok(Credentials::parse(forgive_newline(text))?.into()),
    }
}

/// `text` without the one line break that editors and `echo` leave at the end.
pub(super) fn forgive_newline(text: &[u8]) -> &[u8] {
    text.strip_suffix(b"\r\n").or_else(|| text.strip_suffix(b"\n")).unwrap_or(text)
}

/// Reads a pair in JSON alone.
///
/// # Errors
/// As [`parse`].
pub(super) fn parse_json(text: &[u8]) -> Result<Told, Error> {
    // The parser's own message would quote what it read.
    let mut json: Value = serde_json::from_slice(text).map_err(|error| {
        malformed(&format!("it is not valid JSON (line {}, column {})", error.line(), error.column()))
    })?;
    let mut take = |name: &str| match json.get_mut(name).map(Value::take) {
        Some(Value::String(half)) => Ok(Zeroizing::new(half)),
        Some(_) => Err(malformed(&format!("its `{name}` is not text"))),
        None => Err(malformed(&format!("its JSON has no `{name}`"))),
    };
    let halves = take("api_key").and_then(|key| Ok((key, take("api_secret")?)));
    let previous_compromised = match json.get(COMPROMISED) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(said)) => Ok(*said),
        Some(_) => Err(neither(COMPROMISED)),
    };
    let created_at = match json.get("created_at") {
        None | Some(Value::Null) => Ok(None),
        Some(said) => moment(said).map(Some).ok_or_else(|| {
            malformed(
                "its `created_at` is not a date and time as RFC 3339 writes it, such as 2026-11-24T16:10:00Z",
            )
        }),
    };
    wipe(&mut json);
    let (key, secret) = halves?;
    let credentials = Credentials::new(key.as_bytes(), secret.as_bytes())?;
    Ok(Told { credentials, created_at: created_at?, previous_compromised: previous_compromised? })
}

/// A date and time, since the epoch.
fn moment(said: &Value) -> Option<Duration> {
    date::rfc3339(said.as_str()?).and_then(|seconds| u64::try_from(seconds).ok()).map(Duration::from_secs)
}

/// Wipes every text in `json`: what was not taken may hold a half under another name.
pub(super) fn wipe(json: &mut Value) {
    match json {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(members) => members.values_mut().for_each(wipe),
        _ => {}
    }
}

/// Reads a pair in lines `NAME=value`; the last line of a name counts, and a half without a line is empty.
fn parse_dotenv(text: &[u8]) -> Result<Told, Error> {
    let (mut key, mut secret, mut compromised): (&[u8], &[u8], &[u8]) = (b"", b"", b"false");
    for line in assignments(text) {
        let value = &text[line.value];
        if line.name == service::KEY_VARIABLE.as_bytes() {
            key = value;
        } else if line.name == service::SECRET_VARIABLE.as_bytes() {
            secret = value;
        } else if line.name == COMPROMISED_VARIABLE.as_bytes() {
            compromised = value;
        }
    }
    let credentials = Credentials::new(key, secret)?;
    let told = Told::from(credentials);
    Ok(Told { previous_compromised: truth(compromised, COMPROMISED_VARIABLE)?, ..told })
}

/// `true` or `false`, called `name`.
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

pub(super) fn malformed(why: &str) -> Error {
    Error::with_message(ErrorKind::CredentialsMalformed, format!("{why}."))
}
