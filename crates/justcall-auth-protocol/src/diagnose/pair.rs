//! The check of two halves.

use super::code::Code;
use super::finding::{Finding, Subject, worst_first};
use super::half;

/// Checks a pair. Returns the worst findings first. A pair without a finding of severity `error` may be sent.
pub fn pair(key: &[u8], secret: &[u8]) -> Vec<Finding> {
    let mut found = Vec::new();
    check(key, secret, &mut found);
    worst_first(found)
}

/// Checks a single secret, such as a webhook secret. Returns the worst findings first.
pub fn secret(secret: &[u8]) -> Vec<Finding> {
    let mut found = Vec::new();
    half::check(secret, Subject::Secret, &mut found);
    worst_first(found)
}

/// Adds the findings about both halves.
pub(super) fn check(key: &[u8], secret: &[u8], found: &mut Vec<Finding>) {
    half::check(key, Subject::Key, found);
    if is_doubled(key, secret) {
        let before = found.len();
        half::check(secret, Subject::Secret, found);
        // The colon belongs to the second copy of the pair.
        let of_secret = found.split_off(before);
        found.extend(of_secret.into_iter().filter(|finding| finding.code() != Code::ColonInSecret));
        found.push(Finding::new(Code::PastedTwice, Subject::Pair));
    } else {
        half::check(secret, Subject::Secret, found);
    }
    if key == secret && !key.is_empty() {
        found.push(Finding::new(Code::HalvesEqual, Subject::Pair));
    }
}

/// Returns true if `key:secret` is `K:SK:S`, with at most one line break between the copies.
fn is_doubled(key: &[u8], secret: &[u8]) -> bool {
    let secret = secret.trim_ascii_end();
    if key.is_empty() {
        return false;
    }
    (0..=2).any(|between| {
        let Some(both) = secret.len().checked_sub(between + key.len() + 1) else { return false };
        let once = &secret[..both / 2];
        let rest = &secret[both / 2..];
        both >= 2
            && both % 2 == 0
            && rest[..between].iter().all(u8::is_ascii_whitespace)
            && rest[between..].strip_prefix(key).and_then(|rest| rest.strip_prefix(b":")) == Some(once)
    })
}

#[cfg(test)]
mod tests {
    use super::super::code::Severity;
    use super::*;

    fn codes(key: &str, secret: &str) -> Vec<Code> {
        pair(key.as_bytes(), secret.as_bytes()).iter().map(Finding::code).collect()
    }

    #[test]
    fn it_names_the_half_but_never_the_value() {
        for bad in [
            "canary-7f3a ",
            " canary-7f3a",
            "\"canary-7f3a\"",
            "canary-7f3a\u{7f}",
            "canary-7f3ä",
            "\u{feff}canary-7f3a",
            "“canary-7f3a”",
            "{\"canary-7f3a\":\"canary-7f3a\"}",
            "Bearer canary-7f3a",
        ] {
            for (key, secret, half) in [(bad, "sec789xyz00", "API key"), ("abc123def45", bad, "API secret")] {
                let found = pair(key.as_bytes(), secret.as_bytes());
                assert_eq!(found[0].severity(), Severity::Error, "{bad:?}");
                assert!(found[0].message().contains(half), "{bad:?}: {found:?}");
                assert!(!format!("{found:?}").contains("canary"), "{bad:?}");
            }
        }
    }

    #[test]
    fn it_finds_nothing_in_a_pair_of_the_usual_shape() {
        assert_eq!(codes(&"a1".repeat(20), &"b2".repeat(20)), []);
    }

    #[test]
    fn it_reports_only_notes_if_the_pair_may_work() {
        assert_eq!(codes("abc123def45", "sec789:xyz000"), [Code::ColonInSecret, Code::UnusualShape]);
    }

    #[test]
    fn it_recognises_a_pair_pasted_twice() {
        for between in ["", " ", "\n", "\r\n"] {
            let secret = format!("sec789xyz0{between}abc123def4:sec789xyz0");
            let found = codes("abc123def4", &secret);
            assert!(found.contains(&Code::PastedTwice) && !found.contains(&Code::ColonInSecret), "{found:?}");
            assert_eq!(found[0] == Code::InnerWhitespace, !between.is_empty(), "{found:?}");
        }
        assert!(!codes("abc123def4", "sec789xyz0abc123def4:sec789xyz1").contains(&Code::PastedTwice));
        assert!(!codes("abc123def4", "abc123def4:").contains(&Code::PastedTwice));
    }

    #[test]
    fn it_accepts_every_legal_byte() {
        let legal: Vec<u8> = (0x21..=0x7E).collect();
        let key: Vec<u8> = legal.iter().copied().filter(|byte| *byte != b':').collect();
        // Neither half starts with a quotation mark, because `!` comes first.
        assert!(pair(&key, &legal).iter().all(|finding| finding.severity() != Severity::Error));
    }
}
