//! Reads texts in UTF-16 and UTF-32 as UTF-8.

use std::io::{self, Read};

use crate::wide::{NARROW_RUN, UTF16_BIG, UTF16_LITTLE, Wide, is_narrow, is_of_wide, is_shifted};

/// How many bytes are read at a time once a text needs decoding.
const CHUNK: usize = 64 * 1024;
/// How many bytes around a place decide how it is read.
const CONTEXT: usize = 3;

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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wide::Order;

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

    proptest! {
        #[test]
        fn it_decodes_what_was_encoded(text in "[ -~äж日😀\n]{1,200}a", at_a_time in 1_usize..70, is_marked in any::<bool>()) {
            for wide in Wide::ALL {
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
            for wide in Wide::ALL {
                prop_assert_eq!(decoded(Some(wide), &text, at_a_time), decoded(Some(wide), &text, usize::MAX));
            }
        }
    }
}
