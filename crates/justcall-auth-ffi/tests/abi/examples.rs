//! The C examples that the documentation shows.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Stdio};

use serde_json::{Value, json};

use crate::support::program::{Link, Program, Standard, fail, succeed};
use crate::support::sandbox::Service;
use crate::support::{library, root};

fn check_verification(source: &Path, standards: &[Standard]) {
    let service = Service::start();
    for standard in standards {
        let program = Program::compile(source, *standard, Link::Shared(library::folder()), &[]);
        let command = |pair: &str| program.command(&[pair, service.sandbox.url(), service.ca_file()]);
        let printed = succeed(&mut command(&service.good_source()));
        for expected in ["account: 12345\n", "email:   admin@yourcompany.com\n", "plan:    Pro\n"] {
            assert!(printed.contains(expected), "{printed}");
        }
        let printed = fail(&mut command(&service.bad_source()), 1);
        for expected in ["invalid_credentials: ", "the service says: Invalid API key or secret.\n", "hint: "]
        {
            assert!(printed.contains(expected), "{printed}");
        }
        let printed = fail(&mut command("abc123def456:sec789xyz000"), 1);
        assert!(printed.contains("invalid_argument: ") && !printed.contains("sec789"), "{printed}");
        let printed = fail(&mut program.command::<&str>(&[]), 1);
        assert!(printed.contains("credentials_missing: "), "{printed}");
    }
}

#[test]
fn its_c_example_verifies_a_pair() {
    check_verification(&root().join("examples/c/verify.c"), &[Standard::C99, Standard::C11]);
}

#[test]
fn its_first_call_in_c_prints_the_result_or_a_hint() {
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
        // Without arguments the example reads the pair from the environment, which has none.
        let printed = fail(&mut program.command::<&str>(&[]), 1);
        assert!(printed.contains("JUSTCALL_API_KEY"), "{printed}");
        let printed = fail(&mut program.command(&["bogus:"]), 1);
        assert!(printed.contains("The source is invalid"), "{printed}");
        // A base URL alone counts: the pair must not go to another host.
        let plain = Service::start_plain();
        let good = plain.good_source();
        assert_eq!(succeed(&mut program.command(&[&*good, plain.sandbox.url()])), "good, says /v2/account\n");
    }
}

#[test]
fn its_c_example_lists_calls_and_shows_why_a_request_was_refused() {
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
        let printed = fail(&mut command, 1);
        assert!(
            printed.contains("unprocessable: ") && printed.contains("\"field\":\"per_page\""),
            "{printed}"
        );
    }
}

#[test]
fn its_c_example_uses_every_other_handle() {
    let service = Service::start();
    let source = root().join("examples/c/handles.c");
    for standard in [Standard::C99, Standard::C11] {
        let program = Program::compile(&source, standard, Link::Shared(library::folder()), &[]);
        let command = |pair: &str| program.command(&[pair, service.sandbox.url(), service.ca_file()]);
        let printed = succeed(&mut command(&service.good_source()));
        for expected in ["API secret", "\nkey ", "\ncancelled: The call was cancelled", "\nverified\n"] {
            assert!(printed.contains(expected), "{expected:?} is not in {printed}");
        }
        let printed = fail(&mut command(&service.bad_source()), 1);
        assert!(printed.contains("event pair_rejected: "), "{printed}");
        assert!(printed.contains("rejected the API key and secret."), "{printed}");
    }
}

/// The running example, which is stopped when this is dropped.
struct Receiver {
    process: Child,
    address: String,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.process.kill().expect("it is a child of the test");
        self.process.wait().expect("it ended");
    }
}

impl Receiver {
    fn start(program: &Program, service: &Service, source: &str) -> Self {
        let arguments = [URL, "0", source, service.sandbox.url(), service.ca_file()];
        let mut process =
            program.command(&arguments).stdout(Stdio::piped()).spawn().expect("the example starts");
        let mut lines = BufReader::new(process.stdout.take().expect("a pipe")).lines();
        let line = lines.next().expect("it prints its address").expect("text");
        let address = line.strip_prefix("listening on ").expect("it prints its address").to_owned();
        Self { process, address, lines }
    }

