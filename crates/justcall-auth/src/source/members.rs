//! The positions of the members of a JSON object, so that one can be changed and the rest of the text stays.

use std::ops::Range;

/// A member of the object.
pub(super) struct Member {
    /// The name, without escapes.
    pub name: String,
    /// The start of the name, at its quote.
    pub begin: usize,
    /// The range of the value, with the quotes of a text.
    pub value: Range<usize>,
}

/// Returns the members of the object `json` in order. The caller has checked that `json` is a valid object.
pub(super) fn members(json: &str) -> Vec<Member> {
    let bytes = json.as_bytes();
    let mut members = Vec::new();
    let mut at = json.find('{').map_or(bytes.len(), |at| at + 1);
    while let Some(begin) = (at..bytes.len()).find(|at| matches!(bytes[*at], b'"' | b'}')) {
        if bytes[begin] == b'}' {
            break;
        }
        let name_end = end_of_text(bytes, begin);
        let name = serde_json::from_str(&json[begin..name_end]).unwrap_or_default();
        let is_value = |at: &usize| !bytes[*at].is_ascii_whitespace() && bytes[*at] != b':';
        let value = (name_end..bytes.len()).find(is_value).unwrap_or(bytes.len());
        at = end_of_value(bytes, value);
        members.push(Member { name, begin, value: value..at });
    }
    members
}

/// Returns the position after the closing quote of the text that begins at `at`.
fn end_of_text(bytes: &[u8], at: usize) -> usize {
    let mut at = at + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

fn end_of_value(bytes: &[u8], begin: usize) -> usize {
    let mut depth = 0_usize;
    let mut at = begin;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => {
                at = end_of_text(bytes, at);
                if depth == 0 {
                    return at;
                }
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth <= 1 => return at + depth,
            b'}' | b']' => depth -= 1,
            byte if depth == 0 && (byte == b',' || byte.is_ascii_whitespace()) => return at,
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_finds_the_members_of_the_object_but_not_of_nested_ones() {
        let json = r#" { "a" : "}\"{," ,"b":{"a":["}",[1]],"x":{}}, "\u0063":[ ],
            "d":-1.5e3,"e":null
            ,"f":"" } "#;
        let found: Vec<(String, &str)> =
            members(json).into_iter().map(|member| (member.name, &json[member.value])).collect();
        let expected = [
            ("a", r#""}\"{,""#),
            ("b", r#"{"a":["}",[1]],"x":{}}"#),
            ("c", "[ ]"),
            ("d", "-1.5e3"),
            ("e", "null"),
            ("f", "\"\""),
        ];
        assert_eq!(found, expected.map(|(name, value)| (name.to_owned(), value)));
        assert!(members("{}").is_empty() && members(" { } ").is_empty());
    }
}
