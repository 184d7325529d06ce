//! Finds the name of a value, which stands before it, around it, or above it.

use std::ops::Range;

use crate::name::Name;
use crate::readable::readable;
use crate::table;
use crate::tag::{self, Tag, TagKind};

/// The largest distance between a value and its name, in bytes and in lines.
const REACH: usize = 160;
const LINES: usize = 3;
/// The largest distance between a value and the start of its block, in bytes.
const BLOCK_REACH: usize = 600;

/// Words without a meaning that may stand between a name and its value.
const FILLERS: &[&str] = &[
    "value",
    "val",
    "string",
    "str",
    "text",
    "set",
    "get",
    "is",
    "was",
    "to",
    "the",
    "a",
    "new",
    "const",
    "default",
    "type",
    "concat",
    "raw",
    "secure",
    "securestring",
    "and",
    "or",
    "as",
    "of",
    "for",
    "in",
    "static",
    "final",
    "private",
    "let",
    "var",
    "readonly",
    "name",
    "export",
    "env",
    "x",
    "h",
    "e",
    "cdata",
    "reg_sz",
    "sensitive",
    "true",
    "false",
];

/// Names that do not describe the value. Another field of the record has its name.
const NEUTRAL: &[&str] = &[
    "value",
    "val",
    "default",
    "content",
    "data",
    "text",
    "string",
    "set",
    "setobject",
    "setvalue",
    "setstring",
];
/// Fields whose value is a name.
const NAMING: &[&str] = &["name", "key", "id", "field", "property", "param", "variable", "forkey", "env"];

/// Returns the name of `value`. Text before `from` belongs to another value.
pub(crate) fn name_of(text: &[u8], from: usize, value: &Range<usize>) -> Option<Name> {
    let near = &text[from.max(value.start.saturating_sub(REACH))..value.start];
    let before = readable(near);
    let after = &text[value.end..text.len().min(value.end + REACH)];
    let after = readable(after);
    tag::name_of_attribute(&before, &after)
        .or_else(|| table::name_of_column(text, value))
        .or_else(|| name_in_record(&before, &after))
        .or_else(|| name_before(&before))
        .or_else(|| name_of_block(text, &before, value.start))
}

/// Returns the meaning of the nearest word that is not a filler. An element that `before` leaves open counts as a word.
fn name_before(before: &[u8]) -> Option<Name> {
    let mut end = before.len();
    let mut closed = 0_usize;
    while let Some(span) = last_word(before, end) {
        if memchr::memchr_iter(b'\n', &before[span.end..]).count() > LINES {
            return None;
        }
        if let Some(tag) = Tag::that_ends(before, span.end..end) {
            let is_around = tag.kind == TagKind::Opens && closed == 0;
            if let Some(name) = tag.name().filter(|_| is_around) {
                return Some(name);
            }
            closed = match tag.kind {
                TagKind::Opens => closed.saturating_sub(1),
                TagKind::Closes => closed + 1,
                TagKind::Alone => closed,
            };
            end = tag.at;
            continue;
        }
        let word = String::from_utf8_lossy(&before[span.clone()]);
        let name = Name::of(&word);
        let is_function = before.get(span.end) == Some(&b'(');
        if !(is_filler(&word) || name.is_none() && (is_function || is_short(&word))) {
            return name;
        }
        end = span.start;
    }
    None
}

fn is_filler(word: &str) -> bool {
    FILLERS.contains(&word.to_ascii_lowercase().trim_matches(['-', '_', '.']))
}

/// Whether a word is a number or one letter, such as the length or the type of the next value.
fn is_short(word: &str) -> bool {
    let letters = word.bytes().filter(u8::is_ascii_alphabetic).count();
    letters == 0 || word.len() == 1
}

/// Returns the name in the first field after a value, if the value is the first field of its record and has a neutral name:
/// `{"value": "…", "name": "…"}`, `set("…", forKey: "…")`.
fn name_in_record(before: &[u8], after: &[u8]) -> Option<Name> {
    let own = neutral_word(before)?;
    let record = &before[..own.start];
    let begin = record.iter().rposition(|byte| b"{[(}])".contains(byte)).map_or(0, |at| at + 1);
    let begin = memchr::memmem::rfind(record, b"\n-").map_or(begin, |at| begin.max(at));
    let mut earlier = words(&record[begin..]);
    if earlier.any(|span| is_one_of(NAMING, &record[begin..][span])) {
        return None;
    }
    let ends = [&b"}"[..], b"]", b")", b"\n\n", b"\n-"];
    let end = ends.iter().filter_map(|end| memchr::memmem::find(after, end)).min();
    let record = &after[..end.unwrap_or(after.len())];
    let mut fields = words(record).skip_while(|span| !is_one_of(NAMING, &record[span.clone()]));
    let (naming, named) = (fields.next()?, fields.next()?);
    let is_field = record[naming.end..named.start].iter().any(|byte| matches!(byte, b':' | b'='));
    Name::of(&String::from_utf8_lossy(&record[named])).filter(|_| is_field)
}

