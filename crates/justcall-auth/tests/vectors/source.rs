//! Runs `tests/vectors/source/`: the pair of a source, or its error.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use justcall_auth::Source;
use serde_json::Value;

use crate::cases::{Variables, cases, contains, only, run_all, text};

/// The invented secret of the vectors. No error text may contain it.
const SECRET: &str = "sec789xyz000";

#[test]
fn it_reads_the_expected_pair_or_error_from_every_source() {
    let named = |case: PathBuf| (case.file_name().expect("a name").to_string_lossy().into_owned(), case);
    run_all(cases("source").into_iter().map(named), 40, |case| run(case));
}

fn run(folder: &Path) -> Result<(), String> {
    let json = fs::read_to_string(folder.join("case.json")).map_err(|error| error.to_string())?;
    let files = folder.join("files").display().to_string();
    let case: Value = serde_json::from_str(&json).map_err(|error| error.to_string())?;
    let filled = |value: &Value| text(value).map(|text| text.replace("{dir}", &files));
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
            let same = loaded.pair.credentials.expose_authorization(|header| header == pair.as_bytes());
            if !same {
                return Err(format!("another pair, with the key {}", loaded.pair.credentials.key_hint()));
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
