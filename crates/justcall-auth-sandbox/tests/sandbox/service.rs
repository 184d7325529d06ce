//! The simulated service in both dialects.

use serde_json::{Value, json};

use crate::client::{Connection, get, measured, pair, pair_in, plain, sandbox};

const REFUSED: &str = r#"{"status":"error","message":"Invalid API key or secret."}"#;

#[test]
fn it_answers_for_the_account_as_the_help_article_shows() {
    let sandbox = sandbox();
    let answer = get(&sandbox, &pair(&sandbox), "/v2/account");
    let expected =
        r#"{"status":"success","data":{"account_id":12345,"email":"admin@yourcompany.com","plan":"Pro"}}"#;
    assert_eq!((answer.status, answer.text()), (200, expected));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert!(answer.header("date").is_some_and(|date| date.ends_with(" GMT")));
}

#[test]
fn it_refuses_every_spelling_but_the_raw_pair() {
    let sandbox = sandbox();
    let right = pair(&sandbox);
    let (key, secret) = right.split_once(':').unwrap();
    let mut wrong = vec![
        format!("Basic {right}"),
        format!("Bearer {right}"),
        format!("{right} "),
        format!("{right}\t"),
        format!("{key} :{secret}"),
        format!("{key}: {secret}"),
        format!("{secret}:{key}"),
        format!("{key}:"),
        format!(":{secret}"),
        key.to_owned(),
        String::new(),
        right.to_ascii_uppercase(),
    ];
    wrong.push("Basic YWJjMTIzZGVmNDU2OnNlYzc4OXh5ejAwMA==".to_owned());
    for value in wrong {
        let answer = get(&sandbox, &value, "/v2/account");
        assert_eq!((answer.status, answer.text()), (401, REFUSED), "{value:?}");
        assert_eq!(answer.header("x-ratelimit-limit"), None);
    }
    assert_eq!(get(&sandbox, &right, "/v2/account").status, 200, "the control: the pair itself is right");
}

#[test]
fn it_refuses_a_missing_or_doubled_authorization() {
    let sandbox = sandbox();
    let right = pair(&sandbox);
    let twice = [("Authorization", right.as_str()), ("Authorization", right.as_str())];
    for headers in [&[][..], &twice] {
        let mut connection = Connection::open(&sandbox).unwrap();
        connection.request("GET", "/v2/account", headers, b"").unwrap();
        assert_eq!(connection.answer().unwrap().text(), REFUSED);
    }
}

#[test]
fn it_lists_the_users_a_page_at_a_time_in_both_dialects() {
    for sandbox in [sandbox(), measured()] {
        let first = get(&sandbox, &pair(&sandbox), "/v2.1/users?per_page=1").json();
        assert_eq!((&first["status"], &first["count"]), (&json!("success"), &json!(1)));
        assert_eq!(first["data"][0]["email"], "admin@yourcompany.com");
        assert_eq!(first["data"][0]["role"], "Admin");
        let second = get(&sandbox, &pair(&sandbox), "/v2.1/users?per_page=1&page=1").json();
        assert_eq!(second["data"], json!([]));
        for wrong in ["per_page=0", "per_page=101", "per_page=x", "page=-1"] {
            assert_eq!(get(&sandbox, &pair(&sandbox), &format!("/v2.1/users?{wrong}")).status, 400);
        }
    }
}

#[test]
fn it_links_all_calls_page_by_page() {
    let sandbox = sandbox();
    let mut connection = Connection::open(&sandbox).unwrap();
    let mut ids = Vec::new();
    let mut next = Some("/v2.1/calls?per_page=25".to_owned());
    let mut sizes = Vec::new();
    while let Some(target) = next {
        connection.get(&pair(&sandbox), &target).unwrap();
        let page = connection.answer().unwrap().json();
        sizes.push(page["count"].as_u64().unwrap());
        ids.extend(page["data"].as_array().unwrap().iter().map(|call| call["id"].as_u64().unwrap()));
        next = page["next_page_link"]
            .as_str()
            .map(|link| link.strip_prefix(sandbox.url()).expect("the link leads here").to_owned());
    }
    assert_eq!(sizes, [25, 25, 7]);
    ids.dedup();
    assert_eq!(ids.len(), 57);
    assert_eq!(get(&sandbox, &pair(&sandbox), "/v2/calls").json()["count"], 20);
}

