//! Where the API has what an event is about.

use serde_json::Value;

use crate::error::{Error, ErrorKind};
use crate::json;
use crate::service;

/// The longest identifier that is put into a path. Those seen are numbers of nine digits.
const MAX_ID: usize = 64;

/// The path at which the API has the object that an event is about, by its type and by what the body says, such as
/// `/v2.1/calls/123456789`. What is there is true, where the body may be forged: the body is not signed.
///
/// # Errors
/// `invalid_argument` for a type of which it is not known where the API has its objects; `webhook_malformed` when the
/// body names no object, or one by what is no identifier: whoever forged the body must not choose another path.
pub fn object_path(event_type: &str, body: &[u8]) -> Result<String, Error> {
    let mut known = service::WEBHOOK_OBJECTS.iter();
    let Some((_, path, member)) = known.find(|(types, ..)| event_type.starts_with(types)) else {
        return Err(Error::invalid_argument(
            "It is not known where the API has what events of this type are about.",
        )
        .with_hint("Fetch the object by a path of your own, from the API reference."));
    };
    let id = id(body, member).ok_or_else(|| {
        Error::with_message(
            ErrorKind::WebhookMalformed,
            format!("The body names no object: `data` has no `{member}`."),
        )
    })?;
    Ok(format!("{path}{id}"))
}

/// The identifier called `member` in the body's `data`, if it is the same in a path: whole numbers, and text of
/// unreserved characters.
fn id(body: &[u8], member: &str) -> Option<String> {
    let [data] = json::members(std::str::from_utf8(body).ok()?, ["data"]).ok()?;
    let [written] = json::members(data?, [member]).ok()?;
    let text = match json::small_value(written?)? {
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
    fn it_finds_the_object_of_each_type() {
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
    fn it_lets_no_body_choose_another_path() {
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
    fn it_says_so_where_it_knows_no_path() {
        for event_type in ["appointment.scheduled", "whatsapp.message_sent", "", "call", "smsx.sent"] {
            let error = object_path(event_type, br#"{"data":{"id":1}}"#).expect_err(event_type);
            assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{event_type}");
        }
    }
}
