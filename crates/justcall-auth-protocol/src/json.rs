//! A JSON parser (RFC 8259) that checks a whole text and stores nothing.
//!
//! Compared with `serde_json`, it recognises two names that are equal after decoding, limits nesting, and allocates
//! nothing for skipped values of any length. The tests compare both parsers.

#![expect(clippy::inline_always, reason = "measured: a quarter less time per body")]

use std::borrow::Cow;
use std::collections::TryReserveError;

use serde_json::Value;

/// The deepest nesting, including the outermost object.
const MAX_DEPTH: u32 = 128;

const NOT_JSON: &str = "The body is not JSON.";
pub(crate) const TOO_DEEP: &str = "The JSON of the body is nested more than 128 levels deep.";

pub(crate) type Result<T> = std::result::Result<T, &'static str>;

/// A parser and its position in the text.
pub(crate) struct JsonScanner<'a> {
    text: &'a str,
    at: usize,
}

/// A string in its raw form, without its quotes.
#[derive(Clone, Copy)]
pub(crate) struct RawText<'a> {
    pub(crate) raw: &'a str,
    pub(crate) has_escapes: bool,
}

/// Returns the text of a body. Skips a byte order mark, as RFC 8259 allows (section 8.1): .NET and PHP may write one.
pub(crate) fn text(body: &[u8]) -> Option<&str> {
    std::str::from_utf8(body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body)).ok()
}

/// Returns the raw values of the members with these names of the object `text`. If a name occurs twice, the last value
/// counts.
///
/// # Errors
/// Fails if the text is not JSON, or not an object.
pub(crate) fn members<'a, const N: usize>(text: &'a str, names: [&str; N]) -> Result<[Option<&'a str>; N]> {
    let mut values = [None; N];
    JsonScanner::new(text).object(|scanner, name| {
        let value = scanner.raw_value()?;
        if let Some(at) = names.iter().position(|known| name.is(known)) {
            values[at] = Some(value);
        }
        Ok(())
    })?;
    Ok(values)
}

/// The longest value that is built, in bytes. Values in error messages and accounts are far shorter.
const MAX_VALUE: usize = 64 * 1024;

/// Parses the raw value `raw`. Returns `None` if it is not JSON, or too long.
pub(crate) fn small_value(raw: &str) -> Option<Value> {
    (raw.len() <= MAX_VALUE).then(|| serde_json::from_str(raw).ok()).flatten()
}

/// Returns the first raw element of the array `raw`, or `None` if there is none.
pub(crate) fn first_element(raw: &str) -> Option<&str> {
    let mut scanner = JsonScanner::new(raw);
    scanner.expect(b'[').ok()?;
    scanner.raw_value().ok()
}

/// Returns the characters of the raw string `raw`. An unpaired surrogate is `None`.
pub(crate) fn characters(raw: &str) -> Option<impl Iterator<Item = Option<char>>> {
    Some(JsonScanner::new(raw).text_value().ok()?.characters())
}

/// Returns true if `raw` is a string with the characters of `text`.
pub(crate) fn is_text(raw: &str, text: &str) -> bool {
    characters(raw).is_some_and(|characters| characters.eq(text.chars().map(Some)))
}

impl<'a> JsonScanner<'a> {
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// Reads the whole text as one object. Calls `member` at the value of every member; `member` must read past the
    /// value.
    ///
    /// # Errors
    /// Fails if the text is not JSON or not an object, or with the error of `member`.
    pub fn object(&mut self, mut member: impl FnMut(&mut Self, RawText<'a>) -> Result<()>) -> Result<()> {
        self.expect(b'{')?;
        let mut token = self.token();
        if token != Some(b'}') {
            loop {
                if token != Some(b'"') {
                    return Err(NOT_JSON);
                }
                let name = self.string()?;
                self.expect(b':')?;
                member(self, name)?;
                match self.token() {
                    Some(b',') => token = self.token(),
                    Some(b'}') => break,
                    _ => return Err(NOT_JSON),
                }
            }
        }
        if self.token().is_none() { Ok(()) } else { Err(NOT_JSON) }
    }

    /// Reads a value that must be a string.
    pub fn text_value(&mut self) -> Result<RawText<'a>> {
        let start = self.at;
        if self.token() == Some(b'"') {
            return self.string();
        }
        // A text that is not JSON gets the error for that, not the one for a wrong type.
        self.at = start;
        self.skip_value()?;
        Err("The body's `webhook_url` or `type` is not text.")
    }