/// Returns the name in the heading of the block of a value with a neutral name: `variable "justcall_api_secret" {`.
fn name_of_block(text: &[u8], before: &[u8], start: usize) -> Option<Name> {
    neutral_word(before)?;
    let near = &text[start.saturating_sub(BLOCK_REACH)..start];
    let mut closed = 0_usize;
    let open = near.iter().rposition(|byte| match byte {
        b'}' => {
            closed += 1;
            false
        }
        b'{' if closed == 0 => true,
        b'{' => {
            closed -= 1;
            false
        }
        _ => false,
    })?;
    let heading = readable(&near[..open]);
    let word = last_word(&heading, heading.len())?;
    Name::of(&String::from_utf8_lossy(&heading[word]))
}

/// Returns the last word if it is a neutral name, perhaps of a method: `defaults.set`.
fn neutral_word(before: &[u8]) -> Option<Range<usize>> {
    let span = last_word(before, before.len())?;
    let own = before[span.clone()].rsplit(|byte| *byte == b'.').next()?;
    is_one_of(NEUTRAL, own).then_some(span)
}

fn is_one_of(list: &[&str], word: &[u8]) -> bool {
    list.iter().any(|known| word.eq_ignore_ascii_case(known.as_bytes()))
}

/// Returns the words of `text`, in their order.
fn words(text: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let start = from + text[from..].iter().position(u8::is_ascii_alphanumeric)?;
        let rest = text[start..].iter().position(|byte| !is_of_word(*byte));
        from = rest.map_or(text.len(), |length| start + length);
        Some(start..from)
    })
}

/// Returns the last word of `text` that ends at or before `end`.
fn last_word(text: &[u8], end: usize) -> Option<Range<usize>> {
    let last = text[..end].iter().rposition(u8::is_ascii_alphanumeric)? + 1;
    let first = text[..last].iter().rposition(|byte| !is_of_word(*byte)).map_or(0, |at| at + 1);
    Some(first..last)
}

fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::Role;

    const VALUE: &str = "c05b9e27f1a84d63e8b2075ad91c46f37e0ab2d9";

    /// Returns the role of the value in `text`, by its name.
    fn role(text: &str) -> Option<Role> {
        let at = text.find(VALUE).expect("the text contains the value");
        name_of(text.as_bytes(), 0, &(at..at + VALUE.len())).map(|name| name.role)
    }

    #[test]
    fn it_finds_the_name_in_the_element_around_a_value() {
        for (text, expected) in [
            ("<justcallApiSecret>@S@</justcallApiSecret>", Some(Role::Secret)),
            ("<jc:apiSecret xmlns:jc=\"urn:x\" type='plain'>\n  @S@\n</jc:apiSecret>", Some(Role::Secret)),
            ("<justcallApiSecret><![CDATA[@S@]]></justcallApiSecret>", Some(Role::Secret)),
            ("<string name=\"justcall_api_secret\" translatable=\"false\">@S@</string>", Some(Role::Secret)),
            ("<property name=\"justcall.secret\"><value>@S@</value></property>", Some(Role::Secret)),
            ("<key>JustCallApiSecret</key><string>@S@</string>", Some(Role::Secret)),
            ("<add key=\"JustCallApiSecret\" value=\"@S@\"/>", Some(Role::Secret)),
            ("<add value=\"@S@\" key=\"JustCallApiSecret\" />", Some(Role::Secret)),
            ("<meta content='@S@' name='justcall-api-secret'>", Some(Role::Secret)),
            ("<justcallApiSecret value=\"@S@\"/>", Some(Role::Secret)),
            ("&lt;justcallApiSecret&gt;@S@&lt;/justcallApiSecret&gt;", Some(Role::Secret)),
            ("\\u003cjustcallApiSecret\\u003e@S@", Some(Role::Secret)),
            ("<b>API secret:</b> <span class=\"x\">@S@</span>", Some(Role::Secret)),
            ("<hash>@S@</hash>", Some(Role::Other)),
            // The name of another element.
            ("<apiSecret>${X}</apiSecret><note>@S@</note>", None),
            ("<apiSecret/><note>@S@</note>", None),
            ("<meta content='@S@' name='description'>", Some(Role::Other)),
        ] {
            assert_eq!(role(&text.replace("@S@", VALUE)), expected, "{text}");
        }
    }

    #[test]
    fn it_finds_the_name_before_a_value() {
        for (text, role) in [
            ("apiSecret: String = \"", Some(Role::Secret)),
            ("<key>JustCallApiSecret</key>\n<string>", Some(Role::Secret)),
            ("{\"key\": \"justcall_api_secret\", \"value\": \"", Some(Role::Secret)),
            ("getenv('JC_SECRET') ?? '", Some(Role::Secret)),
            ("public string ApiSecret { get; set; } = \"", Some(Role::Secret)),
            ("the secret is ", Some(Role::Secret)),
            ("secret\ncampaign = ", None),
            ("secret rotation, ", None),
            ("%26api_secret%3D", Some(Role::Secret)),
            ("api_secret = Buffer.from('", Some(Role::Secret)),
            ("JUSTCALL_API_SECRET=\nBUILD_SHA=", Some(Role::Other)),
        ] {
            let value = text.len()..text.len();
            assert_eq!(name_of(text.as_bytes(), 0, &value).map(|name| name.role), role, "{text}");
        }
    }
}
