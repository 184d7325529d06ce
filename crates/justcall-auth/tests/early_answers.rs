//! A service that answers before it has read the whole request: the response counts, and the connection is not reused.
#![cfg(target_os = "linux")]

mod support;

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use justcall_auth::{Client, Config, Credentials, Error, ErrorKind, Request, Response};
use justcall_auth_sandbox::{Sandbox, SandboxConfig};
use serde_json::{Value, json};
use support::{TIME_LIMIT, client, config, requests};

/// The size of a request, in bytes. It exceeds the buffers of the system, for what the sandbox does not read and for
/// what is not sent: 4 MiB.
const SIZE: usize = 16 * 1024 * 1024;
/// The number of bytes that the service reads in most cases.
const READ: usize = 1024 * 1024;
/// The size of a request that the service reads completely, in several pieces.
const SMALLER: usize = 2 * READ;

fn sandboxes() -> [Sandbox; 2] {
    [false, true]
        .map(|http| Sandbox::start(SandboxConfig { http, ..SandboxConfig::default() }).expect("a sandbox"))
}

fn upload(client: &Client, method: &str) -> Result<Response, Error> {
    upload_of(SIZE, client, method)
}

fn upload_of(size: usize, client: &Client, method: &str) -> Result<Response, Error> {
    let mut request = Request::new(method, "/v2.1/echo/upload").expect("good");
    request.set_body(vec![b'x'; size]);
    client.request(request)
}

fn fault(sandbox: &Sandbox, fault: &Value) {
    sandbox.control("POST", "clear", &Value::Null).expect("cleared");
    sandbox.control("POST", "faults", fault).expect("a fault");
}

/// Creates a client with the pair of a new account, because a rejected pair is not sent again for a while.
fn fresh_client(sandbox: &Sandbox) -> Client {
    let pair = sandbox.control("POST", "pairs", &Value::Null).expect("another account");
    let half = |name: &str| pair[name].as_str().expect("text").as_bytes();
    let pair = Credentials::new(half("api_key"), half("api_secret")).expect("good");
    Client::new(config(sandbox).set_credentials(pair)).expect("a client")
}

/// Returns true if the next call reuses the connection of the last request. Another client makes the call, because the
/// pair may have been rejected; clients with the same settings share their connections.
fn is_reused(sandbox: &Sandbox) -> bool {
    sandbox.control("DELETE", "faults", &Value::Null).expect("none");
    fresh_client(sandbox).verify().expect("other connections still work");
    let connections: Vec<u64> =
        requests(sandbox).iter().filter_map(|request| request["connection"].as_u64()).collect();
    let [.., before, last] = connections[..] else { panic!("two requests: {connections:?}") };
    before == last
}

#[test]
fn it_reports_a_refusal_that_comes_during_the_upload() {
    for sandbox in sandboxes() {
        // Connections stay shared while a client exists.
        let _client = client(&sandbox);
        for (method, status) in [("POST", 413), ("PUT", 401), ("PATCH", 503)] {
            for (then, after) in [("hang", 0), ("hang", READ), ("close", 0), ("reset", READ), ("reset", 0)] {
                let case = format!("{}: {method} {status} {then} {after}", sandbox.url());
                let early = json!({"after_bytes": after, "then": then});
                let body = json!({"status": "error", "message": "Enough of that."});
                fault(&sandbox, &json!({"fault": "answer", "status": status, "body": body, "early": early}));
                let error = upload(&fresh_client(&sandbox), method).expect_err(&case);
                assert_eq!((error.http_status(), error.request_sent()), (status, true), "{case}: {error}");
                assert_eq!(error.service_message(), Some("Enough of that."), "{case}: {error}");
                let seen = requests(&sandbox);
                assert_eq!((seen.len(), &seen[0]["body_complete"]), (1, &json!(false)), "{case}");
                assert!(!is_reused(&sandbox), "{case}");
            }
        }
        sandbox.control("POST", "clear", &Value::Null).expect("cleared");
        upload_of(SMALLER, &fresh_client(&sandbox), "POST").expect("the control: the whole request is read");
        assert!(is_reused(&sandbox), "the control: a request that was sent completely");
    }
}

