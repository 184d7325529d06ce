//! What may be shown of a text that others wrote: nothing that drives a terminal, begins a line of a log, or turns the
//! direction of what stands around it.

/// Whether `c` is shown as itself: no control character, no separator of lines or paragraphs, no mark of direction.
pub fn is_printable(c: char) -> bool {
    !(c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') || is_direction(c))
}

/// Whether `c` marks or changes the direction of text: Unicode's property `Bidi_Control`.
pub fn is_direction(c: char) -> bool {
    matches!(c, '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Returns `text` on one line, without white space around it and without what is not printable.
pub fn on_one_line(text: &str) -> String {
    // Nearly all texts are clean; the general way takes them apart letter by letter.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.trim().to_owned();
    }
    text.chars().filter(|c| is_printable(*c)).collect::<String>().trim().to_owned()
}

/// Returns `text` cut after the last character that ends within `length` bytes.
pub fn shortened(mut text: String, length: usize) -> String {
    if text.len() > length {
        let end = (0..=length).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
    }
    text
}

/// Returns `text` without what is not printable, except line breaks and tabs.
pub fn on_lines(text: &str) -> String {
    text.chars().filter(|c| matches!(c, '\n' | '\t') || is_printable(*c)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_keeps_line_breaks_and_tabs_where_a_text_may_have_lines() {
        assert_eq!(on_lines("a\u{1b}[31m\r\n\tb\u{7}"), "a[31m\n\tb");
    }

    #[test]
    fn it_leaves_out_what_is_not_shown_as_itself() {
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
        }
    }
}
