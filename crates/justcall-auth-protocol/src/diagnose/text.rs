//! The check of pasted text.

use super::base64;
use super::code::Code;
use super::finding::{Finding, Subject, worst_first};
use super::half;
use super::pair;
use super::placeholder::is_name;
use super::wrapping;

/// The limit on removed layers. People add fewer around a pair.
const MAX_LAYERS: usize = 8;

/// Checks `key:secret` as people paste it: alone, as the value or line of a header, or within a part of a command.
///
/// Returns the worst findings first. `known_key` is an API key from another source; it reveals swapped halves. There is
/// a finding of severity `error` exactly if `text` as it is would be refused as a pair.
pub fn text(text: &[u8], known_key: Option<&[u8]>) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut rest = text;
    for _ in 0..MAX_LAYERS {
        let Some((code, inner)) = wrapping::unwrap(rest) else { break };
        found.push(Finding::new(code, Subject::Pair));
        rest = inner;
    }
    check(rest, known_key, &mut found);
    worst_first(found)
}

fn check(text: &[u8], known_key: Option<&[u8]>, found: &mut Vec<Finding>) {
    let mut add = |code| found.push(Finding::new(code, Subject::Pair));
    if text.trim_ascii().is_empty() {
        return add(Code::EmptyHalf);
    }
    if is_json(text) {
        return add(Code::JsonPasted);
    }
    if is_assignment(text) {
        return add(Code::AssignmentPasted);
    }
    if let Some((key, secret)) = split_once(text, b":") {
        if known_key.is_some_and(|known| secret.trim_ascii() == known && key.trim_ascii() != known) {
            found.push(Finding::new(Code::SwappedHalves, Subject::Secret));
        }
        pair::check(key, secret, found);
    } else if base64::encodes_a_pair(text) {
        add(Code::BasicEncoded);
    } else if let Some((key, secret)) = split_once(text, b"%3a") {
        add(Code::UrlEncoded);
        pair::check(key, secret, found);
    } else {
        let before = found.len();
        half::check(text, Subject::Value, found);
        if !found[before..].iter().any(|finding| finding.code() == Code::TooLong) {
            found.push(Finding::new(Code::OneHalf, Subject::Pair));
        }
    }
}

/// Splits `text` at the first `separator`, ignoring case. `separator` must be in lower case.
fn split_once<'a>(text: &'a [u8], separator: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = text.windows(separator.len()).position(|window| window.eq_ignore_ascii_case(separator))?;
    Some((&text[..at], &text[at + separator.len()..]))
}

/// Returns true for an object whose first member has a quoted name. The first colon follows a quotation mark, so the
/// text is not a pair.
fn is_json(text: &[u8]) -> bool {
    let before_colon = split_once(text, b":").map(|(name, _)| name.trim_ascii());
    matches!(before_colon, Some([b'{', name @ .., b'"']) if name.trim_ascii_start().first() == Some(&b'"'))
}

/// Recognises `NAME=value` lines of dotenv files and shells, and `name: value` lines of YAML and dashboards. Returns
/// false if the text could be sent as a pair.
fn is_assignment(text: &[u8]) -> bool {
    let before_colon = split_once(text, b":");
    let line = text
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::trim_ascii)
        .find(|line| !line.is_empty() && !line.starts_with(b"#"))
        .unwrap_or_default();
    let named = |line: &[u8]| {
        let line = [b"export ".as_slice(), b"set ", b"$env:"]
            .iter()
            .find_map(|word| line.strip_prefix(*word))
            .unwrap_or(line);
        split_once(line, b"=").is_some_and(|(name, value)| {
            let name = name.trim_ascii_end();
            name.first().is_some_and(|first| first.is_ascii_alphabetic() || *first == b'_')
                && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
                && value.iter().any(|byte| *byte != b'=')
        })
    };
    match before_colon {
        None | Some((b"$env", _)) => named(line),
        Some((name, value)) => {
            let label = name.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
            name.iter().any(u8::is_ascii_whitespace) && named(line)
                || is_name(label.trim_ascii()) && value.first().is_some_and(u8::is_ascii_whitespace)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(pasted: &str) -> Vec<&'static str> {
        text(pasted.as_bytes(), Some(b"canary-key")).iter().map(|finding| finding.code().name()).collect()
    }

    #[test]
    fn it_reports_every_layer_and_the_content() {
        assert_eq!(
            codes(
                "curl https://api.justcall.io/v2/calls \\\n  -H \"Authorization: Bearer {api_key}:{api_secret}\""
            ),
            ["header_name", "scheme_prefix", "placeholder", "placeholder"]
        );
        assert_eq!(
            codes("Authorization: Basic Y2FuYXJ5LWtleTpjYW5hcnk="),
            ["header_name", "scheme_prefix", "basic_encoded"]
        );
    }

    #[test]
    fn it_recognises_swapped_halves_by_the_known_key() {
        assert_eq!(codes("canary-secret:canary-key"), ["swapped_halves", "unusual_shape", "unusual_shape"]);
        assert_eq!(codes("canary-key:canary-secret"), ["unusual_shape", "unusual_shape"]);
    }

    #[test]
    fn it_recognises_lines_with_names() {
        for pasted in [
            "JUSTCALL_API_KEY=canary",
            "# ours\n\nexport JUSTCALL_API_KEY=canary\nJUSTCALL_API_SECRET=canary7:f\n",
            "$env:JUSTCALL_API_KEY = \"canary\"",
            "set JUSTCALL_API_KEY=canary",
            "api_key = 'canary'\napi_secret = 'canary7f'",
            "api_key: canary\napi_secret: canary7f",
            "API Key: canary\nAPI Secret: canary7f",
            "_AUTH=canary",
        ] {
            assert_eq!(codes(pasted), ["assignment_pasted"], "{pasted:?}");
        }
        assert_eq!(codes("JUSTCALL_AUTH=canary:canary7f")[0], "variable_name");
        assert_ne!(codes("7AUTH=canary")[0], "assignment_pasted", "no variable starts with a digit");
    }

    #[test]
    fn it_reports_a_missing_half_unless_the_text_is_far_too_long_for_one() {
        assert!(codes("canary7f").contains(&"one_half"));
        let long = codes(&"canary7f".repeat(1000));
        assert!(long.contains(&"too_long") && !long.contains(&"one_half"), "{long:?}");
    }
}
