//! Runs the vectors that need no service: sources, diagnoses and webhooks.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::program::{Link, Program, RUNNER_LIBRARIES, Standard, fail, succeed};
use crate::support::{library, root};

fn scratch() -> TempDir {
    tempfile::tempdir().expect("a folder for the test")
}

fn runner(name: &str, standard: Standard, link: Link) -> Program {
    Program::compile(&root().join("tests/c").join(name), standard, link, &RUNNER_LIBRARIES)
}

fn vectors(name: &str) -> PathBuf {
    root().join("tests/vectors").join(name)
}

/// Runs every vector of a folder in C and C++. Checks that none was skipped and that no file is left over.
fn run_all(runner_name: &str, folder: &Path) {
    let entries = fs::read_dir(folder).expect("the vectors are there").count();
    let run = |standard, link| {
        let scratch = scratch();
        let mut arguments = vec![folder];
        arguments.extend((runner_name == "diagnose_vectors.c").then_some(scratch.path()));
        let printed = succeed(&mut runner(runner_name, standard, link).command(&arguments));
        assert!(printed.contains(&format!("\n{entries} vectors, 0 failed\n")), "{printed}");
        assert_eq!(fs::read_dir(scratch.path()).expect("the folder is there").count(), 0, "{printed}");
    };
    for standard in Standard::ALL {
        run(standard, Link::Shared(library::folder()));
    }
    run(Standard::C11, Link::Static(library::folder()));
}

#[test]
fn it_returns_the_pairs_of_the_vectors() {
    run_all("source_vectors.c", &vectors("source"));
}

#[test]
fn it_returns_the_findings_of_the_vectors() {
    run_all("diagnose_vectors.c", &vectors("diagnose"));
}

#[test]
fn it_returns_the_results_of_the_webhook_vectors() {
    run_all("webhook_vectors.c", &vectors("webhook"));
    let program = runner("webhook_vectors.c", Standard::C11, Link::Shared(library::folder()));
    // Under valgrind all vectors take half a minute: a few of each kind are enough.
    let few = scratch();
    for entry in fs::read_dir(vectors("webhook")).expect("the vectors are there") {
        let path = entry.expect("a file").path();
        let name = path.file_name().expect("a name").to_owned();
        let is_chosen = name.to_string_lossy().bytes().map(u32::from).sum::<u32>() % 4 == 0;
        if is_chosen && fs::metadata(&path).expect("a file").len() < 10_000 {
            fs::copy(&path, few.path().join(name)).expect("the test's file");
        }
    }
    assert!(fs::read_dir(few.path()).expect("the folder is there").count() > 20);
    succeed(&mut program.valgrind(&[], &[few.path()]));
}

#[test]
fn its_webhook_runner_reports_unknown_keys_and_wrong_results() {
    let program = runner("webhook_vectors.c", Standard::C99, Link::Shared(library::folder()));
    let folder = scratch();
    let put = |vector: &Value| {
        fs::write(folder.path().join("a.json"), vector.to_string()).expect("the test's file");
        program.command(&[folder.path()])
    };
    let read = |name: &str| -> Value {
        let bytes = fs::read(vectors("webhook").join(name)).expect("there is such a vector");
        serde_json::from_slice(&bytes).expect("JSON")
    };
    let (good, bad) = (read("ok-published.json"), read("wrong-url.json"));
    let changes = [
        (&good, "", "weather", json!(""), "unknown key"),
        (&good, "", "body_base64", json!(""), "there is not one body"),
        (&good, "", "secrets", json!(["5bd3a95c1b0f4e7f2a8890d1c6b7e3f402149a6d"]), "webhook_mismatch"),
        (&good, "/expect/event", "weather", json!(""), "unknown key"),
        (&good, "/expect/event", "type", json!("call.missed"), "not \"call.missed\""),
        (&good, "/expect/event", "url", json!(""), "not \"\""),
        (&good, "/expect/event", "signature", json!(""), "not \"\""),
        (&good, "/expect/event", "timestamp", json!(0), "not 0"),
        (&good, "/expect/event", "secret_index", json!(1), "not 1"),
        (&bad, "/expect/error", "weather", json!(""), "unknown key"),
        (&bad, "/expect/error", "name", json!("webhook_stale"), "not \"webhook_stale\""),
        (&bad, "/expect/error", "code", json!(33), "not 33"),
        (&bad, "/expect/error", "message_contains", json!(["weather"]), "is not in"),
        (&bad, "", "expect", good["expect"].clone(), "ended with webhook_wrong_url"),
    ];
    for (vector, pointer, name, value, why) in changes {
        succeed(&mut put(vector));
        let printed = fail(&mut put(&changed(vector, pointer, name, value)), 1);
        assert!(printed.contains(why), "{printed}");
    }
}

