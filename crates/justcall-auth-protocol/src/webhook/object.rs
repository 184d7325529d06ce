//! The location of an event's object in the API.

use serde_json::Value;

use crate::error::{Error, ErrorKind};
use crate::json;
use crate::service;

/// The longest identifier that is accepted. Identifiers seen so far are numbers of nine digits.
const MAX_ID: usize = 64;

/// Returns the path of the API for the object of an event, such as `/v2.1/calls/123456789`. The API's response can be
/// trusted; the body is not signed and may be forged.
///
/// # Errors
/// Fails with `invalid_argument` if the path for this type is unknown. Fails with `webhook_malformed` if the body
/// contains no identifier, or one that could choose another path.
pub fn object_path(event_type: &str, body: &[u8]) -> Result<String, Error> {
    let mut known = service::WEBHOOK_OBJECTS.iter();
    let Some((_, path, member)) = known.find(|(types, ..)| event_type.starts_with(types)) else {
        return Err(Error::invalid_argument("The API path of the objects of this event type is unknown.")
            .with_hint("Request the object by its path in the API reference."));
    };
    let id = id(body, member).ok_or_else(|| {
        Error::with_message(
            ErrorKind::WebhookMalformed,
            format!("The body contains no object, because `data` has no `{member}`."),
        )
    })?;
    Ok(format!("{path}{id}"))
}

/// Returns the identifier called `member` in the body's `data`. Accepts only whole numbers and text of unreserved
/// characters, which need no encoding in a path.
fn id(body: &[u8], member: &str) -> Option<String> {
    let [data] = json::members(std::str::from_utf8(body).ok()?, ["data"]).ok()?;
    let [raw] = json::members(data?, [member]).ok()?;
    let text = match json::small_value(raw?)? {
        Value::Number(number) => number.as_u64()?.to_string(),
        Value::String(text) => text,
        _ => return None,
    };
    let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    ((1..=MAX_ID).contains(&text.len()) && text.bytes().all(is_unreserved)).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_returns_the_path_for_each_type() {
        for (event_type, body, path) in [
            ("call.completed", r#"{"data":{"id":123456789}}"#, "/v2.1/calls/123456789"),
            ("jc.call_ai_generated", r#"{"data":{"id":"ab-1_C"}}"#, "/v2.1/calls/ab-1_C"),
            ("sd.call_updated", r#"{"data":{"call_id":7,"id":8}}"#, "/v2.1/sales_dialer/calls/7"),
            ("sms.received", r#"{"data":{"id":0}}"#, "/v2.1/texts/0"),
            (
                "jc.contact_status_updated",
                r#"{"data":{"id":18446744073709551615}}"#,
                "/v2.1/contacts/18446744073709551615",
            ),
        ] {
            assert_eq!(object_path(event_type, body.as_bytes()).expect(event_type), path);
        }
    }

    #[test]
    fn it_prevents_a_body_from_choosing_another_path() {
        let long = format!("\"{}\"", "1".repeat(65));
        for id in [
            "\"\"",
            "\"../users\"",
            "\"1/../2\"",
            "\"1?x=y\"",
            "\"1#\"",
            "\"%2e%2e\"",
            "\".\"",
            "\"..\"",
            "\"1 \"",
            "\"é\"",
            "\"1\\n\"",
            "-1",
            "1.5",
            "1e3",
            "18446744073709551616",
            "null",
            "true",
            "[1]",
            "{\"id\":1}",
            &long,
        ] {
            let body = format!("{{\"data\":{{\"id\":{id}}}}}");
            let error = object_path("call.completed", body.as_bytes()).expect_err(id);
            assert_eq!(error.kind(), ErrorKind::WebhookMalformed, "{id}");
            assert!(!error.message().contains("users"), "{error}");
        }
        for body in
            ["", "[]", "{}", r#"{"data":[]}"#, r#"{"data":{}}"#, r#"{"id":1}"#, "{\"data\":{\"id\":1}"]
        {
            let error = object_path("call.completed", body.as_bytes()).expect_err(body);
            assert_eq!(error.kind(), ErrorKind::WebhookMalformed, "{body}");
        }
    }

    #[test]
    fn it_fails_for_types_without_a_known_path() {
        for event_type in ["appointment.scheduled", "whatsapp.message_sent", "", "call", "smsx.sent"] {
            let error = object_path(event_type, br#"{"data":{"id":1}}"#).expect_err(event_type);
            assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{event_type}");
        }
    }
}
