//! The two fields of the body that are signed, found without building the body: nothing is allocated but what of them is
//! written with escapes.

use std::borrow::Cow;

use crate::error::{Error, ErrorKind};
use crate::json::{self, Scanner, Text};
use crate::service;

/// The largest body that is read, in bytes.
pub const MAX_BODY: usize = 1024 * 1024;

/// What of the body is signed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Signed<'a> {
    pub url: Cow<'a, str>,
    pub event_type: Cow<'a, str>,
}

/// Reads the body: one JSON object whose top-level fields `webhook_url` and `type` are text, each there once.
///
/// # Errors
/// `webhook_malformed`: what is wrong, in words without anything of the body. `out_of_memory`.
pub(super) fn read(body: &[u8]) -> Result<Signed<'_>, Error> {
    let (url, event_type) = fields(body).map_err(malformed)?;
    let signed = Signed { url: decoded(url)?, event_type: decoded(event_type)? };
    if has_control(&signed.event_type) || signed.event_type.contains('|') {
        return Err(malformed("The body's `type` has a control character or a vertical bar."));
    }
    // In the URL a vertical bar is encoded. Control characters would be too, but no URL has any, and C ends text at one.
    if has_control(&signed.url) {
        return Err(malformed("The body's `webhook_url` has a control character."));
    }
    Ok(signed)
}

/// The two fields as they are written: `webhook_url` and `type`.
fn fields(body: &[u8]) -> json::Result<(Text<'_>, Text<'_>)> {
    if body.len() > MAX_BODY {
        return Err("The body is larger than 1 MiB.");
    }
    let mut scanner = Scanner::new(std::str::from_utf8(body).map_err(|_| "The body is not UTF-8.")?);
    let mut url = None;
    let mut event_type = None;
    scanner.object(|scanner, name| {
        // The members of other names outnumber these two by far.
        let place = if name.is(service::WEBHOOK_URL_FIELD) {
            &mut url
        } else if name.is(service::WEBHOOK_TYPE_FIELD) {
            &mut event_type
        } else {
            return scanner.skip_value();
        };
        // Who parses the body again may take the other one.
        if place.replace(scanner.text_value()?).is_some() {
            return Err("The body has `webhook_url` or `type` twice.");
        }
        Ok(())
    })?;
    url.zip(event_type).ok_or("The body lacks `webhook_url` or `type`.")
}

/// Whether a control character is in `text`. Where all of it is ASCII, all bytes are looked at together.
fn has_control(text: &str) -> bool {
    let is_suspect = |byte: u8| !(0x20..0x7f).contains(&byte);
    text.bytes().fold(false, |found, byte| found | is_suspect(byte)) && text.contains(char::is_control)
}

fn decoded(text: Text<'_>) -> Result<Cow<'_, str>, Error> {
    let decoded = text.decode()?;
    decoded.ok_or_else(|| malformed("The body's `webhook_url` or `type` has half of a surrogate pair in it."))
}

/// The failure of a delivery that does not have the form of one.
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
    fn it_reads_the_two_fields_wherever_and_however_they_are_written() {
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
    fn it_copies_nothing_that_is_written_plainly() {
        let signed = read(GOOD.as_bytes()).expect("good");
        assert!(matches!(signed, Signed { url: Cow::Borrowed(_), event_type: Cow::Borrowed(_) }));
    }

    #[test]
    fn it_refuses_a_field_that_is_there_twice_however_it_is_written() {
        for name in ["type", r"typ\u0065", "webhook_url", r"\u0077ebhook_url"] {
            let body = GOOD.replace('{', &format!("{{\"{name}\":\"x\","));
            assert!(refusal(body.as_bytes()).contains("twice"), "{body}");
        }
        let others = GOOD.replace('{', r#"{"data":1,"data":2,"\ud800type":3,"types":4,"Type":5,"#);
        assert!(read(others.as_bytes()).is_ok(), "other fields may be there as they like");
    }

    #[test]
    fn it_refuses_fields_that_are_missing_no_text_or_half_a_letter() {
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
            ("{\"type\":\"a\u{85}\",\"webhook_url\":\"a\"}", "control character"),
        ] {
            assert!(refusal(body.as_bytes()).contains(why), "{body}");
        }
    }

    #[test]
    fn it_reads_a_body_of_1_mib_and_no_larger() {
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
}
