//! Webhooks as a receiver gets them: a server that keeps the requests and answers with given statuses.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use justcall_auth_sandbox::Sandbox;
use serde_json::{Value, json};

use crate::client::{Connection, authority, get, pair, path, plain, sandbox};

/// A request as it arrived.
pub struct Came {
    head: String,
    body: Vec<u8>,
}

impl Came {
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(candidate, _)| candidate.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("the body is JSON")
    }
}

/// Starts a server that answers each connection with the next of these statuses, then with 200.
pub fn receiver(statuses: &'static [u16]) -> (SocketAddr, Receiver<Came>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (came, arrivals) = channel();
    thread::spawn(move || {
        let mut statuses = statuses.iter().copied();
        for tcp in listener.incoming() {
            let mut tcp = tcp.unwrap();
            let status = statuses.next().unwrap_or(200);
            let request = read(&mut tcp);
            let answer = format!("HTTP/1.1 {status} X\r\nX-Seen: yes\r\nContent-Length: 2\r\n\r\nhi");
            tcp.write_all(answer.as_bytes()).unwrap();
            if came.send(request).is_err() {
                return;
            }
        }
    });
    (address, arrivals)
}

fn read(tcp: &mut TcpStream) -> Came {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        more(tcp, &mut bytes);
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut came = Came { head, body: Vec::new() };
    if let Some(length) = came.header("content-length").map(|length| length.parse::<usize>().unwrap()) {
        while bytes.len() < end + length {
            more(tcp, &mut bytes);
        }
        came.body = bytes[end..].to_vec();
        return came;
    }
    assert_eq!(came.header("transfer-encoding"), Some("chunked"));
    while !bytes.ends_with(b"\r\n0\r\n\r\n") {
        more(tcp, &mut bytes);
    }
    let mut rest = &bytes[end..];
    loop {
        let line = rest.windows(2).position(|window| window == b"\r\n").unwrap();
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..line]).unwrap(), 16).unwrap();
        if size == 0 {
            return came;
        }
        came.body.extend_from_slice(&rest[line + 2..line + 2 + size]);
        rest = &rest[line + 2 + size + 2..];
    }
}

fn more(tcp: &mut TcpStream, bytes: &mut Vec<u8>) {
    let mut buffer = [0; 4096];
    let read = tcp.read(&mut buffer).unwrap();
    assert!(read > 0, "the request broke off");
    bytes.extend_from_slice(&buffer[..read]);
}

/// Orders deliveries to an address.
fn deliver(sandbox: &Sandbox, to: SocketAddr, members: &Value) -> Vec<Value> {
    let mut order = json!({"url": format!("http://{to}/hook?a=1")});
    order.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    let answer = sandbox.control("POST", "webhooks", &order).unwrap();
    answer["deliveries"].as_array().unwrap().clone()
}

fn column<'a>(deliveries: &'a [Value], name: &str) -> Vec<&'a Value> {
    deliveries.iter().map(|delivery| &delivery[name]).collect()
}

#[test]
fn it_delivers_the_documented_request() {
    let sandbox = sandbox();
    let (to, arrivals) = receiver(&[]);
    let deliveries = deliver(&sandbox, to, &json!({}));
    let came = arrivals.recv().unwrap();
    assert!(came.head.starts_with("POST /hook?a=1 HTTP/1.1\r\n"), "{}", came.head);
    assert_eq!(came.header("host"), Some(to.to_string().as_str()));
    assert_eq!(came.header("content-type"), Some("application/json"));
    assert_eq!(came.header("x-justcall-signature-version"), Some("v1"));
    let timestamp = came.header("x-justcall-request-timestamp").unwrap();
    let signature = came.header("x-justcall-signature").unwrap();
    assert_eq!((timestamp.len(), signature.len()), (19, 64));
    let body = came.json();
    let members: Vec<&String> = body.as_object().unwrap().keys().collect();
    assert_eq!(members.len(), 5, "{members:?}");
    assert_eq!(
        (&body["type"], &body["webhook_url"]),
        (&json!("call.completed"), &json!(format!("http://{to}/hook?a=1")))
    );
    assert_eq!(body["request_id"].as_str().unwrap().len(), 26);
    assert_eq!(body["url_id"].as_str().unwrap().len(), 24);
    assert!(body["data"]["call_sid"].is_string());
    let reported = &deliveries[0];
    assert_eq!(deliveries.len(), 1);
    assert_eq!(
        (&reported["status"], &reported["body"], &reported["headers"]["x-seen"]),
        (&json!(200), &json!("hi"), &json!("yes"))
    );
    assert_eq!((&reported["timestamp"], &reported["signature"]), (&json!(timestamp), &json!(signature)));
    assert_eq!((&reported["request_id"], &reported["error"]), (&body["request_id"], &Value::Null));
}

