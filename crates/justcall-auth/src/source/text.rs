//! The three ways to write a pair down: JSON, dotenv lines, or `key:secret` on one line.

use justcall_auth_protocol::credentials::Credentials;
use justcall_auth_protocol::error::{Error, ErrorKind};
use justcall_auth_protocol::service;
use serde_json::Value;
use zeroize::{Zeroize, Zeroizing};

/// Reads a pair in any of the three forms.
///
/// # Errors
/// `credentials_malformed`; the caller adds the place.
pub(super) fn parse(text: &[u8]) -> Result<Credentials, Error> {
    if text.trim_ascii_start().starts_with(b"{") {
        return parse_json(text);
    }
    match parse_dotenv(text) {
        Some((key, secret)) => Credentials::new(key, secret),
        None => Credentials::parse(forgive_newline(text)),
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
pub(super) fn parse_json(text: &[u8]) -> Result<Credentials, Error> {
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
    wipe(&mut json);
    let (key, secret) = halves?;
    Credentials::new(key.as_bytes(), secret.as_bytes())
}

/// Wipes every text in `json`: what was not taken may hold a half under another name.
fn wipe(json: &mut Value) {
    match json {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(members) => members.values_mut().for_each(wipe),
        _ => {}
    }
}

/// The halves in lines `NAME=value`, an empty half where its line is missing; `None` when no line is of that form.
fn parse_dotenv(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut halves: (&[u8], &[u8]) = (b"", b"");
    let mut is_dotenv = false;
    for line in text.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = line.strip_prefix(b"export ").unwrap_or(line);
        let Some(equals) = line.iter().position(|byte| *byte == b'=') else { continue };
        let (name, value) = (&line[..equals], unquote(&line[equals + 1..]));
        if name.is_empty() || !name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_') {
            continue;
        }
        is_dotenv = true;
        if name == service::KEY_VARIABLE.as_bytes() {
            halves.0 = value;
        } else if name == service::SECRET_VARIABLE.as_bytes() {
            halves.1 = value;
        }
    }
    is_dotenv.then_some(halves)
}

/// In a dotenv file quotes around a whole value are syntax.
fn unquote(value: &[u8]) -> &[u8] {
    match value {
        [b'"', inner @ .., b'"'] | [b'\'', inner @ .., b'\''] => inner,
        _ => value,
    }
}

fn malformed(why: &str) -> Error {
    Error::with_message(ErrorKind::CredentialsMalformed, format!("{why}."))
}
