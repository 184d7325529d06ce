//! A reader of JSON (RFC 8259) that checks all of it and keeps nothing.
//!
//! `serde_json` would do, but for the rules here: two names that are equal once decoded are seen, nesting is bounded, and
//! nothing is allocated for what is skipped. The tests compare the two.

use std::borrow::Cow;

/// How deep values may be nested; the outermost object counts.
const MAX_DEPTH: u32 = 128;

const NOT_JSON: &str = "The body is not JSON.";
pub(super) const TOO_DEEP: &str = "The body is nested more than 128 deep.";

pub(super) type Result<T> = std::result::Result<T, &'static str>;

/// Where in the text the reader is.
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

/// A string as it is written, without its quotes.
#[derive(Clone, Copy)]
pub(super) struct Text<'a> {
    pub(super) raw: &'a str,
    pub(super) has_escapes: bool,
}

impl<'a> Scanner<'a> {
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// Reads the whole text as one object. `member` is called at the value of every member, and must read past it.
    ///
    /// # Errors
    /// The text is not JSON, or not an object, or what `member` says.
    pub fn object(&mut self, mut member: impl FnMut(&mut Self, Text<'a>) -> Result<()>) -> Result<()> {
        self.expect(b'{')?;
        if !self.take(b'}') {
            loop {
                let name = self.name()?;
                member(self, name)?;
                if !self.take(b',') {
                    self.expect(b'}')?;
                    break;
                }
            }
        }
        if self.peek().is_none() { Ok(()) } else { Err(NOT_JSON) }
    }

    /// Reads a value that has to be a string.
    pub fn text_value(&mut self) -> Result<Text<'a>> {
        if self.peek() == Some(b'"') {
            return self.string();
        }
        // What is no JSON at all is not blamed on the type of the value.
        self.skip_value()?;
        Err("The body's `webhook_url` or `type` is not text.")
    }

    /// Reads past a value of the outermost object.
    pub fn skip_value(&mut self) -> Result<()> {
        // One bit for each array or object that is open within: set for an object, the innermost lowest.
        let mut open: u128 = 0;
        let mut depth = 1;
        loop {
            match self.peek().ok_or(NOT_JSON)? {
                b'"' => drop(self.string()?),
                bracket @ (b'{' | b'[') => {
                    self.at += 1;
                    let is_object = bracket == b'{';
                    if depth == MAX_DEPTH {
                        return Err(TOO_DEEP);
                    }
                    // An empty one is a value that ends here.
                    if !self.take(if is_object { b'}' } else { b']' }) {
                        depth += 1;
                        open = open << 1 | u128::from(is_object);
                        if is_object {
                            self.name()?;
                        }
                        continue;
                    }
                }
                b't' => self.literal("true")?,
                b'f' => self.literal("false")?,
                b'n' => self.literal("null")?,
                _ => self.number()?,
            }
            // After a value: the end of what it is in, or the next one.
            while depth > 1 {
                let is_object = open & 1 == 1;
                if self.take(b',') {
                    if is_object {
                        self.name()?;
                    }
                    break;
                }
                self.expect(if is_object { b'}' } else { b']' })?;
                open >>= 1;
                depth -= 1;
            }
            if depth == 1 {
                return Ok(());
            }
        }
    }

    /// Reads a member's name and the colon after it.
    fn name(&mut self) -> Result<Text<'a>> {
        if self.peek() != Some(b'"') {
            return Err(NOT_JSON);
        }
        let name = self.string()?;
        self.expect(b':')?;
        Ok(name)
    }

    /// Reads a string; the reader is at its opening quote.
    fn string(&mut self) -> Result<Text<'a>> {
        let bytes = self.text.as_bytes();
        let start = self.at + 1;
        let mut at = start;
        let mut has_escapes = false;
        loop {
            at += plain(&bytes[at..]);
            match *bytes.get(at).ok_or(NOT_JSON)? {
                b'"' => break,
                b'\\' => {
                    has_escapes = true;
                    at += escape_length(&bytes[at..]).ok_or(NOT_JSON)?;
                }
                _ => return Err(NOT_JSON),
            }
        }
        self.at = at + 1;
        Ok(Text { raw: &self.text[start..at], has_escapes })
    }

    fn literal(&mut self, word: &str) -> Result<()> {
        let rest = &self.text.as_bytes()[self.at..];
        if !rest.starts_with(word.as_bytes()) {
            return Err(NOT_JSON);
        }
        self.at += word.len();
        Ok(())
    }

    fn number(&mut self) -> Result<()> {
        self.at += usize::from(self.next() == Some(b'-'));
        match self.next() {
            // No digit may follow a leading zero; the caller finds none of what it expects there.
            Some(b'0') => self.at += 1,
            _ => self.digits()?,
        }
        if self.next() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.next(), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.next(), Some(b'+' | b'-')));
            self.digits()?;
        }
        Ok(())
    }

    /// One digit or more.
    fn digits(&mut self) -> Result<()> {
        let rest = &self.text.as_bytes()[self.at..];
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        if count == 0 { Err(NOT_JSON) } else { Ok(()) }
    }

    /// The next byte, whatever it is.
    fn next(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The next byte that is no whitespace, and the reader is at it.
    fn peek(&mut self) -> Option<u8> {
        while let Some(byte) = self.next() {
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(byte);
            }
            self.at += 1;
        }
        None
    }

    fn take(&mut self, byte: u8) -> bool {
        let is_there = self.peek() == Some(byte);
        self.at += usize::from(is_there);
        is_there
    }

    fn expect(&mut self, byte: u8) -> Result<()> {
        if self.take(byte) { Ok(()) } else { Err(NOT_JSON) }
    }
}

