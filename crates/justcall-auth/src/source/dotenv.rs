//! Lines `NAME=value`, as shells, Docker and systemd read them.

use std::ops::Range;

/// One line that names a value.
pub(super) struct Assignment<'a> {
    /// What is left of the equals sign, without `export `.
    pub name: &'a [u8],
    /// Where in the text the value is, without the quotes around it.
    pub value: Range<usize>,
    /// Whether there are quotes around it: they are syntax.
    pub is_quoted: bool,
}

/// Every line of `text` that names a value; other lines are none of ours.
pub(super) fn assignments(text: &[u8]) -> impl Iterator<Item = Assignment<'_>> {
    let mut begin = 0;
    text.split(|byte| *byte == b'\n').filter_map(move |line| {
        let at = begin;
        begin += line.len() + 1;
        assignment(line, at)
    })
}

/// `line`, which is at `at` in the text.
fn assignment(line: &[u8], at: usize) -> Option<Assignment<'_>> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let bare = line.strip_prefix(b"export ").unwrap_or(line);
    let equals = bare.iter().position(|byte| *byte == b'=')?;
    let name = &bare[..equals];
    if name.is_empty() || !name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_') {
        return None;
    }
    let begin = at + line.len() - bare.len() + equals + 1;
    let end = at + line.len();
    let is_quoted = matches!(&bare[equals + 1..], [b'"', .., b'"'] | [b'\'', .., b'\'']);
    let value = if is_quoted { begin + 1..end - 1 } else { begin..end };
    Some(Assignment { name, value, is_quoted })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_finds_each_value_where_it_is() {
        let text = b"# A=comment\nexport A='one'\r\n\nB=two\nno-name=3\nC=\"\"\nD='\nE=";
        let found: Vec<(&str, &str, bool)> = assignments(text)
            .map(|line| {
                let as_text = |bytes| std::str::from_utf8(bytes).expect("ASCII");
                (as_text(line.name), as_text(&text[line.value]), line.is_quoted)
            })
            .collect();
        assert_eq!(
            found,
            [("A", "one", true), ("B", "two", false), ("C", "", true), ("D", "'", false), ("E", "", false)]
        );
    }
}
