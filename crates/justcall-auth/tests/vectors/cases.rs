//! Shared parts of the runners: finding the cases, running them, and strict comparisons.

use std::collections::{BTreeSet, HashMap};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use justcall_auth::source::Environment;
use serde_json::Value;

/// The environment of a case.
pub struct Variables(pub HashMap<String, String>);

impl Environment for Variables {
    fn variable(&self, name: &str) -> Option<OsString> {
        self.0.get(name).map(OsString::from)
    }
}

/// Returns the files or folders of the vectors `name`, in order.
pub fn cases(name: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors").join(name);
    let folder = folder.canonicalize().expect("the vectors");
    let mut cases: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("the vectors").map(|case| case.expect("a case").path()).collect();
    cases.sort();
    cases
}

/// Returns the vectors `name`, each a file, with their names.
pub fn vectors(name: &str) -> Vec<(String, Value)> {
    let read = |file: PathBuf| {
        let vector = serde_json::from_slice(&std::fs::read(&file).expect("a vector")).expect("JSON");
        (file.file_stem().expect("a name").to_string_lossy().into_owned(), vector)
    };
    cases(name).into_iter().map(read).collect()
}

/// Runs all cases, of which there must be at least `at_least`. Reports every failure.
pub fn run_all<C>(
    cases: impl IntoIterator<Item = (String, C)>,
    at_least: usize,
    run: impl Fn(&C) -> Result<(), String>,
) {
    let (mut count, mut failures) = (0, Vec::new());
    for (name, case) in cases {
        count += 1;
        failures.extend(run(&case).err().map(|why| format!("{name}: {why}")));
    }
    assert!(count >= at_least, "only {count} cases");
    assert!(failures.is_empty(), "{} of {count} failed:\n{}", failures.len(), failures.join("\n"));
}

/// Checks that the keys of `object` are exactly `keys`.
pub fn exactly(object: &Value, keys: &[&str]) -> Result<(), String> {
    let (found, wanted) = (keys_of(object)?, keys.iter().copied().collect());
    if found == wanted { Ok(()) } else { Err(format!("the keys are {found:?}, not {wanted:?}")) }
}

/// Checks that `object` has no other keys than `known`.
pub fn only(object: &Value, known: &[&str]) -> Result<(), String> {
    match keys_of(object)?.into_iter().find(|key| !known.contains(key)) {
        Some(key) => Err(format!("unknown key {key:?}")),
        None => Ok(()),
    }
}

fn keys_of(object: &Value) -> Result<BTreeSet<&str>, String> {
    Ok(object.as_object().ok_or("an object is absent")?.keys().map(String::as_str).collect())
}

/// Checks that `found` contains every text in the list `wanted`.
pub fn contains(found: &str, wanted: &Value) -> Result<(), String> {
    for part in list(wanted)? {
        let part = text(part)?;
        if !found.contains(part) {
            return Err(format!("{part:?} is not in {found:?}"));
        }
    }
    Ok(())
}

pub fn same(found: &Value, expected: &Value) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{found} is not {expected}")) }
}

pub fn list(value: &Value) -> Result<&Vec<Value>, String> {
    value.as_array().ok_or_else(|| format!("{value} is not a list"))
}

pub fn text(value: &Value) -> Result<&str, String> {
    value.as_str().ok_or_else(|| format!("{value} is not text"))
}

pub fn base64(text: &str) -> Result<Vec<u8>, String> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bits = Vec::new();
    for byte in text.trim_end_matches('=').bytes() {
        let value = DIGITS.iter().position(|digit| *digit == byte).ok_or("not base64")?;
        bits.extend((0..6).rev().map(|bit| u8::try_from(value >> bit & 1).expect("a bit")));
    }
    Ok(bits.chunks_exact(8).map(|byte| byte.iter().fold(0, |byte, bit| byte << 1 | bit)).collect())
}