#[test]
fn it_echoes_a_request_without_the_pair() {
    let sandbox = plain();
    let right = pair(&sandbox);
    let mut connection = Connection::open(&sandbox).unwrap();
    let headers = [("X-One", "1"), ("authorization", right.as_str()), ("x-TWO", "2"), ("X-One", "again")];
    connection.request("PATCH", "/v2.1/echo/a%20b?x=1&y", &headers, b"\x00body\xff").unwrap();
    let answer = connection.answer().unwrap();
    let echo = answer.json();
    assert_eq!(echo["method"], "PATCH");
    assert_eq!((&echo["path"], &echo["query"]), (&json!("/v2.1/echo/a%20b"), &json!("x=1&y")));
    let expected = json!([
        ["Host", "localhost"],
        ["X-One", "1"],
        ["x-TWO", "2"],
        ["X-One", "again"],
        ["Content-Length", "6"]
    ]);
    assert_eq!(echo["headers"], expected);
    assert_eq!((&echo["body_base64"], &echo["body_bytes"]), (&json!("AGJvZHn/"), &json!(6)));
    assert!(!answer.text().contains(sandbox.api_secret()));
}

#[test]
fn it_echoes_large_bodies_both_ways_and_refuses_larger_ones() {
    let sandbox = sandbox();
    let right = pair(&sandbox);
    let mut connection = Connection::open(&sandbox).unwrap();
    let body = vec![b'b'; 8 * 1024 * 1024];
    let headers = [("Authorization", right.as_str())];
    connection.request("POST", "/v2.1/echo?bytes=5000000", &headers, &body).unwrap();
    let echo = connection.answer().unwrap().json();
    assert_eq!(echo["body_bytes"], body.len());
    assert_eq!(echo["filler"].as_str().unwrap().len(), 5_000_000);
    connection.get(&right, "/v2.1/echo?bytes=33554433").unwrap();
    assert_eq!(connection.answer().unwrap().status, 400);
    let announced = "POST /v2.1/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 33554433\r\n\r\n";
    connection.send(announced.as_bytes()).unwrap();
    assert_eq!(connection.answer().unwrap().status, 413);
}

#[test]
fn it_compresses_an_echo_only_for_a_client_that_takes_it() {
    let sandbox = sandbox();
    let right = pair(&sandbox);
    for (accepts, compressed) in
        [("gzip, br", true), ("br;q=1.0, gzip;q=0.5", true), ("gzip;q=0", false), ("br", false)]
    {
        let mut connection = Connection::open(&sandbox).unwrap();
        let headers = [("Authorization", right.as_str()), ("Accept-Encoding", accepts)];
        connection.request("GET", "/v2.1/echo?gzip=1&bytes=1000", &headers, b"").unwrap();
        let answer = connection.answer().unwrap();
        assert_eq!(answer.header("content-encoding"), compressed.then_some("gzip"), "{accepts}");
        assert_eq!(answer.body.starts_with(&[0x1f, 0x8b]), compressed, "{accepts}");
    }
}

