//! Finds a secret in the spellings of texts: with escaped bytes, or broken into lines.

use std::ops::Range;

use memchr::memmem;

/// How a text may spell a form of the secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writing {
    /// Byte for byte.
    Plain,
    /// Each byte as it is or escaped. Encoders differ in the bytes that they escape, and in the escapes.
    Escaped,
    /// Broken into lines.
    Wrapped,
}

/// The longest escape of a byte: `\u002f`, `&#x27;`.
const LONGEST_ESCAPE: usize = 6;
/// The longest line break with the indentation after it.
const LONGEST_BREAK: usize = 36;
/// The length of the shortest lines that encoders break base64 into, which is Ruby's. A part of this length contains at most
/// one line break.
const SHORTEST_LINE: usize = 60;

impl Writing {
    /// Returns the longest spelling of one byte of a form, in bytes.
    pub fn longest(self) -> usize {
        match self {
            Self::Plain => 1,
            Self::Escaped => LONGEST_ESCAPE,
            Self::Wrapped => LONGEST_BREAK + 1,
        }
    }

    /// Finds `form` in `text`, in this spelling.
    pub fn places(self, text: &[u8], form: &[u8]) -> Vec<Range<usize>> {
        let mut places = Vec::new();
        for anchor in self.anchors(form) {
            let part = memmem::Finder::new(&form[anchor.clone()]);
            let mut from = 0;
            while let Some(at) = part.find(&text[from..]).map(|at| from + at) {
                places.extend(self.around(text, form, &anchor, at));
                from = at + 1;
            }
        }
        places
    }

    /// Returns parts of `form`. Every text with this spelling contains at least one of them byte for byte.
    fn anchors(self, form: &[u8]) -> Vec<Range<usize>> {
        let whole = 0..form.len();
        match self {
            Self::Plain => vec![whole],
            Self::Escaped => vec![longest_run(form)],
            Self::Wrapped => {
                let line = form.len().min(SHORTEST_LINE);
                vec![0..line / 2, line / 2..line]
            }
        }
    }

    /// Finds `form` in `text` around its part `anchor` at `at`.
    fn around(self, text: &[u8], form: &[u8], anchor: &Range<usize>, at: usize) -> Option<Range<usize>> {
        let before = form[..anchor.start].iter().rev();
        let start = self.walk(before, at, |at, length| {
            let start = at.checked_sub(length)?;
            Some((&text[start..at], start))
        })?;
        let end = self.walk(form[anchor.end..].iter(), at + anchor.len(), |at, length| {
            let end = at + length;
            Some((text.get(at..end)?, end))
        })?;
        Some(start..end)
    }

