//! Texts in UTF-16 and UTF-32, read as UTF-8: with a byte order mark or without one, whole or in part.

use std::io::{self, Read};

/// How many bytes are read at a time once a text needs decoding.
const CHUNK: usize = 64 * 1024;
/// How many bytes around a place decide how it is read.
const CONTEXT: usize = 3;
/// So many bytes of ASCII in a row are no UTF-16: a program appended a line in another encoding.
const NARROW_RUN: usize = 32;
/// Fewer suffice at the end of the text.
const SHORTEST_NARROW_RUN: usize = 8;
/// So many do at the beginning, where they end a line.
const SHORTEST_LINE: usize = 5;
/// So many bytes with zeros where the other byte order has them are UTF-16 after an odd number of bytes.
const SHIFTED_RUN: usize = 16;

const UTF16_LITTLE: &[u8] = &[0xFF, 0xFE];
const UTF16_BIG: &[u8] = &[0xFE, 0xFF];

/// Of so many characters that were read, one may be none of a text.
const STRANGE_IN: usize = 100;

/// The order of a unit's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Little,
    Big,
}

/// An encoding whose units are longer than a byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wide {
    Utf16(Order),
    Utf32(Order),
}

const ALL: [Wide; 4] = [
    Wide::Utf16(Order::Little),
    Wide::Utf16(Order::Big),
    Wide::Utf32(Order::Little),
    Wide::Utf32(Order::Big),
];

/// What speaks for an encoding. Blanks come first: in the wrong byte order a space or a line break is a rare character,
/// while a common one of Chinese, U+4E00, reads as a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Evidence {
    blanks: usize,
    ascii: usize,
}

impl Wide {
    /// The encoding of the text that begins with `head`; nothing for UTF-8, for any other encoding that has ASCII in it,
    /// and for binary data.
    pub fn of(head: &[u8]) -> Option<Self> {
        let marked = ALL.into_iter().rev().find(|wide| head.starts_with(wide.mark()));
        match marked {
            // In UTF-16 the mark and a zero.
            Some(wide @ Self::Utf32(Order::Little)) if wide.evidence(head).is_none() => {
                Some(Self::Utf16(Order::Little))
            }
            Some(wide) => Some(wide),
            None => Self::by_content(head),
        }
    }

    /// The byte order mark.
    pub const fn mark(self) -> &'static [u8] {
        match self {
            Self::Utf16(Order::Little) => UTF16_LITTLE,
            Self::Utf16(Order::Big) => UTF16_BIG,
            Self::Utf32(Order::Little) => &[0xFF, 0xFE, 0, 0],
            Self::Utf32(Order::Big) => &[0, 0, 0xFE, 0xFF],
        }
    }

    fn by_content(head: &[u8]) -> Option<Self> {
        memchr::memchr(0, head)?;
        // Programs appended UTF-16 to a file that had begun in ASCII.
        let begin = head.iter().take_while(|byte| is_ascii(**byte)).count();
        let has_line = begin >= SHORTEST_LINE && head[1..begin].contains(&b'\n');
        if begin >= SHORTEST_NARROW_RUN || has_line {
            return None;
        }
        let fitting = ALL.into_iter().filter_map(|wide| Some((wide.evidence(head)?, wide)));
        fitting.max_by_key(|(evidence, _)| *evidence).map(|(_, wide)| wide)
    }

    const fn width(self) -> usize {
        match self {
            Self::Utf16(_) => 2,
            Self::Utf32(_) => 4,
        }
    }

    fn unit(self, bytes: &[u8]) -> u32 {
        let add = |unit: u32, byte: &u8| unit << 8 | u32::from(*byte);
        match self {
            Self::Utf16(Order::Little) | Self::Utf32(Order::Little) => bytes.iter().rev().fold(0, add),
            Self::Utf16(Order::Big) | Self::Utf32(Order::Big) => bytes.iter().fold(0, add),
        }
    }

    /// The character of a unit, if it is ASCII.
    fn ascii(self, bytes: &[u8]) -> Option<u8> {
        let (letter, zeros) = match self {
            Self::Utf16(Order::Little) | Self::Utf32(Order::Little) => bytes.split_first()?,
            Self::Utf16(Order::Big) | Self::Utf32(Order::Big) => bytes.split_last()?,
        };
        (letter.is_ascii() && zeros.iter().all(|byte| *byte == 0)).then_some(*letter)
    }

    /// What in `text` speaks for this encoding; nothing where too much in it is no text that is encoded so.
    fn evidence(self, text: &[u8]) -> Option<Evidence> {
        let mut evidence = Evidence { blanks: 0, ascii: 0 };
        let (mut units, mut narrow, mut strange) = (0, 0, 0);
        let mut is_second = false;
        for bytes in text.chunks_exact(self.width()) {
            let unit = self.unit(bytes);
            units += 1;
            narrow += usize::from(bytes.iter().all(|byte| is_ascii(*byte)));
            let is_first = matches!(unit, 0xD800..=0xDBFF) && self.width() == 2;
            let fits = if is_second { matches!(unit, 0xDC00..=0xDFFF) } else { is_first || is_of_text(unit) };
            is_second = is_first;
            if !fits {
                strange += 1;
                // Headers of binary data come first.
                if strange * STRANGE_IN > units {
                    return None;
                }
            }
            evidence.blanks += usize::from(matches!(unit, 0x20 | 0x0A | 0x0D));
            evidence.ascii += usize::from(u8::try_from(unit).is_ok_and(is_ascii));
        }
        // Two letters of ASCII read as one of Chinese, and up to half of a Chinese text reads as letters.
        (evidence.ascii > 0 && narrow * 4 <= units * 3).then_some(evidence)
    }
}