    /// Lets the sandbox send it a delivery. Returns the statuses of its responses, and the last line that it printed.
    fn deliver(&mut self, service: &Service, mut webhook: Value) -> (Vec<u64>, String) {
        webhook["url"] = format!("http://{}/", self.address).into();
        let result = service.sandbox.control("POST", "webhooks", &webhook).expect("it is delivered");
        let deliveries = result["deliveries"].as_array().expect("a list");
        let statuses: Vec<u64> =
            deliveries.iter().map(|delivery| delivery["status"].as_u64().unwrap_or(0)).collect();
        let line = statuses.iter().filter_map(|_| self.lines.next()).last();
        (statuses, line.expect("it prints a line for each delivery").expect("text"))
    }

    /// Sends these bytes and returns the status line of the response.
    fn status_line(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        stream.write_all(request.as_bytes()).expect("it reads");
        // Fails if the example has already responded and closed the connection.
        let _closed = stream.shutdown(std::net::Shutdown::Write);
        let mut response = String::new();
        stream.read_to_string(&mut response).expect("it responds");
        response.lines().next().unwrap_or_default().to_owned()
    }
}

/// The webhook URL that the receivers expect.
const URL: &str = "https://example.com/hooks/justcall";

fn webhook_example() -> Program {
    let source = root().join("examples/c/webhook.c");
    Program::compile(&source, Standard::C99, Link::Shared(library::folder()), &[])
}

#[test]
fn its_c_example_receives_webhooks_and_confirms_them() {
    let service = Service::start();
    let mut receiver = Receiver::start(&webhook_example(), &service, &service.good_source());
    let mut deliver = |webhook: Value| receiver.deliver(&service, webhook);

    let (statuses, line) = deliver(json!({"webhook_url": URL, "duplicates": 1}));
    assert_eq!(statuses, [200, 200]);
    assert!(line.starts_with("call.completed: confirmed by /v2.1/calls/"), "{line}");
    let (statuses, line) = deliver(json!({"webhook_url": URL, "probe": true}));
    assert!(statuses == [200] && line.starts_with("not dispatched: webhook_unsigned"), "{statuses:?} {line}");
    for (webhook, why) in [
        (json!({"webhook_url": URL, "age_s": 3600}), "webhook_stale"),
        (json!({"webhook_url": "https://example.com/other"}), "webhook_wrong_url"),
        (
            json!({"webhook_url": URL, "headers": {"x-justcall-signature": "0".repeat(64)}}),
            "webhook_mismatch",
        ),
        (json!({"webhook_url": URL, "headers": {"x-justcall-signature-version": "v2"}}), "webhook_version"),
        (json!({"webhook_url": URL, "body": "{"}), "webhook_malformed"),
    ] {
        let (statuses, line) = deliver(webhook);
        assert!(statuses == [401] && line.starts_with(&format!("not dispatched: {why}")), "{line}");
    }
    // The signature is valid, but the data is forged.
    let (statuses, line) = deliver(json!({"webhook_url": URL, "data": {"id": "../../v2/account"}}));
    assert!(statuses == [500] && line.starts_with("not confirmed: webhook_malformed"), "{statuses:?} {line}");

    for (request, status) in [
        ("POST / HTTP/1.1\r\n\r\n".to_owned(), 411),
        ("POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\n".into(), 400),
        ("POST / HTTP/1.1\r\nContent-Length: 1048577\r\n\r\n".into(), 413),
        ("POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx".into(), 400),
        ("no request".into(), 400),
        // As long as the longest head that it reads: with unread bytes the system would reset the connection.
        (format!("POST / HTTP/1.1\r\nX: {:x<16362}", ""), 400),
    ] {
        let line = receiver.status_line(&request);
        assert!(line.starts_with(&format!("HTTP/1.1 {status} ")), "{line}: {request:.80}");
    }
    assert_eq!(receiver.deliver(&service, json!({"webhook_url": URL})).0, [200], "it still serves");
}

#[test]
fn its_c_example_responds_with_500_if_the_source_of_the_pair_cannot_be_read() {
    let service = Service::start();
    let mut receiver = Receiver::start(&webhook_example(), &service, "file:/nonexistent/pair");
    let (statuses, line) = receiver.deliver(&service, json!({"webhook_url": URL}));
    assert!(
        statuses == [500] && line.starts_with("not dispatched: source_unavailable"),
        "{statuses:?} {line}"
    );
    assert_eq!(receiver.deliver(&service, json!({"webhook_url": URL, "probe": true})).0, [200]);
}