    /// Reads past a value. Returns it in its raw form.
    pub fn raw_value(&mut self) -> Result<&'a str> {
        let start = self.at;
        self.skip_value()?;
        Ok(&self.text[start..self.at])
    }

    /// Reads past a value of the outermost object.
    pub fn skip_value(&mut self) -> Result<()> {
        // One bit for each open array or object: set for an object, the innermost in the lowest bit.
        let mut open: u128 = 0;
        let mut depth = 1;
        let mut token = self.token();
        loop {
            match token.ok_or(NOT_JSON)? {
                b'"' => drop(self.end_of_string()?),
                bracket @ (b'{' | b'[') => {
                    if depth == MAX_DEPTH {
                        return Err(TOO_DEEP);
                    }
                    let is_object = bracket == b'{';
                    token = self.token();
                    // An empty array or object is a value that ends here.
                    if token != Some(closing(is_object)) {
                        depth += 1;
                        open = open << 1 | u128::from(is_object);
                        if is_object {
                            token = self.after_name(token)?;
                        }
                        continue;
                    }
                }
                b't' => self.literal("rue")?,
                b'f' => self.literal("alse")?,
                b'n' => self.literal("ull")?,
                first => self.number(first)?,
            }
            // After a value: the end of the enclosing array or object, or the next value.
            loop {
                if depth == 1 {
                    return Ok(());
                }
                let is_object = open & 1 == 1;
                let after = self.token();
                if after == Some(b',') {
                    token = self.token();
                    if is_object {
                        token = self.after_name(token)?;
                    }
                    break;
                }
                if after != Some(closing(is_object)) {
                    return Err(NOT_JSON);
                }
                open >>= 1;
                depth -= 1;
            }
        }
    }

    /// Reads past a member's name, which starts with `token`, and the colon. Returns the first byte of the value.
    #[inline(always)]
    fn after_name(&mut self, token: Option<u8>) -> Result<Option<u8>> {
        if token != Some(b'"') {
            return Err(NOT_JSON);
        }
        self.end_of_string()?;
        self.expect(b':')?;
        Ok(self.token())
    }

    /// Reads a string, after its opening quote.
    fn string(&mut self) -> Result<RawText<'a>> {
        let start = self.at;
        let has_escapes = self.end_of_string()?;
        Ok(RawText { raw: &self.text[start..self.at - 1], has_escapes })
    }

    /// Reads past a string, after its opening quote. Returns true if it contains escapes.
    #[inline(always)]
    fn end_of_string(&mut self) -> Result<bool> {
        let bytes = self.text.as_bytes();
        let mut has_escapes = false;
        loop {
            self.at += plain(bytes.get(self.at..).unwrap_or_default());
            match bytes.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(has_escapes);
                }
                Some(b'\\') => {
                    has_escapes = true;
                    self.at += escape_length(&bytes[self.at..]).ok_or(NOT_JSON)?;
                }
                _ => return Err(NOT_JSON),
            }
        }
    }

    /// Reads the rest of a literal such as `true`.
    fn literal(&mut self, rest: &str) -> Result<()> {
        if !self.rest().starts_with(rest.as_bytes()) {
            return Err(NOT_JSON);
        }
        self.at += rest.len();
        Ok(())
    }

    /// Reads a number, after its first byte.
    fn number(&mut self, first: u8) -> Result<()> {
        let leading = if first == b'-' {
            self.at += 1;
            self.text.as_bytes().get(self.at - 1).copied()
        } else {
            Some(first)
        };
        match leading {
            // A digit after a leading zero is invalid. The caller reports it, because it expects another byte.
            Some(b'0') => {}
            Some(b'1'..=b'9') => self.at += self.digits(),
            _ => return Err(NOT_JSON),
        }
        if self.next() == Some(b'.') {
            self.at += 1;
            self.some_digits()?;
        }
        if matches!(self.next(), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.next(), Some(b'+' | b'-')));
            self.some_digits()?;
        }
        Ok(())
    }

    fn some_digits(&mut self) -> Result<()> {
        let count = self.digits();
        self.at += count;
        if count == 0 { Err(NOT_JSON) } else { Ok(()) }
    }

    /// Returns the number of digits at the position.
    fn digits(&self) -> usize {
        self.rest().iter().take_while(|byte| byte.is_ascii_digit()).count()
    }

    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    /// Returns the next byte without reading it.
    fn next(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Reads the next byte that is not whitespace.
    #[inline(always)]
    fn token(&mut self) -> Option<u8> {
        loop {
            let byte = self.next()?;
            self.at += 1;
            // A fast path for all bytes above whitespace.
            if byte > b' ' || !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(byte);
            }
        }
    }

    fn expect(&mut self, byte: u8) -> Result<()> {
        if self.token() == Some(byte) { Ok(()) } else { Err(NOT_JSON) }
    }
}

