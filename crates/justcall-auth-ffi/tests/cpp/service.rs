//! The programs in `tests/cpp` that talk to a sandbox.

use serde_json::{Value, json};

use crate::compiler::{NO_EXCEPTIONS, program_of_tests};
use crate::support::program::succeed;
use crate::support::sandbox::Service;

/// A sandbox that answers the paths under `/v2.1/echo` that are named after a failure with that.
fn service() -> Service {
    let service = Service::start();
    let answer = |path: &str, status: u16, headers: Value, body: Value| json!({"fault": "answer", "path": path, "status": status, "headers": headers, "body": body});
    let faults = [
        answer(
            "/v2.1/echo/403",
            403,
            json!({}),
            json!({"status": "error", "message": "Your account plan does not include API access."}),
        ),
        answer(
            "/v2.1/echo/422",
            422,
            json!({"X-Field": "to"}),
            json!({"status": "error", "message": "Validation failed.", "errors": [{"field": "to"}]}),
        ),
        answer(
            "/v2.1/echo/429",
            429,
            json!({
                "Retry-After": "7",
                "X-Rate-Limit-Limit": "1800",
                "X-Rate-Limit-Remaining": "0",
                "X-Rate-Limit-Reset": "4000000000",
                "X-Rate-Limit-Burst-Limit": "30",
            }),
            json!({"status": "error", "message": "Slow down."}),
        ),
        answer("/v2.1/echo/503", 503, json!({}), json!({"status": "error", "message": "Down."})),
        json!({"fault": "hang", "path": "/v2.1/echo/hang"}),
    ];
    for fault in &faults {
        service.sandbox.control("POST", "faults", fault).expect("a fault that there is");
    }
    service
}

fn arguments(service: &Service) -> [&str; 4] {
    let sandbox = &service.sandbox;
    [sandbox.url(), service.ca_file(), sandbox.api_key(), sandbox.api_secret()]
}

/// What the assembly of TLS computes counts as undefined to valgrind.
const TLS: [&str; 1] = ["--undef-value-errors=no"];

/// Runs a program, under valgrind as well.
fn run(name: &str, options: &[&str]) {
    let service = service();
    let program = program_of_tests(name, options);
    succeed(&mut program.command(&arguments(&service)));
    succeed(&mut program.valgrind(&TLS, &arguments(&service)));
}

#[test]
fn it_calls_the_service_and_says_why_it_cannot() {
    run("service.cpp", &[]);
}

#[test]
fn it_takes_a_source_of_the_programs_own() {
    run("source.cpp", &[]);
}

#[test]
fn it_tells_of_a_reset_ends_calls_and_hands_out_its_rules() {
    run("rotation.cpp", &[]);
}

#[test]
fn it_does_it_all_without_exceptions() {
    run("no_exceptions.cpp", &NO_EXCEPTIONS);
}

#[test]
fn it_lets_threads_share_one_client() {
    let service = service();
    succeed(&mut program_of_tests("threads.cpp", &[]).command(&arguments(&service)));
}
