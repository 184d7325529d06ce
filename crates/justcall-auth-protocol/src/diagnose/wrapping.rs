//! Text that people paste together with a pair: the name of the header, a scheme word, quotes, a command.

use super::code::Code;
use super::unicode;

const NAME: &[u8] = b"authorization";
const SCHEMES: [&[u8]; 3] = [b"bearer", b"basic", b"token"];

/// Removes one layer from `text`. Returns its code and the rest. A removed layer cannot be part of a legal pair.
pub(super) fn unwrap(text: &[u8]) -> Option<(Code, &[u8])> {
    if let Some(rest) = unicode::after_byte_order_mark(text) {
        return Some((Code::ByteOrderMark, rest));
    }
    let start = text.trim_ascii_start();
    if let Some(value) = header_value(start) {
        return Some((Code::HeaderName, value));
    }
    if let Some(user) = user_option(start) {
        return Some((Code::CurlUser, user));
    }
    if let Some(arguments) = after_word(start, b"curl") {
        return header_within(arguments)
            .map(|value| (Code::HeaderName, value))
            .or_else(|| user_within(arguments).map(|user| (Code::CurlUser, user)));
    }
    if let Some(rest) = after_scheme(start) {
        return Some((Code::SchemePrefix, rest));
    }
    inside_quotes(text.trim_ascii()).map(|inner| (Code::Quotes, inner))
}

/// Returns true if a half is the name of the header, or starts with that name and a colon.
pub(super) fn is_header_name(half: &[u8]) -> bool {
    after(half, NAME).is_some_and(|rest| matches!(rest, [] | [b':', ..]))
}

/// Returns the text after a scheme word and a space.
pub(super) fn after_scheme(text: &[u8]) -> Option<&[u8]> {
    SCHEMES.iter().find_map(|scheme| after_word(text, scheme))
}

/// Returns the value in `Authorization: …`, `-H 'Authorization: …'`, `"Authorization": "…"` or `'Authorization' =>
/// '…'`.
fn header_value(text: &[u8]) -> Option<&[u8]> {
    let text = after_word(text, b"-h").or_else(|| after_word(text, b"--header")).unwrap_or(text);
    match text {
        [b'{', object @ ..] => match object.trim_ascii_start() {
            // A brace before any other separator could belong to a key, as could a name whose quotation ends later.
            [quote, named @ ..] if is_quote(*quote) && named.get(NAME.len()) == Some(quote) => {
                value_after_name(named, Some(*quote), &[b":"])
            }
            _ => None,
        },
        [quote, named @ ..] if is_quote(*quote) => {
            value_after_name(named, Some(*quote), &[b":", b"=>", b",", b"="])
        }
        _ => value_after_name(text, None, &[]),
    }
}

/// Returns the value in `text`, which starts with the header's name. `quote` is the quotation mark before the name.
fn value_after_name<'a>(text: &'a [u8], quote: Option<u8>, separators: &[&[u8]]) -> Option<&'a [u8]> {
    let rest = after(text, NAME)?;
    if quote.is_some() && rest.first().copied() == quote {
        // The name and the value are quoted separately.
        let rest = rest[1..].trim_ascii_start();
        let value = separators.iter().find_map(|separator| rest.strip_prefix(*separator))?.trim_ascii_start();
        return Some(match value {
            [quote, value @ ..] if is_quote(*quote) => until(value, *quote),
            _ => line(value),
        });
    }
    let value = rest.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
    Some(quote.map_or_else(|| line(value), |quote| until(value, quote)))
}

/// Returns the value of the first `Authorization` header in the arguments of a command.
fn header_within(arguments: &[u8]) -> Option<&[u8]> {
    (0..arguments.len()).find_map(|at| {
        let before = at.checked_sub(1).map(|before| arguments[before]);
        // The end of another name, such as Proxy-Authorization, does not count.
        if before.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            return None;
        }
        value_after_name(&arguments[at..], before.filter(|byte| is_quote(*byte)), &[])
    })
}

/// Returns the argument of the first `-u` in the arguments of a command.
fn user_within(arguments: &[u8]) -> Option<&[u8]> {
    (0..arguments.len())
        .filter(|at| *at == 0 || arguments[*at - 1].is_ascii_whitespace())
        .find_map(|at| user_option(&arguments[at..]))
}