fn closing(is_object: bool) -> u8 {
    if is_object { b'}' } else { b']' }
}

/// Returns the number of bytes before the first quote, backslash or control character. Examines eight bytes at a time.
#[inline(always)]
pub(crate) fn plain(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    // Sets the high bit of each byte below `limit`. Bits above the first such byte may be set wrongly.
    let below = |word: u64, limit: u8| word.wrapping_sub(ONES * u64::from(limit)) & !word;
    let mut count = 0;
    while let Some(word) = bytes.get(count..count + 8) {
        let word = u64::from_le_bytes(word.try_into().expect("eight bytes"));
        // With this bit inverted, the quote is adjacent to the control characters, and its neighbours are not.
        let quote_or_control = below(word ^ (ONES * 0x02), 0x21);
        let backslash = below(word ^ (ONES * u64::from(b'\\')), 1);
        let found = (quote_or_control | backslash) & (ONES << 7);
        if found != 0 {
            return count + found.trailing_zeros() as usize / 8;
        }
        count += 8;
    }
    let is_plain = |byte: &&u8| !matches!(byte, 0..0x20 | b'"' | b'\\');
    count + bytes[count..].iter().take_while(is_plain).count()
}

/// Returns the length of the escape at the start of `bytes`, or `None` if it is invalid.
fn escape_length(bytes: &[u8]) -> Option<usize> {
    match bytes.get(1)? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(2),
        b'u' => bytes.get(2..6)?.iter().all(u8::is_ascii_hexdigit).then_some(6),
        _ => None,
    }
}

impl<'a> RawText<'a> {
    /// Returns true if the decoded text is `name`.
    pub fn is(self, name: &str) -> bool {
        if self.has_escapes {
            // A text with an unpaired surrogate equals no name.
            self.characters().eq(name.chars().map(Some))
        } else {
            self.raw == name
        }
    }

    /// Decodes the text. Returns `None` if it contains an unpaired surrogate, which is not a character.
    ///
    /// # Errors
    /// Fails if there is not enough memory.
    pub fn decode(self) -> std::result::Result<Option<Cow<'a, str>>, TryReserveError> {
        if !self.has_escapes {
            return Ok(Some(Cow::Borrowed(self.raw)));
        }
        let mut text = String::new();
        // An escape is never shorter than its character.
        text.try_reserve_exact(self.raw.len())?;
        for character in self.characters() {
            let Some(character) = character else { return Ok(None) };
            text.push(character);
        }
        Ok(Some(Cow::Owned(text)))
    }

    /// Returns the decoded characters. An unpaired surrogate is `None`.
    fn characters(self) -> impl Iterator<Item = Option<char>> + use<'a> {
        let mut rest = self.raw;
        std::iter::from_fn(move || {
            let mut characters = rest.chars();
            let first = characters.next()?;
            if first != '\\' {
                rest = characters.as_str();
                return Some(Some(first));
            }
            let escape = characters.next()?;
            rest = characters.as_str();
            let character = match escape {
                'b' => '\u{8}',
                'f' => '\u{c}',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'u' => {
                    let (character, length) = unicode_escape(rest);
                    rest = &rest[length..];
                    return Some(character);
                }
                other => other,
            };
            Some(Some(character))
        })
    }
}

/// Decodes the `\u` escape with these digits. Returns the character and the length read, including a second surrogate.
fn unicode_escape(digits: &str) -> (Option<char>, usize) {
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
