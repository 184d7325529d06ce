//! The C++ examples that the documentation shows.

use crate::compiler::{STANDARDS, program};
use crate::support::program::{fail, succeed};
use crate::support::root;
use crate::support::sandbox::Service;

/// Compiles an example in every standard, and runs it with the sandbox's pair, a wrong pair, an invalid source and no
/// arguments.
fn check(name: &str, good: &[&str]) {
    let service = Service::start();
    for standard in STANDARDS {
        let program = program(&root().join("examples/cpp").join(name), standard, &[]);
        let command = |pair: &str| program.command(&[pair, service.sandbox.url(), service.ca_file()]);
        let printed = succeed(&mut command(&service.good_source()));
        for expected in good {
            assert!(printed.contains(expected), "{printed}");
        }
        let printed = fail(&mut command(&service.bad_source()), 1);
        for expected in ["invalid_credentials: ", "Invalid API key or secret.", "hint: "] {
            assert!(printed.contains(expected), "{printed}");
        }
        let printed = fail(&mut command("abc123def456:sec789xyz000"), 1);
        assert!(printed.contains("invalid_argument: ") && !printed.contains("sec789"), "{printed}");
        let printed = fail(&mut program.command::<&str>(&[]), 1);
        assert!(printed.contains("credentials_missing: "), "{printed}");
    }
}

#[test]
fn its_example_verifies_a_pair() {
    check("verify.cpp", &["account: 12345\n", "email:   admin@yourcompany.com\n", "plan:    Pro\n"]);
}

#[test]
fn its_example_sends_a_request() {
    check("request.cpp", &["{\"status\":\"success\",\"count\":3,"]);
}

#[test]
fn its_first_call_in_cpp_prints_the_account_or_a_hint() {
    let service = Service::start();
    for standard in STANDARDS {
        let program = program(&root().join("examples/cpp/first.cpp"), standard, &[]);
        let command = |pair: &str| program.command(&[pair, service.sandbox.url(), service.ca_file()]);
        assert_eq!(succeed(&mut command(&service.good_source())), "admin@yourcompany.com\n");
        let printed = fail(&mut command(&service.bad_source()), 1);
        assert!(printed.contains("rejected the API key and secret.\nCheck"), "{printed}");
        let printed = fail(&mut program.command(&["bogus:"]), 1);
        assert!(printed.contains("The source is invalid"), "{printed}");
    }
}
