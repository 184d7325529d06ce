//! `request`: the request that is sent, and its response on a terminal and in a pipe.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::run::{Run, Service, command, feed, run};

const LARGE: usize = 16 * 1024 * 1024;

/// The echo in standard output.
fn echo(run: &Run) -> Value {
    assert_eq!((run.exit, run.stderr.as_str()), (0, ""), "{}", run.stderr);
    serde_json::from_str(&run.stdout).expect("the sandbox echoes JSON")
}

fn header<'a>(echo: &'a Value, name: &str) -> Option<&'a str> {
    let headers = echo["headers"].as_array().expect("a list");
    headers.iter().find(|header| header[0].as_str() == Some(name)).and_then(|header| header[1].as_str())
}

fn body(echo: &Value) -> Vec<u8> {
    STANDARD.decode(echo["body_base64"].as_str().expect("text")).expect("base64")
}

fn post<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["request", "post", "/v2.1/echo"], more].concat()
}

/// Runs the command with `input` at its standard input.
fn run_with_input(service: &Service, arguments: &[&str], input: &[u8]) -> Run {
    feed(command(&service.arguments(arguments), &pair(service)), input)
}

fn pair(service: &Service) -> [(&str, &str); 2] {
    [("JUSTCALL_API_KEY", service.sandbox.api_key()), ("JUSTCALL_API_SECRET", service.sandbox.api_secret())]
}

#[test]
fn it_sends_every_method_in_capitals() {
    let service = Service::start();
    for method in ["get", "POST", "Put", "patch", "delete", "options"] {
        let echo = echo(&service.run(&["request", method, "/v2.1/echo"]));
        assert_eq!(echo["method"], method.to_ascii_uppercase());
        assert_eq!(body(&echo), b"");
    }
    let head = service.run(&["request", "head", "/v2.1/echo", "--include"]);
    assert!(head.exit == 0 && head.stdout.starts_with("HTTP 200\n"), "{head:?}");
    assert!(head.stdout.ends_with("\n\n"), "no body: {head:?}");
}

#[test]
fn it_encodes_the_query_and_keeps_the_query_of_the_path() {
    let service = Service::start();
    let arguments = [
        "request",
        "get",
        "/v2.1/echo?a=1",
        "--query",
        "from=+1 555&x=y",
        "--query",
        "ä=",
        "--query",
        "b=c=d",
    ];
    let echo = echo(&service.run(&arguments));
    assert_eq!(echo["query"], "a=1&from=%2B1%20555%26x%3Dy&%C3%A4=&b=c%3Dd");
}

#[test]
fn it_sends_headers_and_the_body_from_every_input() {
    let service = Service::start();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("body.json");
    std::fs::write(&file, "{\"from\": \"file\"}\n").expect("a file");
    let file = file.to_str().expect("UTF-8");

    let text = echo(&service.run(&post(&["--body", "{\"a\": 1}", "--header", "X-Note:  two words "])));
    assert_eq!(body(&text), b"{\"a\": 1}");
    assert_eq!(header(&text, "content-type"), Some("application/json"));
    assert_eq!(header(&text, "x-note"), Some("two words"));

    let typed = ["--body-file", file, "--header", "content-type: text/plain"];
    let from_file = echo(&service.run(&post(&typed)));
    assert_eq!(body(&from_file), b"{\"from\": \"file\"}\n");
    assert_eq!(header(&from_file, "content-type"), Some("text/plain"));

    let piped = run_with_input(&service, &post(&["--body-file", "-"]), b"\x00\xFF from a pipe");
    assert_eq!(body(&echo(&piped)), b"\x00\xFF from a pipe");
}

