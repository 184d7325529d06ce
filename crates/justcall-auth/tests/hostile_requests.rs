//! No path and no header that a caller gives reaches another host or adds a header: the sandbox's raw log shows it.

mod support;

use justcall_auth::{Client, Error, ErrorKind, Request};
use justcall_auth_sandbox::Sandbox;
use serde_json::Value;
use support::{client, requests, sandbox};

/// Refused before anything is sent.
const REFUSED_PATHS: &[&str] = &[
    "",
    " ",
    "v2/calls",
    "?x=1",
    "https://evil.example/",
    "http://evil.example/v2/account",
    "//evil.example",
    "//evil.example/v2/account",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "@evil.example/",
    ":443/",
    ".evil.example/",
    "/..",
    "/../",
    "/../../etc/passwd",
    "/v2/../admin",
    "/v2/..",
    "/v2/./calls",
    "/.",
    "/%2e%2e/admin",
    "/%2E%2E%2fadmin",
    "/v2/%2e/calls",
    "/.%2e/admin",
    "/%2f/evil.example",
    "/%5cevil.example/..",
    "/%2f%2fevil.example",
    "/v2/calls HTTP/1.1\r\nX-Injected: 1\r\n\r\n",
    "/v2/calls\r\nX-Injected: 1",
    "/v2/calls\nX-Injected: 1",
    "/v2/calls\rX-Injected: 1",
    "/v2/calls\0",
    "/v2/calls%00",
    "/v2/calls%0d%0aX-Injected:%201",
    "/v2/calls%0A",
    "/v2/calls ",
    "/v2/ca lls",
    "/v2/calls#fragment",
    "/v2/calls\u{7f}",
    "/v2/cälls",
    "/v2/calls\u{2028}",
    "/v2/calls%",
    "/v2/calls%4",
    "/v2/calls%zz",
    "/v2/{id}",
    "/v2/<script>",
    "/v2/\"quoted\"",
    "/v2/`id`",
    "/v2/a|b",
    "/v2/a^b",
];

/// Sent as they are, to our own host.
const HARMLESS_PATHS: &[&str] = &[
    "/v2.1/echo/a:b@evil.example",
    "/v2.1/echo//evil.example",
    "/v2.1/echo/...",
    "/v2.1/echo/..a",
    "/v2.1/echo?next=https://evil.example/%0d%0aX-Injected:1",
    "/v2.1/echo?next=//evil.example/../..",
    "/v2.1/echo/%20%C3%A4",
    "/v2.1/echo/x;param=1",
    "/v2.1/echo/~user/$a&b+c,d=e!(f)*'",
];

const REFUSED_HEADERS: &[(&str, &str)] = &[
    ("Authorization", "other:pair"),
    ("authorization", "other:pair"),
    ("AUTHORIZATION", ""),
    ("Authorization ", "other:pair"),
    ("Host", "evil.example"),
    ("host", "evil.example"),
    ("Content-Length", "0"),
    ("Transfer-Encoding", "chunked"),
    ("transfer-encoding", "identity"),
    ("Connection", "X-Justcall-Client"),
    ("Keep-Alive", "timeout=1"),
    ("Proxy-Authorization", "Basic eDp5"),
    ("Proxy-Connection", "close"),
    ("TE", "trailers"),
    ("Trailer", "X"),
    ("Upgrade", "h2c"),
    ("Expect", "100-continue"),
    ("", "x"),
    (" ", "x"),
    ("X Y", "x"),
    ("X:", "x"),
    ("X\r\nX-Injected", "1"),
    ("X\0", "1"),
    ("Ä", "1"),
    ("X", "a\r\nX-Injected: 1"),
    ("X", "a\nX-Injected: 1"),
    ("X", "a\rX-Injected: 1"),
    ("X", "a\0b"),
    ("X", "\u{1b}[31m"),
    ("X", "a\u{85}b"),
    ("X", " padded"),
    ("X", "padded "),
];

fn raw_heads(sandbox: &Sandbox) -> Vec<String> {
    let head = |request: &Value| request["raw_head"].as_str().expect("a head").to_owned();
    requests(sandbox).iter().map(head).collect()
}

