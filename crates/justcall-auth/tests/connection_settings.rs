//! What connections are made with: certificate authorities in memory, a local address, the longest response.
#![cfg(target_os = "linux")]

mod support;

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{IpAddr, TcpListener};
use std::thread;

use justcall_auth::{Client, Config, Credentials, Error, ErrorKind, Request, Response};
use serde_json::{Value, json};
use support::{TIME_LIMIT, config, sandbox};

fn get(client: &Client, path: &str) -> Result<Response, Error> {
    client.request(Request::new("GET", path).expect("a path"))
}

/// Answers one request on `listener`, and gives the address that it came from.
fn answer_one(listener: TcpListener) -> thread::JoinHandle<IpAddr> {
    thread::spawn(move || {
        let (mut stream, peer) = listener.accept().expect("a connection");
        let mut lines = BufReader::new(stream.try_clone().expect("a second handle")).lines();
        while lines.next().is_some_and(|line| !line.expect("a line").is_empty()) {}
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").expect("an answer");
        peer.ip()
    })
}

fn client_of(base_url: &str, local_address: &str) -> Client {
    let mut config = Config::new();
    config.set_base_url(base_url).expect("loopback").set_local_address(local_address).expect("an address");
    config.set_credentials(Credentials::new(b"abc123def456", b"sec789xyz000").expect("good"));
    Client::new(config.set_timeout(TIME_LIMIT).set_max_retries(0)).expect("a client")
}

#[test]
fn it_trusts_the_authorities_that_it_is_given_in_memory_alone() {
    let sandbox = sandbox();
    let pem = std::fs::read(sandbox.ca_file().expect("TLS is on")).expect("a file");
    let mut config = config(&sandbox);
    config.set_ca_file("/etc/ssl/certs/ca-certificates.crt").expect("a path");
    let verify = |config: &Config| Client::new(config).and_then(|client| client.verify());
    assert_eq!(verify(&config).expect_err("the control").kind(), ErrorKind::TlsFailed);
    verify(config.set_ca_pem(&pem).expect("a certificate")).expect("the authority is trusted");
    config.set_ca_file("/etc/ssl/certs/ca-certificates.crt").expect("a path");
    assert_eq!(verify(&config).expect_err("a file replaces it").kind(), ErrorKind::TlsFailed);

    let end = pem.len() - 40;
    for (text, why) in [
        (&b""[..], "is empty"),
        (b"-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----\n", "contains a private key"),
        (&pem[..end], "cannot be used: its certificate 1 has no end"),
    ] {
        let error = config.set_ca_pem(text).expect_err("no certificate");
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.message().contains(why) && !error.message().contains("canary"), "{error}");
    }
    assert_eq!(verify(&config).expect_err("still the file").kind(), ErrorKind::TlsFailed);
}

#[test]
fn it_connects_from_the_local_address_that_is_set() {
    for (set, seen) in [("127.0.0.7", "127.0.0.7"), ("", "127.0.0.1")] {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let peer = answer_one(listener);
        // A name with addresses of both families: those of the other one are skipped.
        get(&client_of(&format!("http://localhost:{port}"), set), "/").expect("an answer");
        assert_eq!(peer.join().expect("no panic").to_string(), seen, "{set:?}");
    }
}

#[test]
fn it_says_that_a_local_address_cannot_be_used() {
    let sandbox = sandbox();
    for (local, why) in
        [("192.0.2.7", "from the local address 192.0.2.7"), ("2001:db8::7", "has no IPv6 address")]
    {
        let client = Client::new(config(&sandbox).set_local_address(local).expect("an address"));
        let error = client.expect("a client").verify().expect_err("no such address here");
        assert_eq!((error.kind(), error.reason()), (ErrorKind::ConnectionFailed, Some("connect")), "{error}");
        assert!(error.message().contains(why) && !error.request_sent(), "{error}");
        assert!(error.hint().contains("local_address"), "{}", error.hint());
    }
    for address in ["localhost", "127.0.0.1:80", "10.0.0.0/8", "[::1]", " 127.0.0.1", "127.0.0.1\n"] {
        let error = Config::new().set_local_address(address).map(drop).expect_err(address);
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    }
}

#[test]
fn it_reads_no_longer_response_than_it_is_allowed() {
    let sandbox = sandbox();
    let huge = |bytes: u64| {
        sandbox.control("POST", "faults", &json!({"fault": "huge_body", "bytes": bytes})).expect("a fault");
    };
    let limited = |length| Client::new(config(&sandbox).set_max_response_length(length)).expect("a client");
    huge(100_000);
    let error = get(&limited(99_999), "/v2.1/calls").expect_err("too long");
    assert_eq!(error.kind(), ErrorKind::InvalidResponse, "{error}");
    assert!(
        error.message().contains("99999 bytes") && error.hint().contains("max_response_length"),
        "{error}"
    );
    assert_eq!(error.response().expect("as much as was read").body().len(), 99_999);
    for allowed in [100_000, 0] {
        huge(100_000);
        let response = get(&limited(allowed), "/v2.1/calls").expect("it fits");
        assert_eq!(response.body().len(), 100_000);
    }
    huge(32 * 1024 * 1024 + 1);
    get(&limited(64 * 1024 * 1024), "/v2.1/calls").expect("more than by default");
}

#[test]
fn it_reads_64_kib_of_an_error_response() {
    let sandbox = sandbox();
    let client = Client::new(&config(&sandbox)).expect("a client");
    for length in [64 * 1024, 64 * 1024 + 1] {
        let fault = json!({"fault": "answer", "status": 404, "body": "x".repeat(length), "times": 1});
        sandbox.control("POST", "faults", &fault).expect("a fault");
        let error = get(&client, "/v2.1/calls").expect_err("not found");
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
        assert_eq!(error.response().expect("what was read").body().len(), 64 * 1024, "of {length} bytes");
    }
}

#[test]
fn it_shares_connections_only_between_clients_that_make_them_alike() {
    let sandbox = sandbox();
    let pem = std::fs::read(sandbox.ca_file().expect("TLS is on")).expect("a file");
    let file = config(&sandbox);
    let mut configs = [file.clone(), file.clone(), file.clone(), file];
    configs[1].set_ca_pem(&pem).expect("the same authority");
    configs[2].set_local_address("127.0.0.7").expect("an address");
    configs[3].set_max_response_length(1 << 20);
    let clients: Vec<Client> = configs.iter().map(|config| Client::new(config).expect("a client")).collect();
    for client in clients.iter().chain(&clients) {
        get(client, "/v2.1/calls").expect("an answer");
    }
    let requests = sandbox.control("GET", "requests", &Value::Null).expect("the record");
    let connections: Vec<u64> = requests
        .as_array()
        .expect("a list")
        .iter()
        .map(|request| request["connection"].as_u64().expect("a number"))
        .collect();
    assert_eq!(connections[0], connections[1], "the same authorities, from a file and from memory");
    assert!(connections[2] != connections[0] && connections[3] != connections[0], "{connections:?}");
    assert_ne!(connections[2], connections[3]);
    assert_eq!(connections[..4], connections[4..], "each goes on with its own");
}
