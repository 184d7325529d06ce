//! The examples for C that the README shows.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::program::{Link, Program, Standard, fail, succeed};
use crate::support::sandbox::Service;
use crate::support::{library, root};

fn check(source: &Path, standards: &[Standard]) {
    let service = Service::start();
    for standard in standards {
        let program = Program::compile(source, *standard, Link::Shared(library::folder()), &[]);
        let command = |pair: &str| program.command(&[pair, service.sandbox.url(), service.ca_file()]);
        let said = succeed(&mut command(&service.good_source()));
        for expected in ["account: 12345\n", "email:   admin@yourcompany.com\n", "plan:    Pro\n"] {
            assert!(said.contains(expected), "{said}");
        }
        let said = fail(&mut command(&service.bad_source()), 1);
        for expected in ["invalid_credentials: ", "the service says: Invalid API key or secret.\n", "hint: "]
        {
            assert!(said.contains(expected), "{said}");
        }
        let said = fail(&mut command("abc123def456:sec789xyz000"), 1);
        assert!(said.contains("invalid_argument: ") && !said.contains("sec789"), "{said}");
        let said = fail(&mut program.command::<&str>(&[]), 1);
        assert!(said.contains("credentials_missing: "), "{said}");
    }
}

#[test]
fn it_has_a_c_example_that_verifies() {
    check(&root().join("examples/c/verify.c"), &[Standard::C99, Standard::C11]);
}

#[test]
fn it_has_a_c_example_that_lists_calls_and_shows_what_the_service_objects_to() {
    let service = Service::start();
    let source = root().join("examples/c/request.c");
    for standard in [Standard::C99, Standard::C11] {
        let program = Program::compile(&source, standard, Link::Shared(library::folder()), &[]);
        let mut command =
            program.command(&[&*service.good_source(), service.sandbox.url(), service.ca_file()]);
        let calls: Value = serde_json::from_str(&succeed(&mut command)).expect("the service's JSON");
        assert_eq!(calls["data"].as_array().map(Vec::len), Some(3));
        let fields = json!({"message": "Check the fields.", "errors": [{"field": "per_page"}]});
        let fault = json!({"fault": "answer", "status": 422, "times": 1, "body": fields});
        service.sandbox.control("POST", "faults", &fault).expect("a fault");
        let said = fail(&mut command, 1);
        assert!(said.contains("unprocessable: ") && said.contains("\"field\":\"per_page\""), "{said}");
    }
}
