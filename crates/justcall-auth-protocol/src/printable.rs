//! Filters for text from other programs. They remove characters that control a terminal, start a new line in a log, or
//! change the direction of the surrounding text.

/// Returns true if `c` is neither a control character, nor a line or paragraph separator, nor a mark of direction.
pub fn is_printable(c: char) -> bool {
    !(c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') || is_direction(c))
}

/// Returns true if `c` marks or changes the direction of text (Unicode property `Bidi_Control`).
pub fn is_direction(c: char) -> bool {
    matches!(c, '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Returns `text` on one line, trimmed and without unprintable characters.
pub fn on_one_line(text: &str) -> String {
    // A fast path for printable ASCII, which nearly all texts are.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.trim().to_owned();
    }
    text.chars().filter(|c| is_printable(*c)).collect::<String>().trim().to_owned()
}

/// Returns the same as [`on_one_line`], without a copy if `text` is already so.
pub fn into_one_line(text: String) -> String {
    let is_plain = text.trim().len() == text.len() && text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if is_plain { text } else { on_one_line(&text) }
}

/// Returns `text`, cut to at most `length` bytes at the end of a character.
pub fn shortened(mut text: String, length: usize) -> String {
    if text.len() > length {
        let end = (0..=length).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
    }
    text
}

/// Returns `text` without unprintable characters, except line breaks and tabs.
pub fn on_lines(text: &str) -> String {
    text.chars().filter(|c| matches!(c, '\n' | '\t') || is_printable(*c)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_keeps_line_breaks_and_tabs_in_texts_of_several_lines() {
        assert_eq!(on_lines("a\u{1b}[31m\r\n\tb\u{7}"), "a[31m\n\tb");
    }

    #[test]
    fn it_removes_unprintable_characters() {
        for (text, shown) in [
            (" plain text ", "plain text"),
            ("a\u{1b}[31m\r\n\tb\u{7}", "a[31mb"),
            ("a\u{9b}b\u{7f}c\0", "abc"),
            ("\u{2028}a\u{2029}\u{61c}\u{200e}\u{200f}b", "ab"),
            ("\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}", ""),
            (
                "\u{e4}\u{5e9}\u{200d}\u{2027}\u{202f}\u{2065}\u{206a}",
                "\u{e4}\u{5e9}\u{200d}\u{2027}\u{202f}\u{2065}\u{206a}",
            ),
        ] {
            assert_eq!(on_one_line(text), shown, "{text:?}");
            assert_eq!(into_one_line(text.to_owned()), shown, "{text:?}");
        }
    }
}
