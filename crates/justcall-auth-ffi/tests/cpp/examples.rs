//! The examples for C++ that the documentation shows.

use crate::compiler::{STANDARDS, program};
use crate::support::program::{fail, succeed};
use crate::support::root;
use crate::support::sandbox::Service;

/// Compiles an example in every standard and runs it with the sandbox's pair, a wrong one, no source and none at all.
fn check(name: &str, good: &[&str]) {
    let service = Service::start();
    for standard in STANDARDS {
        let program = program(&root().join("examples/cpp").join(name), standard, &[]);
        let command = |pair: &str| program.command(&[pair, service.sandbox.url(), service.ca_file()]);
        let said = succeed(&mut command(&service.good_source()));
        for expected in good {
            assert!(said.contains(expected), "{said}");
        }
        let said = fail(&mut command(&service.bad_source()), 1);
        for expected in ["invalid_credentials: ", "Invalid API key or secret.", "hint: "] {
            assert!(said.contains(expected), "{said}");
        }
        let said = fail(&mut command("abc123def456:sec789xyz000"), 1);
        assert!(said.contains("invalid_argument: ") && !said.contains("sec789"), "{said}");
        let said = fail(&mut program.command::<&str>(&[]), 1);
        assert!(said.contains("credentials_missing: "), "{said}");
    }
}

#[test]
fn it_has_an_example_that_verifies() {
    check("verify.cpp", &["account: 12345\n", "email:   admin@yourcompany.com\n", "plan:    Pro\n"]);
}

#[test]
fn it_has_an_example_that_sends_a_request() {
    check("request.cpp", &["{\"status\":\"success\",\"count\":3,"]);
}

#[test]
fn its_first_call_in_cpp_prints_the_account_or_what_to_do() {
    let service = Service::start();
    for standard in STANDARDS {
        let program = program(&root().join("examples/cpp/first.cpp"), standard, &[]);
        let command = |pair: &str| program.command(&[pair, service.sandbox.url(), service.ca_file()]);
        assert_eq!(succeed(&mut command(&service.good_source())), "admin@yourcompany.com\n");
        let printed = succeed(&mut command(&service.bad_source()));
        assert!(printed.contains("rejected the API key and secret.\nCheck"), "{printed}");
    }
}
