//! The JSON parser compared with `serde_json`, on unusual, random and truncated input.

use std::borrow::Cow;

use proptest::prelude::*;
use serde::de::IgnoredAny;

use crate::json::{JsonScanner, RawText, TOO_DEEP, is_text, plain, small_value};

/// Returns true if the parser accepts `value` as the value of a member.
fn accepts(value: &str) -> bool {
    let text = format!("{{\"a\":{value}}}");
    JsonScanner::new(&text).object(|scanner, _| scanner.skip_value()).is_ok()
}

fn serde_accepts(value: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(&format!("{{\"a\":{value}}}")).is_ok()
}

fn nested(depth: usize) -> String {
    format!("{}{}", "[".repeat(depth), "]".repeat(depth))
}

#[test]
fn it_accepts_128_levels_and_refuses_more() {
    assert!(accepts(&nested(127)), "the object around it is the first level");
    assert!(!accepts(&nested(128)));
    let objects = format!("{}1{}", "{\"b\":[".repeat(63), "]}".repeat(63));
    assert!(accepts(&objects) && !accepts(&format!("[{{\"b\":{objects}}}]")));
    assert_eq!(
        JsonScanner::new(&format!("{{\"a\":{}", "[".repeat(100_000))).object(|s, _| s.skip_value()),
        Err(TOO_DEEP)
    );
}

#[test]
fn it_builds_values_of_up_to_64_kib() {
    let text = |length: usize| format!("\"{}\"", "a".repeat(length - 2));
    assert!(small_value(&text(65_536)).is_some() && small_value(&text(65_537)).is_none());
}

#[test]
fn it_finds_the_end_of_plain_bytes_at_every_position() {
    for length in 0..40 {
        for stop in 0..=length {
            for byte in [b'"', b'\\', 0, 0x1f, b'\n'] {
                let mut bytes = vec![b'!'; length];
                bytes.extend("é\u{7f}\u{80}".bytes());
                let whole = bytes.len();
                assert_eq!(plain(&bytes), whole);
                bytes.insert(stop, byte);
                bytes.push(b'"');
                assert_eq!(plain(&bytes), stop);
            }
        }
    }
}

#[test]
fn it_decodes_as_serde_does() {
    for raw in [
        "",
        "plain",
        r#"\"\\\/\b\f\n\r\t"#,
        r"\u0041\u00e9\u20ac\uD83D\uDE00x",
        r"\ud800",
        r"\ude00\ud83d",
        r"\ud83dx",
        r"\ud83d\n",
        r"\ud83d\u0041",
        "é😀",
    ] {
        let decoded =
            RawText { raw, has_escapes: raw.contains('\\') }.decode().expect("memory").map(Cow::into_owned);
        assert_eq!(decoded, serde_json::from_str::<String>(&format!("\"{raw}\"")).ok(), "{raw}");
    }
}

#[test]
fn it_agrees_with_serde_on_unusual_values() {
    for value in [
        "0",
        "-0",
        "01",
        "-",
        "+1",
        "1.",
        ".5",
        "1.5e",
        "1e+5",
        "1E-05",
        "1e5.5",
        "0x1",
        "1_0",
        "NaN",
        "Infinity",
        "true",
        "tru",
        "truex",
        "nul",
        "null ",
        "'a'",
        "\"a",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"\t\"",
        "\"\u{7f}\"",
        "[",
        "]",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[1,2]",
        "{}",
        "{\"b\"}",
        "{\"b\":}",
        "{\"b\":1,}",
        "{b:1}",
        "{1:1}",
        "[}",
        "{]",
        "\u{feff}1",
        "",
        " ",
        "1 1",
        "1,\"b\":2",
        "1}{",
        "[]x",
        "/**/1",
        "\u{a0}1",
        "\u{b}1",
        "-01",
        "--1",
        "1-1",
        "\"\\u0000\"",
        "\"\\ud800\"",
        "-a",
    ] {
        assert_eq!(accepts(value), serde_accepts(value), "{value}");
    }
}

proptest! {
    /// Text combined from parts of JSON, much of it almost valid.
    #[test]
    fn it_agrees_with_serde_on_random_text(pieces in prop::collection::vec(prop::sample::select(vec![
        "{", "}", "[", "]", ",", ":", "\"a\":", "\"b\"", "\"long enough for words of eight\"", "\"", "\\", "\\u00e9", "\\\"", "0", "12",
        "-", ".5", "e9", "true", "false", "null", " ", "\n", "\t", "é", "x", "\u{1}"]), 0..12))
    {
        let value = pieces.concat();
        prop_assert_eq!(accepts(&value), serde_accepts(&value), "{}", value);
    }

    /// Valid JSON, truncated at any place.
    #[test]
    fn it_agrees_with_serde_on_truncated_text(value in any_json(), at in any::<prop::sample::Index>()) {
        let text = value.to_string();
        prop_assert!(accepts(&text), "{}", text);
        let mut end = at.index(text.len() + 1);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let cut = &text[..end];
        prop_assert_eq!(accepts(cut), serde_accepts(cut), "{}", cut);
    }
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
    ];
    leaf.prop_recursive(6, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
            prop::collection::hash_map(any::<String>(), inner, 0..6)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

#[test]
fn it_builds_a_value_of_at_most_64_kib() {
    let text = |length: usize| format!("\"{}\"", "x".repeat(length - 2));
    assert!(small_value(&text(65_536)).is_some());
    assert!(small_value(&text(65_537)).is_none());
}

#[test]
fn it_compares_the_characters_of_a_string() {
    assert!(is_text("\"ab\"", "ab") && is_text(r#""a\u0062""#, "ab") && is_text("\"\"", ""));
    for raw in ["\"a\"", "\"abc\"", "ab", "1", r#""ab\ud800""#] {
        assert!(!is_text(raw, "ab"), "{raw}");
    }
}