/// How many bytes come before the first quote, backslash or control character, which is looked for eight at a time.
pub(super) fn plain(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGHS: u64 = u64::from_ne_bytes([0x80; 8]);
    // The high bit of each byte that is below `limit`; above the first such byte it may be set by mistake.
    let below = |word: u64, limit: u8| word.wrapping_sub(ONES * u64::from(limit)) & !word & HIGHS;
    let equal = |word: u64, byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    let mut words = bytes.chunks_exact(8);
    let mut count = 0;
    for word in words.by_ref() {
        let word = u64::from_le_bytes(word.try_into().expect("chunks of eight"));
        let found = below(word, 0x20) | equal(word, b'"') | equal(word, b'\\');
        if found != 0 {
            return count + found.trailing_zeros() as usize / 8;
        }
        count += 8;
    }
    let is_plain = |byte: &&u8| !matches!(byte, 0..0x20 | b'"' | b'\\');
    count + words.remainder().iter().take_while(is_plain).count()
}

/// The length of the escape at the start of `bytes`; `None` when it is none.
fn escape_length(bytes: &[u8]) -> Option<usize> {
    match bytes.get(1)? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(2),
        b'u' => bytes.get(2..6)?.iter().all(u8::is_ascii_hexdigit).then_some(6),
        _ => None,
    }
}

impl<'a> Text<'a> {
    /// Whether this is `name`, however it is written.
    pub fn is(self, name: &str) -> bool {
        if self.has_escapes {
            // Where half of a surrogate pair is, nothing is equal.
            self.letters().eq(name.chars().map(Some))
        } else {
            self.raw == name
        }
    }

    /// The text itself; `None` when half of a surrogate pair is in it, which is no letter.
    pub fn decode(self) -> Option<Cow<'a, str>> {
        if self.has_escapes {
            self.letters().collect::<Option<String>>().map(Cow::Owned)
        } else {
            Some(Cow::Borrowed(self.raw))
        }
    }

    /// The letters, `None` for each half of a surrogate pair that stands alone.
    fn letters(self) -> impl Iterator<Item = Option<char>> {
        let mut rest = self.raw;
        std::iter::from_fn(move || {
            let mut letters = rest.chars();
            let first = letters.next()?;
            if first != '\\' {
                rest = letters.as_str();
                return Some(Some(first));
            }
            let escape = letters.next()?;
            rest = letters.as_str();
            let letter = match escape {
                'b' => '\u{8}',
                'f' => '\u{c}',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'u' => {
                    let (letter, length) = unicode(rest);
                    rest = &rest[length..];
                    return Some(letter);
                }
                other => other,
            };
            Some(Some(letter))
        })
    }
}

/// The letter whose `\u` stands before `digits`, and how much of them it takes, a second half included.
fn unicode(digits: &str) -> (Option<char>, usize) {
    let unit = |at: usize| u32::from_str_radix(digits.get(at..at + 4)?, 16).ok();
    let first = unit(0).unwrap_or_default();
    if !(0xD800..0xDC00).contains(&first) {
        return (char::from_u32(first), 4);
    }
    let second = unit(6).filter(|second| digits[4..].starts_with("\\u") && (0xDC00..0xE000).contains(second));
    match second {
        Some(second) => (char::from_u32(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00)), 10),
        None => (None, 4),
    }
}
