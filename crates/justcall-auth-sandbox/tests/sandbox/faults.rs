//! Faults that still answer with HTTP.

use std::time::{Duration, Instant};

use justcall_auth_sandbox::Sandbox;
use serde_json::{Value, json};

use crate::client::{Answer, Connection, End, get, pair, plain, sandbox};

pub fn fault(sandbox: &Sandbox, fault: &Value) -> u64 {
    sandbox.control("POST", "faults", fault).unwrap()["id"].as_u64().unwrap()
}

fn under(sandbox: &Sandbox, wanted: &Value) -> Answer {
    let id = fault(sandbox, wanted);
    let answer = get(sandbox, &pair(sandbox), "/v2/account");
    sandbox.control("DELETE", &format!("faults/{id}"), &Value::Null).unwrap();
    answer
}

#[test]
fn it_answers_late_under_delay() {
    let sandbox = sandbox();
    let before = Instant::now();
    let answer = under(&sandbox, &json!({"fault": "delay", "ms": 150}));
    assert!(before.elapsed() >= Duration::from_millis(150));
    assert_eq!(answer.json()["data"]["account_id"], 12345);
}

#[test]
fn it_checks_the_pair_at_the_end_of_a_delay() {
    let sandbox = sandbox();
    fault(&sandbox, &json!({"fault": "delay", "ms": 700}));
    let mut connection = Connection::open(&sandbox).unwrap();
    connection.get(&pair(&sandbox), "/v2/account").unwrap();
    crate::client::eventually(|| sandbox.control("GET", "requests", &Value::Null).unwrap() != json!([]));
    sandbox.control("POST", "reset", &json!({})).unwrap();
    assert_eq!(connection.answer().unwrap().status, 401);
}

#[test]
fn it_gives_the_answer_that_was_asked_for_at_any_status() {
    let sandbox = sandbox();
    for status in [200, 204, 302, 418, 429, 500, 503, 599, 600, 999] {
        let answer = under(
            &sandbox,
            &json!({"fault": "answer", "status": status, "headers": {"Location": "/x", "Set-Cookie": ["a=1", "b=2"]}}),
        );
        assert_eq!((answer.status, answer.header("location")), (status, Some("/x")));
        let cookies: Vec<_> = answer.headers.iter().filter(|(name, _)| name == "set-cookie").collect();
        assert_eq!(cookies.len(), 2);
        assert!(answer.header("date").is_some());
        assert!(answer.body.is_empty());
    }
}

#[test]
fn it_sends_an_interim_status_and_closes() {
    for status in [100, 103, 199] {
        let sandbox = sandbox();
        fault(&sandbox, &json!({"fault": "answer", "status": status}));
        let mut connection = Connection::open(&sandbox).unwrap();
        connection.get(&pair(&sandbox), "/v2/account").unwrap();
        let (bytes, end) = connection.rest();
        assert!(bytes.starts_with(format!("HTTP/1.1 {status}").as_bytes()));
        assert_eq!(end, End::Clean);
    }
}