#[test]
fn it_carries_large_bodies_both_ways() {
    let service = Service::start();
    let sent: Vec<u8> = (0..LARGE).map(|at| u8::try_from(at % 251).expect("below 251")).collect();
    let echo = echo(&run_with_input(&service, &["request", "post", "/v2.1/echo", "--body-file", "-"], &sent));
    assert!(body(&echo) == sent, "the body came changed");

    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("answer");
    let path = file.to_str().expect("UTF-8");
    let large = format!("bytes={LARGE}");
    for gzip in ["gzip=0", "gzip=1"] {
        let arguments =
            ["request", "get", "/v2.1/echo", "--query", &large, "--query", gzip, "--output", path];
        let run = service.run(&arguments);
        assert_eq!((run.exit, run.stdout.as_str(), run.stderr.as_str()), (0, "", ""));
        let answer: Value =
            serde_json::from_slice(&std::fs::read(&file).expect("a file")).expect("the answer, whole");
        assert_eq!(answer["filler"].as_str().map(str::len), Some(LARGE), "{gzip}");
        assert_eq!(header(&answer, "accept-encoding"), Some("gzip"));
    }
}

#[test]
fn it_writes_bytes_unchanged_to_a_pipe() {
    let service = Service::start();
    for (bytes, content_type) in [
        (&b"{\"b\":1,\r\n  \"a\":\t[1.10, 2]}"[..], "application/json"),
        (b"\x00\xFF\xFE\x1b[31m", "application/octet-stream"),
    ] {
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
            bytes.len()
        );
        let raw = [head.as_bytes(), bytes].concat();
        service.control("DELETE", "faults", &Value::Null);
        service.control("POST", "faults", &json!({"fault": "raw", "base64": STANDARD.encode(&raw)}));
        for color in ["auto", "always"] {
            let arguments = service.arguments(&["request", "get", "/v2.1/calls", "--color", color]);
            let ended = command(&arguments, &pair(&service)).output().expect("it starts");
            assert_eq!((ended.status.code(), &ended.stdout[..]), (Some(0), bytes));
        }
        let json = service.run(&["request", "get", "/v2.1/calls", "--json"]).json();
        let response = &json["response"];
        assert_eq!((&json["ok"], &response["http_status"]), (&json!(true), &json!(200)));
        assert_eq!(response["headers"]["content-type"], content_type);
        match std::str::from_utf8(bytes) {
            Ok(text) => {
                assert_eq!((&response["body"], &response["body_base64"]), (&json!(text), &Value::Null));
            }
            Err(_) => assert_eq!(response["body_base64"], STANDARD.encode(bytes)),
        }
    }
}

#[test]
fn it_prints_status_headers_and_rate_limit() {
    let service = Service::start();
    let run = service.run(&["request", "get", "/v2.1/calls", "--query", "per_page=1", "--include"]);
    let (head, body) = run.stdout.split_once("\n\n").expect("an empty line");
    assert!(head.starts_with("HTTP 200\n") && head.contains("\ncontent-type: application/json\n"), "{head}");
    assert_eq!(serde_json::from_str::<Value>(body).expect("JSON")["count"], 1);
    let response = service.run(&["request", "get", "/v2.1/calls", "--json"]).json()["response"].clone();
    assert_eq!(response["rate_limit"]["main"]["limit"], 120);
    assert!(response["rate_limit"]["main"]["remaining"].as_u64().is_some_and(|left| left < 120));
    assert!(response["rate_limit"]["main"]["reset"].as_u64().is_some_and(|reset| reset > 1_700_000_000));
    assert_eq!(response["rate_limit"]["burst"]["limit"], Value::Null);
}

