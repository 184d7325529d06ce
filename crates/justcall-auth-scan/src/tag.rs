//! Finds the name of a value in the tags of XML and HTML.

use std::ops::Range;

use crate::name::Name;

/// Attributes whose value is a name: `<string name="justcall_api_secret">`.
const NAMING: &[&str] = &[
    "name",
    "key",
    "id",
    "property",
    "field",
    "param",
    "parameter",
    "setting",
    "label",
    "title",
    "variable",
];
/// Attributes with a neutral name, for whose value another attribute has the name: `<add key="…" value="…"/>`.
const NEUTRAL: &[&str] = &["value", "val", "content", "data", "default", "text", "string"];
/// Elements for layout. Their names do not describe a value.
const ARRANGING: &[&str] = &["span", "label", "field", "content", "path", "ref"];
/// Elements without an end.
const EMPTY: &[&str] = &["br", "hr", "img", "input", "link", "meta", "wbr"];

/// The kind of a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TagKind {
    Opens,
    Closes,
    /// A tag of an element without content.
    Alone,
}

/// A tag, or the part of it before a value.
#[derive(Debug)]
pub(crate) struct Tag<'a> {
    pub kind: TagKind,
    /// The offset of its start.
    pub at: usize,
    element: &'a str,
    attributes: Vec<Attribute<'a>>,
}

type Attribute<'a> = (&'a str, &'a str);

impl<'a> Tag<'a> {
    /// Returns the last tag that ends within `gap`.
    pub fn that_ends(text: &'a [u8], gap: Range<usize>) -> Option<Self> {
        let end = gap.start + memchr::memrchr(b'>', &text[gap])?;
        // `=>` and `->` do not end a tag.
        if matches!(text[..end].last(), Some(b'=' | b'-')) {
            return None;
        }
        let at = memchr::memrchr(b'<', &text[..end])?;
        let inside = std::str::from_utf8(&text[at + 1..end]).ok()?;
        if let Some(element) = inside.strip_prefix('/') {
            return is_name(element.trim()).then_some(Self {
                kind: TagKind::Closes,
                at,
                element,
                attributes: Vec::new(),
            });
        }
        let (element, rest) = split_name(inside)?;
        let (attributes, rest) = attributes(rest);
        let kind = match rest {
            "" if EMPTY.contains(&element) => TagKind::Alone,
            "" => TagKind::Opens,
            "/" => TagKind::Alone,
            _ => return None,
        };
        Some(Self { kind, at, element, attributes })
    }

    /// Returns the name of the text in the element.
    pub fn name(&self) -> Option<Name> {
        named(&self.attributes).or_else(|| {
            let element = local(self.element);
            if ARRANGING.contains(&element) { None } else { Name::of(element) }
        })
    }
}

/// Returns the name of a value that is an attribute of a tag, from the text before and after the value. Returns `None` if the
/// attribute's own name is not neutral.
pub(crate) fn name_of_attribute(before: &[u8], after: &[u8]) -> Option<Name> {
    let at = memchr::memrchr(b'<', before)?;
    let inside = std::str::from_utf8(&before[at + 1..]).ok()?;
    let (element, rest) = split_name(inside)?;
    let (attributes_before, rest) = attributes(rest);
    let (attribute, rest) = split_name(rest)?;
    let rest = rest.trim_start().strip_prefix('=')?.trim_start();
    if !matches!(rest, "" | "\"" | "'") || !NEUTRAL.contains(&local(attribute).to_ascii_lowercase().as_str())
    {
        return None;
    }
    let end = memchr::memchr2(b'<', b'>', after).unwrap_or(after.len());
    let after = String::from_utf8_lossy(&after[..end]);
    let after = after.strip_prefix(rest).unwrap_or_default();
    named(&attributes_before).or_else(|| named(&attributes(after).0)).or_else(|| Name::of(local(element)))
}

/// Returns the name in the attributes whose value is a name.
fn named(attributes: &[Attribute]) -> Option<Name> {
    let is_naming =
        |attribute: &&Attribute| NAMING.contains(&local(attribute.0).to_ascii_lowercase().as_str());
    attributes.iter().filter(is_naming).find_map(|(_, value)| Name::of(value))
}

/// Returns the attributes at the start of `text`, and the rest of it.
fn attributes(mut text: &str) -> (Vec<Attribute<'_>>, &str) {
    let mut attributes = Vec::new();
    loop {
        text = text.trim_start();
        let Some(((name, value), rest)) = attribute(text) else { return (attributes, text) };
        attributes.push((name, value));
        text = rest;
    }
}

/// Returns the attribute at the start of `text`, and the rest of it. The value is empty if the attribute has none.
fn attribute(text: &str) -> Option<(Attribute<'_>, &str)> {
    let (name, rest) = split_name(text)?;
    let Some(value) = rest.trim_start().strip_prefix('=') else {
        return Some(((name, ""), rest));
    };
    let value = value.trim_start();
    let quote = value.chars().next().filter(|first| matches!(first, '"' | '\''));
    if let Some(quote) = quote {
        let (value, rest) = value[1..].split_once(quote)?;
        return Some(((name, value), rest));
    }
    let end = value.find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '='));
    let (value, rest) = value.split_at(end.unwrap_or(value.len()));
    (!value.is_empty()).then_some(((name, value), rest))
}

fn split_name(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c| !is_of_name(c)).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    is_name(name).then_some((name, rest))
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_') && text.chars().all(is_of_name)
}

fn is_of_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':')
}

/// Returns a name without its namespace.
fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}
