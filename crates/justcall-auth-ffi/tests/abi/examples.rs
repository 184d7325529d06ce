//! The examples for C that the documentation shows.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Stdio};

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
fn its_first_call_in_c_prints_the_result_or_what_to_do() {
    let service = Service::start();
    let source = root().join("examples/c/first.c");
    for standard in [Standard::C99, Standard::C11] {
        let program = Program::compile(&source, standard, Link::Shared(library::folder()), &[]);
        let command = |pair: &str| program.command(&[pair, service.sandbox.url(), service.ca_file()]);
        assert_eq!(succeed(&mut command(&service.good_source())), "good, says /v2/account\n");
        let printed = fail(&mut command(&service.bad_source()), 1);
        assert!(
            printed.contains("rejected the API key and secret.") && printed.contains("Check"),
            "{printed}"
        );
        // Without a configuration the pair is in the environment, which has none here.
        let printed = fail(&mut program.command::<&str>(&[]), 1);
        assert!(printed.contains("JUSTCALL_API_KEY"), "{printed}");
    }
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

/// The example's server, ended with the test.
struct Receiver {
    process: Child,
    address: String,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.process.kill().expect("it is ours");
        self.process.wait().expect("it ended");
    }
}

impl Receiver {
    fn start(program: &Program, service: &Service, url: &str) -> Self {
        let arguments = [url, "0", &service.good_source(), service.sandbox.url(), service.ca_file()];
        let mut process =
            program.command(&arguments).stdout(Stdio::piped()).spawn().expect("the example starts");
        let mut lines = BufReader::new(process.stdout.take().expect("a pipe")).lines();
        let line = lines.next().expect("it says where it listens").expect("text");
        let address = line.strip_prefix("listening on ").expect("it says where it listens").to_owned();
        Self { process, address, lines }
    }

    /// Has the sandbox deliver to it; the statuses that it answered with, and what it said of the last one.
    fn deliver(&mut self, service: &Service, mut webhook: Value) -> (Vec<u64>, String) {
        webhook["url"] = format!("http://{}/", self.address).into();
        let told = service.sandbox.control("POST", "webhooks", &webhook).expect("it is delivered");
        let deliveries = told["deliveries"].as_array().expect("a list");
        let statuses: Vec<u64> =
            deliveries.iter().map(|delivery| delivery["status"].as_u64().unwrap_or(0)).collect();
        let line = statuses.iter().filter_map(|_| self.lines.next()).last();
        (statuses, line.expect("it says what it did").expect("text"))
    }

    /// What it answers to these bytes.
    fn answer(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        stream.write_all(request.as_bytes()).expect("it reads");
        // It may have answered and closed already.
        let _closed = stream.shutdown(std::net::Shutdown::Write);
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        answer.lines().next().unwrap_or_default().to_owned()
    }
}

#[test]
fn it_has_a_c_example_that_receives_webhooks_and_confirms_them() {
    const URL: &str = "https://example.com/hooks/justcall";
    let service = Service::start();
    let program = Program::compile(
        &root().join("examples/c/webhook.c"),
        Standard::C99,
        Link::Shared(library::folder()),
        &[],
    );
    let mut receiver = Receiver::start(&program, &service, URL);
    let mut deliver = |webhook: Value| receiver.deliver(&service, webhook);

    let (statuses, said) = deliver(json!({"webhook_url": URL, "duplicates": 1}));
    assert_eq!(statuses, [200, 200]);
    assert!(said.starts_with("call.completed: confirmed by /v2.1/calls/"), "{said}");
    let (statuses, said) = deliver(json!({"webhook_url": URL, "probe": true}));
    assert!(statuses == [200] && said.starts_with("not dispatched: webhook_unsigned"), "{statuses:?} {said}");
    for (webhook, why) in [
        (json!({"webhook_url": URL, "age_s": 3600}), "webhook_stale"),
        (json!({"webhook_url": "https://example.com/other"}), "webhook_wrong_url"),
        (
            json!({"webhook_url": URL, "headers": {"x-justcall-signature": "0".repeat(64)}}),
            "webhook_mismatch",
        ),
    ] {
        let (statuses, said) = deliver(webhook);
        assert!(statuses == [401] && said.starts_with(&format!("not dispatched: {why}")), "{said}");
    }
    // The signature is genuine, the data is not.
    let (statuses, said) = deliver(json!({"webhook_url": URL, "data": {"id": "../../v2/account"}}));
    assert!(statuses == [500] && said.starts_with("not confirmed: webhook_malformed"), "{statuses:?} {said}");

    for (request, status) in [
        ("POST / HTTP/1.1\r\n\r\n".to_owned(), 411),
        ("POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\n".into(), 400),
        ("POST / HTTP/1.1\r\nContent-Length: 1048577\r\n\r\n".into(), 413),
        ("POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx".into(), 400),
        ("no request".into(), 400),
        // As much as it reads of a head: what it left unread would have the system reset the connection.
        (format!("POST / HTTP/1.1\r\nX: {:x<16362}", ""), 400),
    ] {
        let answer = receiver.answer(&request);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}: {request:.80}");
    }
    assert_eq!(receiver.deliver(&service, json!({"webhook_url": URL})).0, [200], "it still serves");
}
