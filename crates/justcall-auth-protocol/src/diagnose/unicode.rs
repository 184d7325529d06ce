//! Characters that are invisible or resemble others.

use super::code::Code;
use crate::printable::is_direction;

const UTF_8_MARK: &[u8] = b"\xef\xbb\xbf";
const UTF_16_MARKS: [&[u8]; 2] = [b"\xff\xfe", b"\xfe\xff"];

/// Returns `bytes` without the byte order mark at the start, or `None` if there is no mark.
pub(super) fn after_byte_order_mark(bytes: &[u8]) -> Option<&[u8]> {
    let [little, big] = UTF_16_MARKS;
    [UTF_8_MARK, little, big].iter().find_map(|mark| bytes.strip_prefix(*mark))
}

/// Returns a code for each kind of character outside ASCII in `bytes`.
pub(super) fn codes(bytes: &[u8]) -> impl Iterator<Item = Code> {
    let rest = after_byte_order_mark(bytes);
    let mut found = [
        (Code::ByteOrderMark, rest.is_some()),
        (Code::SmartQuotes, false),
        (Code::ZeroWidth, false),
        (Code::NoBreakSpace, false),
        (Code::NotAscii, false),
    ];
    let mut add = |code: Code| {
        if let Some(entry) = found.iter_mut().find(|entry| entry.0 == code) {
            entry.1 = true;
        }
    };
    for chunk in rest.unwrap_or(bytes).utf8_chunks() {
        chunk.valid().chars().filter(|character| !character.is_ascii()).map(kind).for_each(&mut add);
        if !chunk.invalid().is_empty() {
            add(Code::NotAscii);
        }
    }
    found.into_iter().filter(|entry| entry.1).map(|entry| entry.0)
}

fn kind(character: char) -> Code {
    match character {
        '\u{2018}'..='\u{201F}' | '\u{2039}' | '\u{203A}' | '«' | '»' | '＂' | '＇' => Code::SmartQuotes,
        _ if is_direction(character) => Code::ZeroWidth,
        '\u{AD}' // soft hyphen
        | '\u{180E}' | '\u{200B}'..='\u{200D}' | '\u{2060}'..='\u{2064}' | '\u{FEFF}' // width zero
        | '\u{FE00}'..='\u{FE0F}' | '\u{E0000}'..='\u{E007F}' => Code::ZeroWidth, // variation selectors, tags
        _ if character.is_whitespace() => Code::NoBreakSpace,
        _ => Code::NotAscii,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_distinguishes_the_kinds_of_characters() {
        let kinds = |bytes: &[u8]| codes(bytes).collect::<Vec<_>>();
        assert_eq!(kinds(b"plain"), []);
        assert_eq!(kinds("\u{feff}a".as_bytes()), [Code::ByteOrderMark]);
        assert_eq!(kinds(b"\xff\xfea\0"), [Code::ByteOrderMark]);
        assert_eq!(kinds("a\u{feff}".as_bytes()), [Code::ZeroWidth]);
        assert_eq!(kinds("“a”".as_bytes()), [Code::SmartQuotes]);
        assert_eq!(kinds("a\u{200b}b\u{ad}".as_bytes()), [Code::ZeroWidth]);
        assert_eq!(kinds("a\u{202e}b".as_bytes()), [Code::ZeroWidth]);
        assert_eq!(kinds("a\u{a0}b\u{202f}\u{3000}".as_bytes()), [Code::NoBreakSpace]);
        assert_eq!(kinds("aä：".as_bytes()), [Code::NotAscii]);
        assert_eq!(kinds(b"a\xa0"), [Code::NotAscii]);
        assert_eq!(kinds("‘\u{200b}ä’".as_bytes()), [Code::SmartQuotes, Code::ZeroWidth, Code::NotAscii]);
    }
}
