//! The two signed fields of the body, found without building the body. Memory is allocated only for a field with
//! escapes.

use std::borrow::Cow;

use crate::error::{Error, ErrorKind};
use crate::json::{self, JsonScanner, RawText};
use crate::service;

/// The largest body that is accepted, in bytes.
pub const MAX_BODY: usize = 1024 * 1024;

/// The signed fields of the body.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SignedFields<'a> {
    pub url: Cow<'a, str>,
    pub event_type: Cow<'a, str>,
}

/// Parses the body: one JSON object whose top-level fields `webhook_url` and `type` are strings that occur once.
///
/// # Errors
/// Fails with `webhook_malformed`, whose message names the fault and contains nothing of the body, or with
/// `out_of_memory`.
pub(super) fn read(body: &[u8]) -> Result<SignedFields<'_>, Error> {
    let (url, event_type) = fields(body).map_err(malformed)?;
    let signed = SignedFields { url: decoded(url)?, event_type: decoded(event_type)? };
    if has_control(&signed.event_type) || signed.event_type.contains('|') {
        return Err(malformed("The body's `type` contains a control character or a vertical bar."));
    }
    // A vertical bar in the URL is percent-encoded and thus harmless. A control character is refused, because no URL
    // contains one and C would end the text at a NUL.
    if has_control(&signed.url) {
        return Err(malformed("The body's `webhook_url` contains a control character."));
    }
    Ok(signed)
}

/// Returns the raw fields `webhook_url` and `type`.
fn fields(body: &[u8]) -> json::Result<(RawText<'_>, RawText<'_>)> {
    if body.len() > MAX_BODY {
        return Err("The body is larger than 1 MiB.");
    }
    let mut scanner = JsonScanner::new(std::str::from_utf8(body).map_err(|_| "The body is not UTF-8.")?);
    let mut url = None;
    let mut event_type = None;
    scanner.object(|scanner, name| {
        // Most members have other names, so they are skipped here.
        let place = if name.is(service::WEBHOOK_URL_FIELD) {
            &mut url
        } else if name.is(service::WEBHOOK_TYPE_FIELD) {
            &mut event_type
        } else {
            return scanner.skip_value();
        };
        // Another parser of the same body could choose the other value.
        if place.replace(scanner.text_value()?).is_some() {
            return Err("The body contains `webhook_url` or `type` twice.");
        }
        Ok(())
    })?;
    url.zip(event_type).ok_or("The body lacks `webhook_url` or `type`.")
}

/// Returns true if `text` contains a control character. Printable ASCII needs only one pass, which the compiler
/// vectorises.
fn has_control(text: &str) -> bool {
    let is_suspect = |byte: u8| !(0x20..0x7f).contains(&byte);
    text.bytes().fold(false, |found, byte| found | is_suspect(byte)) && text.contains(char::is_control)
}

fn decoded(text: RawText<'_>) -> Result<Cow<'_, str>, Error> {
    let decoded = text.decode()?;
    decoded.ok_or_else(|| malformed("The body's `webhook_url` or `type` contains half of a surrogate pair."))
}

/// Returns the error for a delivery of an invalid form.
pub(super) fn malformed(message: &'static str) -> Error {
    Error::with_message(ErrorKind::WebhookMalformed, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"type":"call.completed","webhook_url":"https://a.b/c"}"#;

    fn refusal(body: &[u8]) -> String {
        read(body).expect_err(&String::from_utf8_lossy(body)).message().to_owned()
    }

    #[test]
    fn it_reads_both_fields_at_any_position_and_in_any_spelling() {
        for body in [
            GOOD,
            " {\n\"type\" :\t\"call.completed\" ,\r\n\"webhook_url\": \"https://a.b/c\"} ",
            r#"{"webhook_url":"https:\/\/a.b\/c","data":{"type":1,"webhook_url":[{"type":"x"}]},"type":"call.completed"}"#,
            r#"{"\u0074yp\u0065":"call.\u0063ompleted","data":[[],{},""],"webhook_url":"https://a.b/c"}"#,
        ] {
            let signed = read(body.as_bytes()).expect(body);
            assert_eq!((&*signed.url, &*signed.event_type), ("https://a.b/c", "call.completed"), "{body}");
        }
    }

    #[test]
    fn it_copies_no_field_without_escapes() {
        let signed = read(GOOD.as_bytes()).expect("good");
        assert!(matches!(signed, SignedFields { url: Cow::Borrowed(_), event_type: Cow::Borrowed(_) }));
    }

    #[test]
    fn it_refuses_a_repeated_field_in_any_spelling() {
        for name in ["type", r"typ\u0065", "webhook_url", r"\u0077ebhook_url"] {
            let body = GOOD.replace('{', &format!("{{\"{name}\":\"x\","));
            assert!(refusal(body.as_bytes()).contains("twice"), "{body}");
        }
        let others = GOOD.replace('{', r#"{"data":1,"data":2,"\ud800type":3,"types":4,"Type":5,"#);
        assert!(read(others.as_bytes()).is_ok(), "other fields may repeat");
    }

    #[test]
    fn it_refuses_fields_that_are_missing_not_text_or_have_an_unpaired_surrogate() {
        for (body, why) in [
            (r#"{"type":"a"}"#, "lacks"),
            ("{}", "lacks"),
            (r#"{"type":1,"webhook_url":"a"}"#, "not text"),
            (r#"{"type":"a","webhook_url":null}"#, "not text"),
            (r#"{"type":"\ud83d","webhook_url":"a"}"#, "surrogate"),
            (r#"{"type":"a","webhook_url":"\ud83d\ud83d"}"#, "surrogate"),
            (r#"{"type":"a|b","webhook_url":"a"}"#, "vertical bar"),
            (r#"{"type":"a\u007c","webhook_url":"a"}"#, "vertical bar"),
            (r#"{"type":"a\n","webhook_url":"a"}"#, "control character"),
            (r#"{"type":"a","webhook_url":"a\u0000"}"#, "control character"),
            (r#"{"type":"\u0001","webhook_url":"a"}"#, "control character"),
            ("{\"type\":\"a\u{85}\",\"webhook_url\":\"a\"}", "control character"),
        ] {
            assert!(refusal(body.as_bytes()).contains(why), "{body}");
        }
    }

    #[test]
    fn it_accepts_a_body_of_1_mib_and_none_larger() {
        assert_eq!(MAX_BODY, 1_048_576);
        let with = |length: usize| GOOD.replace('{', &format!("{{\"data\":\"{}\",", "x".repeat(length)));
        let room = MAX_BODY - with(0).len();
        assert!(read(with(room).as_bytes()).is_ok());
        assert!(refusal(with(room + 1).as_bytes()).contains("1 MiB"));
    }

    #[test]
    fn it_refuses_what_is_not_utf_8() {
        let mut body = GOOD.replace('{', r#"{"data":"x","#).into_bytes();
        body[9] = 0xff;
        assert!(refusal(&body).contains("UTF-8"));
    }

    #[test]
    fn it_accepts_text_that_is_not_ascii() {
        let body = r#"{"type":"täst","webhook_url":"https://münchen.example/"}"#;
        let signed = read(body.as_bytes()).expect(body);
        assert_eq!((&*signed.url, &*signed.event_type), ("https://münchen.example/", "täst"));
    }
}
