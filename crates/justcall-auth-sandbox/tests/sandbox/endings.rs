//! Faults that end a connection, or leave it hanging, in the middle of a request. Each is distinguished from the others.

use justcall_auth_sandbox::Sandbox;
use serde_json::{Value, json};

use crate::client::{Connection, End, eventually, get, pair, plain, sandbox};
use crate::faults::fault;

const LENGTH: usize = 93;

fn struck(sandbox: &Sandbox, wanted: &Value) -> Connection {
    fault(sandbox, wanted);
    let mut connection = Connection::open(sandbox).unwrap();
    let headers = [("Authorization", pair(sandbox))];
    let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
    connection.request("GET", "/v2/account", &headers, b"a body is read as well").unwrap();
    connection
}

fn statuses(sandbox: &Sandbox) -> Vec<Value> {
    let requests = sandbox.control("GET", "requests", &Value::Null).unwrap();
    requests.as_array().unwrap().iter().map(|request| request["status"].clone()).collect()
}

#[test]
fn it_resets_after_the_request() {
    for sandbox in [sandbox(), plain()] {
        let mut connection = struck(&sandbox, &json!({"fault": "reset_after_request"}));
        assert_eq!(connection.rest(), (Vec::new(), End::Reset));
        assert_eq!(statuses(&sandbox), [Value::Null]);
    }
}

#[test]
fn it_closes_cleanly_after_the_request() {
    for sandbox in [sandbox(), plain()] {
        let mut connection = struck(&sandbox, &json!({"fault": "close_after_request"}));
        assert_eq!(connection.rest(), (Vec::new(), End::Clean));
    }
}

#[test]
fn it_closes_cleanly_in_the_middle_of_a_body() {
    for sandbox in [sandbox(), plain()] {
        let mut connection = struck(&sandbox, &json!({"fault": "truncated_body"}));
        let head = connection.head().unwrap();
        assert_eq!((head.status, head.number("content-length")), (200, LENGTH as u64));
        assert!(head.header("date").is_some() && head.header("x-ratelimit-limit").is_some());
        let (half, end) = connection.rest();
        assert_eq!((half.len(), end), (LENGTH / 2, End::Clean));
        assert!(half.starts_with(br#"{"status":"success","#));
        assert_eq!(statuses(&sandbox), [json!(200)]);
    }
}

#[test]
fn it_hangs_in_the_middle_of_a_body() {
    let sandbox = sandbox();
    let mut connection = struck(&sandbox, &json!({"fault": "hang_body"}));
    assert_eq!(connection.head().unwrap().number("content-length"), LENGTH as u64);
    std::io::Read::read_exact(&mut connection, &mut [0; LENGTH / 2]).unwrap();
    assert!(connection.is_silent());
}

#[test]
fn it_hangs_without_an_answer_and_serves_others_meanwhile() {
    let sandbox = sandbox();
    let mut connection = struck(&sandbox, &json!({"fault": "hang", "times": 1}));
    eventually(|| statuses(&sandbox) == [Value::Null]);
    assert_eq!(get(&sandbox, &pair(&sandbox), "/v2/account").status, 200);
    assert!(connection.is_silent());
}

#[test]
fn it_writes_raw_bytes_and_closes() {
    for (given, expected) in [
        (json!({"fault": "raw", "bytes": "SSH-2.0-x\r\n"}), &b"SSH-2.0-x\r\n"[..]),
        (json!({"fault": "raw", "base64": "AP8K"}), b"\x00\xff\n"),
        (json!({"fault": "raw", "bytes": ""}), b""),
    ] {
        for sandbox in [sandbox(), plain()] {
            let mut connection = struck(&sandbox, &given);
            assert_eq!(connection.rest(), (expected.to_vec(), End::Clean));
        }
    }
}

#[test]
fn it_composes_raw_bytes_from_parts_and_cuts_them() {
    let parts = json!([{"bytes": "ab", "times": 2}, {"base64": "AP8=", "times": 1}, {"bytes": "c"}]);
    for (cut, expected) in [(None, &b"abab\x00\xffc"[..]), (Some(3), b"aba"), (Some(0), b"")] {
        let sandbox = sandbox();
        let given = json!({"fault": "raw", "parts": parts, "cut_after": cut, "every_ms": 1});
        assert_eq!(struck(&sandbox, &given).rest(), (expected.to_vec(), End::Clean));
    }
}

#[test]
fn it_ends_raw_bytes_in_other_ways() {
    let sandbox = sandbox();
    let given = |then: &str| json!({"fault": "raw", "bytes": "ab", "then": then, "times": 1});
    assert_eq!(struck(&sandbox, &given("cut")).rest(), (b"ab".to_vec(), End::Torn));
    let mut connection = struck(&sandbox, &given("hang"));
    std::io::Read::read_exact(&mut connection, &mut [0; 2]).unwrap();
    assert!(connection.is_silent());
    // The alert is not encrypted, so rustls refuses it after the bytes.
    let mut connection = struck(&sandbox, &given("alert"));
    let error = std::io::Read::read_to_end(&mut connection, &mut Vec::new()).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
    let (bytes, end) = struck(&plain(), &given("alert")).rest();
    assert_eq!((bytes.as_slice(), end), (&b"ab\x15\x03\x03\x00\x02\x02\x50"[..], End::Clean));
}

#[test]
fn it_writes_many_raw_bytes_to_the_last() {
    let sandbox = sandbox();
    let bytes = "z".repeat(3_000_000);
    let mut connection = struck(&sandbox, &json!({"fault": "raw", "bytes": bytes}));
    let (received, end) = connection.rest();
    assert_eq!((received.len(), end), (bytes.len(), End::Clean));
}

#[test]
fn it_strikes_in_the_middle_of_a_kept_connection() {
    let sandbox = sandbox();
    fault(&sandbox, &json!({"fault": "reset_after_request", "skip": 1}));
    let mut connection = Connection::open(&sandbox).unwrap();
    connection.get(&pair(&sandbox), "/v2/account").unwrap();
    assert_eq!(connection.answer().unwrap().status, 200);
    connection.get(&pair(&sandbox), "/v2/account").unwrap();
    assert_eq!(connection.rest(), (Vec::new(), End::Reset));
}
