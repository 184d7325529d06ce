//! The record of requests.

use justcall_auth_sandbox::Sandbox;
use serde_json::{Value, json};

use crate::client::{Connection, get, pair, pair_in, plain, sandbox};

fn recorded(sandbox: &Sandbox) -> Vec<Value> {
    sandbox.control("GET", "requests", &Value::Null).unwrap().as_array().unwrap().clone()
}

#[test]
fn it_records_the_head_as_it_came_with_the_pair_cut_out() {
    let sandbox = plain();
    let mut connection = Connection::open(&sandbox).unwrap();
    let head = format!(
        "POST /v2.1/echo?a=1 HTTP/1.1\r\nHOST: a\r\nauthorization:  {}\r\nX-Spaced: 1 \r\nContent-Length: 3\r\n\r\n",
        pair(&sandbox)
    );
    connection.send(format!("{head}abc").as_bytes()).unwrap();
    assert_eq!(connection.answer().unwrap().status, 200);
    let record = &recorded(&sandbox)[0];
    assert_eq!(record["raw_head"], head.replace(&pair(&sandbox), "<authorization>"));
    assert_eq!(record["header_names"], json!(["HOST", "authorization", "X-Spaced", "Content-Length"]));
    assert_eq!(
        (&record["method"], &record["path"], &record["query"], &record["body_bytes"], &record["status"]),
        (&json!("POST"), &json!("/v2.1/echo"), &json!("a=1"), &json!(3), &json!(200))
    );
    assert_eq!((&record["n"], &record["fault"]), (&json!(1), &Value::Null));
    assert!(record["t_ms"].is_u64());
}

#[test]
fn it_records_generations_and_never_the_pair() {
    let sandbox = sandbox();
    let old = pair(&sandbox);
    let new = pair_in(&sandbox.control("POST", "reset", &json!({})).unwrap());
    let (old_key, old_secret) = old.split_once(':').unwrap();
    let (new_key, new_secret) = new.split_once(':').unwrap();
    for authorization in [
        old.clone(),
        new.clone(),
        format!("{new_key}:{old_secret}"),
        format!("{old_key}:{new_secret}"),
        format!("Bearer {new}"),
        "nobody:nothing".to_owned(),
    ] {
        get(&sandbox, &authorization, "/v2.1/users");
    }
    let records = recorded(&sandbox);
    let generations: Vec<Value> = records
        .iter()
        .map(|record| json!([record["key_generation"], record["secret_generation"], record["status"]]))
        .collect();
    let expected =
        json!([[1, 1, 401], [2, 2, 200], [2, 1, 401], [1, 2, 401], [null, 2, 401], [null, null, 401]]);
    assert_eq!(json!(generations), expected);
    assert_eq!((&records[0]["account_id"], &records[5]["account_id"]), (&json!(12345), &Value::Null));
    let text = json!(records).to_string();
    for half in [old_key, old_secret, new_key, new_secret] {
        assert!(!text.contains(half));
    }
}

#[test]
fn it_would_show_a_secret_that_was_sent_elsewhere() {
    // The control of the test above: the record replaces the Authorization header, not every text like a secret.
    let sandbox = sandbox();
    get(&sandbox, &pair(&sandbox), &format!("/v2.1/users?key={}", sandbox.api_secret()));
    assert!(json!(recorded(&sandbox)).to_string().contains(sandbox.api_secret()));
}

#[test]
fn it_numbers_connections_so_that_reuse_shows() {
    let sandbox = sandbox();
    let mut kept = Connection::open(&sandbox).unwrap();
    for _ in 0..2 {
        kept.get(&pair(&sandbox), "/v2.1/users").unwrap();
        kept.answer().unwrap();
    }
    get(&sandbox, &pair(&sandbox), "/v2.1/users");
    let numbers: Vec<Value> = recorded(&sandbox).iter().map(|record| record["connection"].clone()).collect();
    assert_eq!(numbers, [1, 1, 2]);
}

#[test]
fn it_names_the_fault_that_struck() {
    let sandbox = sandbox();
    sandbox.control("POST", "faults", &json!({"fault": "answer", "status": 999, "times": 1})).unwrap();
    get(&sandbox, &pair(&sandbox), "/v2.1/users");
    get(&sandbox, &pair(&sandbox), "/v2.1/users");
    let seen: Vec<Value> =
        recorded(&sandbox).iter().map(|record| json!([record["fault"], record["status"]])).collect();
    assert_eq!(json!(seen), json!([["answer", 999], [null, 200]]));
}

#[test]
fn it_lists_only_newer_requests_and_clears_them_on_request() {
    let sandbox = sandbox();
    for _ in 0..3 {
        get(&sandbox, &pair(&sandbox), "/v2.1/users");
    }
    let since = sandbox.control("GET", "requests?since=2", &Value::Null).unwrap();
    assert_eq!((since.as_array().unwrap().len(), &since[0]["n"]), (1, &json!(3)));
    assert_eq!(sandbox.control("DELETE", "requests", &Value::Null).unwrap()["cleared"], 3);
    get(&sandbox, &pair(&sandbox), "/v2.1/users");
    assert_eq!(recorded(&sandbox)[0]["n"], 4, "numbers are never used again");
}

#[test]
fn it_follows_chunked_bodies_to_the_next_head() {
    let sandbox = plain();
    let right = pair(&sandbox);
    let mut connection = Connection::open(&sandbox).unwrap();
    for body in ["5\r\nhello\r\n0\r\n\r\n", "2\r\nhi\r\n1;x\r\n!\r\n0\r\nTrailer: t\r\n\r\n"] {
        let head = format!(
            "POST /v2.1/echo HTTP/1.1\r\nHost: a\r\nAuthorization: {right}\r\nTransfer-Encoding: chunked\r\n\r\n"
        );
        connection.send(format!("{head}{body}").as_bytes()).unwrap();
        assert_eq!(connection.answer().unwrap().status, 200);
    }
    connection.get(&right, "/v2/account").unwrap();
    assert_eq!(connection.answer().unwrap().status, 200);
    let sizes: Vec<Value> = recorded(&sandbox).iter().map(|record| record["body_bytes"].clone()).collect();
    assert_eq!(sizes, [5, 3, 0]);
}
