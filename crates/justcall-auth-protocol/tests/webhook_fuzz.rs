//! Webhooks of arbitrary bytes: the properties of the fuzz target, on the vectors and thousands of variations of them.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::Value;

#[path = "../../../fuzz/webhook.rs"]
mod webhook;

/// Returns the bodies of all vectors.
fn bodies() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/webhook");
    let mut bodies: Vec<String> = fs::read_dir(folder)
        .expect("the vectors")
        .map(|entry| fs::read(entry.expect("a file").path()).expect("a vector"))
        .filter_map(|vector| {
            let vector: Value = serde_json::from_slice(&vector).expect("JSON");
            vector["body"].as_str().map(str::to_owned)
        })
        .collect();
    bodies.sort();
    bodies.dedup();
    assert!(bodies.len() > 40, "only {}", bodies.len());
    bodies
}

/// Texts that replace a byte or are inserted.
const PIECES: &[&str] = &[
    "",
    "\"",
    "\\",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    " ",
    "\n",
    "0",
    "-",
    "1e9",
    "null",
    "|",
    "\u{1}",
    "\u{7f}",
    "é",
    "😀",
    "\\u0041",
    "\\ud83d\\ude00",
    "\"type\":\"x\",",
    "\"webhook_url\":\"https://a.b\",",
    "\"t\\u0079pe\":1,",
    "[[[[[[[[",
];

#[test]
fn it_accepts_and_refuses_the_vectors_as_the_model_does() {
    let read: Vec<bool> = bodies().iter().filter_map(|body| webhook::check_body(body.as_bytes())).collect();
    let good = read.iter().filter(|is_read| **is_read).count();
    assert!(good > 10 && read.len() - good > 10, "{good} of {} were read", read.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn it_holds_for_variations_of_the_vectors(
        body in select(bodies()),
        changes in prop::collection::vec((any::<Index>(), any::<bool>(), select(PIECES)), 0..4),
    ) {
        let mut bytes = body.into_bytes();
        for (at, replaces, piece) in changes {
            let at = at.index(bytes.len() + 1);
            let end = bytes.len().min(at + usize::from(replaces));
            bytes.splice(at..end, piece.bytes());
        }
        webhook::check_body(&bytes);
        webhook::check_delivery(&[&b"00\nv1\n0\n"[..], &bytes].concat());
    }

    #[test]
    fn it_holds_for_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        webhook::check_body(&bytes);
        webhook::check_delivery(&bytes);
    }
}
