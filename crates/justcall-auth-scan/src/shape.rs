//! Finds values with the shape of a JustCall pair: random words near names that describe them.

use justcall_auth::{Zeroizing, key_hint};

use crate::beside;
use crate::candidate::{Candidate, CandidateValue, candidates};
use crate::code::ScanCode;
use crate::finding::Hit;
use crate::marks::{Marks, name_of_file};
use crate::name::{Name, Role};

/// The largest distance between a secret and its key, in bytes.
const KEY_REACH: usize = 600;
/// The largest distance between two halves on one line with only punctuation between them, in bytes.
const SIDE_BY_SIDE: usize = 40;
/// The largest distance between a mention of JustCall and two such halves, in bytes.
const TELLING: usize = 300;

/// Returns the hits in `text` with the path `path`.
pub(crate) fn hits(text: &[u8], path: &str) -> Vec<Hit> {
    let Some(marks) = Marks::of(text, path) else { return Vec::new() };
    let candidates: Vec<Candidate> =
        marks.ranges().into_iter().flat_map(|range| candidates(text, range)).collect();
    let is_blank = |byte: &u8| byte.is_ascii_whitespace() || !byte.is_ascii();
    let begin = text.iter().position(|byte| !is_blank(byte)).unwrap_or(text.len());
    let search = Search { text, path, begin, marks, candidates };
    let mut hits: Vec<Hit> = Vec::new();
    let mut index = 0;
    while index < search.candidates.len() {
        // A pair of two candidates uses the next one as well.
        let (hit, used) = search.at(index);
        hits.extend(hit);
        index += used;
    }
    hits
}

/// The search of one text.
struct Search<'a> {
    text: &'a [u8],
    path: &'a str,
    /// The offset of the first word.
    begin: usize,
    marks: Marks<'a>,
    candidates: Vec<Candidate>,
}