#[test]
fn it_signs_the_documentations_example_as_published() {
    let sandbox = sandbox();
    let secret = "ea39089c40790e9dc7a080ec95e849b8fa0fa5fb";
    let made = sandbox.control("POST", "pairs", &json!({"api_secret": secret})).unwrap();
    let (to, arrivals) = receiver(&[]);
    let order = json!({
        "account_id": made["account_id"],
        "webhook_url": "https://webhook.site/3bcea770-370a-4b09-8b66-426f687e08a4",
        "timestamp": "2024-03-21 17:08:22",
    });
    deliver(&sandbox, to, &order);
    assert_eq!(
        arrivals.recv().unwrap().header("x-justcall-signature"),
        Some("56761bae5b27a784a3ddd2af828bc5def7176bc0a8650199b04c737bd39bbecf")
    );
}

#[test]
fn it_delivers_every_event_that_it_lists() {
    let sandbox = sandbox();
    let (to, arrivals) = receiver(&[]);
    let known = sandbox.control("GET", "webhooks", &Value::Null).unwrap();
    let types: Vec<&Value> = known.as_array().unwrap().iter().map(|event| &event["type"]).collect();
    let official = known.as_array().unwrap().iter().filter(|event| event["sure"] == "official").count();
    assert_eq!((types.len(), official), (26, 23));
    let deliveries = deliver(&sandbox, to, &json!({"type": types}));
    assert_eq!(column(&deliveries, "type"), types);
    for name in types {
        let body = arrivals.recv().unwrap().json();
        assert_eq!(&body["type"], name);
        assert!(body["data"]["contact_number"].is_string(), "{body}");
    }
    deliver(&sandbox, to, &json!({"type": "call.not_known_yet", "data": [1]}));
    let body = arrivals.recv().unwrap().json();
    assert_eq!((&body["type"], &body["data"]), (&json!("call.not_known_yet"), &json!([1])));
}

#[test]
fn it_has_the_objects_that_its_events_are_about() {
    let sandbox = sandbox();
    let (to, arrivals) = receiver(&[]);
    for (name, objects, member) in [
        ("call.completed", "calls", "id"),
        ("jc.call_ai_generated", "calls", "id"),
        ("sd.call_completed", "sales_dialer/calls", "call_id"),
        ("sms.received", "texts", "id"),
        ("jc.contact_status_updated", "contacts", "id"),
    ] {
        deliver(&sandbox, to, &json!({"type": name}));
        let id = arrivals.recv().unwrap().json()["data"][member].clone();
        let answer = get(&sandbox, &pair(&sandbox), &format!("/v2.1/{objects}/{id}"));
        assert_eq!((answer.status, &answer.json()["data"][member]), (200, &id), "{name}");
        assert_eq!(get(&sandbox, &pair(&sandbox), &format!("/v2.1/{objects}/7")).status, 404);
    }
}

#[test]
fn it_probes_without_a_signature() {
    let sandbox = sandbox();
    let (to, arrivals) = receiver(&[]);
    let deliveries = deliver(&sandbox, to, &json!({"probe": true}));
    let came = arrivals.recv().unwrap();
    assert!(!came.head.to_ascii_lowercase().contains("x-justcall"), "{}", came.head);
    assert_eq!((&deliveries[0]["signature"], &deliveries[0]["timestamp"]), (&Value::Null, &Value::Null));
}

