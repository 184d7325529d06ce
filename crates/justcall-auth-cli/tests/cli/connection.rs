//! How connections are made: from which address, and how much of a response is read.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{IpAddr, TcpListener};
use std::thread::{self, JoinHandle};

use serde_json::{Value, json};

use crate::run::{Service, run};

/// Answers one request on `listener`, and returns the address that it came from.
fn answer_one(listener: TcpListener) -> JoinHandle<IpAddr> {
    thread::spawn(move || {
        let (mut stream, peer) = listener.accept().expect("a connection");
        let mut lines = BufReader::new(stream.try_clone().expect("a second handle")).lines();
        while lines.next().is_some_and(|line| !line.expect("a line").is_empty()) {}
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").expect("an answer");
        peer.ip()
    })
}

#[test]
fn it_connects_from_the_local_address_that_is_named() {
    let pair = [("JUSTCALL_API_KEY", "abc123def456"), ("JUSTCALL_API_SECRET", "sec789xyz000")];
    for (named, seen) in [(&["--local-address", "127.0.0.7"][..], "127.0.0.7"), (&[], "127.0.0.1")] {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let peer = answer_one(listener);
        let ended = run(&[&["request", "get", "/v2.1/calls", "--base-url", &url], named].concat(), &pair);
        assert_eq!(ended.exit, 0, "{ended:?}");
        assert_eq!(peer.join().expect("no panic").to_string(), seen);
    }
}

#[test]
fn it_says_that_this_machine_has_no_such_address() {
    let service = Service::start();
    let arguments = ["verify", "--max-retries", "0", "--local-address", "192.0.2.7"];
    let ended = service.run(&arguments);
    ended.fails_with(7, "connection_failed");
    assert!(ended.stderr.contains("from the local address 192.0.2.7"), "{ended:?}");
    assert_eq!(service.requests(), 0);
    let checks = service.run(&["doctor", "--local-address", "192.0.2.7"]);
    assert!(checks.exit != 0 && checks.stdout.contains("192.0.2.7"), "{checks:?}");
}

#[test]
fn it_reads_no_longer_response_than_it_is_allowed() {
    let service = Service::start();
    let request = |length: &str| {
        service.control("POST", "faults", &json!({"fault": "huge_body", "bytes": 100_000, "times": 1}));
        service.run(&["request", "get", "/v2.1/calls", "--max-response-length", length])
    };
    let ended = request("99999");
    assert_eq!(ended.exit, 1, "{:?}", ended.stderr.lines().next());
    assert!(ended.stderr.contains("✗ invalid_response: ") && ended.stderr.contains("99999 bytes"));
    assert!(ended.stderr.contains("or raise --max-response-length."), "{ended:?}");
    for allowed in ["100000", "0"] {
        assert_eq!((request(allowed).exit, request(allowed).stdout.trim_end().len()), (0, 100_000));
    }
    let help = service.run(&["request", "--help"]).stdout;
    assert!(
        help.contains("--max-response-length <BYTES>") && help.contains("--local-address <IP>"),
        "{help}"
    );
    assert_eq!(service.control("GET", "requests", &Value::Null).as_array().map(Vec::len), Some(5));
}
