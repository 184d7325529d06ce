//! Deliveries of webhooks: any bytes, and deliveries that are signed.

use justcall_auth_protocol::webhook::MAX_BODY;
use justcall_auth_protocol::{ErrorKind, WebhookHeaders, WebhookVerifier};
use ring::hmac;

use crate::Target;
use crate::input::Input;
use crate::json::{self, Model};
use crate::seeds;

pub const TARGET: Target = Target {
    name: "webhook",
    about: "No delivery passes without the secret. A body is parsed exactly if `serde_json` parses it and finds each of the two \
            signed fields once as text. A signed delivery passes with either encoding of its URL, exactly within the tolerance \
            and for an expected URL.",
    check,
    seeds: || {
        let bodies = seeds::texts(&seeds::vectors("webhook"), "/body");
        let mut all = seeds::after(&[0], bodies.clone());
        all.extend(bodies.iter().take(20).map(|body| [&[1][..], b"00\nv1\n1711040902\n", body].concat()));
        all.push(
            [&[2, 3, 1], &b"https://example.com/hooks\0call.completed\x002024-03-21 17:08:22\0"[..]].concat(),
        );
        all.push([&[2, 0, 0], &b"https://a.b/?t=1|2\0sms.received\x001711040902000\0"[..]].concat());
        all
    },
    tokens: &[
        "\"",
        "\\",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        " ",
        "\n",
        "0",
        "-",
        "1e9",
        "null",
        "|",
        "\u{1}",
        "\u{7f}",
        "é",
        "😀",
        "\\u0041",
        "\\ud83d\\ude00",
        "\\ud83d",
        "\"type\":\"x\",",
        "\"webhook_url\":\"https://a.b\",",
        "\"t\\u0079pe\":1,",
        "[[[[[[[[",
        "v1",
        "2024-03-21 17:08:22",
        "1711040902",
        "1711040902000",
        "9223372036854775807",
        "https://",
        "call.completed",
        "23:59:60",
        "x-justcall-signature",
    ],
};

const SECRET: &str = "ea39089c40790e9dc7a080ec95e849b8fa0fa5fb";
const NOW: &str = "1711040902";
const NOW_SECONDS: i64 = 1_711_040_902;

fn check(data: &[u8]) {
    let mut input = Input::new(data);
    match input.below(3) {
        0 => drop(check_body(input.rest())),
        1 => check_delivery(input.rest()),
        _ => check_signed(&mut input),
    }
}

fn verifier() -> WebhookVerifier {
    let mut verifier = WebhookVerifier::for_any_url();
    verifier.add_secret(SECRET.as_bytes()).expect("a secret");
    verifier
}

/// Checks that no input passes without the secret. The input is three lines of headers, then a body.
fn check_delivery(data: &[u8]) {
    let mut lines = data.splitn(4, |byte| *byte == b'\n');
    let mut line = || lines.next();
    let headers = WebhookHeaders::new(line(), line(), line());
    assert!(verifier().verify(&headers, line().unwrap_or_default(), NOW_SECONDS).is_err());
}

/// Checks that a body is parsed if and only if the model parses it and finds each of the two fields once. A parsed body
/// must pass when it is signed with either encoding of the URL. Returns whether the body was parsed, or `None` if the
/// model cannot decide.
fn check_body(body: &[u8]) -> Option<bool> {
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
        Model::Found((url, event_type)) => {
            assert!(is_parsed, "{}", String::from_utf8_lossy(body));
            for unreserved in ["-_.~!*'()", "-_.~"] {
                let signature = sign(&encode(&url, unreserved), &event_type, NOW);
                let event = verify(body, &signature).expect("it is signed");
                assert_eq!(event, (url.clone(), event_type.clone()));
            }
        }
    }
    Some(is_parsed)
}