#[test]
fn it_signs_with_the_old_secret_what_was_in_flight_at_a_reset() {
    let sandbox = sandbox();
    let (to, arrivals) = receiver(&[]);
    let signature = |generation: Value| {
        let order = json!({"timestamp": "0", "generation": generation});
        deliver(&sandbox, to, &order);
        arrivals.recv().unwrap().header("x-justcall-signature").unwrap().to_owned()
    };
    let old = signature(Value::Null);
    sandbox.control("POST", "reset", &json!({})).unwrap();
    let new = signature(Value::Null);
    assert_ne!(old, new);
    assert_eq!([signature(json!(1)), signature(json!(2))], [old, new]);
    for generation in [0, 3] {
        let order = json!({"url": format!("http://{to}/"), "generation": generation});
        assert_eq!(sandbox.control("POST", "webhooks", &order).unwrap_err().status(), 404);
    }
}

#[test]
fn it_tries_again_until_the_answer_is_200() {
    let sandbox = sandbox();
    let (to, arrivals) = receiver(&[500, 204, 302]);
    let deliveries = deliver(&sandbox, to, &json!({"retries": 5}));
    assert_eq!(column(&deliveries, "status"), [&json!(500), &json!(204), &json!(302), &json!(200)]);
    assert_eq!(column(&deliveries, "attempt"), [&json!(1), &json!(2), &json!(3), &json!(4)]);
    let first = arrivals.recv().unwrap();
    for _ in 0..3 {
        let again = arrivals.recv().unwrap();
        assert_eq!((&again.head, &again.body), (&first.head, &first.body));
    }
    let (to, _arrivals) = receiver(&[500; 9]);
    assert_eq!(deliver(&sandbox, to, &json!({"retries": 2})).len(), 3, "then it gives up");
    assert_eq!(deliver(&sandbox, to, &json!({})).len(), 1, "by default it does not try again");
}

#[test]
fn it_waits_between_attempts_as_the_service_does_but_scaled() {
    let sandbox = sandbox();
    let (to, _arrivals) = receiver(&[500, 500]);
    let begun = std::time::Instant::now();
    // A thousandth of one minute and of five.
    deliver(&sandbox, to, &json!({"retries": 2, "retry_scale": 0.001}));
    assert!(begun.elapsed() >= Duration::from_millis(360));
}

#[test]
fn it_signs_each_attempt_for_its_own_time_on_request() {
    let sandbox = sandbox();
    let (to, arrivals) = receiver(&[500]);
    let order = json!({"retries": 1, "retry_signed_anew": true, "timestamp_form": "epoch_ms", "age_s": 100});
    let deliveries = deliver(&sandbox, to, &order);
    let time = |delivery: &Value| delivery["timestamp"].as_str().unwrap().parse::<u64>().unwrap();
    assert!(time(&deliveries[1]) >= time(&deliveries[0]) + 100_000);
    let (first, second) = (arrivals.recv().unwrap(), arrivals.recv().unwrap());
    assert_eq!(first.body, second.body);
    assert_ne!(first.header("x-justcall-signature"), second.header("x-justcall-signature"));
}

#[test]
fn it_delivers_duplicates_that_are_the_same_to_the_byte() {
    let sandbox = sandbox();
    let (to, arrivals) = receiver(&[]);
    let deliveries =
        deliver(&sandbox, to, &json!({"type": ["call.initiated", "call.completed"], "duplicates": 2}));
    assert_eq!(
        column(&deliveries, "copy"),
        [0, 1, 2, 0, 1, 2].map(|copy| json!(copy)).iter().collect::<Vec<_>>()
    );
    let all: Vec<Came> = arrivals.iter().take(6).collect();
    let different: BTreeSet<(&String, &Vec<u8>)> = all.iter().map(|came| (&came.head, &came.body)).collect();
    assert_eq!(different.len(), 2);
}

#[test]
fn it_delivers_a_sequence_in_any_order() {
    let sandbox = sandbox();
    let (to, _arrivals) = receiver(&[]);
    let events = |sequence: &str| {
        let types = ["call.initiated", "call.answered", "call.completed"];
        deliver(&sandbox, to, &json!({"type": types, "sequence": sequence, "timestamp_form": "epoch_s"}))
    };
    let in_order = events("in_order");
    assert_eq!(column(&in_order, "event"), [&json!(0), &json!(1), &json!(2)]);
    let times: Vec<u64> =
        column(&in_order, "timestamp").iter().map(|time| time.as_str().unwrap().parse().unwrap()).collect();
    assert!(times[0] < times[1] && times[1] < times[2], "{times:?}");
    assert_eq!(column(&events("reversed"), "event"), [&json!(2), &json!(1), &json!(0)]);
    let orders: BTreeSet<String> =
        (0..100).map(|_| format!("{:?}", column(&events("shuffled"), "event"))).collect();
    assert!(orders.len() > 1, "a hundred times the same order");
}

