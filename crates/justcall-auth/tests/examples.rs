//! The Rust examples that the documentation shows, run as a reader would run them.

mod support;

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::{Command, Output, Stdio};

use justcall_auth_sandbox::Sandbox;
use serde_json::{Value, json};
use support::{example, sandbox};

/// Returns the command that runs an example. `first` precedes the arguments that every example takes.
fn command(name: &str, sandbox: &Sandbox, key: &str, secret: &str, first: Option<&str>) -> Command {
    let mut command = Command::new(example(name));
    command.args(first).arg("env:").arg(sandbox.url()).arg(sandbox.ca_file().expect("TLS is on"));
    command.env("JUSTCALL_API_KEY", key).env("JUSTCALL_API_SECRET", secret);
    command
}

fn run(name: &str, sandbox: &Sandbox, key: &str, secret: &str) -> Output {
    command(name, sandbox, key, secret, None).output().expect("the example runs")
}

#[test]
fn it_verifies_a_pair_and_explains_why_another_fails() {
    let sandbox = sandbox();
    let output = run("verify", &sandbox, sandbox.api_key(), sandbox.api_secret());
    assert!(
        output.status.success() && String::from_utf8_lossy(&output.stdout).contains("plan:    Pro"),
        "{output:?}"
    );
    let output = run("verify", &sandbox, sandbox.api_key(), &"0".repeat(40));
    let printed = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        !output.status.success() && printed.contains("invalid_credentials") && printed.contains("hint: "),
        "{printed}"
    );
}

#[test]
fn the_first_call_prints_the_account_or_fails() {
    let sandbox = sandbox();
    let output = run("first", &sandbox, sandbox.api_key(), sandbox.api_secret());
    assert_eq!(String::from_utf8_lossy(&output.stdout), "admin@yourcompany.com\n");
    let output = run("first", &sandbox, sandbox.api_key(), &"0".repeat(40));
    assert!(!output.status.success() && output.stdout.is_empty(), "{output:?}");
    let printed = String::from_utf8_lossy(&output.stderr);
    assert!(printed.starts_with("The service rejected") && printed.contains("\nCheck"), "{printed}");
}

#[test]
fn it_lists_calls_and_survives_a_rate_limit() {
    let sandbox = sandbox();
    let output = run("request", &sandbox, sandbox.api_key(), sandbox.api_secret());
    let calls: Value = serde_json::from_slice(&output.stdout).expect("the service's JSON");
    assert_eq!(calls["data"].as_array().map(Vec::len), Some(3));
    let limited = json!({"fault": "answer", "status": 429, "headers": {"Retry-After": "90"}});
    sandbox.control("POST", "faults", &limited).expect("a fault");
    let output = run("request", &sandbox, sandbox.api_key(), sandbox.api_secret());
    assert_eq!(String::from_utf8_lossy(&output.stdout), "come back in 90s\n");
}

#[test]
fn it_receives_a_webhook_and_fetches_its_object() {
    const URL: &str = "https://example.com/hooks/justcall";
    let sandbox = sandbox();
    let request = recorded(&sandbox, URL);
    let (head, body) = request.split_once("\r\n\r\n").expect("a request");
    let head = head.replace('\r', "") + "\n";
    let receive_with = |key: &str, url: &str, request: String| {
        let mut child = command("webhook", &sandbox, key, sandbox.api_secret(), Some(url))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the example runs");
        let mut stdin = child.stdin.take().expect("a pipe");
        stdin.write_all(request.as_bytes()).expect("it reads");
        drop(stdin);
        let output = child.wait_with_output().expect("it ends");
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        printed + &String::from_utf8_lossy(&output.stderr)
    };
    let receive = |url: &str, request: String| receive_with(sandbox.api_key(), url, request);
    let printed = receive(URL, format!("{head}\n{body}"));
    assert!(printed.starts_with("call.completed: {") && printed.ends_with("\n200\n"), "{printed}");
    let printed = receive(URL, "\n\n{}".to_owned());
    assert!(
        printed.starts_with("200\nwarning: ") && printed.contains("webhook_unsigned"),
        "the probe: {printed}"
    );
    let printed = receive("https://example.com/other", format!("{head}\n{body}"));
    assert!(printed.starts_with("401\n") && printed.contains("webhook_wrong_url"), "{printed}");
    // Without a key the client has no pair: a probe needs none, and the delivery must be sent again.
    let printed = receive_with("", URL, "\n\n{}".to_owned());
    assert!(printed.starts_with("200\nwarning: ") && printed.contains("webhook_unsigned"), "{printed}");
    let printed = receive_with("", URL, format!("{head}\n{body}"));
    assert!(printed.starts_with("500\n") && printed.contains("credentials_"), "{printed}");
    let forged = body.replace("\"id\":", "\"id\":\"../x\",\"was\":");
    let printed = receive(URL, format!("{head}\n{forged}"));
    assert!(printed.starts_with("500\n") && printed.contains("webhook_malformed"), "{printed}");
}

/// Returns a delivery of a webhook as it was sent, byte for byte.
fn recorded(sandbox: &Sandbox, url: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("it is bound");
    let receiver = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a delivery");
        let mut request = Vec::new();
        // The body is the one object at the end of the request.
        while !request.ends_with(b"}") {
            let mut buffer = [0; 4096];
            let count = stream.read(&mut buffer).expect("it can be read");
            assert!(count > 0, "the request ends early");
            request.extend(&buffer[..count]);
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").expect("it is read");
        String::from_utf8(request).expect("text")
    });
    let webhook = json!({"url": format!("http://{address}/"), "webhook_url": url});
    sandbox.control("POST", "webhooks", &webhook).expect("it is delivered");
    receiver.join().expect("the receiver succeeded")
}
