//! Runs `tests/vectors/diagnose/`: the findings about a text and its environment.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::Path;

use justcall_auth::{Code, Finding, diagnose, diagnose_environment};
use serde_json::{Value, json};

use crate::cases::{Variables, base64, exactly, list, run_all, text, vectors};

/// The first characters of the invented halves in the vectors. No finding may contain them.
const MADE_UP: [&str; 4] = ["1f0e9d8c", "a9b8c7d6", "2e1d0c9b", "b8c9daeb"];

#[test]
fn it_finds_the_expected_findings_in_every_vector() {
    run_all(vectors("diagnose"), 50, run);
}

#[test]
fn it_has_a_vector_for_every_code() {
    let vectors = vectors("diagnose");
    let expected: BTreeSet<&str> = vectors
        .iter()
        .flat_map(|(_, vector)| vector["expect"].as_array().expect("a list"))
        .map(|finding| finding["code"].as_str().expect("a code"))
        .collect();
    let codes: BTreeSet<&str> = Code::ALL.iter().map(|code| code.name()).collect();
    assert_eq!(expected, codes);
}

#[test]
fn it_fails_on_an_unknown_vector() {
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
    for expected in list(&vector["expect"])? {
        exactly(expected, &["code", "severity"])?;
    }
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    for (name, file) in vector["files"].as_object().ok_or("files is not an object")? {
        exactly(file, &["text", "mode"])?;
        make(&folder.path().join(name), text(&file["text"])?, text(&file["mode"])?)?;
    }
    let mut variables = HashMap::new();
    for (name, value) in vector["environment"].as_object().ok_or("environment is not an object")? {
        variables.insert(name.clone(), text(value)?.replace("{dir}", &folder.path().display().to_string()));
    }
    let bytes = match &vector[text_key] {
        Value::Null => None,
        Value::String(plain) if text_key == "text" => Some(plain.clone().into_bytes()),
        Value::String(encoded) => Some(base64(encoded)?),
        other => return Err(format!("unknown text {other}")),
    };
    let variables = Variables(variables);
    let found =
        bytes.as_deref().map_or_else(|| diagnose_environment(&variables), |text| diagnose(text, &variables));
    let codes: Vec<Value> = found
        .iter()
        .map(|finding| json!({"code": finding.code().name(), "severity": finding.severity().name()}))
        .collect();
    if Value::from(codes) != vector["expect"] {
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
