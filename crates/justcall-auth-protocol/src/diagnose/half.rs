//! The check of one half.

use super::base64;
use super::code::Code;
use super::finding::{Finding, Subject};
use super::placeholder::{is_name, is_placeholder};
use super::unicode;
use super::wrapping::{self, is_quote};

/// The longest half, in bytes.
pub const MAX_HALF: usize = 512;

/// The shortest half that is checked for repetition. Shorter ones may repeat by chance.
const MIN_DOUBLED: usize = 8;

/// The halves of the example in the help article.
const EXAMPLE: [&[u8]; 2] = [b"abc123def456", b"sec789xyz000"];

/// Adds the findings about `bytes`.
pub(super) fn check(bytes: &[u8], half: Subject, found: &mut Vec<Finding>) {
    let before = found.len();
    let mut add = |code| found.push(Finding::new(code, half));
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else {
        return add(Code::EmptyHalf);
    };
    if bytes.len() > MAX_HALF {
        // A far too long text is not a pair, so further findings would only distract.
        return add(Code::TooLong);
    }
    let trimmed = bytes.trim_ascii();
    if wrapping::is_header_name(trimmed) {
        return add(Code::HeaderName);
    }
    if let Some(rest) = wrapping::after_scheme(trimmed) {
        add(Code::SchemePrefix);
        if base64::encodes_a_pair(rest) {
            add(Code::BasicEncoded);
        }
        return;
    }
    if is_quote(*first) || is_quote(*last) {
        add(Code::Quotes);
    }
    if is_json(trimmed) {
        add(Code::JsonPasted);
    } else if is_placeholder(trimmed) {
        add(Code::Placeholder);
    }
    if first.is_ascii_whitespace() {
        add(Code::LeadingWhitespace);
    }
    if last.is_ascii_whitespace() {
        add(Code::TrailingWhitespace);
    }
    let is_doubled = is_doubled(trimmed);
    if trimmed.iter().any(u8::is_ascii_whitespace) {
        add(Code::InnerWhitespace);
    }
    if bytes.iter().any(|byte| byte.is_ascii_control() && !byte.is_ascii_whitespace()) {
        add(Code::ControlCharacter);
    }
    unicode::codes(bytes).for_each(&mut add);
    if is_doubled {
        add(Code::PastedTwice);
    }
    if EXAMPLE.contains(&trimmed) {
        add(Code::ExamplePair);
    }
    if has_variable_name(trimmed) {
        add(Code::VariableName);
    }
    if bytes.contains(&b':') && half != Subject::Value {
        add(if half == Subject::Key { Code::ColonInKey } else { Code::ColonInSecret });
    }
    if found.len() == before && !is_usual(bytes) && half != Subject::Value {
        found.push(Finding::new(Code::UnusualShape, half));
    }
}

fn is_usual(bytes: &[u8]) -> bool {
    bytes.len() == 40 && bytes.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Returns true for an object with at least one member. Other text in braces is a placeholder.
fn is_json(bytes: &[u8]) -> bool {
    matches!(bytes, [b'{', inner @ .., b'}'] if inner.trim_ascii_start().first() == Some(&b'"'))
}

/// Returns true if the same text stands twice, with at most one line break between the copies.
fn is_doubled(bytes: &[u8]) -> bool {
    if is_usual(bytes) || bytes.iter().all(|byte| Some(byte) == bytes.first()) {
        return false;
    }
    (0..=2).any(|between| {
        let length = bytes.len().saturating_sub(between) / 2;
        let (once, rest) = bytes.split_at(length);
        length >= MIN_DOUBLED
            && bytes.len() == 2 * length + between
            && rest[..between].iter().all(u8::is_ascii_whitespace)
            && rest[between..] == *once
    })
}

/// Recognises `JUSTCALL_API_KEY=…`: the name of a half, or a name in the style of variables, with a value. Base64
/// padding after `=` is not a value.
fn has_variable_name(bytes: &[u8]) -> bool {
    let Some(equals) = bytes.iter().position(|byte| *byte == b'=') else { return false };
    let (name, value) = (&bytes[..equals], &bytes[equals + 1..]);
    let is_variable = name.len() > 2
        && name.contains(&b'_')
        && name.iter().all(|byte| matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'_'));
    (is_name(name) || is_variable) && value.iter().any(|byte| *byte != b'=')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(bytes: &[u8]) -> Vec<Code> {
        let mut found = Vec::new();
        check(bytes, Subject::Secret, &mut found);
        found.iter().map(Finding::code).collect()
    }

    #[test]
    fn it_recognises_a_half_pasted_twice() {
        for twice in ["canary7fcanary7f", "canary7f\ncanary7f", "canary7f\r\ncanary7f", "canary7f canary7f"] {
            assert!(codes(twice.as_bytes()).contains(&Code::PastedTwice), "{twice:?}");
        }
        assert!(codes("a1".repeat(40).as_bytes()).contains(&Code::PastedTwice));
        for once in ["a1".repeat(20), "0".repeat(80), "abcabc".into(), "canary7f-canary7f".into()] {
            assert!(!codes(once.as_bytes()).contains(&Code::PastedTwice), "{once}");
        }
    }

    #[test]
    fn it_recognises_the_name_of_a_variable() {
        for named in ["JUSTCALL_API_KEY=canary7f", "MY_AUTH=canary7f", "api_secret=canary7f", "key=canary7f"]
        {
            assert_eq!(codes(named.as_bytes()), [Code::VariableName], "{named}");
        }
        for plain in ["canary7f==", "AB=canary7f", "A_=canary7f", "MY_AUTH==", "canary=7f"] {
            assert_eq!(codes(plain.as_bytes()), [Code::UnusualShape], "{plain}");
        }
    }

    #[test]
    fn it_distinguishes_json_from_a_placeholder() {
        assert_eq!(codes(b"{\"a\":1}"), [Code::JsonPasted, Code::ColonInSecret]);
        assert_eq!(codes(b"{a:1}"), [Code::Placeholder, Code::ColonInSecret]);
    }

    #[test]
    fn it_recognises_a_quotation_mark_on_one_side() {
        for quoted in ["\"canary7f", "canary7f\"", "'canary7f'"] {
            assert!(codes(quoted.as_bytes()).contains(&Code::Quotes), "{quoted}");
        }
    }
}
