//! `serde_json` as the model of a JSON object.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

/// The deepest nesting that the product parses.
const MAX_DEPTH: usize = 128;

/// What the model finds in a text.
pub enum Model<T> {
    Found(T),
    /// The text is refused: it is no JSON, no object, nested too deep, or does not contain what is looked for.
    Refused,
    /// The model cannot decide: the text contains half of a surrogate pair or a number that is out of range, which only
    /// values that are read must not contain.
    Unknown,
}

/// Returns the values of the members with these names, in the order of the names. A name may occur several times.
pub fn object(text: &[u8], names: &[&str]) -> Model<Vec<Vec<Value>>> {
    let Ok(text) = std::str::from_utf8(text) else { return Model::Refused };
    if serde_json::from_str::<IgnoredAny>(text).is_err() || depth(text) > MAX_DEPTH {
        return Model::Refused;
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    match (Members { names }).deserialize(&mut reader) {
        Ok(values) => Model::Found(values),
        Err(_) if text.trim_start().starts_with('{') => Model::Unknown,
        Err(_) => Model::Refused,
    }
}

/// Returns how deep JSON is nested.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest, mut in_string, mut is_escaped) = (0_usize, 0, false, false);
    for byte in text.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = in_string,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_string => depth -= 1,
            _ => {}
        }
    }
    deepest
}

/// Reads the members with these names.
struct Members<'a> {
    names: &'a [&'a str],
}

impl<'de> DeserializeSeed<'de> for Members<'_> {
    type Value = Vec<Vec<Value>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Members<'_> {
    type Value = Vec<Vec<Value>>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut values = vec![Vec::new(); self.names.len()];
        while let Some(name) = map.next_key::<String>()? {
            match self.names.iter().position(|wanted| *wanted == name) {
                Some(at) => values[at].push(map.next_value::<Value>()?),
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(values)
    }
}
