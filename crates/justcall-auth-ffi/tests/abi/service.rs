//! The programs in `tests/c` that talk to a sandbox.

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

/// Runs every vector; there must be as many lines as files.
fn run_all(program: &Program) {
    let service = Service::start();
    let said = succeed(program.command(&[vectors()]).env("JUSTCALL_SANDBOX", service.line()));
    let files = fs::read_dir(vectors()).expect("the vectors are there").count();
    assert!(said.contains(&format!("\n{files} vectors, 0 failed\n")), "{said}");
}

#[test]
fn it_gives_c_the_results_of_the_vectors() {
    run_all(&runner(Standard::C99, Link::Shared(library::folder())));
    runner(Standard::C11, Link::Shared(library::folder()));
}

#[test]
fn it_gives_cpp_the_results_of_the_vectors() {
    run_all(&runner(Standard::Cpp20, Link::Shared(library::folder())));
    runner(Standard::Cpp11, Link::Shared(library::folder()));
}

#[test]
fn it_gives_the_same_results_linked_statically() {
    run_all(&runner(Standard::C11, Link::Static(library::folder())));
}

#[test]
fn it_notices_a_vector_that_it_does_not_know_or_that_is_not_met() {
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
        let said = run(&changed(pointer, name, "fine".into()));
        assert!(said.contains("unknown key \"weather\""), "{said}");
    }
    let said = run(&changed("/expect/account", "plan", "Gold".into()));
    assert!(said.contains("not \"Gold\""), "{said}");
    assert!(run(&changed("", "requests", 7.into())).contains("requests is 1, not 7"));
    let said = run(&changed("", "credentials", "wrong_secret".into()));
    assert!(said.contains("ended with invalid_credentials"), "{said}");
}

#[test]
fn it_does_not_take_an_empty_folder_for_success() {
    let program = runner(Standard::C99, Link::Shared(library::folder()));
    let service = Service::start();
    let empty = tempfile::tempdir().expect("a folder for the test");
    for folder in [empty.path(), Path::new("/nonexistent")] {
        let said = fail(program.command(&[folder]).env("JUSTCALL_SANDBOX", service.line()), 2);
        assert!(said.contains("there are no vectors"), "{said}");
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