/// Checks a delivery whose signature is right, with any time and tolerance, for any expected URL.
fn check_signed(input: &mut Input) {
    let tolerance = input.pick(&[0, 1, 600, u64::MAX]);
    let offset = i64::from(i8::from_le_bytes([input.byte()])) * 10;
    let (url, event_type, written) = (input.text(), input.text(), input.text());
    let body = serde_json::json!({ "webhook_url": url, "type": event_type }).to_string();
    let signature = sign(&encode(&url, "-_.~!*'()"), &event_type, written.trim_matches([' ', '\t']));
    let headers = WebhookHeaders::new(Some(signature.as_bytes()), Some(b"v1"), Some(written.as_bytes()));
    let is_clean =
        !url.contains(char::is_control) && !event_type.contains(|c: char| c.is_control() || c == '|');
    let Ok(mut exact) = WebhookVerifier::for_url(&url) else { return };
    exact.add_secret(SECRET.as_bytes()).expect("a secret");
    // Any distance between two times is within the largest tolerance.
    exact.set_tolerance(u64::MAX);
    let Ok(event) = exact.verify(&headers, body.as_bytes(), NOW_SECONDS) else {
        let is_time =
            written.trim_matches([' ', '\t']).bytes().all(|byte| byte.is_ascii_digit()) && written.len() < 18;
        return assert!(!is_clean || !is_time || written.trim_matches([' ', '\t']).is_empty());
    };
    assert_eq!((event.url(), event.event_type()), (url.as_str(), event_type.as_str()));
    exact.set_tolerance(tolerance);
    let now = event.timestamp().saturating_add(offset);
    let at_offset = exact.verify(&headers, body.as_bytes(), now);
    let is_near = now.abs_diff(event.timestamp()) <= tolerance;
    assert_eq!(at_offset.map_err(|error| error.kind()).err(), (!is_near).then_some(ErrorKind::WebhookStale));
    let mut other = WebhookVerifier::for_url(&format!("{url}x")).expect("a longer URL");
    other.add_secret(SECRET.as_bytes()).expect("a secret");
    other.set_tolerance(u64::MAX);
    let refused = other.verify(&headers, body.as_bytes(), now).expect_err("another URL is expected");
    assert_eq!(refused.kind(), ErrorKind::WebhookWrongUrl);
}

fn verify(body: &[u8], signature: &str) -> Result<(String, String), ErrorKind> {
    let headers = WebhookHeaders::new(Some(signature.as_bytes()), Some(b"v1"), Some(NOW.as_bytes()));
    let event = verifier().verify(&headers, body, NOW_SECONDS).map_err(|error| error.kind())?;
    Ok((event.url().to_owned(), event.event_type().to_owned()))
}

fn sign(url: &str, event_type: &str, time: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let tag = hmac::sign(&key, format!("{SECRET}|{url}|{event_type}|{time}").as_bytes());
    tag.as_ref().iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn encode(url: &str, unreserved: &str) -> String {
    url.bytes().fold(String::new(), |text, byte| match char::from(byte) {
        letter if letter.is_ascii_alphanumeric() || unreserved.contains(letter) => text + &letter.to_string(),
        _ => text + &format!("%{byte:02X}"),
    })
}

/// Returns the URL and the type of a body.
fn model(body: &[u8]) -> Model<(String, String)> {
    if body.len() > MAX_BODY {
        return Model::Refused;
    }
    let values = match json::object(body, &["webhook_url", "type"]) {
        Model::Unknown => return Model::Unknown,
        Model::Refused => return Model::Refused,
        Model::Found(values) => values,
    };
    let once = |at: usize| match &values[at][..] {
        [one] => one.as_str().map(str::to_owned),
        _ => None,
    };
    let is_clean = |(url, event_type): &(String, String)| {
        !url.contains(char::is_control) && !event_type.contains(|c: char| c.is_control() || c == '|')
    };
    once(0).zip(once(1)).filter(is_clean).map_or(Model::Refused, Model::Found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_accepts_and_refuses_the_vectors_as_the_model_does() {
        let bodies = seeds::texts(&seeds::vectors("webhook"), "/body");
        assert!(bodies.len() > 40, "only {}", bodies.len());
        let read: Vec<bool> = bodies.iter().filter_map(|body| check_body(body)).collect();
        let good = read.iter().filter(|is_read| **is_read).count();
        assert!(good > 10 && read.len() - good > 10, "{good} of {} were read", read.len());
    }
}
