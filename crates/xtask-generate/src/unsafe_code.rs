//! Counts the keyword `unsafe` in Rust code.

/// Returns how often the code has the keyword, comments and literals excluded.
pub fn count_unsafe(code: &str) -> usize {
    let code = code_only(code);
    code.split(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .filter(|word| *word == "unsafe")
        .count()
}

/// The code with a space in place of each comment and literal.
fn code_only(text: &str) -> String {
    let mut code = String::new();
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            comment_length(rest)
        } else if letter == '"' {
            text_length(rest)
        } else if letter == '\'' {
            character_length(rest)
        } else if letter.is_alphanumeric() || letter == '_' {
            let end =
                rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(rest.len());
            match raw_length(&rest[..end], &rest[end..]) {
                0 => {
                    code.push_str(&rest[..end]);
                    rest = &rest[end..];
                    continue;
                }
                raw => end + raw,
            }
        } else {
            0
        };
        code.push(if skipped == 0 { letter } else { ' ' });
        rest = &rest[skipped.max(if skipped == 0 { letter.len_utf8() } else { skipped })..];
    }
    code
}

fn comment_length(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        let step = match &text.as_bytes()[at..] {
            [b'/', b'*', ..] => {
                depth += 1;
                2
            }
            [b'*', b'/', ..] => {
                depth -= 1;
                2
            }
            _ => 1,
        };
        at += step;
        if depth == 0 {
            break;
        }
    }
    at
}

fn text_length(text: &str) -> usize {
    let mut is_escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The length of a character literal; 0 for a lifetime.
fn character_length(text: &str) -> usize {
    let mut letters = text.char_indices().skip(1);
    match (letters.next(), letters.next()) {
        (Some((_, '\\')), Some((at, escaped))) => {
            let after = at + escaped.len_utf8();
            text[after..].find('\'').map_or(0, |end| after + end + 1)
        }
        (Some(_), Some((at, '\''))) => at + 1,
        _ => 0,
    }
}

/// The length of what follows the prefix of a raw text; 0 if it is none.
fn raw_length(prefix: &str, text: &str) -> usize {
    let hashes = text.len() - text.trim_start_matches('#').len();
    if !["r", "br", "cr"].contains(&prefix) || !text[hashes..].starts_with('"') {
        return 0;
    }
    let end = format!("\"{}", "#".repeat(hashes));
    text[hashes + 1..].find(&end).map_or(text.len(), |at| hashes + 1 + at + end.len())
}

#[test]
fn it_counts_the_keyword_only_in_code() {
    let code = r##"
        // unsafe /* unsafe
        /* unsafe /* unsafe */ unsafe */ unsafe fn a<'unsafe_life>(b: &'static str) { unsafe { } }
        const C: &str = "unsafe \" unsafe"; const D: &str = r#"unsafe " unsafe"#; const E: &[u8] = br"unsafe";
        const F: char = '"'; const G: char = '\''; const H: char = '\u{22}'; let not_unsafe = unsafe_name; r#unsafe
        unsafe impl X for Y {}
    "##;
    assert_eq!(count_unsafe(code), 3 + 1, "two, one after a raw identifier's mark, and the last line's");
    assert_eq!(count_unsafe("/* unsafe"), 0);
    assert_eq!(count_unsafe("\"unsafe"), 0);
}