/// Whether a text may hold the character `unit`: not what only binary data has.
fn is_of_text(unit: u32) -> bool {
    let is_control = |c: char| c.is_control() && !matches!(c, '\t'..='\r' | '\u{1b}' | '\u{80}'..='\u{9f}');
    char::from_u32(unit).is_some_and(|c| !is_control(c) && !matches!(c, '\u{fffe}' | '\u{ffff}'))
}

fn is_ascii(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r')
}

/// Reads a text as UTF-8. A text without zeros goes through untouched and uncopied.
///
/// Where the text is not wide as a whole, such as a diff or a file that programs appended to in several encodings, the zeros
/// that stand between other bytes in close succession go: ASCII in UTF-16 becomes ASCII.
pub(crate) struct Decoder<R> {
    reader: R,
    wide: Option<Wide>,
    /// What was read; before `at` a few bytes that were decoded.
    raw: Vec<u8>,
    at: usize,
    is_at_end: bool,
    decoded: Vec<u8>,
    given: usize,
}

impl<R: Read> Decoder<R> {
    /// Decodes `head` and what `reader` gives after it.
    pub fn new(wide: Option<Wide>, head: &[u8], reader: R) -> Self {
        let mark = wide.map(Wide::mark).filter(|mark| head.starts_with(mark)).unwrap_or_default();
        Self {
            reader,
            wide,
            raw: head.to_vec(),
            at: mark.len(),
            is_at_end: false,
            decoded: Vec::new(),
            given: 0,
        }
    }

    /// Gives what `reader` gives, after `head`, which is not given again.
    pub fn after(head: &[u8], reader: R) -> Self {
        let raw = last(head).to_vec();
        Self { at: raw.len(), raw, reader, wide: None, is_at_end: false, decoded: Vec::new(), given: 0 }
    }

    /// Reads into `out` what needs no decoding. Returns nothing if it read something that does.
    fn pass_through(&mut self, out: &mut [u8]) -> io::Result<Option<usize>> {
        let count = self.reader.read(out)?;
        let read = &out[..count];
        if count > 0 && memchr::memchr(0, read).is_some() {
            self.raw.extend_from_slice(read);
            return Ok(None);
        }
        self.raw.extend_from_slice(last(read));
        self.raw.drain(..self.raw.len().saturating_sub(CONTEXT));
        self.at = self.raw.len();
        Ok(Some(count))
    }

