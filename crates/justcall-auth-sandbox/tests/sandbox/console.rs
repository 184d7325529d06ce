//! The console over HTTP: its files, its guards, its events and its control calls.

use std::io::Read as _;
use std::net::{SocketAddr, TcpListener};

use justcall_auth_sandbox::{Sandbox, SandboxConfig};
use serde_json::{Value, json};

use crate::client::{Answer, Connection, authority, eventually, get, pair, pair_in, path};
use crate::control::send;
use crate::webhooks::receiver;

fn with_console() -> Sandbox {
    let config = SandboxConfig { console: true, ..SandboxConfig::default() };
    Sandbox::start(config).expect("a sandbox on a free port starts")
}

fn console_url(sandbox: &Sandbox) -> &str {
    sandbox.console_url().expect("the configuration asks for a console")
}

/// What follows `console/..` in a browser: the path of a control call at the console.
fn target(sandbox: &Sandbox, call: &str) -> String {
    let page = path(console_url(sandbox));
    format!("{}{call}", page.strip_suffix("console/").expect("the page is there"))
}

fn open(sandbox: &Sandbox) -> Connection {
    Connection::open_url(console_url(sandbox), None).unwrap()
}

/// Sends a request to the console with these headers after a right Host.
fn call(sandbox: &Sandbox, method: &str, call: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let host = [("Host", authority(console_url(sandbox)))];
    send(open(sandbox), method, &target(sandbox, call), &[&host, headers].concat(), body)
}

/// The events of a console, from a connection that stays open.
struct Events(Connection);

impl Events {
    fn open(sandbox: &Sandbox, call: &str, headers: &str) -> Self {
        let mut connection = open(sandbox);
        let (target, host) = (target(sandbox, call), authority(console_url(sandbox)));
        connection
            .send(format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n").as_bytes())
            .unwrap();
        let head = connection.head().unwrap();
        assert_eq!((head.status, head.header("content-type")), (200, Some("text/event-stream")));
        Self(connection)
    }

    /// Reads the next event: its number and its data.
    fn next(&mut self) -> (u64, Value) {
        let mut text = String::new();
        while !text.ends_with("\n\n") {
            let size = usize::from_str_radix(&self.0.line().unwrap(), 16).unwrap();
            let mut chunk = vec![0; size + 2];
            self.0.read_exact(&mut chunk).unwrap();
            text.push_str(std::str::from_utf8(&chunk[..size]).unwrap());
        }
        let (id, data) = text.split_once('\n').unwrap();
        let data = data.strip_prefix("data: ").expect("an event has data");
        (id.strip_prefix("id: ").unwrap().parse().unwrap(), serde_json::from_str(data).unwrap())
    }

    /// Reads until an event has something; returns it.
    fn until(&mut self, holds: impl Fn(&Value) -> bool) -> Value {
        loop {
            let (_, data) = self.next();
            if holds(&data) {
                return data;
            }
        }
    }
}

#[test]
fn it_serves_the_page_without_tls_and_with_a_strict_policy() {
    let sandbox = with_console();
    for (file, content_type) in [
        ("console/", "text/html; charset=utf-8"),
        ("console/main.js", "text/javascript; charset=utf-8"),
        ("console/style.css", "text/css; charset=utf-8"),
        ("console/icon.svg", "image/svg+xml"),
        ("sandbox", "application/json"),
        ("console/none", "application/json"),
    ] {
        let answer = call(&sandbox, "GET", file, &[], "");
        assert_eq!(answer.header("content-type"), Some(content_type), "{file}");
        assert_eq!(answer.status, if file == "console/none" { 404 } else { 200 });
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"), "{policy}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{file}");
        }
        assert_eq!(answer.header("access-control-allow-origin"), None);
    }
    assert_eq!(call(&sandbox, "POST", "console/", &[], "").status, 405);
}

#[test]
fn it_is_not_there_unless_the_configuration_asks_for_it() {
    assert_eq!(crate::client::sandbox().console_url(), None);
}

