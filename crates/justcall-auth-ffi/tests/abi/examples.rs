//! The examples for C and C++ that the README shows.

use std::path::Path;

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
fn it_has_a_cpp_example_that_verifies() {
    check(&root().join("examples/cpp/verify.cpp"), &Standard::CPP);
}
