//! Runs `tests/vectors/diagnose/`, as the runners of the other languages do.

use std::collections::{BTreeSet, HashMap};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use justcall_auth::source::Environment;
use justcall_auth::{Code, Finding, diagnose};
use serde_json::{Value, json};

/// How the made-up halves of the vectors start: no finding may hold one.
const MADE_UP: [&str; 4] = ["1f0e9d8c", "a9b8c7d6", "2e1d0c9b", "b8c9daeb"];

struct Variables(HashMap<String, String>);

impl Environment for Variables {
    fn variable(&self, name: &str) -> Option<OsString> {
        self.0.get(name).map(OsString::from)
    }
}

fn vectors() -> Vec<(PathBuf, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/diagnose");
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).expect("the vectors").map(|entry| entry.expect("a file").path()).collect();
    files.sort();
    let read = |file: &PathBuf| serde_json::from_slice(&fs::read(file).expect("a vector")).expect("JSON");
    files.into_iter().map(|file| (file.clone(), read(&file))).collect()
}

#[test]
fn it_finds_in_every_vector_what_is_expected() {
    let vectors = vectors();
    assert!(vectors.len() >= 50, "only {} vectors", vectors.len());
    let failures: Vec<String> = vectors
        .iter()
        .filter_map(|(file, vector)| {
            let why = run(vector).err()?;
            Some(format!("{}: {why}", file.file_stem().expect("a name").display()))
        })
        .collect();
    assert!(failures.is_empty(), "{} of {} failed:\n{}", failures.len(), vectors.len(), failures.join("\n"));
}

#[test]
fn it_has_a_vector_for_every_code() {
    let vectors = vectors();
    let expected: BTreeSet<&str> = vectors
        .iter()
        .flat_map(|(_, vector)| vector["expect"].as_array().expect("a list"))
        .map(|finding| finding["code"].as_str().expect("a code"))
        .collect();
    let codes: BTreeSet<&str> = Code::ALL.iter().map(|code| code.name()).collect();
    assert_eq!(expected, codes);
}

#[test]
fn it_fails_on_a_vector_that_it_does_not_know() {
    let vector = || json!({"about": "", "text": "", "environment": {}, "files": {}, "expect": [{"code": "empty_half", "severity": "error"}]});
    assert_eq!(run(&vector()), Ok(()));
    for (pointer, key) in [("", "weather"), ("/expect/0", "message"), ("", "text_base64")] {
        let mut unknown = vector();
        unknown.pointer_mut(pointer).expect("an object")[key] = json!("");
        assert!(run(&unknown).is_err(), "{key}");
    }
    let mut other = vector();
    other["expect"][0]["severity"] = json!("note");
    assert!(run(&other).is_err());
}

fn run(vector: &Value) -> Result<(), String> {
    let text_key = if vector.get("text_base64").is_some() { "text_base64" } else { "text" };
    exactly(vector, &["about", text_key, "environment", "files", "expect"])?;
    for expected in vector["expect"].as_array().ok_or("expect is not a list")? {
        exactly(expected, &["code", "severity"])?;
    }
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    for (name, file) in vector["files"].as_object().ok_or("files is not an object")? {
        exactly(file, &["text", "mode"])?;
        make(&folder.path().join(name), string(&file["text"])?, string(&file["mode"])?)?;
    }
    let mut variables = HashMap::new();
    for (name, value) in vector["environment"].as_object().ok_or("environment is not an object")? {
        variables.insert(name.clone(), string(value)?.replace("{dir}", &folder.path().display().to_string()));
    }
    let text = match &vector[text_key] {
        Value::Null => None,
        Value::String(text) if text_key == "text" => Some(text.clone().into_bytes()),
        Value::String(text) => Some(base64(text)?),
        other => return Err(format!("unknown text {other}")),
    };
    let found = diagnose(text.as_deref(), &Variables(variables));
    let told: Vec<Value> = found
        .iter()
        .map(|finding| json!({"code": finding.code().name(), "severity": finding.severity().name()}))
        .collect();
    if Value::from(told) != vector["expect"] {
        return Err(format!("found {found:?}"));
    }
    found.iter().try_for_each(safe)
}

fn safe(finding: &Finding) -> Result<(), String> {
    let shown = format!("{finding:?} {} {}", finding.message(), finding.remedy());
    match MADE_UP.iter().find(|half| shown.contains(*half)) {
        Some(_) => Err(format!("a half leaks in {shown:?}")),
        None => Ok(()),
    }
}

fn make(path: &Path, text: &str, mode: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| error.to_string())?;
    let mode = u32::from_str_radix(mode, 8).map_err(|error| error.to_string())?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(|error| error.to_string())?;
    }
    let _ = mode;
    Ok(())
}

fn base64(text: &str) -> Result<Vec<u8>, String> {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bytes, mut pending, mut bits) = (Vec::new(), 0_usize, 0_u32);
    for symbol in text.trim_end_matches('=').chars() {
        pending = pending << 6 | ALPHABET.find(symbol).ok_or_else(|| format!("{symbol:?} is not base64"))?;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(pending >> bits).expect("eight bits"));
            pending &= (1 << bits) - 1;
        }
    }
    Ok(bytes)
}

fn exactly(object: &Value, keys: &[&str]) -> Result<(), String> {
    let found: BTreeSet<&str> =
        object.as_object().ok_or("not an object")?.keys().map(String::as_str).collect();
    let known: BTreeSet<&str> = keys.iter().copied().collect();
    if found == known { Ok(()) } else { Err(format!("the keys are {found:?}, not {known:?}")) }
}

fn string(value: &Value) -> Result<&str, String> {
    value.as_str().ok_or_else(|| "not text".to_owned())
}
