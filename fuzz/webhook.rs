//! Checks that must hold for any bytes of a delivery. The fuzz target and the tests run them. `serde_json` is the model.

use std::fmt;

use justcall_auth_protocol::webhook::MAX_BODY;
use justcall_auth_protocol::{ErrorKind, WebhookHeaders, WebhookVerifier};
use ring::hmac;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

const SECRET: &str = "ea39089c40790e9dc7a080ec95e849b8fa0fa5fb";
const NOW: &str = "1711040902";
const MAX_DEPTH: usize = 128;

fn verifier() -> WebhookVerifier {
    let mut verifier = WebhookVerifier::for_any_url();
    verifier.add_secret(SECRET.as_bytes()).expect("a secret");
    verifier
}

/// Checks that no input passes without the secret. The input is three lines of headers, then a body.
pub fn check_delivery(data: &[u8]) {
    let mut lines = data.splitn(4, |byte| *byte == b'\n');
    let mut line = || lines.next();
    let headers = WebhookHeaders::new(line(), line(), line());
    assert!(verifier().verify(&headers, line().unwrap_or_default(), 1_711_040_902).is_err());
}

/// Checks that a body is parsed if and only if the model parses it and finds each of the two fields once. A parsed body
/// must pass when it is signed with either encoding of the URL. Returns whether the body was parsed, or `None` if the
/// model cannot decide.
pub fn check_body(body: &[u8]) -> Option<bool> {
    // A wrong signature: it is compared only if the body was parsed.
    let kind = verify(body, &"0".repeat(64)).expect_err("the signature is wrong");
    let is_parsed = match kind {
        ErrorKind::WebhookMismatch => true,
        ErrorKind::WebhookMalformed => false,
        other => panic!("{other:?}"),
    };
    match model(body) {
        Model::Unknown => return None,
        Model::Refused => assert!(!is_parsed, "{}", String::from_utf8_lossy(body)),
        Model::Read(url, event_type) => {
            assert!(is_parsed, "{}", String::from_utf8_lossy(body));
            for unreserved in ["-_.~!*'()", "-_.~"] {
                let signature = sign(&encode(&url, unreserved), &event_type);
                let event = verify(body, &signature).expect("it is signed");
                assert_eq!(event, (url.clone(), event_type.clone()));
            }
        }
    }
    Some(is_parsed)
}

fn verify(body: &[u8], signature: &str) -> Result<(String, String), ErrorKind> {
    let headers = WebhookHeaders::new(Some(signature.as_bytes()), Some(b"v1"), Some(NOW.as_bytes()));
    let event = verifier().verify(&headers, body, 1_711_040_902).map_err(|error| error.kind())?;
    Ok((event.url().to_owned(), event.event_type().to_owned()))
}

fn sign(url: &str, event_type: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let tag = hmac::sign(&key, format!("{SECRET}|{url}|{event_type}|{NOW}").as_bytes());
    tag.as_ref().iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn encode(url: &str, unreserved: &str) -> String {
    url.bytes().fold(String::new(), |text, byte| match char::from(byte) {
        letter if letter.is_ascii_alphanumeric() || unreserved.contains(letter) => text + &letter.to_string(),
        _ => text + &format!("%{byte:02X}"),
    })
}

/// How `serde_json` parses a body.
enum Model {
    /// Parsed, with its URL and type.
    Read(String, String),
    Refused,
    /// The body contains half of a surrogate pair, which only some of its strings may contain.
    Unknown,
}

fn model(body: &[u8]) -> Model {
    let Ok(text) = std::str::from_utf8(body) else { return Model::Refused };
    let is_json = serde_json::from_str::<IgnoredAny>(text).is_ok();
    if body.len() > MAX_BODY || !is_json || depth(text) > MAX_DEPTH {
        return Model::Refused;
    }
    let Ok(members) = serde_json::from_str::<Members>(text) else {
        let is_object = text.trim_start().starts_with('{');
        return if is_object && text.contains("\\u") { Model::Unknown } else { Model::Refused };
    };
    let [url, event_type] = [members.url, members.event_type].map(|found| match <[_; 1]>::try_from(found) {
        Ok([one]) => one,
        Err(_) => None,
    });
    let (Some(url), Some(event_type)) = (url, event_type) else { return Model::Refused };
    let is_clean =
        !url.contains(char::is_control) && !event_type.contains(|c: char| c.is_control() || c == '|');
    if is_clean { Model::Read(url, event_type) } else { Model::Refused }
}

/// Returns how deep JSON is nested.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest, mut in_string, mut is_escaped) = (0_usize, 0, false, false);
    for byte in text.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = in_string,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_string => depth -= 1,
            _ => {}
        }
    }
    deepest
}

/// All values of the two top-level fields: text, or `None` for another type.
#[derive(Default)]
struct Members {
    url: Vec<Option<String>>,
    event_type: Vec<Option<String>>,
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members = Members::default();
        while let Some(name) = map.next_key::<String>()? {
            let place = match name.as_str() {
                "webhook_url" => &mut members.url,
                "type" => &mut members.event_type,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            let value = map.next_value::<serde_json::Value>()?;
            place.push(value.as_str().map(str::to_owned));
        }
        Ok(members)
    }
}