#[test]
fn it_writes_the_time_of_the_event_in_every_form() {
    let sandbox = sandbox();
    let (to, arrivals) = receiver(&[]);
    let timestamp = |members: Value| {
        deliver(&sandbox, to, &members);
        arrivals.recv().unwrap().header("x-justcall-request-timestamp").unwrap().to_owned()
    };
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let before = now();
    let seconds: u64 = timestamp(json!({"timestamp_form": "epoch_s", "age_s": 601})).parse().unwrap();
    assert!((before..=now()).contains(&(seconds + 601)));
    let millis: u64 = timestamp(json!({"timestamp_form": "epoch_ms", "age_s": -60})).parse().unwrap();
    assert!((before..=now()).contains(&(millis / 1000 - 60)));
    let text = timestamp(json!({"age_s": 86400}));
    assert_eq!((text.len(), &text[10..11]), (19, " "));
    assert_eq!(timestamp(json!({"timestamp": "yesterday, 'tea time'"})), "yesterday, 'tea time'");
}

#[test]
fn it_encodes_the_signed_url_as_requested() {
    let sandbox = sandbox();
    let (to, arrivals) = receiver(&[]);
    let signature = |encoding: &str, url: &str| {
        let order = json!({"encoding": encoding, "webhook_url": url, "timestamp": "0"});
        deliver(&sandbox, to, &order);
        arrivals.recv().unwrap().header("x-justcall-signature").unwrap().to_owned()
    };
    let plain = "https://a.example/hook";
    assert_eq!(signature("javascript", plain), signature("python", plain));
    let starred = "https://a.example/(hook)";
    assert_ne!(signature("javascript", starred), signature("python", starred));
}

#[test]
fn it_sends_the_requested_headers_and_bodies() {
    let sandbox = sandbox();
    let (to, arrivals) = receiver(&[]);
    let headers = json!({"X-JustCall-Signature": "0", "x-justcall-signature-version": null, "X-Other": "1"});
    deliver(&sandbox, to, &json!({"headers": headers, "body": "{\"type\":"}));
    let came = arrivals.recv().unwrap();
    assert_eq!(came.header("x-justcall-signature"), Some("0"));
    assert_eq!(came.header("x-justcall-signature-version"), None);
    assert_eq!(came.header("x-other"), Some("1"));
    assert_eq!(came.body, b"{\"type\":");
    let long = "x".repeat(5000);
    deliver(&sandbox, to, &json!({"chunked": true, "body": long}));
    let came = arrivals.recv().unwrap();
    assert_eq!((came.header("content-length"), came.body.len()), (None, 5000));
}

#[test]
fn it_delivers_to_this_machine_and_no_other() {
    let sandbox = sandbox();
    for url in [
        "http://192.0.2.1/hook",
        "http://example.com/",
        "http://127.0.0.1.example.com/",
        "http://localhost.example.com/",
        "http://127.0.0.1@example.com/",
        "http://user@127.0.0.1:1/",
        "http://0.0.0.0:1/",
        "http://[::]:1/",
        "http://[fe80::1]/",
        "https://127.0.0.1:1/",
        "ftp://127.0.0.1/",
        "/hook",
        "127.0.0.1:80",
        "",
        "http://",
    ] {
        let error = sandbox.control("POST", "webhooks", &json!({"url": url})).unwrap_err();
        assert_eq!(error.status(), 400, "{url}");
        assert!(error.message().contains("this machine only"), "{url}: {}", error.message());
    }
    let (to, arrivals) = receiver(&[]);
    for host in [to.to_string(), format!("localhost:{}", to.port()), format!("LOCALHOST:{}", to.port())] {
        sandbox.control("POST", "webhooks", &json!({"url": format!("http://{host}")})).unwrap();
        let came = arrivals.recv().unwrap();
        assert!(came.head.starts_with("POST / HTTP/1.1\r\n"), "{}", came.head);
    }
}

