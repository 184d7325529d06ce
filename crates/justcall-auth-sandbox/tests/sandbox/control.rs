//! The control calls over HTTP with their guards, and in process with the same effect.

use justcall_auth_sandbox::Sandbox;
use serde_json::{Value, json};

use crate::client::{Answer, Connection, authority, get, pair, pair_in, path, plain, sandbox};

fn call(sandbox: &Sandbox, method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    send(Connection::open_control(sandbox).unwrap(), method, target, headers, body)
}

/// Makes a request with exactly these headers and a Content-Length.
pub fn send(
    mut connection: Connection,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Answer {
    let mut head = format!("{method} {target} HTTP/1.1\r\nContent-Length: {}\r\n", body.len());
    for (name, value) in headers {
        head.extend([name, ": ", value, "\r\n"]);
    }
    connection.send(format!("{head}\r\n{body}").as_bytes()).unwrap();
    connection.answer().unwrap()
}

fn control(sandbox: &Sandbox, method: &str, call_path: &str, body: &Value) -> Answer {
    let target = format!("{}{call_path}", path(sandbox.control_url()));
    let body = if body.is_null() { String::new() } else { body.to_string() };
    call(sandbox, method, &target, &[("Host", authority(sandbox.control_url()))], &body)
}

#[test]
fn it_makes_pairs_as_described() {
    let sandbox = sandbox();
    let new = json!({"plan": "Business", "role": "Owner", "email": "a@b.example", "account_id": 7});
    let made = control(&sandbox, "POST", "pairs", &new).json();
    let mut described = made.clone();
    for half in ["api_key", "api_secret"] {
        let value = described.as_object_mut().unwrap().remove(half).unwrap();
        assert_eq!(value.as_str().unwrap().len(), 40);
    }
    assert_eq!(described, new);
    let account = get(&sandbox, &pair_in(&made), "/v2/account").json();
    assert_eq!(account["data"], json!({"account_id": 7, "email": "a@b.example", "plan": "Business"}));
}

#[test]
fn it_takes_a_given_pair() {
    let sandbox = sandbox();
    let given = json!({"api_key": "abc123def456", "api_secret": "sec789:xyz000"});
    sandbox.control("POST", "pairs", &given).unwrap();
    assert_eq!(get(&sandbox, "abc123def456:sec789:xyz000", "/v2/account").status, 200);
    assert_eq!(sandbox.control("POST", "pairs", &given).unwrap_err().status(), 409);
}

#[test]
fn it_resets_the_first_account_unless_another_is_named() {
    let sandbox = sandbox();
    let other = sandbox.control("POST", "pairs", &Value::Null).unwrap();
    let reset = control(&sandbox, "POST", "reset", &Value::Null).json();
    assert_eq!((&reset["generation"], &reset["account_id"]), (&json!(2), &json!(12345)));
    assert_eq!(get(&sandbox, &pair(&sandbox), "/v2/account").status, 401, "dead at once");
    assert_eq!(get(&sandbox, &pair_in(&reset), "/v2/account").status, 200);
    assert_eq!(get(&sandbox, &pair_in(&other), "/v2/account").status, 200, "others stay");
    let by_key = json!({"api_key": other["api_key"], "new_api_key": "given", "new_api_secret": "too"});
    assert_eq!(sandbox.control("POST", "reset", &by_key).unwrap()["generation"], 2);
    assert_eq!(get(&sandbox, "given:too", "/v2/account").status, 200);
    let by_id = json!({"account_id": other["account_id"]});
    assert_eq!(sandbox.control("POST", "reset", &by_id).unwrap()["generation"], 3);
    let stale = json!({"api_key": sandbox.api_key()});
    assert_eq!(sandbox.control("POST", "reset", &stale).unwrap_err().status(), 404, "not a current key");
}

#[test]
fn it_keeps_the_old_pair_alive_for_an_overlap() {
    let sandbox = sandbox();
    let status = |pair: &str| get(&sandbox, pair, "/v2/account").status;
    let old = pair(&sandbox);
    let reset = control(&sandbox, "POST", "reset", &json!({"overlap_ms": 3_600_000})).json();
    assert_eq!((status(&old), status(&pair_in(&reset))), (200, 200));
    let call = format!("pairs/{}/revoke", sandbox.api_key());
    let revoked = control(&sandbox, "POST", &call, &Value::Null).json();
    assert_eq!(revoked, json!({"generation": 1, "account_id": 12345}), "it ends with the overlap");
    assert_eq!((status(&old), status(&pair_in(&reset))), (401, 200));
    let next = control(&sandbox, "POST", "reset", &json!({"overlap_ms": 1})).json();
    crate::client::eventually(|| status(&pair_in(&reset)) == 401);
    assert_eq!(status(&pair_in(&next)), 200);
}

#[test]
fn it_revokes_a_pair_until_the_account_is_reset() {
    let sandbox = sandbox();
    let call = format!("pairs/{}/revoke", sandbox.api_key());
    assert_eq!(control(&sandbox, "POST", &call, &Value::Null).status, 200);
    assert_eq!(get(&sandbox, &pair(&sandbox), "/v2/account").status, 401);
    let reset = sandbox.control("POST", "reset", &json!({"api_key": sandbox.api_key()})).unwrap();
    assert_eq!(get(&sandbox, &pair_in(&reset), "/v2/account").status, 200);
    assert_eq!(control(&sandbox, "POST", "pairs/nobody/revoke", &Value::Null).status, 404);
}

#[test]
fn it_puts_faults_in_force_lists_and_ends_them() {
    let sandbox = sandbox();
    let status = || get(&sandbox, &pair(&sandbox), "/v2/account").status;
    let fault = json!({"fault": "answer", "status": 503});
    let id = control(&sandbox, "POST", "faults", &fault).json()["id"].as_u64().unwrap();
    assert_eq!(status(), 503);
    let listed = control(&sandbox, "GET", "faults", &Value::Null).json();
    assert_eq!(listed, json!([{"id": id, "fault": "answer", "struck": 1, "skip": 0, "times": null}]));
    assert_eq!(control(&sandbox, "DELETE", &format!("faults/{id}"), &Value::Null).status, 200);
    assert_eq!(control(&sandbox, "DELETE", &format!("faults/{id}"), &Value::Null).status, 404);
    assert_eq!(status(), 200);
    control(&sandbox, "POST", "faults", &fault);
    assert_eq!(control(&sandbox, "DELETE", "faults", &Value::Null).json()["cleared"], 1);
    assert_eq!(status(), 200);
    control(&sandbox, "POST", "faults", &fault);
    let cleared = control(&sandbox, "POST", "clear", &Value::Null).json();
    assert_eq!(cleared, json!({"cleared_faults": 1, "cleared_requests": 3, "cleared_accounts": 0}));
    assert_eq!(status(), 200);
}

#[test]
fn it_makes_the_rate_limit_of_the_first_account_whole_again_on_request() {
    let sandbox = sandbox();
    let status = || get(&sandbox, &pair(&sandbox), "/v2/account").status;
    let id = control(&sandbox, "GET", "accounts", &Value::Null).json()[0]["account_id"].clone();
    let limit = json!({"rate_limit": {"limit": 1, "window_s": 3600}});
    assert_eq!(control(&sandbox, "PATCH", &format!("accounts/{id}"), &limit).status, 200);
    assert_eq!([status(), status()], [200, 429]);
    control(&sandbox, "POST", "clear", &Value::Null);
    assert_eq!([status(), status()], [200, 429]);
}

#[test]
fn it_does_the_same_in_process_and_over_http() {
    let sandbox = sandbox();
    get(&sandbox, &pair(&sandbox), "/v2/account");
    let over_http = control(&sandbox, "GET", "requests?since=0", &Value::Null).json();
    assert_eq!(over_http, sandbox.control("GET", "requests?since=0", &Value::Null).unwrap());
    let error = sandbox.control("POST", "faults", &json!({"fault": "nonsense"})).unwrap_err();
    let answer = control(&sandbox, "POST", "faults", &json!({"fault": "nonsense"}));
    assert_eq!((answer.status, &answer.json()["message"]), (error.status(), &json!(error.message())));
}

#[test]
fn it_refuses_a_control_call_with_a_wrong_token() {
    let sandbox = sandbox();
    let host = [("Host", authority(sandbox.control_url()))];
    let good = path(sandbox.control_url());
    let mut other = good.to_owned();
    let digit = other.as_bytes()[12];
    other.replace_range(12..13, if digit == b'0' { "1" } else { "0" });
    for target in [&other, "/control//", "/control/", "/", "/requests", &good[..good.len() - 1], &good[..20]]
    {
        let answer = call(&sandbox, "GET", &format!("{target}requests"), &host, "");
        assert_eq!(answer.status, 404, "{target}");
    }
    assert_eq!(call(&sandbox, "GET", &format!("{good}requests"), &host, "").status, 200);
}

#[test]
fn it_refuses_pages_of_a_browser() {
    for sandbox in [sandbox(), plain()] {
        let host = authority(sandbox.control_url());
        let port = host.rsplit(':').next().unwrap();
        let scheme = sandbox.url().split(':').next().unwrap();
        let target = format!("{}requests", path(sandbox.control_url()));
        let status = |headers: &[(&str, &str)]| call(&sandbox, "GET", &target, headers, "").status;
        for name in ["localhost", "127.0.0.1", "[::1]", "LocalHost"] {
            assert_eq!(status(&[("Host", &format!("{name}:{port}"))]), 200, "{name}");
        }
        for wrong in ["localhost", "evil.example", &format!("evil.example:{port}"), "127.0.0.1:1", ""] {
            assert_eq!(status(&[("Host", wrong)]), 403, "{wrong}");
        }
        assert_eq!(status(&[]), 403);
        assert_eq!(status(&[("Host", host), ("Origin", &format!("{scheme}://{host}"))]), 200);
        for wrong in [
            "null",
            "https://evil.example",
            &format!("ftp://{host}"),
            &format!("https://{host}.evil.example"),
        ] {
            assert_eq!(status(&[("Host", host), ("Origin", wrong)]), 403, "{wrong}");
        }
    }
}

#[test]
fn it_answers_404_to_unknown_calls_and_400_to_unknown_members() {
    let sandbox = sandbox();
    for (method, target) in
        [("PUT", "webhooks"), ("GET", "pairs"), ("PUT", "reset"), ("GET", ""), ("POST", "pairs/x/y/revoke")]
    {
        let answer = control(&sandbox, method, target, &Value::Null);
        assert_eq!((answer.status, &answer.json()["status"]), (404, &json!("error")), "{method} {target}");
    }
    for (target, body) in [
        ("pairs", json!({"plam": "Pro"})),
        ("pairs", json!({"allowed_ips": ["nowhere"]})),
        ("pairs", json!({"rate_limit": {"limit": 0, "window_s": 1}})),
        ("pairs", json!({"api_key": ""})),
        ("pairs", json!({"api_key": "a:b"})),
        ("pairs", json!([])),
        ("reset", json!({"key": "x"})),
        ("reset", json!({"overlap_ms": -1})),
        ("faults", json!({"fault": "interim", "status": 200})),
        ("faults", json!({"fault": "answer", "status": 413, "early": {"than": "reset"}})),
        ("faults", json!({"fault": "hang", "path": 3})),
        ("faults", json!({"fault": "tls", "certificate": "expired", "method": "GET"})),
    ] {
        assert_eq!(control(&sandbox, "POST", target, &body).status, 400, "{target} {body}");
    }
    let host = [("Host", authority(sandbox.control_url()))];
    let target = format!("{}pairs", path(sandbox.control_url()));
    assert_eq!(call(&sandbox, "POST", &target, &host, "{").status, 400);
    assert_eq!(sandbox.control("GET", "requests?sinse=1", &Value::Null).unwrap_err().status(), 400);
}

#[test]
fn it_is_never_struck_by_a_fault_nor_on_record() {
    let sandbox = sandbox();
    for fault in ["hang", "reset_after_request", "hang_handshake", "reset_before_request"] {
        control(&sandbox, "POST", "faults", &json!({"fault": fault}));
    }
    assert_eq!(control(&sandbox, "GET", "requests", &Value::Null).json(), json!([]));
    assert_eq!(control(&sandbox, "DELETE", "faults", &Value::Null).json()["cleared"], 4);
}
