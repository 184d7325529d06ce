//! Effects before the whole request was read: early and informational answers, new TLS keys, requests that break off.

use justcall_auth_sandbox::Sandbox;
use serde_json::{Value, json};

use crate::client::{Connection, End, eventually, pair, plain, sandbox};
use crate::faults::fault;

const LENGTH: usize = 100_000;

fn recorded(sandbox: &Sandbox) -> Value {
    sandbox.control("GET", "requests", &Value::Null).unwrap()
}

fn head(sandbox: &Sandbox) -> String {
    format!(
        "POST /v2.1/echo HTTP/1.1\r\nHost: a\r\nX-Request-Id: r1\r\nAuthorization: {}\r\nContent-Length: {LENGTH}\r\n\r\n",
        pair(sandbox)
    )
}

/// Returns a connection on which the head and half of the body were sent.
fn half_sent(sandbox: &Sandbox) -> Connection {
    let mut connection = Connection::open(sandbox).unwrap();
    connection.send(head(sandbox).as_bytes()).unwrap();
    connection.send(&vec![b'x'; LENGTH / 2]).unwrap();
    connection
}

#[test]
fn it_answers_before_the_body_was_read_whole() {
    for sandbox in [sandbox(), plain()] {
        for (then, end) in [("close", End::Clean), ("reset", End::Reset)] {
            let early = json!({"after_bytes": LENGTH / 2, "then": then});
            fault(
                &sandbox,
                &json!({"fault": "answer", "status": 413, "early": early, "body": "no", "times": 1}),
            );
            let mut connection = half_sent(&sandbox);
            let answer = connection.answer().unwrap();
            assert_eq!((answer.status, answer.text()), (413, "no"));
            assert_eq!(connection.rest(), (Vec::new(), end));
        }
        let records = recorded(&sandbox);
        for record in [&records[0], &records[1]] {
            assert_eq!(
                (
                    &record["status"],
                    &record["request_id"],
                    &record["head_complete"],
                    &record["body_complete"]
                ),
                (&json!(413), &json!("r1"), &json!(true), &json!(false))
            );
            assert_eq!(record["body_bytes"], LENGTH / 2);
        }
    }
}

#[test]
fn it_reads_nothing_more_after_an_early_answer_that_hangs() {
    let sandbox = plain();
    fault(&sandbox, &json!({"fault": "answer", "status": 401, "early": {}}));
    let mut connection = half_sent(&sandbox);
    assert_eq!(connection.answer().unwrap().status, 401);
    let piece = vec![b'x'; 1 << 20];
    connection.tcp().set_write_timeout(Some(std::time::Duration::from_millis(200))).unwrap();
    let error = (0..64).find_map(|_| connection.send(&piece).err()).expect("nothing is read");
    assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
    let open = || sandbox.control("GET", "connections", &Value::Null).unwrap();
    let other = half_sent(&sandbox);
    eventually(|| open() == json!({"accepted": 2, "open": 2}));
    drop(other);
    eventually(|| open() == json!({"accepted": 2, "open": 1}));
}

#[test]
fn it_breaks_a_request_off_without_an_answer() {
    for sandbox in [sandbox(), plain()] {
        fault(
            &sandbox,
            &json!({"fault": "raw", "bytes": "", "early": {"after_bytes": LENGTH / 2, "then": "reset"}}),
        );
        assert_eq!(half_sent(&sandbox).rest(), (Vec::new(), End::Reset));
        assert_eq!(recorded(&sandbox)[0]["status"], Value::Null);
    }
}

#[test]
fn it_sends_an_interim_answer_in_the_middle_of_a_body_and_then_the_normal_one() {
    for sandbox in [sandbox(), plain()] {
        let interim =
            json!({"fault": "interim", "status": 103, "headers": {"Link": "</x>"}, "after_bytes": 1_000});
        fault(&sandbox, &interim);
        let mut connection = half_sent(&sandbox);
        let answer = connection.head().unwrap();
        assert_eq!((answer.status, answer.header("link")), (103, Some("</x>")));
        connection.send(&vec![b'x'; LENGTH - LENGTH / 2]).unwrap();
        let answer = connection.answer().unwrap();
        assert_eq!((answer.status, &answer.json()["body_bytes"]), (200, &json!(LENGTH)));
        let record = &recorded(&sandbox)[0];
        assert_eq!((&record["body_bytes"], &record["body_complete"]), (&json!(LENGTH), &json!(true)));
    }
}

#[test]
fn it_changes_its_tls_keys_in_the_middle_of_a_body() {
    let sandbox = sandbox();
    fault(&sandbox, &json!({"fault": "key_update", "after_bytes": 1_000}));
    let mut connection = Connection::open(&sandbox).unwrap();
    assert!(connection.is_silent(), "the session tickets are no data, and are out of the way now");
    assert_eq!(waiting(&connection), 0);
    connection.send(head(&sandbox).as_bytes()).unwrap();
    connection.send(&vec![b'x'; LENGTH / 2]).unwrap();
    eventually(|| waiting(&connection) > 0);
    assert!(connection.is_silent(), "what came is no data");
    connection.send(&vec![b'x'; LENGTH - LENGTH / 2]).unwrap();
    assert_eq!(connection.answer().unwrap().status, 200);
    let refused = plain().control("POST", "faults", &json!({"fault": "key_update"})).unwrap_err();
    assert_eq!(refused.status(), 400);
}

fn waiting(connection: &Connection) -> usize {
    connection.tcp().set_nonblocking(true).unwrap();
    let waiting = connection.tcp().peek(&mut [0; 64]).unwrap_or_default();
    connection.tcp().set_nonblocking(false).unwrap();
    waiting
}

#[test]
fn it_records_what_arrived_of_a_request_that_broke_off() {
    for sandbox in [sandbox(), plain()] {
        let head = head(&sandbox);
        let cut = head.find("Content-Length").unwrap() - 10;
        for sent in [0, 3, cut, head.len(), head.len() + 10] {
            let mut connection = Connection::open(&sandbox).unwrap();
            connection.send(&format!("{head}{}", "x".repeat(10)).as_bytes()[..sent]).unwrap();
        }
        let connections = || sandbox.control("GET", "connections", &Value::Null).unwrap();
        eventually(|| connections() == json!({"accepted": 5, "open": 0}));
        let records = recorded(&sandbox);
        let mut seen: Vec<String> = records
            .as_array()
            .unwrap()
            .iter()
            .map(|record| {
                assert_eq!(record["body_complete"], false);
                let shown = record["raw_head"].as_str().unwrap();
                assert!(
                    !shown.contains(sandbox.api_key()) && !shown.contains(&sandbox.api_secret()[..8]),
                    "{shown}"
                );
                format!(
                    "{} {} {} {}",
                    record["method"], record["path"], record["head_complete"], record["body_bytes"]
                )
            })
            .collect();
        seen.sort();
        let complete = "\"POST\" \"/v2.1/echo\"";
        assert_eq!(
            seen,
            [
                "\"POS\" \"\" false 0".to_owned(),
                format!("{complete} false 0"),
                format!("{complete} true 0"),
                format!("{complete} true 10")
            ]
        );
    }
}