/// Returns the argument of the `-u` at the start of `text`.
fn user_option(text: &[u8]) -> Option<&[u8]> {
    let argument = after_word(text, b"-u").or_else(|| after_word(text, b"--user"))?;
    Some(match argument {
        [quote, quoted @ ..] if is_quote(*quote) => until(quoted, *quote),
        _ => argument.split(u8::is_ascii_whitespace).next().unwrap_or_default(),
    })
}

/// Returns the text between two quotation marks. Returns `None` for `"key":"secret"`, where each half has its own.
fn inside_quotes(text: &[u8]) -> Option<&[u8]> {
    match text {
        [first, inner @ .., last] if is_quote(*first) && first == last && !inner.contains(first) => {
            Some(inner)
        }
        _ => None,
    }
}

/// Returns the text after `word`, in any case, and white space.
fn after_word<'a>(text: &'a [u8], word: &[u8]) -> Option<&'a [u8]> {
    let rest = after(text, word)?;
    rest.first().is_some_and(u8::is_ascii_whitespace).then(|| rest.trim_ascii_start())
}

/// Returns the text after `prefix`, in any case.
fn after<'a>(text: &'a [u8], prefix: &[u8]) -> Option<&'a [u8]> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// Returns `text` up to `quote`, or the whole text.
fn until(text: &[u8], quote: u8) -> &[u8] {
    text.split(|byte| *byte == quote).next().unwrap_or_default()
}

/// Returns the first line of `text`, without its line break.
fn line(text: &[u8]) -> &[u8] {
    let line = until(text, b'\n');
    line.strip_suffix(b"\r").unwrap_or(line)
}

pub(super) const fn is_quote(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'`')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_removes_the_layers_around_a_pair() {
        for (text, code, rest) in [
            ("Authorization: k:s", Code::HeaderName, "k:s"),
            ("authorization:k:s \r\nAccept: */*", Code::HeaderName, "k:s "),
            ("-H 'Authorization: k:s'", Code::HeaderName, "k:s"),
            ("--header \"AUTHORIZATION: k:s \" \\", Code::HeaderName, "k:s "),
            ("-H Authorization:\"k:s\"", Code::HeaderName, "\"k:s\""),
            ("\"Authorization\": \"k:s\",", Code::HeaderName, "k:s"),
            ("\"Authorization\": k:s\n}", Code::HeaderName, "k:s"),
            ("{'Authorization' : 'k:s'}", Code::HeaderName, "k:s"),
            ("'Authorization' => \"k:s\"", Code::HeaderName, "k:s"),
            ("\"Authorization\", \"k:s\");", Code::HeaderName, "k:s"),
            ("curl -X GET https://x/ \\\n -H \"Authorization: k:s\" -H 'A: b'", Code::HeaderName, "k:s"),
            ("curl -H 'Proxy-Authorization: a' -H 'Authorization: k:s'", Code::HeaderName, "k:s"),
            ("curl -u k:s https://x/", Code::CurlUser, "k:s"),
            ("curl --user 'k:s' https://x/", Code::CurlUser, "k:s"),
            ("-u \"k:s\"", Code::CurlUser, "k:s"),
            ("curl https://x/ -u k:s", Code::CurlUser, "k:s"),
            (" Bearer  k:s ", Code::SchemePrefix, "k:s "),
            ("basic azpz", Code::SchemePrefix, "azpz"),
            (" 'k:s'\n", Code::Quotes, "k:s"),
            ("\u{feff}k:s", Code::ByteOrderMark, "k:s"),
        ] {
            assert_eq!(unwrap(text.as_bytes()), Some((code, rest.as_bytes())), "{text:?}");
        }
    }

    #[test]
    fn it_removes_nothing_that_may_belong_to_a_pair() {
        for text in [
            "",
            "k:s",
            "authorization",
            "my-authorization:s",
            "{\"Authorization\",\"k:s\"}",
            "{\"Authorization:k",
            "-HAuthorization:k:s",
            "--header=Authorization:k:s",
            "Bearer:s",
            "tokens k:s",
            "curl:s",
            "\"k\":\"s\"",
            "\"",
            "\"k:s'",
        ] {
            assert_eq!(unwrap(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn it_recognises_the_name_of_the_header_as_a_half() {
        for half in ["Authorization", "authorization:", "AUTHORIZATION: x"] {
            assert!(is_header_name(half.as_bytes()), "{half}");
        }
        for half in ["authorizations", "authorisation", ""] {
            assert!(!is_header_name(half.as_bytes()), "{half}");
        }
    }
}