#[test]
fn it_answers_404_where_there_is_nothing() {
    let sandbox = sandbox();
    let right = pair(&sandbox);
    for target in ["/", "/v2/accounts", "/v2/account/", "/control/x/requests", "/v2.1/echoes"] {
        let answer = get(&sandbox, &right, target);
        assert_eq!(
            (answer.status, answer.text()),
            (404, r#"{"status":"error","message":"Not found."}"#),
            "{target}"
        );
    }
    let mut connection = Connection::open(&sandbox).unwrap();
    connection.request("DELETE", "/v2/account", &[("Authorization", &right)], b"").unwrap();
    assert_eq!(connection.answer().unwrap().status, 404);
}

#[test]
fn it_speaks_the_measured_dialect() {
    let sandbox = measured();
    let missing = get(&sandbox, "nobody:nothing", "/v2/account");
    assert_eq!(missing.status, 404);
    assert_eq!(missing.header("content-type"), Some("application/json"));
    assert_eq!(get(&sandbox, &pair(&sandbox), "/v2/account").status, 404);
    let refused = get(&sandbox, "nobody:nothing", "/v2.1/users");
    assert_eq!((refused.status, refused.text()), (401, r#"{"status":"failed","message":"Unauthorized"}"#));
    assert!(refused.headers.iter().all(|(name, _)| !name.starts_with("x-rate")));
    let users = get(&sandbox, &pair(&sandbox), "/v2.1/users");
    assert_eq!((users.number("x-rate-limit-limit"), users.number("x-rate-limit-remaining")), (3600, 3599));
    assert_eq!(
        (users.number("x-rate-limit-burst-limit"), users.number("x-rate-limit-burst-remaining")),
        (60, 59)
    );
    assert!(users.number("x-rate-limit-reset") > 1_600_000_000);
    assert!(users.number("x-rate-limit-burst-reset") > 1_600_000_000);
    assert_eq!(users.header("x-ratelimit-limit"), None);
}

fn status_and_message(new: &Value, target: &str) -> (u16, String) {
    let sandbox = sandbox();
    let made = sandbox.control("POST", "pairs", new).unwrap();
    let answer = get(&sandbox, &pair_in(&made), target);
    (answer.status, answer.json()["message"].as_str().unwrap_or_default().to_owned())
}

#[test]
fn it_forbids_what_the_plan_role_address_or_addon_does_not_cover() {
    let plan = "Your account plan does not include API access.";
    let role = "This endpoint requires Admin-level credentials.";
    let address = "Your IP address is not allowed to use this API key.";
    let addon = "AI Review Assist add-on is required to access this endpoint.";
    for (new, target, expected) in [
        (json!({"plan": "Free"}), "/v2/account", Some(plan)),
        (json!({"api_access": false}), "/v2.1/calls", Some(plan)),
        (json!({"plan": "Free", "api_access": true}), "/v2/account", None),
        (json!({"role": "Agent"}), "/v2/account", Some(role)),
        (json!({"role": "Agent"}), "/v2.1/users", Some(role)),
        (json!({"role": "Agent"}), "/v2.1/calls", None),
        (json!({"role": "Owner"}), "/v2.1/users", None),
        (json!({"allowed_ips": ["203.0.113.7"]}), "/v2.1/calls", Some(address)),
        (json!({"allowed_ips": ["203.0.113.7", "127.0.0.1"]}), "/v2.1/calls", None),
        (json!({}), "/v2.1/meetings_ai", Some(addon)),
        (json!({"addons": ["meetings_ai"]}), "/v2.1/meetings_ai", None),
    ] {
        let (status, message) = status_and_message(&new, target);
        assert_eq!(status, if expected.is_some() { 403 } else { 200 }, "{new} {target}");
        assert_eq!(message, expected.unwrap_or_default(), "{new} {target}");
    }
}

#[test]
fn it_enforces_a_rate_limit_that_a_pair_was_made_with() {
    for sandbox in [sandbox(), measured()] {
        let limit = json!({"rate_limit": {"limit": 2, "window_s": 3600}});
        let limited = pair_in(&sandbox.control("POST", "pairs", &limit).unwrap());
        assert_eq!(get(&sandbox, &limited, "/v2.1/users").status, 200);
        assert_eq!(get(&sandbox, &limited, "/v2.1/users").status, 200);
        let answer = get(&sandbox, &limited, "/v2.1/users");
        assert_eq!(answer.status, 429);
        let body = answer.json();
        assert_eq!(body["error_code"], "RATE_LIMIT_EXCEEDED");
        let seconds: u64 =
            body["message"].as_str().unwrap().split(' ').rev().nth(1).unwrap().parse().unwrap();
        assert!((3590..=3600).contains(&seconds), "{body}");
        match answer.header("retry-after") {
            Some(value) => {
                assert_eq!(value, seconds.to_string());
                assert_eq!(
                    (answer.number("x-ratelimit-limit"), answer.number("x-ratelimit-remaining")),
                    (2, 0)
                );
            }
            None => assert_eq!(answer.number("x-rate-limit-remaining"), 0, "the measured dialect"),
        }
        assert_eq!(get(&sandbox, &pair(&sandbox), "/v2.1/users").status, 200, "others are not limited");
    }
}

#[test]
fn it_lets_requests_pass_again_when_the_window_has_ended() {
    let sandbox = plain();
    let limit = json!({"rate_limit": {"limit": 1, "window_s": 0.2}});
    let limited = pair_in(&sandbox.control("POST", "pairs", &limit).unwrap());
    let mut statuses = Vec::new();
    crate::client::eventually(|| {
        statuses.push(get(&sandbox, &limited, "/v2.1/calls").status);
        statuses.contains(&429) && statuses.last() == Some(&200)
    });
}

#[test]
fn it_keeps_a_connection_for_many_requests_and_answers_head_without_a_body() {
    let sandbox = sandbox();
    let right = pair(&sandbox);
    let mut connection = Connection::open(&sandbox).unwrap();
    connection.request("HEAD", "/v2/account", &[("Authorization", &right)], b"").unwrap();
    assert_eq!(connection.head().unwrap().number("content-length"), 93);
    for _ in 0..3 {
        connection.get(&right, "/v2/account").unwrap();
        assert_eq!(connection.answer().unwrap().status, 200);
    }
}
