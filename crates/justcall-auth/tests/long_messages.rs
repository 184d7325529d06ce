//! Heads and bodies that are longer than the buffers of an idle connection, up to the limits, on one connection.

mod support;

use justcall_auth::{Client, ErrorKind, Request};
use justcall_auth_sandbox::Sandbox;
use serde_json::{Value, json};
use support::{config, requests, sandbox};

const PATH: &str = "/v2.1/calls";

fn request(headers: &[(&str, &str)], path: &str) -> Request {
    let mut request = Request::new("POST", path).expect("a good request");
    for (name, value) in headers {
        request.set_header(name, value).expect("a good header");
    }
    request
}

fn add_headers(sandbox: &Sandbox, bytes: usize) {
    sandbox.control("DELETE", "faults", &Value::Null).expect("none");
    sandbox.control("POST", "faults", &json!({"fault": "huge_headers", "bytes": bytes})).expect("a fault");
}

#[test]
fn it_accepts_a_head_of_up_to_64_kib_again_and_again() {
    let sandbox = sandbox();
    let client = Client::new(&config(&sandbox)).expect("a client");
    client.verify().expect("a good pair");
    let normal: usize = client
        .request(Request::new("GET", PATH).expect("a good request"))
        .expect("a response")
        .headers()
        .iter()
        .map(|(name, value)| name.len() + value.len() + 4)
        .sum();
    let most = 63 * 1024 - normal;
    for bytes in [100, 7_000, 9_000, 20_000, most, 100, most] {
        add_headers(&sandbox, bytes);
        let response = client.request(Request::new("GET", PATH).expect("a good request"));
        assert_eq!(response.expect("a response").http_status(), 200, "{bytes} bytes");
    }
    let connections: Vec<_> =
        requests(&sandbox).iter().map(|request| request["connection"].clone()).collect();
    assert!(connections.iter().all(|one| *one == connections[0]), "{connections:?}");
    add_headers(&sandbox, 64 * 1024);
    let error = client.request(Request::new("GET", PATH).expect("a good request")).expect_err("too long");
    assert_eq!(error.kind(), ErrorKind::InvalidResponse, "{error}");
}

#[test]
fn it_sends_headers_paths_and_bodies_of_any_permitted_length() {
    let sandbox = sandbox();
    let client = Client::new(&config(&sandbox)).expect("a client");
    let (long, longest) = ("x".repeat(3_000), "x".repeat(64 * 1024 - "x-three".len()));
    let long_path = format!("{PATH}?page={}", "1".repeat(8 * 1024 - PATH.len() - "?page=".len()));
    let cases = [
        request(&[], PATH),
        request(&[("x-long", &long)], PATH),
        request(&[], &long_path),
        request(&[("x-long", &longest)], PATH),
        request(&[("x-one", &long), ("x-two", &long), ("x-three", &long)], &long_path),
        request(&[("x-one", &longest), ("x-two", &longest), ("x-three", &longest)], &long_path),
        request(&[], PATH),
    ];
    for (number, mut case) in cases.into_iter().enumerate() {
        for length in [0, 1, 2_047, 2_048, 16_384, 16_385, 300_000] {
            case.set_body(vec![b'x'; length]);
            let head: usize = case.headers().iter().map(|(name, value)| name.len() + value.len()).sum();
            let answer = client.request(case.clone()).expect_err("the sandbox has no such route");
            assert_eq!(answer.http_status(), 404, "case {number}: {answer}");
            let seen = requests(&sandbox).pop().expect("a request");
            assert_eq!(seen["body_bytes"], json!(length), "case {number}");
            assert_eq!(seen["body_complete"], json!(true), "case {number}");
            assert!(
                seen["raw_head"].as_str().expect("text").len() > head + case.path().len(),
                "case {number}"
            );
        }
    }
}