impl Search<'_> {
    /// Applies the rules to the candidate at `index`, and to the next one if they form a pair. Also returns how many
    /// candidates it used.
    fn at(&self, index: usize) -> (Option<Hit>, usize) {
        let candidate = &self.candidates[index];
        if self.is_part_of_another(candidate) {
            return (None, 1);
        }
        let name = self.name(index);
        if name.is_some_and(|name| name.role == Role::Other) {
            return (None, 1);
        }
        let half = match &candidate.value {
            CandidateValue::Pair { pair, colon } => {
                let hit = || hit(ScanCode::LeakedPair, candidate, &pair[colon + 1..], Some(&pair[..*colon]));
                return (self.are_ours(candidate, name).then(hit), 1);
            }
            CandidateValue::Half(half) => half,
        };
        if let Some(secret) = self.second_half(index, name) {
            let hit = hit(ScanCode::LeakedPair, candidate, secret, Some(half));
            return (Some(hit), 2);
        }
        let is_secret = match name.map(|name| name.role) {
            Some(Role::Secret) => true,
            Some(Role::Password) => self.key_near(index).is_some(),
            _ => false,
        };
        if !is_secret || !self.are_ours(candidate, name) {
            return (None, 1);
        }
        let key = self.key_near(index);
        let code = if key.is_some() { ScanCode::LeakedPair } else { ScanCode::LeakedSecret };
        (Some(hit(code, candidate, half, key)), 1)
    }

    fn name(&self, index: usize) -> Option<Name> {
        let span = &self.candidates[index].span;
        let from = index.checked_sub(1).map_or(0, |before| self.candidates[before].span.end);
        if span.start <= self.begin {
            return name_of_file(self.path);
        }
        beside::name_of(self.text, from, span)
    }

    fn are_ours(&self, candidate: &Candidate, name: Option<Name>) -> bool {
        match name {
            Some(name) if name.is_ours => true,
            Some(name) if name.is_foreign => false,
            _ => self.marks.are_ours(candidate.span.start),
        }
    }

    /// Whether the candidate is part of a longer value: a file name, a path, the end of a URL, an encrypted value.
    fn is_part_of_another(&self, candidate: &Candidate) -> bool {
        let before = &self.text[..candidate.span.start];
        let after = &self.text[candidate.span.end..];
        let is_word = |byte: &u8| byte.is_ascii_alphanumeric();
        let joins = match before {
            [.., left, b'#' | b'@' | b'.'] => is_word(left),
            [.., left, b'/' | b'+'] => {
                is_word(left) || matches!(left, b'/' | b'.') && !before.ends_with(b"://")
            }
            _ => false,
        };
        let joined = match after {
            [b'/', ..] => true,
            [b'+' | b'.', right, ..] => is_word(right),
            _ => false,
        };
        joins || joined || before.ends_with(b"data:") || before.ends_with(b"ENC[")
    }

    /// Returns the secret whose key is the candidate at `index`: joined by a colon, or with only punctuation between them.
    fn second_half(&self, index: usize, name: Option<Name>) -> Option<&Zeroizing<Vec<u8>>> {
        let first = &self.candidates[index];
        let second = self.candidates.get(index + 1)?;
        let CandidateValue::Half(secret) = &second.value else { return None };
        if !self.are_ours(first, name) || self.is_part_of_another(second) {
            return None;
        }
        let between = &self.text[first.span.end..second.span.start];
        let is_joined = between == b":" || between.eq_ignore_ascii_case(b"%3a") || between == br"\u003a";
        let is_telling = name.is_some_and(|name| name.role != Role::Secret)
            || self.marks.are_close_before(first.span.start, TELLING);
        let is_alike = first.span.len() == second.span.len() && is_punctuation(between) && is_telling;
        // In a table the next column may contain another kind of value.
        let is_other = || self.name(index + 1).is_some_and(|name| name.role == Role::Other);
        (is_joined || is_alike && !is_other()).then_some(secret)
    }

    /// Returns the key near the secret at `index`, before it or after.
    fn key_near(&self, index: usize) -> Option<&[u8]> {
        let at = self.candidates[index].span.start;
        let is_key = |other: usize| {
            let candidate = self.candidates.get(other)?;
            let CandidateValue::Half(key) = &candidate.value else { return None };
            let is_near = candidate.span.start.abs_diff(at) <= KEY_REACH;
            let is_key = self.name(other).is_some_and(|name| name.role == Role::Key);
            (is_near && is_key).then_some(key.as_slice())
        };
        index.checked_sub(1).and_then(is_key).or_else(|| is_key(index + 1))
    }
}

fn hit(code: ScanCode, candidate: &Candidate, secret: &[u8], key: Option<&[u8]>) -> Hit {
    Hit {
        code,
        at: candidate.span.start,
        form: if candidate.is_base64 { "in base64" } else { "as it is" },
        key_hint: key.map(key_hint),
        secret: secret.to_vec().into(),
    }
}