fn send(client: &Client, path: &str, header: Option<(&str, &str)>) -> Result<(), Error> {
    let mut request = Request::new("GET", path)?;
    if let Some((name, value)) = header {
        request.set_header(name, value)?;
    }
    client.request(request).map(drop)
}

#[test]
fn a_url_under_the_base_url_is_sent_as_its_path_and_no_other_is_sent() {
    let sandbox = sandbox();
    let client = client(&sandbox);
    let base = sandbox.url();
    let link = format!("{base}/v2.1/echo?page=2");
    let request = client.new_request("GET", &link).expect("the link of an answer");
    assert_eq!(client.request(request.clone()).expect("the echo answers").http_status(), 200);
    assert_eq!(client.exchange(request).url(), link);
    for other in [
        "https://evil.example/v2.1/echo".to_owned(),
        format!("{base}.evil.example/v2.1/echo"),
        format!("{base}@evil.example/v2.1/echo"),
        format!("{base}//evil.example/v2.1/echo"),
        format!("{base}/../v2.1/echo"),
        format!("{base}/v2.1/echo\r\nX-Injected: 1"),
        base.replacen("https", "http", 1),
    ] {
        let error = client.new_request("GET", &other).expect_err(&other);
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{other}");
    }
    assert!(Request::new("GET", &link).is_err(), "it has no base URL to compare one with");
    assert_eq!(raw_heads(&sandbox).len(), 1);
}

#[test]
fn it_sends_no_path_or_header_that_could_mislead() {
    assert!(REFUSED_PATHS.len() + REFUSED_HEADERS.len() + HARMLESS_PATHS.len() >= 60);
    let sandbox = sandbox();
    let client = client(&sandbox);
    for path in REFUSED_PATHS {
        let error = send(&client, path, None).expect_err(path);
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{path:?}: {error}");
    }
    for header in REFUSED_HEADERS {
        let error = send(&client, "/v2.1/echo", Some(*header)).expect_err(header.0);
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{header:?}: {error}");
    }
    assert_eq!(raw_heads(&sandbox), [""; 0], "nothing was sent");
    send(&client, "/v2.1/echo", Some(("X-Control", "1"))).expect("a good request");
    assert_eq!(raw_heads(&sandbox).len(), 1, "what is sent is seen");
}

#[test]
fn it_sends_a_harmless_path_as_it_is_and_adds_nothing() {
    let sandbox = sandbox();
    let client = client(&sandbox);
    for path in HARMLESS_PATHS {
        send(&client, path, Some(("X-Note", "a: b; c"))).expect(path);
    }
    let host = sandbox.url().strip_prefix("https://").expect("TLS is on");
    let heads = raw_heads(&sandbox);
    assert_eq!(heads.len(), HARMLESS_PATHS.len());
    for (head, path) in heads.iter().zip(HARMLESS_PATHS) {
        let mut lines = head.trim_end().split("\r\n");
        assert_eq!(lines.next(), Some(format!("GET {path} HTTP/1.1").as_str()));
        let mut names: Vec<String> = Vec::new();
        for line in lines {
            let (name, value) = line.split_once(": ").expect("a header");
            names.push(name.to_ascii_lowercase());
            match names.last().expect("just pushed").as_str() {
                "host" => assert_eq!(value, host),
                "authorization" => assert_eq!(value, "<authorization>"),
                "x-note" => assert_eq!(value, "a: b; c"),
                _ => {}
            }
        }
        names.sort();
        let expected = [
            "accept",
            "accept-encoding",
            "authorization",
            "content-type",
            "host",
            "user-agent",
            "x-justcall-client",
            "x-note",
        ];
        assert_eq!(names, expected, "{path}");
    }
}

#[test]
fn it_encodes_what_is_given_as_a_query() {
    let sandbox = sandbox();
    let client = client(&sandbox);
    let mut request = Request::new("GET", "/v2.1/echo").expect("good");
    request.add_query("a&b", "x\r\nX-Injected: 1#?/ä").expect("it fits");
    client.request(request).expect("sent");
    let heads = raw_heads(&sandbox);
    let line = heads[0].split("\r\n").next().expect("a request line");
    assert_eq!(line, "GET /v2.1/echo?a%26b=x%0D%0AX-Injected%3A%201%23%3F%2F%C3%A4 HTTP/1.1");
}