    /// Decodes the next part.
    fn decode(&mut self) -> io::Result<()> {
        self.decoded.clear();
        self.given = 0;
        while self.decoded.is_empty() {
            self.refill()?;
            let ahead = if self.is_at_end { 0 } else { NARROW_RUN };
            let end = self.raw.len().saturating_sub(ahead);
            if self.at >= end {
                return Ok(());
            }
            while self.at < end {
                match self.wide {
                    Some(wide) => {
                        self.decode_ascii(wide, end);
                        self.decode_character(wide);
                    }
                    None => self.drop_zeros(end),
                }
            }
        }
        Ok(())
    }

    /// Reads until what decides about the next byte is there, or the text ends.
    fn refill(&mut self) -> io::Result<()> {
        while !self.is_at_end && self.raw.len() - self.at <= NARROW_RUN {
            let dropped = self.at.saturating_sub(CONTEXT);
            self.raw.drain(..dropped);
            self.at -= dropped;
            let read = self.reader.by_ref().take(CHUNK as u64).read_to_end(&mut self.raw)?;
            self.is_at_end = read < CHUNK;
        }
        Ok(())
    }

    /// Decodes the characters of ASCII that come next before `end`.
    fn decode_ascii(&mut self, wide: Wide, end: usize) {
        let units = self.raw[self.at..end].chunks_exact(wide.width());
        let before = self.decoded.len();
        self.decoded.extend(units.map_while(|bytes| wide.ascii(bytes)));
        self.at += (self.decoded.len() - before) * wide.width();
    }

    fn decode_character(&mut self, wide: Wide) {
        let rest = &self.raw[self.at..];
        if wide.width() == 2 && (is_narrow(rest) || is_shifted(wide, rest)) {
            self.wide = None;
            return;
        }
        let Some(bytes) = rest.get(..wide.width()) else {
            // The text is cut within its last character.
            self.decoded.extend(rest.iter().filter(|byte| **byte != 0));
            self.at = self.raw.len();
            return;
        };
        let unit = wide.unit(bytes);
        let next = rest.get(wide.width()..2 * wide.width()).map(|bytes| wide.unit(bytes));
        let (character, width) = match (unit, next) {
            (0xD800..=0xDBFF, Some(second @ 0xDC00..=0xDFFF)) if wide.width() == 2 => {
                (char::from_u32(0x1_0000 + ((unit - 0xD800) << 10) + (second - 0xDC00)), 4)
            }
            _ => (char::from_u32(unit), wide.width()),
        };
        let character = character.unwrap_or(char::REPLACEMENT_CHARACTER);
        self.decoded.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        self.at += width;
    }

    /// Gives the bytes up to the next zero before `end`, and the zero unless it is of UTF-16.
    fn drop_zeros(&mut self, end: usize) {
        let zero = memchr::memchr(0, &self.raw[self.at..end]).map(|offset| self.at + offset);
        let until = zero.unwrap_or(end);
        let part = &self.raw[self.at..until];
        // The mark of what was appended: the zero is the second byte after it, or the first.
        let mark = [3, 2].into_iter().filter_map(|back| part.len().checked_sub(back)).find(|at| {
            let mark = &part[*at..];
            mark.starts_with(UTF16_LITTLE) || mark == UTF16_BIG
        });
        let mark = mark.filter(|_| zero.is_some()).unwrap_or(part.len());
        self.decoded.extend_from_slice(&part[..mark]);
        self.decoded.extend_from_slice(part.get(mark + 2..).unwrap_or_default());
        self.at = until;
        if let Some(zero) = zero {
            if !is_of_wide(&self.raw, zero) {
                self.decoded.push(0);
            }
            self.at += 1;
        }
    }
}

impl<R: Read> Read for Decoder<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.given == self.decoded.len() {
            if self.wide.is_none() && self.at == self.raw.len() && !self.is_at_end {
                if let Some(count) = self.pass_through(out)? {
                    return Ok(count);
                }
            }
            self.decode()?;
        }
        let count = (&self.decoded[self.given..]).read(out)?;
        self.given += count;
        Ok(count)
    }
}

/// The end of `text` that decides how the next bytes are read.
fn last(text: &[u8]) -> &[u8] {
    &text[text.len().saturating_sub(CONTEXT)..]
}

/// Whether `text` goes on in ASCII.
fn is_narrow(text: &[u8]) -> bool {
    let run = &text[..text.len().min(NARROW_RUN)];
    run.len() >= SHORTEST_NARROW_RUN && run.iter().all(|byte| is_ascii(*byte))
}