#[test]
fn it_prints_the_body_of_a_failure() {
    let service = Service::start();
    let fields =
        json!({"status": "error", "message": "Invalid.", "errors": {"contact_number": ["too short"]}});
    service.control("POST", "faults", &json!({"fault": "answer", "status": 422, "body": fields}));
    let folder = tempfile::tempdir().expect("a folder");
    let kept = folder.path().join("kept");
    std::fs::write(&kept, "as it was").expect("a file");
    let fresh = folder.path().join("fresh");
    for output in [None, Some(&kept), Some(&fresh)] {
        let path = output.map(|path| path.to_str().expect("UTF-8"));
        let mut arguments = vec!["request", "post", "/v2.1/contacts", "--body", "{}"];
        arguments.extend(path.iter().flat_map(|path| ["--output", path]));
        let run = service.run(&arguments);
        run.fails_with(1, "unprocessable");
        assert!(run.stderr.contains("The service answered: \"Invalid.\"\n"), "{run:?}");
        assert_eq!(run.stderr.lines().last(), Some(fields.to_string().as_str()), "{run:?}");
    }
    assert_eq!(std::fs::read_to_string(&kept).expect("it is there"), "as it was");
    assert!(!fresh.exists(), "no empty file stays");
    let run = service.run(&["request", "post", "/v2.1/contacts", "--include"]);
    assert!(run.stderr.contains("\nHTTP 422\n") && run.stdout.is_empty(), "{run:?}");
    let all = service.run(&["request", "post", "/v2.1/contacts", "--json"]);
    assert_eq!(all.exit, 1);
    let error = all.json()["error"].clone();
    assert_eq!((&error["name"], &error["response"]["http_status"]), (&json!("unprocessable"), &json!(422)));
    let body = error["response"]["body"].as_str().expect("text");
    assert_eq!(serde_json::from_str::<Value>(body).expect("JSON"), fields);
}

#[test]
fn it_exits_like_every_command() {
    let service = Service::start();
    service
        .run_as("0".repeat(40).as_str(), &"1".repeat(40), &["request", "get", "/v2.1/calls"])
        .fails_with(4, "invalid_credentials");
    service.run(&["request", "get", "/v2.1/nothing"]).fails_with(1, "not_found");
    service.run(&["request", "get", "/v2.1/meetings_ai"]).fails_with(5, "forbidden");
    run(&service.arguments(&["request", "get", "/v2.1/calls"]), &[]).fails_with(3, "credentials_missing");
    service.control("POST", "faults", &json!({"fault": "answer", "status": 503}));
    service.run(&["request", "get", "/v2.1/calls", "--max-retries", "0"]).fails_with(8, "unavailable");
    service.control("DELETE", "faults", &Value::Null);
    service.control("POST", "faults", &json!({"fault": "hang"}));
    service.run(&["request", "get", "/v2.1/calls", "--timeout", "0.2"]).fails_with(7, "timeout");
}

#[test]
fn it_sends_nothing_that_the_library_refuses() {
    let service = Service::start();
    for (arguments, why) in [
        (&["GET", "https://api.justcall.io/v2.1/calls"][..], "does not start with a slash"),
        (&["GET", "//evil.example/v2.1/calls"], "two slashes"),
        (&["GET", "v2.1/calls"], "does not start with a slash"),
        (&["GET", "/a/../b"], "dot segment"),
        (&["GET", "/a b"], "percent-encode"),
        (&["TRACE", "/v2.1/calls"], "TRACE"),
        (&["G ET", "/v2.1/calls"], "HTTP method"),
        (
            &["GET", "/v2.1/calls", "--header", "Authorization: x"],
            "authorization cannot be set, because the library sets it",
        ),
        (
            &["GET", "/v2.1/calls", "--header", "HOST: evil.example"],
            "host cannot be set, because the library sets it",
        ),
        (
            &["POST", "/v2.1/calls", "--header", "Content-Length: 5"],
            "content-length cannot be set, because the library sets it",
        ),
        (&["GET", "/v2.1/calls", "--header", "X-Note: a\r\nX-Other: b"], "control character"),
        (&["GET", "/v2.1/calls", "--header", "X-Note"], "no colon"),
        (&["GET", "/v2.1/calls", "--query", "page"], "no equals sign"),
        (&["POST", "/v2.1/calls", "--body-file", "no/such/file"], "no/such/file cannot be read"),
        (&["GET", "/v2.1/calls", "--output", "no/such/folder/file"], "cannot be written"),
    ] {
        let arguments = [&["request"], arguments].concat();
        let run = service.run(&arguments);
        run.fails_with(2, "invalid_argument");
        assert!(run.stderr.contains(why), "{run:?}");
        let json = service.run(&[&arguments[..], &["--json"]].concat());
        assert_eq!((json.exit, &json.json()["error"]["name"]), (2, &json!("invalid_argument")));
    }
    for arguments in [
        &["request", "GET"][..],
        &["request", "GET", "/v2.1/calls", "--body", "a", "--body-file", "-"],
        &["request", "GET", "/v2.1/calls", "--json", "--output", "file"],
        &["request", "GET", "/v2.1/calls", "--expected-account", "none"],
        &["request", "GET", "/v2.1/calls", "--proxy", "socks5://proxy.example:1080"],
    ] {
        assert_eq!(service.run(arguments).exit, 2, "{arguments:?}");
    }
    assert_eq!(service.requests(), 0);
}