/// Returns a copy of `vector` with `value` as the member `name` of the object at `pointer`.
fn changed(vector: &Value, pointer: &str, name: &str, value: Value) -> Value {
    let mut vector = vector.clone();
    vector.pointer_mut(pointer).expect("an object")[name] = value;
    vector
}

#[test]
fn its_source_runner_reports_unknown_keys_and_wrong_results() {
    let program = runner("source_vectors.c", Standard::C99, Link::Shared(library::folder()));
    let folder = scratch();
    let case = folder.path().join("case");
    fs::create_dir(&case).expect("the test's folder");
    let put = |vector: &Value| {
        fs::write(case.join("case.json"), vector.to_string()).expect("the test's file");
        program.command(&[folder.path()])
    };
    let good = json!({
        "about": "", "source": "env:", "expect": {"pair": "abc123def456:sec789xyz000", "place_contains": []},
        "environment": {"JUSTCALL_API_KEY": "abc123def456", "JUSTCALL_API_SECRET": "sec789xyz000"},
    });
    succeed(&mut put(&good));
    for pointer in ["", "/expect"] {
        let printed = fail(&mut put(&changed(&good, pointer, "weather", "fine".into())), 1);
        assert!(printed.contains("unknown key \"weather\""), "{printed}");
    }
    let printed = fail(&mut put(&changed(&good, "/expect", "pair", "abc123def456:other".into())), 1);
    assert!(printed.contains("not \"abc123def456:other\""), "{printed}");
    let printed = fail(&mut put(&changed(&good, "", "environment", json!({}))), 1);
    assert!(printed.contains("ended with credentials_missing"), "{printed}");

    let expected = json!({"error": {"name": "credentials_missing", "reason": null, "message_contains": ["JUSTCALL_API_KEY"], "hint_contains": []}});
    let missing = changed(&changed(&good, "", "environment", json!({})), "", "expect", expected);
    succeed(&mut put(&missing));
    let changes = [
        ("weather", json!(""), "unknown key"),
        ("name", json!("timeout"), "not \"timeout\""),
        ("reason", json!("empty_half"), "not \"empty_half\""),
        ("message_contains", json!(["weather"]), "is not in"),
        ("hint_contains", json!(["weather"]), "is not in"),
    ];
    for (name, value, why) in changes {
        let printed = fail(&mut put(&changed(&missing, "/expect/error", name, value)), 1);
        assert!(printed.contains(why), "{printed}");
    }
}

#[test]
fn its_diagnose_runner_reports_unknown_keys_and_wrong_results() {
    let program = runner("diagnose_vectors.c", Standard::C99, Link::Shared(library::folder()));
    let (folder, scratch) = (scratch(), scratch());
    let put = |vector: &Value| {
        fs::write(folder.path().join("a.json"), vector.to_string()).expect("the test's file");
        program.command(&[folder.path(), scratch.path()])
    };
    let good = json!({
        "about": "", "text": "", "environment": {}, "files": {"pair": {"text": "", "mode": "0600"}},
        "expect": [{"code": "empty_half", "severity": "error"}],
    });
    succeed(&mut put(&good));
    let changes = [
        ("", "weather", json!(""), "unknown key"),
        ("/expect/0", "message", json!(""), "unknown key"),
        ("/files/pair", "owner", json!(""), "unknown key"),
        ("", "text_base64", json!(""), "either text or text_base64"),
        ("/expect/0", "severity", json!("note"), "not \"note\""),
        ("/expect/0", "code", json!("weather"), "not \"weather\""),
        ("", "expect", json!([]), "found empty_half too"),
    ];
    for (pointer, name, value, why) in changes {
        let printed = fail(&mut put(&changed(&good, pointer, name, value)), 1);
        assert!(printed.contains(why), "{printed}");
    }
}

#[test]
fn its_runners_fail_on_a_folder_without_vectors() {
    let (empty, scratch) = (scratch(), scratch());
    for name in ["source_vectors.c", "diagnose_vectors.c", "webhook_vectors.c"] {
        let program = runner(name, Standard::C99, Link::Shared(library::folder()));
        for folder in [empty.path(), Path::new("/nonexistent")] {
            let mut arguments = vec![folder];
            arguments.extend((name == "diagnose_vectors.c").then_some(scratch.path()));
            let printed = fail(&mut program.command(&arguments), 2);
            assert!(printed.contains("there are no vectors"), "{printed}");
        }
    }
}
