//! Removes the escapes of JSON, HTML and URLs, so that the separators of names and values are visible.

use std::borrow::Cow;

/// The maximum depth of nested escapes, such as JSON in JSON in a URL.
const DEPTH: usize = 3;

/// The entities that separate names from values.
const ENTITIES: &[(&[u8], u8)] = &[
    (b"&quot;", b'"'),
    (b"&apos;", b'\''),
    (b"&lt;", b'<'),
    (b"&gt;", b'>'),
    (b"&amp;", b'&'),
    (b"&nbsp;", b' '),
];

/// Returns `text` without escapes, up to [`DEPTH`].
pub(crate) fn readable(text: &[u8]) -> Cow<'_, [u8]> {
    let mut readable = Cow::Borrowed(text);
    for _ in 0..DEPTH {
        if memchr::memchr3(b'\\', b'%', b'&', &readable).is_none() {
            break;
        }
        let once = without_escapes(&readable);
        if *once == *readable {
            break;
        }
        readable = Cow::Owned(once);
    }
    readable
}

fn without_escapes(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memchr3(b'\\', b'%', b'&', rest) {
        let (before, escape) = rest.split_at(at);
        plain.extend_from_slice(before);
        let (byte, length) = escaped(escape).unwrap_or((escape[0], 1));
        plain.push(byte);
        rest = &escape[length..];
    }
    plain.extend_from_slice(rest);
    plain
}

/// Returns the byte that the escape at the start of `text` stands for, and the length of the escape.
fn escaped(text: &[u8]) -> Option<(u8, usize)> {
    match text {
        [b'\\', b'n' | b'r', ..] => Some((b'\n', 2)),
        [b'\\', b't', ..] => Some((b'\t', 2)),
        [b'\\', itself @ (b'"' | b'\'' | b'/' | b'\\'), ..] => Some((*itself, 2)),
        [b'\\', b'u', digits @ ..] => Some((number(digits.get(..4)?, 16)?, 6)),
        [b'\\', b'x', digits @ ..] => Some((number(digits.get(..2)?, 16)?, 4)),
        [b'%', digits @ ..] => Some((number(digits.get(..2)?, 16)?, 3)),
        [b'&', b'#', digits @ ..] => {
            let (digits, radix, prefix) = match digits {
                [b'x' | b'X', digits @ ..] => (digits, 16, 3),
                _ => (digits, 10, 2),
            };
            let end = digits.iter().take(6).position(|byte| *byte == b';')?;
            Some((number(&digits[..end], radix)?, prefix + end + 1))
        }
        _ => {
            let (entity, byte) = ENTITIES.iter().find(|(entity, _)| text.starts_with(entity))?;
            Some((*byte, entity.len()))
        }
    }
}

/// Returns the character with this number, or a question mark if it is not ASCII.
fn number(digits: &[u8], radix: u32) -> Option<u8> {
    let digits = std::str::from_utf8(digits).ok().filter(|digits| !digits.starts_with(['+', '-']))?;
    let number = u32::from_str_radix(digits, radix).ok()?;
    Some(u8::try_from(number).ok().filter(u8::is_ascii).unwrap_or(b'?'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_through_the_escapes_of_json_html_and_urls() {
        for (text, plain) in [
            (r#"\"secret\":\""#, r#""secret":""#),
            (r#"\\\"secret\\\":\\\""#, r#""secret":""#),
            (r"{\u0022secret\u0022\u003a\x22", r#"{"secret":""#),
            (r"\\u003csecret\\u003e<\/a>", "<secret></a>"),
            ("%26api_secret%3D", "&api_secret="),
            ("%2526api_secret%253D", "&api_secret="),
            ("&lt;secret&gt;", "<secret>"),
            ("&amp;quot;secret&#34;&#x3A;", "\"secret\":"),
            (r"a\nSECRET", "a\nSECRET"),
            ("100% & more \\", "100% & more \\"),
            ("%2", "%2"),
            ("%+1 &#+3;", "%+1 &#+3;"),
            ("caf\\u00e9", "caf?"),
        ] {
            assert_eq!(String::from_utf8_lossy(&readable(text.as_bytes())), plain, "{text}");
        }
    }
}