#[test]
fn it_sends_nothing_with_the_pair_of_another_account() {
    let service = Service::start();
    let account = service.run(&["verify", "--json"]).json()["account"]["id"].to_string();
    service.control("DELETE", "requests", &Value::Null);
    let expect = |id| service.run(&["request", "post", "/v2.1/echo", "--expected-account", id]);
    expect("4711").fails_with(1, "wrong_account");
    let paths = |service: &Service| -> Vec<Value> {
        let requests = service.control("GET", "requests", &Value::Null);
        requests.as_array().expect("a list").iter().map(|request| request["path"].clone()).collect()
    };
    assert_eq!(paths(&service), ["/v2/account"]);
    assert_eq!(expect(&account).exit, 0);
    assert_eq!(paths(&service), ["/v2/account", "/v2/account", "/v2.1/echo"]);
}

#[cfg(target_os = "linux")]
#[test]
fn it_reports_that_the_response_could_not_be_stored() {
    let service = Service::start();
    let run = service.run(&["request", "get", "/v2.1/calls", "--output", "/dev/full"]);
    assert_eq!(run.exit, 1, "{run:?}");
    assert!(run.stderr.contains("/dev/full cannot be written"), "{run:?}");
}

#[cfg(unix)]
#[test]
fn it_indents_json_on_a_terminal_and_escapes_control_characters() {
    let service = Service::start();
    let arguments = service.arguments(&["request", "get", "/v2.1/calls", "--query", "per_page=1"]);
    let on_terminal = |variables: &[(&str, &str)]| {
        let variables = [&pair(&service)[..], variables].concat();
        crate::terminal::run(&arguments, &variables)
    };
    let (exit, shown, stderr) = on_terminal(&[("TERM", "xterm")]);
    assert_eq!((exit, stderr.as_str()), (0, ""));
    assert!(shown.starts_with("{\n  \u{1b}[36m\"status\"\u{1b}[0m: \u{1b}[32m\"success\""), "{shown:?}");
    let (_, plain, _) = on_terminal(&[("TERM", "xterm"), ("NO_COLOR", "1")]);
    assert!(plain.starts_with("{\n  \"status\": \"success\",\n") && !plain.contains('\u{1b}'), "{plain:?}");

    for (body, expected) in [
        ("\u{1b}]0;title\u{7}<html>", "]0;title<html>\n"),
        ("\"\\u001b[31m\u{9b}31m\"", "\"\\u001b[31m\\u009b31m\"\n"),
    ] {
        service.control("DELETE", "faults", &Value::Null);
        service.control("POST", "faults", &json!({"fault": "answer", "status": 200, "body": body}));
        let (exit, shown, _) = on_terminal(&[("NO_COLOR", "1")]);
        assert_eq!((exit, shown.as_str()), (0, expected));
    }
}
