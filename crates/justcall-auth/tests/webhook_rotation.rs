//! Webhooks around a reset: deliveries in flight, signed by the sandbox with the old secret, come over HTTP to a receiver
//! whose secrets are a client's.

mod support;

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use justcall_auth::{Client, Config, Error, ErrorKind, WebhookHeaders, WebhookVerifier};
use justcall_auth_sandbox::Sandbox;
use serde_json::{Value, json};
use support::PATIENCE;
use tempfile::TempDir;

/// A sandbox, a client whose source is a file, and a receiver of webhooks that takes the secrets from the client.
struct World {
    sandbox: Sandbox,
    client: Client,
    receiver: SocketAddr,
    file: PathBuf,
    _folder: TempDir,
}

impl World {
    fn new(set_up: impl FnOnce(&mut Config)) -> Self {
        let sandbox = support::sandbox();
        let folder = TempDir::new().expect("a folder");
        let file = folder.path().join("pair.json");
        let first = json!({"api_key": sandbox.api_key(), "api_secret": sandbox.api_secret()});
        std::fs::write(&file, first.to_string()).expect("the source");
        let mut config = support::bare_config(&sandbox);
        config.set_source(&format!("file:{}", file.display())).expect("a source");
        set_up(&mut config);
        let client = Client::new(&config).expect("a client");
        let receiver = receiver(client.clone());
        Self { sandbox, client, receiver, file, _folder: folder }
    }

    /// The dashboard's reset; the source is written after it, with what else is to be said in it.
    fn reset(&self, more: &Value) {
        let mut pair = self.sandbox.control("POST", "reset", &json!({})).expect("a reset");
        let members = pair.as_object_mut().expect("an object");
        members.retain(|name, _| name.starts_with("api_"));
        members.extend(more.as_object().expect("an object").clone());
        // As a rotation does it: a reader sees the old file or the new one.
        let new = self.file.with_extension("new");
        std::fs::write(&new, pair.to_string()).expect("the new source");
        std::fs::rename(new, &self.file).expect("the source");
    }

    /// What the receiver says of a delivery that is signed with the secret of that generation.
    fn deliver(&self, generation: usize) -> String {
        let order = json!({"url": format!("http://{}/", self.receiver), "generation": generation});
        let answer = self.sandbox.control("POST", "webhooks", &order).expect("a delivery");
        let delivery = &answer["deliveries"][0];
        delivery["body"].as_str().unwrap_or_else(|| panic!("no answer: {delivery}")).to_owned()
    }

    /// Waits until the receiver says that of such a delivery: a source is looked at once a second.
    fn comes_to(&self, generation: usize, said: &str) {
        let deadline = Instant::now() + PATIENCE;
        while self.deliver(generation) != said {
            assert!(Instant::now() < deadline, "it stays at {}", self.deliver(generation));
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// An HTTP server that answers which of the client's secrets signed a delivery, or the error's name.
fn receiver(client: Client) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let mut verifier = WebhookVerifier::for_url(&format!("http://{address}/")).expect("a URL");
    verifier.use_secrets_of(Arc::new(client)).expect("the only secrets");
    thread::spawn(move || {
        for tcp in listener.incoming() {
            let mut tcp = tcp.expect("a connection");
            let said = match receive(&mut tcp, &verifier) {
                Ok(secret_index) => secret_index.to_string(),
                Err(error) => error.kind().name().to_owned(),
            };
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{said}", said.len());
            tcp.write_all(answer.as_bytes()).expect("the sandbox reads");
        }
    });
    address
}

fn receive(tcp: &mut TcpStream, verifier: &WebhookVerifier) -> Result<usize, Error> {
    let mut bytes = Vec::new();
    let (head, body) = loop {
        let mut buffer = [0; 4096];
        let count = tcp.read(&mut buffer).expect("the sandbox writes");
        assert!(count > 0, "the delivery broke off");
        bytes.extend_from_slice(&buffer[..count]);
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let head = String::from_utf8(bytes[..end].to_vec()).expect("text");
        let length = header(&head, "content-length").map_or(0, |length| length.parse().expect("a number"));
        if bytes.len() >= end + 4 + length {
            break (head, bytes.split_off(end + 4));
        }
    };
    let headers: Vec<(&str, &str)> = head.lines().filter_map(|line| line.split_once(": ")).collect();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs();
    let now = i64::try_from(now).expect("this millennium");
    verifier.verify(&WebhookHeaders::find(headers), &body, now).map(|event| event.secret_index())
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut headers = head.lines().filter_map(|line| line.split_once(": "));
    headers.find(|(candidate, _)| candidate.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

const MISMATCH: &str = "webhook_mismatch";

#[test]
fn it_takes_what_was_in_flight_at_a_reset() {
    let world = World::new(|_| ());
    assert_eq!(world.deliver(1), "0", "the source was read for it");
    world.reset(&json!({}));
    assert_eq!(world.deliver(1), "0");
    world.comes_to(2, "1");
    assert_eq!(world.deliver(1), "0", "no call has proven the new pair");
    world.client.verify().expect("the new pair is good");
    assert_eq!([world.deliver(1), world.deliver(2)], ["1", "0"]);
    // Of two resets the last one counts.
    world.reset(&json!({}));
    world.comes_to(3, "1");
    world.client.verify().expect("the new pair is good");
    assert_eq!([world.deliver(1), world.deliver(2), world.deliver(3)], [MISMATCH, "1", "0"]);
}

#[test]
fn it_refuses_what_comes_after_the_overlap() {
    let world = World::new(|config| {
        config.set_webhook_overlap(Duration::from_millis(50));
    });
    assert_eq!(world.deliver(1), "0");
    world.reset(&json!({}));
    world.comes_to(2, "1");
    world.client.verify().expect("the new pair is good");
    world.comes_to(1, MISMATCH);
    assert_eq!(world.deliver(2), "0");
}

#[test]
fn it_refuses_what_comes_after_the_overlap_also_where_no_call_is_made() {
    let world = World::new(|config| {
        config.set_webhook_overlap(Duration::from_millis(50));
    });
    assert_eq!(world.deliver(1), "0");
    world.reset(&json!({}));
    world.comes_to(2, "1");
    world.comes_to(1, MISMATCH);
    assert_eq!(world.deliver(2), "0");
    let requests = world.sandbox.control("GET", "requests", &Value::Null).expect("requests");
    assert_eq!(requests, json!([]));
}

#[test]
fn it_refuses_a_compromised_secret_at_once() {
    for verified in [false, true] {
        let world = World::new(|_| ());
        assert_eq!(world.deliver(1), "0");
        world.reset(&json!({"previous_compromised": true}));
        // At once: with the very look at the source that gives the new pair.
        world.client.reload().expect("the source is good");
        if verified {
            world.client.verify().expect("the new pair is good");
        }
        assert_eq!([world.deliver(1), world.deliver(2)], [MISMATCH, "0"], "{verified}");
    }
}

#[test]
fn it_takes_a_signature_for_what_it_is_before_the_source_tells() {
    let world = World::new(|_| ());
    assert_eq!(world.deliver(1), "0");
    world.sandbox.control("POST", "reset", &json!({})).expect("a reset");
    assert_eq!([world.deliver(2), world.deliver(1)], [MISMATCH, "0"], "the source still has the old pair");
    std::fs::remove_file(&world.file).expect("the source");
    world.client.reload().expect_err("the source is gone");
    assert_eq!(world.deliver(1), "0", "what was read stays");
    let error = World::new(|config| drop(config.set_source("file:/nonexistent"))).deliver(1);
    assert_eq!(error, ErrorKind::SourceUnavailable.name());
}