/// Whether only punctuation is between two halves: quotes, commas, `' + ':' + '`, `",":").concat("`.
fn is_punctuation(between: &[u8]) -> bool {
    let words = || between.split(|byte| !byte.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    between.len() <= SIDE_BY_SIDE && !between.contains(&b'\n') && words().all(|word| word == b"concat")
}

#[cfg(test)]
mod tests {
    use justcall_auth::Credentials;
    use proptest::prelude::*;

    use super::*;
    use crate::marks::REACH;

    const KEY: &str = "8f1c0b5ad93e47a2c6f0d81b35e79a4c2d60f8b1";
    const SECRET: &str = "84dbf4398ab9480836b3918f41b9398a3a02068d";

    fn codes(text: &str, path: &str) -> Vec<ScanCode> {
        hits(text.as_bytes(), path).into_iter().map(|hit| hit.code).collect()
    }

    #[test]
    fn it_reports_a_pair_or_a_secret_but_not_a_key() {
        let pair = format!("Authorization: {KEY}:{SECRET} https://api.justcall.io");
        assert_eq!(codes(&pair, "a"), [ScanCode::LeakedPair]);
        assert_eq!(codes(&format!("JUSTCALL_API_SECRET={SECRET}"), "a"), [ScanCode::LeakedSecret]);
        assert_eq!(codes(&format!("JUSTCALL_API_KEY={KEY}"), "a"), [], "the key alone is not a leak");
        assert_eq!(codes(SECRET, "secrets/justcall_api_secret"), [ScanCode::LeakedSecret]);
        assert_eq!(codes(SECRET, "secrets/justcall_api_key"), []);
        assert_eq!(codes(&format!("api_secret={SECRET}"), "a"), [], "the service is unknown");
    }

    #[test]
    fn it_reports_the_same_key_hint_as_the_library() {
        let pair = Credentials::new(KEY.as_bytes(), SECRET.as_bytes()).expect("the pair is valid");
        let text = format!("justcall_api_key={KEY} justcall_api_secret={SECRET}");
        let hits = hits(text.as_bytes(), "a");
        assert_eq!(hits[0].key_hint.as_deref(), Some(pair.key_hint()));
    }

    #[test]
    fn it_accepts_words_that_extend_beyond_the_searched_ranges() {
        let word = format!("{KEY}{SECRET}{KEY}");
        for before in REACH - 200..REACH + 10 {
            let text = format!("justcall{} {word} {}justcall", " ".repeat(before), " ".repeat(REACH - 100));
            assert_eq!(codes(&text, "a"), []);
        }
    }

    /// The pieces of generated texts, chosen to reach the edge cases of the rules.
    const PIECES: &[&str] = &[
        "justcall",
        "JUSTCALL_API_",
        "just_",
        "call",
        "api_key",
        "API_SECRET",
        "secret",
        "Authorization",
        "Basic ",
        "stripe",
        KEY,
        SECRET,
        "NGY4YzBiNWFkOTNlNDdhMmM2ZjBkODFiMzVlNzlhNGM6ODRkYmY0Mzk4YWI5NDgwODM2YjM5MThmNDFiOTM5OGE=",
        "abc",
        "0",
        ":",
        "=",
        "\"",
        "'",
        "%3A",
        "%",
        "%2",
        "\\",
        "\\u",
        "\\n",
        "\\x",
        "<",
        "</",
        ">",
        "/",
        ".",
        "#",
        "@",
        "+",
        "-",
        "_",
        "(",
        ",",
        " ",
        "\n",
        "\r\n",
        "\n\n",
        "\0",
        "ä",
        "\u{feff}",
        "\u{202e}",
        "ENC[",
        "data:",
        "://",
        ".js",
        "<a ",
        "<secret>",
        "</secret>",
        "/>",
        "<![CDATA[",
        "key=\"",
        "value",
        "name",
        "{",
        "}",
        "INSERT (",
        "VALUES (",
        "id,secret,",
        "\t",
        "|",
        "&lt;",
        "&#",
        "\\\\u003c",
    ];

    proptest! {
        #[test]
        fn it_accepts_every_text_and_reports_offsets_in_it(
            pieces in prop::collection::vec(prop::sample::select(PIECES), 0..40),
            path in prop::sample::select(&["a", "justcall/api_secret", "dist/a.js", ""][..]),
        ) {
            let text = pieces.concat();
            for hit in hits(text.as_bytes(), path) {
                prop_assert!(text.is_char_boundary(hit.at) && hit.at < text.len());
                prop_assert!(hit.secret.len() >= 16);
            }
        }

        #[test]
        fn it_accepts_bytes_that_are_not_text(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            let text = [&b"justcall secret="[..], &bytes, b"justcall"].concat();
            let hits = hits(&text, "a");
            prop_assert!(hits.len() <= text.len() / 16);
        }
    }
}
