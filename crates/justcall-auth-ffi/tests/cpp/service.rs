//! Runs the programs in `tests/cpp` that need a sandbox.

use serde_json::{Value, json};

use crate::compiler::{NO_EXCEPTIONS, program_of_tests};
use crate::support::program::succeed;
use crate::support::sandbox::Service;

/// Starts a sandbox with a fault for each path that is named after a failure, such as `/v2.1/echo/503`.
fn service() -> Service {
    let service = Service::start();
    let fault = |path: &str, status: u16, headers: Value, body: Value| json!({"fault": "answer", "path": path, "status": status, "headers": headers, "body": body});
    let faults = [
        fault(
            "/v2.1/echo/403",
            403,
            json!({}),
            json!({"status": "error", "message": "Your account plan does not include API access."}),
        ),
        fault(
            "/v2.1/echo/422",
            422,
            json!({"X-Field": "to"}),
            json!({"status": "error", "message": "Validation failed.", "errors": [{"field": "to"}]}),
        ),
        fault(
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
        fault("/v2.1/echo/503", 503, json!({}), json!({"status": "error", "message": "Down."})),
        json!({"fault": "hang", "path": "/v2.1/echo/hang"}),
    ];
    for fault in &faults {
        service.sandbox.control("POST", "faults", fault).expect("a valid fault");
    }
    service
}

fn arguments(service: &Service) -> [&str; 4] {
    let sandbox = &service.sandbox;
    [sandbox.url(), service.ca_file(), sandbox.api_key(), sandbox.api_secret()]
}

/// Valgrind takes the results of the assembly of TLS for uninitialised.
const TLS: [&str; 1] = ["--undef-value-errors=no"];

/// Runs a program, without and with valgrind.
fn run(name: &str, options: &[&str]) {
    let service = service();
    let program = program_of_tests(name, options);
    succeed(&mut program.command(&arguments(&service)));
    succeed(&mut program.valgrind(&TLS, &arguments(&service)));
}

#[test]
fn it_calls_the_service_and_reports_failures() {
    run("service.cpp", &[]);
}

#[test]
fn it_accepts_source_callbacks() {
    run("source.cpp", &[]);
}

#[test]
fn it_reports_resets_cancels_calls_and_drives_exchanges() {
    run("rotation.cpp", &[]);
}

#[test]
fn it_works_without_exceptions() {
    run("no_exceptions.cpp", &NO_EXCEPTIONS);
}

#[test]
fn it_lets_threads_share_one_client() {
    let service = service();
    succeed(&mut program_of_tests("threads.cpp", &[]).command(&arguments(&service)));
}