#[test]
fn it_sends_a_body_as_json_unless_another_type_is_set() {
    let sandbox = sandbox();
    let answer = under(&sandbox, &json!({"fault": "answer", "status": 422, "body": {"status": "error"}}));
    assert_eq!(
        (answer.text(), answer.header("content-type")),
        (r#"{"status":"error"}"#, Some("application/json"))
    );
    let html = json!({"fault": "answer", "status": 502, "body": "<html>", "content_type": "text/html"});
    let answer = under(&sandbox, &html);
    assert_eq!((answer.text(), answer.header("content-type")), ("<html>", Some("text/html")));
    let named =
        json!({"fault": "answer", "status": 200, "body": "x", "headers": {"content-type": "text/plain"}});
    assert_eq!(under(&sandbox, &named).header("content-type"), Some("text/plain"));
}

#[test]
fn it_echoes_the_pair_where_an_answer_asks_for_it() {
    let sandbox = sandbox();
    let answer = under(
        &sandbox,
        &json!({
            "fault": "answer",
            "status": 500,
            "headers": {"X-Leak": "<{authorization}>"},
            "body": {"message": "key {api_key}", "inner": ["secret {api_secret}"]},
        }),
    );
    assert_eq!(answer.header("x-leak"), Some(format!("<{}>", pair(&sandbox)).as_str()));
    assert_eq!(answer.json()["message"], format!("key {}", sandbox.api_key()));
    assert_eq!(answer.json()["inner"][0], format!("secret {}", sandbox.api_secret()));
}

#[test]
fn it_escapes_an_echoed_pair_inside_json() {
    let sandbox = sandbox();
    fault(&sandbox, &json!({"fault": "answer", "status": 500, "body": {"secret": "{api_secret}"}}));
    let answer = get(&sandbox, r#"key:se"cr\et"#, "/v2/account");
    assert_eq!(answer.json()["secret"], r#"se"cr\et"#);
}

#[test]
fn it_sends_a_body_of_any_size_with_or_without_a_length() {
    let sandbox = plain();
    for bytes in [0, 10, 32, 1_000_003] {
        let sized = under(&sandbox, &json!({"fault": "huge_body", "bytes": bytes}));
        assert_eq!(
            (sized.number("content-length"), sized.body.len()),
            (bytes, usize::try_from(bytes).unwrap())
        );
        let chunked = under(&sandbox, &json!({"fault": "huge_body", "bytes": bytes, "chunked": true}));
        assert_eq!(chunked.header("content-length"), None);
        assert_eq!(chunked.body, sized.body);
        if bytes >= 32 {
            assert_eq!(sized.json()["status"], "success");
        }
    }
}

#[test]
fn it_adds_headers_of_the_size_asked_for() {
    let sandbox = plain();
    let answer = under(&sandbox, &json!({"fault": "huge_headers", "bytes": 100_000}));
    let filler: usize = answer
        .headers
        .iter()
        .filter(|(name, _)| name.starts_with("x-filler"))
        .map(|(name, value)| name.len() + value.len())
        .sum();
    assert!((99_980..=100_000).contains(&filler), "{filler}");
    assert_eq!(answer.json()["status"], "success");
}

#[test]
fn it_sends_a_slow_body_in_pieces() {
    let sandbox = sandbox();
    let before = Instant::now();
    let answer = under(&sandbox, &json!({"fault": "slow_body", "chunk_bytes": 20, "every_ms": 30}));
    // 93 bytes are five pieces with four pauses.
    assert!(before.elapsed() >= Duration::from_millis(120));
    assert_eq!(answer.json()["data"]["account_id"], 12345);
}

#[test]
fn it_closes_a_kept_connection_right_after_the_answer() {
    let sandbox = sandbox();
    for bytes in [0, 3_000_000] {
        fault(&sandbox, &json!({"fault": "close_idle", "times": 1}));
        let mut connection = Connection::open(&sandbox).unwrap();
        connection.get(&pair(&sandbox), &format!("/v2.1/echo?bytes={bytes}")).unwrap();
        let answer = connection.answer().unwrap();
        assert_eq!((answer.status, answer.header("connection")), (200, None));
        assert_eq!(connection.rest(), (Vec::new(), End::Clean));
    }
}

#[test]
fn it_closes_a_kept_connection_some_time_after_the_answer() {
    let sandbox = sandbox();
    fault(&sandbox, &json!({"fault": "close_idle", "after_ms": 800, "times": 1}));
    let mut connection = Connection::open(&sandbox).unwrap();
    let before = Instant::now();
    connection.get(&pair(&sandbox), "/v2/account").unwrap();
    connection.answer().unwrap();
    connection.get(&pair(&sandbox), "/v2/account").unwrap();
    assert_eq!(connection.answer().unwrap().status, 200, "until then it serves on");
    assert_eq!(connection.rest(), (Vec::new(), End::Clean));
    assert!(before.elapsed() >= Duration::from_millis(800));
}

#[test]
fn it_strikes_any_pair_and_only_as_often_as_requested() {
    let sandbox = sandbox();
    fault(&sandbox, &json!({"fault": "answer", "status": 503, "times": 2, "skip": 1, "path": "/v2/account"}));
    assert_eq!(get(&sandbox, "nobody:nothing", "/v2.1/users").status, 401);
    let statuses = [(); 4].map(|()| get(&sandbox, "nobody:nothing", "/v2/account").status);
    assert_eq!(statuses, [401, 503, 503, 401]);
}
