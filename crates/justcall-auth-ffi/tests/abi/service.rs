//! Runs the vectors of `tests/vectors/verify` in C and C++, and the program with threads.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::program::{Link, Program, RUNNER_LIBRARIES, Standard, fail, succeed};
use crate::support::sandbox::Service;
use crate::support::{library, root};

fn runner(standard: Standard, link: Link) -> Program {
    Program::compile(&root().join("tests/c/verify_vectors.c"), standard, link, &RUNNER_LIBRARIES)
}

fn vectors() -> std::path::PathBuf {
    root().join("tests/vectors/verify")
}

/// Runs every vector and checks that none was skipped.
fn run_all(program: &Program) {
    let service = Service::start();
    let printed = succeed(program.command(&[vectors()]).env("JUSTCALL_SANDBOX", service.line()));
    let files = fs::read_dir(vectors()).expect("the vectors are there").count();
    assert!(printed.contains(&format!("\n{files} vectors, 0 failed\n")), "{printed}");
}

#[test]
fn it_returns_the_results_of_the_vectors_in_c() {
    run_all(&runner(Standard::C99, Link::Shared(library::folder())));
    runner(Standard::C11, Link::Shared(library::folder()));
}

#[test]
fn it_returns_the_results_of_the_vectors_in_cpp() {
    run_all(&runner(Standard::Cpp20, Link::Shared(library::folder())));
    runner(Standard::Cpp11, Link::Shared(library::folder()));
}

#[test]
fn it_returns_the_same_results_linked_statically() {
    run_all(&runner(Standard::C11, Link::Static(library::folder())));
}

#[test]
fn its_runner_reports_unknown_keys_and_wrong_results() {
    let program = runner(Standard::C99, Link::Shared(library::folder()));
    let service = Service::start();
    let good = fs::read(vectors().join("ok-account.json")).expect("there is such a vector");
    let good: Value = serde_json::from_slice(&good).expect("JSON");
    let run = |vector: &Value| {
        let folder = tempfile::tempdir().expect("a folder for the test");
        fs::write(folder.path().join("a.json"), vector.to_string()).expect("the test's file");
        fail(program.command(&[folder.path()]).env("JUSTCALL_SANDBOX", service.line()), 1)
    };
    let changed = |pointer: &str, name: &str, value: Value| {
        let mut vector = good.clone();
        vector.pointer_mut(pointer).expect("an object")[name] = value;
        vector
    };
    let unknown =
        [("", "weather"), ("/expect", "weather"), ("/config", "weather"), ("/expect/account", "weather")];
    for (pointer, name) in unknown {
        let printed = run(&changed(pointer, name, "fine".into()));
        assert!(printed.contains("unknown key \"weather\""), "{printed}");
    }
    let printed = run(&changed("/expect/account", "plan", "Gold".into()));
    assert!(printed.contains("not \"Gold\""), "{printed}");
    assert!(run(&changed("", "requests", 7.into())).contains("requests is 1, not 7"));
    let printed = run(&changed("", "credentials", "wrong_secret".into()));
    assert!(printed.contains("ended with invalid_credentials"), "{printed}");
}

#[test]
fn every_fault_ends_in_its_row_of_the_table() {
    let program = Program::compile(
        &root().join("tests/c/fault_vectors.c"),
        Standard::C99,
        Link::Shared(library::folder()),
        &RUNNER_LIBRARIES,
    );
    let (service, folder) = (Service::start(), root().join("tests/faults/matrix"));
    let mut faults = 0;
    for file in fs::read_dir(&folder).expect("the matrix is there") {
        let text = fs::read(file.expect("a file").path()).expect("a file of the matrix");
        faults += serde_json::from_slice::<Vec<Value>>(&text).expect("a list").len();
    }
    assert!(faults >= 60, "{faults} faults");
    let printed = succeed(program.command(&[&folder]).env("JUSTCALL_SANDBOX", service.line()));
    assert!(printed.contains(&format!("\n{faults} faults\n")), "{printed}");

    let wrong = tempfile::tempdir().expect("a folder for the test");
    let vector = serde_json::json!([{
        "about": "", "call": "get", "base_url": null, "each": null, "timeout_ms": 20000,
        "fault": {"fault": "answer", "status": 503},
        "expect": {"name": "ok", "http_status": 500, "request_sent": false, "retry_after_ms": 7000},
    }]);
    fs::write(wrong.path().join("a.json"), vector.to_string()).expect("the test's file");
    let printed = fail(program.command(&[wrong.path()]).env("JUSTCALL_SANDBOX", service.line()), 1);
    for noticed in ["not \"ok\"", "http_status is 503", "request_sent is 1", "not 7000"] {
        assert!(printed.contains(noticed), "{noticed}: {printed}");
    }
}

#[test]
fn its_runner_fails_on_an_empty_folder() {
    let program = runner(Standard::C99, Link::Shared(library::folder()));
    let service = Service::start();
    let empty = tempfile::tempdir().expect("a folder for the test");
    for folder in [empty.path(), Path::new("/nonexistent")] {
        let printed = fail(program.command(&[folder]).env("JUSTCALL_SANDBOX", service.line()), 2);
        assert!(printed.contains("there are no vectors"), "{printed}");
    }
}

#[test]
fn it_lets_threads_share_one_client() {
    let service = Service::start();
    let sandbox = &service.sandbox;
    let pair = sandbox.control("POST", "pairs", &Value::Null).expect("an account");
    let member = |name: &str| pair[name].as_str().expect("text").to_owned();
    let arguments = [
        sandbox.url().to_owned(),
        service.ca_file().to_owned(),
        member("api_key"),
        member("api_secret"),
        pair["account_id"].to_string(),
    ];
    for standard in Standard::ALL {
        let source = root().join("tests/c/threads.c");
        let program = Program::compile(&source, standard, Link::Shared(library::folder()), &[]);
        succeed(&mut program.command(&arguments));
    }
}
