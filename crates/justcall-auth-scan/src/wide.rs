//! How a text is encoded: UTF-16 and UTF-32, with a byte order mark or without one, whole or in part.

/// So many bytes of ASCII in a row are no UTF-16: a program appended a line in another encoding.
pub(crate) const NARROW_RUN: usize = 32;
/// Fewer suffice at the end of the text.
const SHORTEST_NARROW_RUN: usize = 8;
/// So many do at the beginning, where they end a line.
const SHORTEST_LINE: usize = 5;
/// So many bytes with zeros where the other byte order has them are UTF-16 after an odd number of bytes.
const SHIFTED_RUN: usize = 16;

pub(crate) const UTF16_LITTLE: &[u8] = &[0xFF, 0xFE];
pub(crate) const UTF16_BIG: &[u8] = &[0xFE, 0xFF];

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

/// What speaks for an encoding. Blanks come first: in the wrong byte order a space or a line break is a rare character,
/// while a common one of Chinese, U+4E00, reads as a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Evidence {
    blanks: usize,
    ascii: usize,
}

impl Wide {
    /// Every encoding.
    pub const ALL: [Self; 4] = [
        Self::Utf16(Order::Little),
        Self::Utf16(Order::Big),
        Self::Utf32(Order::Little),
        Self::Utf32(Order::Big),
    ];

    /// The encoding of the text that begins with `head`; nothing for UTF-8, for any other encoding that has ASCII in it,
    /// and for binary data.
    pub fn of(head: &[u8]) -> Option<Self> {
        let marked = Self::ALL.into_iter().rev().find(|wide| head.starts_with(wide.mark()));
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
        let fitting = Self::ALL.into_iter().filter_map(|wide| Some((wide.evidence(head)?, wide)));
        fitting.max_by_key(|(evidence, _)| *evidence).map(|(_, wide)| wide)
    }

    pub const fn width(self) -> usize {
        match self {
            Self::Utf16(_) => 2,
            Self::Utf32(_) => 4,
        }
    }

    pub fn unit(self, bytes: &[u8]) -> u32 {
        let add = |unit: u32, byte: &u8| unit << 8 | u32::from(*byte);
        match self {
            Self::Utf16(Order::Little) | Self::Utf32(Order::Little) => bytes.iter().rev().fold(0, add),
            Self::Utf16(Order::Big) | Self::Utf32(Order::Big) => bytes.iter().fold(0, add),
        }
    }

    /// The character of a unit, if it is ASCII.
    pub fn ascii(self, bytes: &[u8]) -> Option<u8> {
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

/// Whether `text` goes on in ASCII.
pub(crate) fn is_narrow(text: &[u8]) -> bool {
    let run = &text[..text.len().min(NARROW_RUN)];
    run.len() >= SHORTEST_NARROW_RUN && run.iter().all(|byte| is_ascii(*byte))
}

/// Whether `text` goes on in UTF-16 whose units begin a byte earlier or later.
pub(crate) fn is_shifted(wide: Wide, text: &[u8]) -> bool {
    let is_shifted = |bytes: &[u8]| {
        let (low, high) = if wide == Wide::Utf16(Order::Little) { (0, 1) } else { (1, 0) };
        bytes[low] == 0 && is_ascii(bytes[high])
    };
    text.get(..SHIFTED_RUN).is_some_and(|run| run.chunks_exact(2).all(is_shifted))
}

/// Whether the zero at `at` is half of a character of UTF-16: it stands between others, and another one is near.
pub(crate) fn is_of_wide(text: &[u8], at: usize) -> bool {
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
    use super::*;

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
}