#[test]
fn it_retries_an_upload_that_the_rate_limit_refused_early() {
    for sandbox in sandboxes() {
        let client = Client::new(config(&sandbox).set_max_retries(1)).expect("a client");
        for then in ["hang", "reset"] {
            let headers = json!({"Retry-After": "1"});
            let early = json!({"after_bytes": READ, "then": then});
            fault(
                &sandbox,
                &json!({"fault": "answer", "status": 429, "headers": headers, "early": early, "times": 1}),
            );
            let response = upload_of(SIZE, &client, "POST").expect("the retry succeeds");
            assert_eq!(response.http_status(), 200);
            let seen = requests(&sandbox);
            let statuses: Vec<&Value> = seen.iter().map(|request| &request["status"]).collect();
            assert_eq!(statuses, [429, 200]);
            assert_eq!(seen[1]["body_bytes"], SIZE);
            assert_ne!(seen[0]["connection"], seen[1]["connection"]);
        }
    }
}

#[test]
fn it_reports_a_refusal_that_comes_during_an_upload_through_a_proxy() {
    let [sandbox, _] = sandboxes();
    let proxy = support::Tinyproxy::start("");
    let mut config = config(&sandbox);
    config.set_proxy(&format!("http://127.0.0.1:{}", proxy.port())).expect("a proxy");
    let client = Client::new(&config).expect("a client");
    for (method, status, then) in [("PUT", 413, "hang"), ("POST", 401, "close")] {
        let early = json!({"after_bytes": READ, "then": then});
        fault(&sandbox, &json!({"fault": "answer", "status": status, "body": {}, "early": early}));
        let error = upload(&client, method).expect_err("a refusal");
        assert_eq!((error.http_status(), error.request_sent()), (status, true), "{error}");
    }
    assert!(proxy.log().contains("): CONNECT 127.0.0.1:"), "the control: {}", proxy.log());
}

#[test]
fn it_continues_to_send_after_interim_responses_session_tickets_and_new_keys() {
    for sandbox in sandboxes() {
        let client = client(&sandbox);
        let interim = |status: u16, headers: Value| json!({"fault": "interim", "status": status, "headers": headers, "after_bytes": READ});
        let mut faults = vec![
            interim(100, json!({})),
            interim(102, json!({"X-Filler": "x".repeat(6_000)})),
            interim(103, json!({"Link": "</style.css>; rel=preload"})),
        ];
        // Every new connection gets two session tickets, so the first upload shows that tickets do not stop it.
        if sandbox.ca_file().is_some() {
            faults.push(json!({"fault": "key_update", "after_bytes": READ}));
        }
        for wanted in faults {
            fault(&sandbox, &wanted);
            let response =
                upload_of(SMALLER, &client, "POST").unwrap_or_else(|error| panic!("{wanted}: {error}"));
            assert_eq!(response.http_status(), 200);
            let seen = requests(&sandbox);
            assert_eq!((seen.len(), &seen[0]["body_bytes"]), (1, &json!(SMALLER)), "{wanted}");
            assert_eq!((&seen[0]["status"], &seen[0]["connection"]), (&json!(200), &json!(1)), "{wanted}");
        }
    }
}

#[test]
fn it_reports_a_refusal_after_an_interim_response() {
    for sandbox in sandboxes() {
        let client = client(&sandbox);
        let filler = "x".repeat(5_000);
        let bytes = format!(
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nX-Filler: {filler}\r\n\r\n\
             HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\n{{}}"
        );
        fault(&sandbox, &json!({"fault": "raw", "bytes": bytes, "early": {"after_bytes": READ}}));
        let error = upload(&client, "POST").expect_err("a refusal");
        assert_eq!((error.http_status(), error.request_sent()), (413, true), "{error}");
        assert!(!is_reused(&sandbox));
    }
}

#[test]
fn it_returns_a_partial_body_of_a_refusal_but_not_of_a_success() {
    for sandbox in sandboxes() {
        let client = client(&sandbox);
        let partial = |status: &str| {
            let bytes = format!("HTTP/1.1 {status}\r\nContent-Length: 1000\r\n\r\n{{\"message\": \"too");
            fault(
                &sandbox,
                &json!({"fault": "raw", "bytes": bytes, "early": {"after_bytes": READ, "then": "reset"}}),
            );
            upload(&client, "POST").expect_err("the connection was reset")
        };
        let error = partial("413 Too Large");
        assert_eq!((error.http_status(), error.request_sent()), (413, true), "{error}");
        let body = error.response().expect("the answer").body().to_vec();
        assert_eq!(body, b"{\"message\": \"too");
        let error = partial("200 OK");
        assert_eq!((error.kind(), error.request_sent()), (ErrorKind::ConnectionFailed, true), "{error}");
        assert!(!is_reused(&sandbox));
    }
}

