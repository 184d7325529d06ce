//! JSON for terminals: indented, with some colour. Members keep their order and numbers their digits, because no value
//! is parsed and printed again.

use std::fmt::Write as _;

use clap::builder::styling::{AnsiColor, Style};
use justcall_auth::printable::is_printable;

const NAME: Style = AnsiColor::Cyan.on_default();
const TEXT: Style = AnsiColor::Green.on_default();
const INDENT: &str = "  ";

/// Returns `text` indented and styled if it is JSON.
pub(crate) fn pretty(text: &str) -> Option<String> {
    serde_json::from_str::<serde_json::Value>(text).ok()?;
    let mut pretty = Pretty { out: String::with_capacity(text.len() * 2), depth: 0 };
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        rest = pretty.token(first, rest).trim_start();
    }
    pretty.out.push('\n');
    Some(pretty.out)
}

struct Pretty {
    out: String,
    depth: usize,
}

impl Pretty {
    /// Writes the token at the start of `rest`, whose first character is `first`. Returns the rest.
    fn token<'a>(&mut self, first: char, rest: &'a str) -> &'a str {
        let after = &rest[first.len_utf8()..];
        match first {
            '{' | '[' => {
                self.out.push(first);
                let inner = after.trim_start();
                if let Some(closed) = inner.strip_prefix(['}', ']']) {
                    self.out.push(if first == '{' { '}' } else { ']' });
                    return closed;
                }
                self.depth += 1;
                self.line();
                inner
            }
            '}' | ']' => {
                self.depth = self.depth.saturating_sub(1);
                self.line();
                self.out.push(first);
                after
            }
            ',' => {
                self.out.push(',');
                self.line();
                after
            }
            ':' => {
                self.out.push_str(": ");
                after
            }
            '"' => self.text(rest),
            _ => {
                let end = rest
                    .find(|c: char| matches!(c, ',' | '}' | ']') || c.is_whitespace())
                    .unwrap_or(rest.len());
                self.out.push_str(&rest[..end]);
                &rest[end..]
            }
        }
    }

    fn text<'a>(&mut self, rest: &'a str) -> &'a str {
        let mut escaped = false;
        let closes = |c: char| {
            let closing = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            closing
        };
        let end = rest[1..].find(closes).map_or(rest.len(), |at| at + 2);
        let after = &rest[end..];
        let style = if after.trim_start().starts_with(':') { NAME } else { TEXT };
        self.out.push_str(&style.render().to_string());
        for c in rest[..end].chars() {
            if is_printable(c) {
                self.out.push(c);
            } else {
                write!(self.out, "\\u{:04x}", u32::from(c)).expect("a String takes everything");
            }
        }
        self.out.push_str(&style.render_reset().to_string());
        after
    }

    fn line(&mut self) {
        self.out.push('\n');
        self.out.push_str(&INDENT.repeat(self.depth));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> String {
        let pretty = pretty(text).expect("it is JSON");
        anstream::adapter::strip_str(&pretty).to_string()
    }

    #[test]
    fn it_keeps_the_order_of_members_and_every_digit() {
        assert_eq!(
            plain(r#"{"z":12345678901234567890.10,"a":[1,-2e+30,{}],"e":[ ],"s":"a, {\"b\": \\"}"#),
            "{\n  \"z\": 12345678901234567890.10,\n  \"a\": [\n    1,\n    -2e+30,\n    {}\n  ],\n  \"e\": [],\n  \"s\": \"a, {\\\"b\\\": \\\\\"\n}\n"
        );
        assert_eq!(plain(" true "), "true\n");
        assert_eq!(plain("\"\""), "\"\"\n");
    }

    #[test]
    fn it_keeps_the_value_when_indenting() {
        let text = r#"{"a":{"b":[[],[{"c":null}],"\u0041\\"],"d":{}},"e":"ä\"]"}"#;
        let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("JSON");
        assert_eq!(value(&plain(text)), value(text));
        assert_eq!(plain(&plain(text)), plain(text));
    }

    #[test]
    fn it_escapes_characters_that_control_the_terminal() {
        assert_eq!(plain("\"a\u{9b}31m\u{202e}b\""), "\"a\\u9b31m\\u202eb\"\n".replace("u9b", "u009b"));
    }

    #[test]
    fn it_indents_nothing_but_json() {
        for text in ["", "<html>", "{", "{\"a\":1} x", "nul"] {
            assert_eq!(pretty(text), None, "{text}");
        }
    }
}