#[test]
fn it_refuses_an_order_that_cannot_be_delivered() {
    let sandbox = sandbox();
    for wrong in [
        json!({}),
        json!({"retries": 6}),
        json!({"retry_scale": 1.5}),
        json!({"retry_scale": -0.1}),
        json!({"duplicates": 1001}),
        json!({"type": []}),
        json!({"type": 3}),
        json!({"age_s": i64::MIN + 1}),
        json!({"age_s": 4_000_000_000_i64}),
        json!({"timestamp": "a\nb"}),
        json!({"headers": {"a b": "1"}}),
        json!({"headers": {"a": "1\r\n"}}),
        json!({"encoding": "rot13"}),
        json!({"sequence": "backwards"}),
        json!({"weather": "fine"}),
    ] {
        let mut order = wrong.clone();
        if wrong != json!({}) {
            order["url"] = json!("http://127.0.0.1:1/");
        }
        assert_eq!(sandbox.control("POST", "webhooks", &order).unwrap_err().status(), 400, "{wrong}");
    }
    let order = json!({"url": "http://127.0.0.1:1/", "account_id": 1});
    assert_eq!(sandbox.control("POST", "webhooks", &order).unwrap_err().status(), 404);
}

#[test]
fn it_reports_why_there_was_no_answer() {
    let sandbox = sandbox();
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = free.local_addr().unwrap();
    // The listener accepts nothing, so the connection is made and no answer arrives.
    let deliveries = deliver(&sandbox, to, &json!({"timeout_ms": 50, "retries": 1}));
    assert_eq!(column(&deliveries, "status"), [&Value::Null, &Value::Null]);
    assert_eq!(deliveries[1]["error"], "no answer within 50 ms");
    drop(free);
    let error = deliver(&sandbox, to, &json!({}))[0]["error"].as_str().unwrap().to_owned();
    assert!(error.starts_with("no connection: "), "{error}");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = listener.local_addr().unwrap();
    thread::spawn(move || drop(listener.accept()));
    let error = deliver(&sandbox, to, &json!({}))[0]["error"].as_str().unwrap().to_owned();
    assert!(error.starts_with("no answer: "), "{error}");
}

#[test]
fn it_delivers_over_http_too_and_goes_on_serving_meanwhile() {
    for sandbox in [sandbox(), plain()] {
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let order = json!({"url": format!("http://{}/", silent.local_addr().unwrap()), "timeout_ms": 20_000});
        let call = |method: &str, name: &str, body: &str| {
            let mut connection = Connection::open_control(&sandbox).unwrap();
            let (target, host) = (path(sandbox.control_url()), authority(sandbox.control_url()));
            let head = format!(
                "{method} {target}{name} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            connection.send(format!("{head}{body}").as_bytes()).unwrap();
            connection
        };
        let mut waiting = call("POST", "webhooks", &order.to_string());
        let (mut receiver, _) = silent.accept().unwrap();
        assert_eq!(call("GET", "webhooks", "").answer().unwrap().status, 200);
        read(&mut receiver);
        receiver.write_all(b"HTTP/1.1 418 Teapot\r\nContent-Length: 0\r\n\r\n").unwrap();
        let answer = waiting.answer().unwrap();
        assert_eq!((answer.status, &answer.json()["deliveries"][0]["status"]), (200, &json!(418)));
    }
}

#[test]
fn it_stops_immediately_even_if_a_receiver_never_answers() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let sandbox = sandbox();
    let order = json!({"url": format!("http://{}/", silent.local_addr().unwrap()), "timeout_ms": 600_000})
        .to_string();
    let mut connection = Connection::open_control(&sandbox).unwrap();
    let (target, host) = (path(sandbox.control_url()), authority(sandbox.control_url()));
    let head =
        format!("POST {target}webhooks HTTP/1.1\r\nHost: {host}\r\nContent-Length: {}\r\n\r\n", order.len());
    connection.send(format!("{head}{order}").as_bytes()).unwrap();
    let (mut receiver, _) = silent.accept().unwrap();
    read(&mut receiver);
    drop(sandbox);
    assert_eq!(receiver.read(&mut [0; 1]).unwrap_or(0), 0, "its connection ended with it");
}