#[test]
fn it_refuses_the_page_its_files_and_its_events_with_a_wrong_token() {
    let sandbox = with_console();
    let host = [("Host", authority(console_url(&sandbox)))];
    for file in ["console/", "console/main.js", "events", "reset", "sandbox"] {
        let good = target(&sandbox, file);
        let digit = if good.as_bytes()[12] == b'0' { "1" } else { "0" };
        let mut other = good.clone();
        other.replace_range(12..13, digit);
        for wrong in [other, format!("/{file}"), format!("/control//{file}")] {
            assert_eq!(send(open(&sandbox), "GET", &wrong, &host, "").status, 404, "{wrong}");
        }
    }
    assert_eq!(call(&sandbox, "GET", "console/main.js", &[], "").status, 200, "the control: the right token");
}

#[test]
fn it_refuses_another_site_and_a_rebound_name_even_with_the_token() {
    let sandbox = with_console();
    let host = authority(console_url(&sandbox));
    let port = host.rsplit(':').next().unwrap();
    let own = format!("http://{host}");
    let generation = || sandbox.control("GET", "accounts", &Value::Null).unwrap()[0]["generation"].clone();
    let rebound = format!("evil.example:{port}");
    let secure = format!("https://{host}");
    let wrong: &[&[(&str, &str)]] = &[
        &[("Host", &rebound)],
        &[("Host", &rebound), ("Origin", "http://evil.example"), ("Sec-Fetch-Site", "same-origin")],
        &[("Host", "127.0.0.1:1")],
        &[("Host", host), ("Origin", "null")],
        &[("Host", host), ("Origin", "http://127.0.0.1:1")],
        &[("Host", host), ("Origin", &secure)],
        &[("Host", host), ("Sec-Fetch-Site", "cross-site")],
        &[("Host", host), ("Sec-Fetch-Site", "same-site")],
        &[("Host", host), ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate")],
    ];
    for (method, call) in
        [("POST", "reset"), ("GET", "events"), ("GET", "accounts"), ("GET", "console/main.js")]
    {
        for headers in wrong {
            let answer = send(open(&sandbox), method, &target(&sandbox, call), headers, "");
            assert_eq!(answer.status, 403, "{method} {call} {headers:?}");
        }
    }
    assert_eq!(generation(), 1);
    for headers in [&[][..], &[("Origin", own.as_str()), ("Sec-Fetch-Site", "same-origin")]] {
        assert_eq!(call(&sandbox, "POST", "reset", headers, "").status, 200, "the control: {headers:?}");
    }
    assert_eq!(generation(), 3, "the control: such a call has an effect");
}

#[test]
fn it_lets_a_link_open_the_page_and_nothing_else() {
    let sandbox = with_console();
    let link =
        [("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document")];
    let frame =
        [("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "iframe")];
    assert_eq!(call(&sandbox, "GET", "console/", &link, "").status, 200);
    assert_eq!(call(&sandbox, "GET", "console/", &frame, "").status, 403);
    assert_eq!(call(&sandbox, "GET", "accounts", &link, "").status, 403);
    assert_eq!(call(&sandbox, "POST", "reset", &link, "").status, 403);
}

#[test]
fn it_streams_everything_first_and_then_what_changes() {
    let sandbox = with_console();
    get(&sandbox, &pair(&sandbox), "/v2/account");
    let mut events = Events::open(&sandbox, "events", "");
    let (_, first) = events.next();
    assert_eq!((&first["reset"], &first["requests"][0]["target"]), (&json!(true), &json!("/v2/account")));
    assert_eq!((&first["accounts"][0]["generation"], &first["faults"]), (&json!(1), &json!([])));
    assert_eq!(first["webhooks"], json!({"urls": [], "attempts": []}));

    let right = pair(&sandbox);
    get(&sandbox, &right, "/v2.1/calls?page=1");
    let next = events.until(|data| data["requests"][0]["status"] == 200);
    assert_eq!((&next["reset"], &next["requests"][0]["n"]), (&json!(false), &json!(2)));
    assert_eq!(
        (
            &next["requests"][0]["target"],
            &next["requests"][0]["key_generation"],
            &next["requests"][0]["peer"]
        ),
        (&json!("/v2.1/calls?page=1"), &json!(1), &json!("127.0.0.1"))
    );
    sandbox.control("POST", "faults", &json!({"fault": "hang"})).unwrap();
    let next = events.until(|data| data.get("faults").is_some());
    assert_eq!((&next["faults"][0]["fault"], &next["requests"]), (&json!("hang"), &json!([])));
    sandbox.control("DELETE", "requests", &Value::Null).unwrap();
    assert_eq!(events.until(|data| data["reset"] == true)["requests"], json!([]));
}

#[test]
fn it_goes_on_where_a_browser_left_and_serves_two_at_once() {
    let sandbox = with_console();
    let (last, _) = Events::open(&sandbox, "events", "").next();
    sandbox.control("POST", "faults", &json!({"fault": "hang"})).unwrap();
    let by_header = format!("Last-Event-ID: {last}\r\n");
    let by_query = format!("events?since={last}");
    let mut both =
        [Events::open(&sandbox, "events?since=0", &by_header), Events::open(&sandbox, &by_query, "")];
    for events in &mut both {
        let (_, missed) = events.next();
        assert_eq!((&missed["reset"], &missed["faults"][0]["fault"]), (&json!(false), &json!("hang")));
        assert!(missed.get("accounts").is_none(), "{missed}");
    }
    sandbox.control("DELETE", "faults", &Value::Null).unwrap();
    for events in &mut both {
        assert_eq!(events.until(|data| data.get("faults").is_some())["faults"], json!([]));
    }
    assert_eq!(call(&sandbox, "GET", "events?since=x", &[], "").status, 400);
}

#[test]
fn its_events_hold_no_secret_wherever_a_client_wrote_it() {
    let sandbox = with_console();
    let other = sandbox.control("POST", "pairs", &json!({"api_secret": "a secret/with signs"})).unwrap();
    let secret = sandbox.api_secret();
    let mut connection = Connection::open(&sandbox).unwrap();
    let target = format!("/v2.1/echo/{secret}?api_secret={secret}&other=a%20secret%2Fwith%20signs");
    let client = format!("app {secret}");
    let headers = [("Authorization", pair(&sandbox)), ("User-Agent", client)];
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    connection.request("GET", &target, &headers, b"").unwrap();
    assert_eq!(connection.answer().unwrap().status, 200);
    sandbox.control("POST", "reset", &json!({"overlap_ms": 1000})).unwrap();
    let (_, first) = Events::open(&sandbox, "events", "").next();
    assert_eq!(
        (&first["requests"][0]["target"], &first["requests"][0]["client"]),
        (&json!("/v2.1/echo/<secret>?api_secret=<secret>&other=<secret>"), &json!("app <secret>"))
    );
    let text = first.to_string();
    assert!(text.contains(sandbox.api_key()), "the control: the key is there");
    for secret in [secret, other["api_secret"].as_str().unwrap()] {
        assert!(!text.contains(secret), "{text}");
    }
}

#[test]
fn it_reveals_each_secret_once() {
    let sandbox = with_console();
    let reveal = || sandbox.control("POST", "accounts/12345/reveal", &Value::Null);
    assert_eq!(pair_in(&reveal().unwrap()), pair(&sandbox));
    assert_eq!(reveal().unwrap_err().status(), 409);
    sandbox.control("POST", "reset", &json!({})).unwrap();
    assert_eq!(reveal().unwrap_err().status(), 409, "the reset has returned it");
    assert_eq!(sandbox.control("POST", "accounts/7/reveal", &Value::Null).unwrap_err().status(), 404);
}

#[test]
fn it_changes_plan_role_addresses_and_rate_limit_of_a_pair_in_use() {
    let sandbox = with_console();
    let status = || get(&sandbox, &pair(&sandbox), "/v2/account").status;
    let change = |change: Value| sandbox.control("PATCH", "accounts/12345", &change);
    assert_eq!(status(), 200);
    for (wrong, right) in [
        (json!({"plan": "Free"}), json!({"plan": "Pro"})),
        (json!({"api_access": false}), json!({"api_access": null})),
        (json!({"role": "Agent"}), json!({"role": "Owner"})),
        (json!({"allowed_ips": ["127.0.0.9"]}), json!({"allowed_ips": []})),
    ] {
        change(wrong.clone()).unwrap();
        assert_eq!(status(), 403, "{wrong}");
        change(right).unwrap();
        assert_eq!(status(), 200, "the control: {wrong} undone");
    }
    change(json!({"rate_limit": {"limit": 1, "window_s": 3600}})).unwrap();
    assert_eq!((status(), status()), (200, 429));
    change(json!({"rate_limit": null})).unwrap();
    assert_eq!(status(), 200);
    for wrong in
        [json!({"rate_limit": {"limit": 0, "window_s": 1}}), json!({"api_key": "x"}), json!({"role": 1})]
    {
        assert_eq!(change(wrong.clone()).unwrap_err().status(), 400, "{wrong}");
    }
    for nowhere in ["accounts/7", "accounts/x"] {
        assert_eq!(sandbox.control("PATCH", nowhere, &json!({})).unwrap_err().status(), 404);
    }
}

fn register(sandbox: &Sandbox, to: SocketAddr) -> Result<Value, justcall_auth_sandbox::ControlError> {
    sandbox.control("POST", "webhooks/urls", &json!({"url": format!("http://{to}/hook")}))
}

fn webhooks(sandbox: &Sandbox) -> Value {
    sandbox.control("GET", "webhooks/deliveries", &Value::Null).unwrap()
}

#[test]
fn it_registers_a_url_whose_receiver_answers_the_probe() {
    let sandbox = with_console();
    let (to, arrivals) = receiver(&[500]);
    let refused = register(&sandbox, to).unwrap_err();
    assert_eq!((refused.status(), refused.message().contains("status 500")), (400, true), "{refused}");
    assert_eq!(arrivals.recv().unwrap().header("x-justcall-signature"), None);
    let registered = register(&sandbox, to).unwrap();
    assert_eq!(webhooks(&sandbox)["urls"], json!([registered]));
    assert_eq!(register(&sandbox, to).unwrap_err().status(), 409, "it is registered");
    let elsewhere = sandbox.control("POST", "webhooks/urls", &json!({"url": "http://192.0.2.1/"}));
    assert_eq!(elsewhere.unwrap_err().status(), 400);
    let remove = || sandbox.control("DELETE", &format!("webhooks/urls/{}", registered["id"]), &Value::Null);
    remove().unwrap();
    assert_eq!((remove().unwrap_err().status(), &webhooks(&sandbox)["urls"]), (404, &json!([])));
}

#[test]
fn it_records_each_attempt_with_its_signature_answer_and_retry() {
    let sandbox = with_console();
    let (to, _arrivals) = receiver(&[503]);
    let mut events = Events::open(&sandbox, "events", "");
    let order = json!({"url": format!("http://{to}/hook"), "retries": 5, "retry_scale": 0.001});
    let reported = sandbox.control("POST", "webhooks", &order).unwrap();
    let attempts = webhooks(&sandbox)["attempts"].as_array().unwrap().clone();
    assert_eq!(attempts.len(), 2);
    for (attempt, reported) in attempts.iter().zip(reported["deliveries"].as_array().unwrap()) {
        for member in ["signature", "timestamp", "status", "body", "attempt", "request_id"] {
            assert_eq!(attempt[member], reported[member], "{member}");
        }
    }
    assert_eq!((&attempts[0]["status"], &attempts[0]["retry_in_ms"]), (&json!(503), &json!(60)));
    assert_eq!((&attempts[1]["status"], &attempts[1]["retry_in_ms"]), (&json!(200), &Value::Null));
    let seen = events.until(|data| data["webhooks"]["attempts"][1]["status"] == 200);
    assert_eq!(seen["webhooks"]["attempts"], json!(attempts));
}

#[test]
fn it_goes_on_delivering_when_the_browser_leaves() {
    let sandbox = with_console();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = listener.local_addr().unwrap();
    let order =
        json!({"url": format!("http://{to}/hook"), "type": ["call.completed", "sms.sent"]}).to_string();
    let mut connection = open(&sandbox);
    let (target, host) = (target(&sandbox, "webhooks"), authority(console_url(&sandbox)));
    let head = format!("POST {target} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {}\r\n\r\n", order.len());
    connection.send(format!("{head}{order}").as_bytes()).unwrap();
    let (first, _) = listener.accept().unwrap();
    drop(connection);
    drop(first);
    let (second, _) = listener.accept().unwrap();
    drop(second);
    eventually(|| webhooks(&sandbox)["attempts"].as_array().unwrap().len() == 2);
}
