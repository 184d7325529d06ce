//! Runs `tests/vectors/source/`: which pair a source gives, or why none.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use justcall_auth::Source;
use justcall_auth::source::Environment;
use serde_json::Value;

/// The made-up secret of the vectors: no text about a failure may hold it.
const SECRET: &str = "sec789xyz000";

struct Variables(HashMap<String, String>);

impl Environment for Variables {
    fn variable(&self, name: &str) -> Option<OsString> {
        self.0.get(name).map(OsString::from)
    }
}

#[test]
fn it_gives_every_source_its_pair_or_its_error() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/vectors/source")
        .canonicalize()
        .expect("vectors");
    let mut cases: Vec<PathBuf> =
        fs::read_dir(folder).expect("cases").map(|case| case.expect("a case").path()).collect();
    cases.sort();
    assert!(cases.len() >= 40, "only {} cases", cases.len());
    let failures: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            run(case).err().map(|why| format!("{}: {why}", case.file_name().expect("a name").display()))
        })
        .collect();
    assert!(failures.is_empty(), "{} of {} failed:\n{}", failures.len(), cases.len(), failures.join("\n"));
}

fn run(folder: &Path) -> Result<(), String> {
    let text = fs::read_to_string(folder.join("case.json")).map_err(|error| error.to_string())?;
    let files = folder.join("files").display().to_string();
    let case: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let filled = |value: &Value| value.as_str().map(|text| text.replace("{dir}", &files)).ok_or("not text");
    only(&case, &["about", "source", "environment", "expect"])?;
    let mut variables = HashMap::new();
    for (name, value) in case["environment"].as_object().ok_or("no environment")? {
        variables.insert(name.clone(), filled(value)?);
    }
    let source = filled(&case["source"])?;
    let loaded = Source::parse(&source).and_then(|source| source.load(&Variables(variables)));
    let expect = &case["expect"];
    only(expect, &["pair", "place_contains", "error"])?;
    match (loaded, &expect["error"]) {
        (Ok(loaded), Value::Null) => {
            let pair = expect["pair"].as_str().ok_or("no pair")?;
            let same = loaded.credentials.expose_authorization(|header| header == pair.as_bytes());
            if !same {
                return Err(format!("another pair, with the key {}", loaded.credentials.key_hint()));
            }
            contains(&loaded.place, &expect["place_contains"])
        }
        (Err(error), expect @ Value::Object(_)) => {
            only(expect, &["name", "reason", "message_contains", "hint_contains"])?;
            if error.kind().name() != expect["name"] || error.reason() != expect["reason"].as_str() {
                return Err(format!("got {error:?}"));
            }
            if format!("{error} {error:?}").contains(SECRET) {
                return Err("the secret leaks".into());
            }
            contains(error.message(), &expect["message_contains"])?;
            contains(error.hint(), &expect["hint_contains"])
        }
        (result, _) => Err(format!("got {result:?}")),
    }
}

fn contains(text: &str, wanted: &Value) -> Result<(), String> {
    let wanted = wanted.as_array().ok_or("not a list")?;
    match wanted.iter().filter_map(Value::as_str).find(|wanted| !text.contains(wanted)) {
        Some(absent) => Err(format!("{absent:?} is not in {text:?}")),
        None => Ok(()),
    }
}

fn only(object: &Value, known: &[&str]) -> Result<(), String> {
    let unknown =
        object.as_object().ok_or("not an object")?.keys().find(|key| !known.contains(&key.as_str()));
    unknown.map_or(Ok(()), |key| Err(format!("unknown key {key:?}")))
}