/// Whether `text` goes on in UTF-16 whose units begin a byte earlier or later.
fn is_shifted(wide: Wide, text: &[u8]) -> bool {
    let is_shifted = |bytes: &[u8]| {
        let (low, high) = if wide == Wide::Utf16(Order::Little) { (0, 1) } else { (1, 0) };
        bytes[low] == 0 && is_ascii(bytes[high])
    };
    text.get(..SHIFTED_RUN).is_some_and(|run| run.chunks_exact(2).all(is_shifted))
}

/// Whether the zero at `at` is half of a character of UTF-16: it stands between others, and another one is near.
fn is_of_wide(text: &[u8], at: usize) -> bool {
    let is_zero = |at: Option<usize>| at.and_then(|at| text.get(at)).is_some_and(|byte| *byte == 0);
    let is_alone = !is_zero(at.checked_sub(1)) && !is_zero(Some(at + 1));
    is_alone && [2, 3].into_iter().any(|far| is_zero(at.checked_sub(far)) || is_zero(Some(at + far)))
}

/// Whether binary data begins with `head`: a zero is in it that is of no character.
pub(crate) fn is_binary(head: &[u8]) -> bool {
    memchr::memchr_iter(0, head).any(|at| !is_of_wide(head, at))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Gives so many bytes at a time.
    struct Pipe<'a>(&'a [u8], usize);

    impl Read for Pipe<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let some = out.len().min(self.1);
            self.0.read(&mut out[..some])
        }
    }

    fn decoded(wide: Option<Wide>, text: &[u8], at_a_time: usize) -> Vec<u8> {
        let head = text.len().min(at_a_time);
        let mut reader = Decoder::new(wide, &text[..head], Pipe(&text[head..], at_a_time));
        let mut decoded = Vec::new();
        reader.read_to_end(&mut decoded).expect("memory can be read");
        decoded
    }

    fn encoded(wide: Wide, text: &str) -> Vec<u8> {
        match wide {
            Wide::Utf16(Order::Little) => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            Wide::Utf16(Order::Big) => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            Wide::Utf32(Order::Little) => text.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect(),
            Wide::Utf32(Order::Big) => text.chars().flat_map(|c| u32::from(c).to_be_bytes()).collect(),
        }
    }

    #[test]
    fn it_takes_no_other_text_and_no_binary_data_for_wide() {
        let long = [vec![b'a'; 5000], b"\0b\0".to_vec()].concat();
        for text in [
            &b""[..],
            b"a",
            b"plain text",
            "日本".as_bytes(),
            b"a\0\0\0\x01\0\0\0",
            b"\0\0\0\0",
            &long,
            b"name=1\0value=2\0",
        ] {
            assert_eq!(Wide::of(text), None, "{text:?}");
        }
        assert!(
            is_binary(b"name\0value\0") && is_binary(b"\0\0") && !is_binary(b"a\0b\0") && !is_binary(b"ab")
        );
    }

    proptest! {
        #[test]
        fn it_decodes_what_was_encoded(text in "[ -~äж日😀\n]{1,200}a", at_a_time in 1_usize..70, is_marked in any::<bool>()) {
            for wide in ALL {
                let text = if is_marked { format!("\u{feff}{text}") } else { text.clone() };
                let bytes = encoded(wide, &text);
                let expected = text.trim_start_matches('\u{feff}');
                prop_assert_eq!(Wide::of(&bytes), Some(wide));
                let decoded = decoded(Some(wide), &bytes, at_a_time.max(4));
                prop_assert_eq!(std::str::from_utf8(&decoded), Ok(expected));
            }
        }

        #[test]
        fn it_does_not_matter_how_much_is_read_at_a_time(
            text in prop::collection::vec(prop::sample::select(&b"ab\0\0\n+\xe9"[..]), 0..300),
            at_a_time in 1_usize..40,
        ) {
            prop_assert_eq!(decoded(None, &text, at_a_time), decoded(None, &text, usize::MAX));
            for wide in ALL {
                prop_assert_eq!(decoded(Some(wide), &text, at_a_time), decoded(Some(wide), &text, usize::MAX));
            }
        }
    }
}