#[test]
fn it_reports_a_lost_connection_in_the_send_phase_if_no_response_came() {
    for sandbox in sandboxes() {
        let client = client(&sandbox);
        for bytes in ["", "HTTP/1.1 100 Continue\r\n\r\n"] {
            fault(
                &sandbox,
                &json!({"fault": "raw", "bytes": bytes, "early": {"after_bytes": READ, "then": "reset"}}),
            );
            let error = upload(&client, "POST").expect_err("no answer");
            let row = (error.kind(), error.reason(), error.request_sent(), error.http_status());
            assert_eq!(row, (ErrorKind::ConnectionFailed, Some("send"), true, 0), "{error}");
        }
    }
}

#[test]
fn it_ends_at_the_deadline_if_the_service_neither_reads_nor_answers() {
    for sandbox in sandboxes() {
        let client = Client::new(config(&sandbox).set_timeout(Duration::from_millis(700))).expect("a client");
        // Too few bytes of a response to read its status.
        for bytes in ["", "HTTP/1.1 4"] {
            fault(&sandbox, &json!({"fault": "raw", "bytes": bytes, "early": {}}));
            let error = upload(&client, "POST").expect_err("no answer");
            let row = (error.kind(), error.reason(), error.request_sent());
            assert_eq!(row, (ErrorKind::Timeout, Some("send"), true), "{error}");
        }
    }
}

#[test]
fn it_accepts_an_early_success_of_a_service_that_stops_reading() {
    for sandbox in sandboxes() {
        let client = client(&sandbox);
        let early = json!({"after_bytes": READ});
        fault(&sandbox, &json!({"fault": "answer", "status": 202, "body": {"taken": true}, "early": early}));
        let response = upload(&client, "POST").expect("a success");
        assert_eq!((response.http_status(), response.body()), (202, &b"{\"taken\":true}"[..]));
        assert!(!is_reused(&sandbox));
    }
}

#[test]
fn it_sends_everything_to_a_service_that_accepts_early_and_reads_on() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let mut config = Config::new();
    let address = listener.local_addr().expect("it is bound");
    config.set_base_url(&format!("http://{address}")).expect("loopback");
    config.set_credentials(Credentials::new(b"abc123def456", b"sec789xyz000").expect("good"));
    let client = Client::new(config.set_timeout(TIME_LIMIT)).expect("a client");
    let service = thread::spawn(move || {
        let (mut peer, _) = listener.accept().expect("a connection");
        let mut first = [0; 1];
        peer.read_exact(&mut first).expect("the request begins");
        peer.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
            .expect("it listens");
        let mut read = first.len();
        let mut buffer = vec![0; 1 << 16];
        while let Ok(count @ 1..) = peer.read(&mut buffer) {
            read += count;
        }
        read
    });
    assert_eq!(upload(&client, "POST").expect("a success").body(), b"{}");
    let read = service.join().expect("no panic");
    assert!(read > SIZE, "only {read} bytes arrived");
}

/// The connection is lost while a write is blocked, and the interim response is read only afterwards.
#[test]
fn it_reports_the_send_phase_if_an_interim_response_came_with_the_loss() {
    for _ in 0..10 {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let mut config = Config::new();
        let address = listener.local_addr().expect("it is bound");
        config.set_base_url(&format!("http://{address}")).expect("loopback").set_timeout(TIME_LIMIT);
        config.set_credentials(Credentials::new(b"abc123def456", b"sec789xyz000").expect("good"));
        config.set_max_retries(0);
        let service = thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a connection");
            stream.read_exact(&mut [0]).expect("a byte");
            // The buffers of the system fill up, so that the client waits in a write.
            thread::sleep(Duration::from_millis(100));
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").expect("the client reads it later");
            // Closing a socket with unread data resets the connection.
        });
        let client = Client::new(&config).expect("a client");
        let error = upload_of(2 * SIZE + READ, &client, "POST").expect_err("no answer");
        service.join().expect("no panic");
        let row = (error.kind(), error.reason(), error.request_sent(), error.http_status());
        assert_eq!(row, (ErrorKind::ConnectionFailed, Some("send"), true, 0), "{error}");
    }
}
