//! Checks the examples with their own HTTP client: none has a failed call during a reset of the pair.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::program::{Link, Program, Standard, fail};
use crate::support::sandbox::Service;
use crate::support::{library, root};

/// Longer than any step here takes, so that a hang becomes a failure.
const TIME_LIMIT: Duration = Duration::from_secs(60);

/// Returns whether the sandbox answered a request with a pair of `generation` with `status`.
fn was_answered(service: &Service, generation: u64, status: u64) -> bool {
    let requests = service.sandbox.control("GET", "requests", &Value::Null).expect("the record");
    let requests = requests.as_array().expect("a list");
    let fits = |request: &&Value| request["status"] == status && request["key_generation"] == generation;
    requests.iter().find(fits).is_some_and(|request| request["secret_generation"] == generation)
}

fn wait_until(what: &str, reached: impl Fn() -> bool) {
    let began = Instant::now();
    while !reached() {
        assert!(began.elapsed() < TIME_LIMIT, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Runs an example while the pair is reset. The source gets the new pair only after a call was rejected.
fn run_during_a_reset(mut command: Command, service: &Service, source: &Path) {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the example runs");
    let mut printed = BufReader::new(child.stdout.take().expect("it is piped"));
    for _ in 0..8 {
        let mut line = String::new();
        printed.read_line(&mut line).expect("a line");
        assert_eq!(line, "ok\n");
    }
    let reading = std::thread::spawn(move || {
        let mut rest = String::new();
        printed.read_to_string(&mut rest).map(|_| rest)
    });
    let pair = service.sandbox.control("POST", "reset", &Value::Null).expect("a reset");
    wait_until("a rejection of the old pair", || was_answered(service, 1, 401));
    let text = |name: &str| pair[name].as_str().expect("text").to_owned();
    let new = source.with_extension("new");
    fs::write(&new, format!("{}:{}\n", text("api_key"), text("api_secret"))).expect("the test's file");
    fs::rename(new, source).expect("the test's file");
    wait_until("a success with the new pair", || was_answered(service, 2, 200));
    drop(child.stdin.take());
    let printed = reading.join().expect("no panic").expect("text");
    assert!(child.wait().expect("it ends").success(), "{printed}");
    assert!(printed.ends_with(" calls, 0 failed\n"), "{printed}");
}

fn compile(name: &str, libraries: &[&str]) -> Program {
    let source = root().join("examples/c").join(name);
    Program::compile(&source, Standard::C99, Link::Shared(library::folder()), libraries);
    Program::compile(&source, Standard::C11, Link::Shared(library::folder()), libraries)
}

#[test]
fn it_fails_no_call_during_a_reset_with_libcurl() {
    let program = compile("curl_multi.c", &["-lcurl"]);
    let service = Service::start();
    let source = service.good_source();
    let file = Path::new(source.strip_prefix("file:").expect("a file"));
    let command = program.command(&[&*source, service.sandbox.url(), service.ca_file()]);
    run_during_a_reset(command, &service, file);
    // The control: without a pair, the calls of the example fail.
    let printed = fail(&mut program.command(&["env:NO_SUCH_KEY,NO_SUCH_SECRET", service.sandbox.url()]), 1);
    assert!(printed.contains(" calls, 4 failed\n"), "{printed}");
}

#[test]
fn it_fails_no_call_during_a_reset_in_a_poll_loop() {
    let program = compile("poll_loop.c", &[]);
    let service = Service::start_plain();
    let source = service.good_source();
    let file = Path::new(source.strip_prefix("file:").expect("a file"));
    run_during_a_reset(program.command(&[&*source, service.sandbox.url()]), &service, file);
    let printed = fail(&mut program.command(&["env:NO_SUCH_KEY,NO_SUCH_SECRET", service.sandbox.url()]), 1);
    assert!(printed.contains(" calls, 4 failed\n"), "{printed}");
}

/// Runs an example with a service that never responds: its calls must end at their deadline.
fn end_at_the_deadline(mut command: Command) {
    let began = Instant::now();
    let printed = fail(command.stdin(Stdio::null()), 1);
    assert!(began.elapsed() < TIME_LIMIT, "it ignored its deadline");
    assert!(printed.contains("reached its time limit"), "{printed}");
    assert!(printed.contains(" calls, 4 failed\n"), "{printed}");
}

#[test]
fn it_ends_at_its_deadline_with_libcurl_if_the_service_never_responds() {
    let program = compile("curl_multi.c", &["-lcurl"]);
    let service = Service::start();
    service.sandbox.control("POST", "faults", &json!({"fault": "hang"})).expect("a fault");
    let source = service.good_source();
    end_at_the_deadline(program.command(&[&*source, service.sandbox.url(), service.ca_file(), "2000"]));
}

#[test]
fn it_ends_at_its_deadline_in_a_poll_loop_if_the_service_never_responds() {
    let program = compile("poll_loop.c", &[]);
    let service = Service::start_plain();
    service.sandbox.control("POST", "faults", &json!({"fault": "hang"})).expect("a fault");
    let source = service.good_source();
    end_at_the_deadline(program.command(&[&*source, service.sandbox.url(), "2000"]));
}

/// An untrusted certificate is the same failure as with the built-in HTTP client.
#[test]
fn it_reports_a_certificate_that_libcurl_does_not_trust() {
    let program = compile("curl_multi.c", &["-lcurl"]);
    let service = Service::start();
    let tls = json!({"fault": "tls", "certificate": "unknown_ca"});
    service.sandbox.control("POST", "faults", &tls).expect("a fault");
    let source = service.good_source();
    let mut command = program.command(&[&*source, service.sandbox.url(), service.ca_file()]);
    let printed = fail(command.stdin(Stdio::null()), 1);
    assert!(printed.contains("The TLS connection to the service could not be established."), "{printed}");
}