    /// Moves from `at` over the spelling of `bytes` and returns its end. `step` takes a place and a length, and returns so many
    /// bytes of the text and the place after them. There may be several ways, because `\\` is one backslash or two.
    fn walk<'a, 't>(
        self,
        bytes: impl Iterator<Item = &'a u8>,
        at: usize,
        step: impl Fn(usize, usize) -> Option<(&'t [u8], usize)>,
    ) -> Option<usize> {
        let mut places = vec![at];
        for byte in bytes {
            let mut next = Vec::new();
            for (part, place) in
                places.iter().flat_map(|at| (1..=self.longest()).filter_map(|length| step(*at, length)))
            {
                if self.writes(part, *byte) && !next.contains(&place) {
                    next.push(place);
                }
            }
            places = next;
        }
        places.first().copied()
    }

    /// Whether `part` spells `byte`.
    fn writes(self, part: &[u8], byte: u8) -> bool {
        match self {
            Self::Plain => part == [byte],
            Self::Escaped => part == [byte] || unescaped(part) == Some(byte),
            Self::Wrapped => match part {
                [rest @ .., last] if *last == byte => is_break(rest),
                [first, rest @ ..] if *first == byte => is_break(rest),
                _ => false,
            },
        }
    }
}

/// Returns the longest part of letters and digits, which encoders escape only if they escape everything. Returns the whole
/// `form` if it has none.
fn longest_run(form: &[u8]) -> Range<usize> {
    let mut at = 0;
    let runs = form.split(|byte| !byte.is_ascii_alphanumeric()).map(|run| {
        let start = at;
        at += run.len() + 1;
        start..start + run.len()
    });
    runs.max_by_key(ExactSizeIterator::len).filter(|run| !run.is_empty()).unwrap_or(0..form.len())
}

/// Returns the byte that an escape stands for, in URLs, JSON, programs and HTML.
fn unescaped(escape: &[u8]) -> Option<u8> {
    match escape {
        [b'%', digits @ ..] | [b'\\', b'x', digits @ ..] | [b'\\', b'u', b'0', b'0', digits @ ..]
            if digits.len() == 2 =>
        {
            number(digits, 16)
        }
        [b'\\', byte] if byte.is_ascii_punctuation() => Some(*byte),
        b"&amp;" => Some(b'&'),
        b"&lt;" => Some(b'<'),
        b"&gt;" => Some(b'>'),
        b"&quot;" => Some(b'"'),
        b"&apos;" => Some(b'\''),
        [b'&', b'#', b'x', digits @ .., b';'] => number(digits, 16),
        [b'&', b'#', digits @ .., b';'] => number(digits, 10),
        _ => None,
    }
}

fn number(digits: &[u8], radix: u32) -> Option<u8> {
    let is_digits = digits.iter().all(u8::is_ascii_hexdigit);
    std::str::from_utf8(digits)
        .ok()
        .filter(|_| is_digits)
        .and_then(|text| u8::from_str_radix(text, radix).ok())
}

/// Whether `text` is empty, or a line break with indentation. In a string literal or in JSON the line break may be `\n`.
fn is_break(text: &[u8]) -> bool {
    let breaks = [&b"\r\n"[..], b"\n", br"\r\n", br"\n"];
    let rest = breaks.iter().find_map(|broken| text.strip_prefix(*broken));
    text.is_empty() || rest.is_some_and(|rest| rest.iter().all(|byte| matches!(byte, b' ' | b'\t')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_the_escapes_that_encoders_write() {
        for escape in ["%2f", "%2F", "\\x2f", "\\u002F", "\\u002f", "\\/", "&#47;", "&#x2F;"] {
            assert_eq!(unescaped(escape.as_bytes()), Some(b'/'), "{escape}");
        }
        for other in ["", "/", "%", "%2", "%2fa", "%+2", "\\n", "\\u2f", "\\u012f", "&#+7;", "&#999;", "&;"] {
            assert_eq!(unescaped(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn it_returns_the_shortest_of_several_matches() {
        let form = br"\\a\";
        for (text, range) in
            [(r"\\a\", Some(0..4)), (r"\\\\a\\", Some(2..6)), (r"%5C\x5ca\u005C", Some(0..9)), (r"\a\", None)]
        {
            let at = text.find('a').expect("the text has an a");
            let found = Writing::Escaped.around(text.as_bytes(), form, &(2..3), at);
            assert_eq!(found, range, "{text}");
        }
    }

    #[test]
    fn it_matches_many_backslashes_quickly() {
        let form = [&b"a"[..], &[b'\\'; 511]].concat();
        let text = [&b"a"[..], &[b'\\'; 2000]].concat();
        assert!(Writing::Escaped.around(&text, &form, &(0..1), 0).is_some());
        assert!(Writing::Escaped.around(&text[..500], &form, &(0..1), 0).is_none());
    }

    #[test]
    fn it_skips_only_line_breaks() {
        for (text, is_found) in [
            ("YWJjZGVm", true),
            ("YWJj\nZGVm", true),
            ("YWJj\r\n    ZGVm", true),
            (r"YWJj\nZGVm", true),
            ("YWJj ZGVm", false),
            ("YWJj\n\nZGVm", false),
        ] {
            let found = Writing::Wrapped.places(text.as_bytes(), b"YWJjZGVm");
            let found = found.into_iter().next();
            assert_eq!(found, is_found.then_some(0..text.len()), "{text:?}");
        }
    }
}
