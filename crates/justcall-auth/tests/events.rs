//! What happens to the pair over a real reset, in the order that it is told, and what replacing and reloading do.

mod support;

use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use justcall_auth::{Client, Config, Credentials, ErrorKind, Event, EventKind, Request};
use justcall_auth_sandbox::Sandbox;
use serde_json::{Value, json};
use support::PATIENCE;
use tempfile::TempDir;

/// A sandbox, a file with its pair, and what a client with that source was told.
struct World {
    sandbox: Sandbox,
    file: PathBuf,
    told: Arc<Mutex<Vec<Event>>>,
    _folder: TempDir,
}

impl World {
    fn new() -> Self {
        let sandbox = support::sandbox();
        let folder = TempDir::new().expect("a folder");
        let world = Self { file: folder.path().join("pair"), sandbox, told: Arc::default(), _folder: folder };
        world.write(world.sandbox.api_key(), world.sandbox.api_secret());
        world
    }

    fn write(&self, key: &str, secret: &str) {
        write(&self.file, &format!("{key}:{secret}\n"));
    }

    fn config(&self) -> Config {
        let mut config = support::bare_config(&self.sandbox);
        config.set_source(&format!("file:{}", self.file.display())).expect("a source");
        let told = self.told.clone();
        config.set_observer(Arc::new(move |event: &Event| {
            told.lock().unwrap_or_else(PoisonError::into_inner).push(event.clone());
        }));
        config
    }

    fn client(&self) -> Client {
        Client::new(&self.config()).expect("a client")
    }

    /// The dashboard's reset: the new pair.
    fn reset(&self) -> (String, String) {
        let pair = self.sandbox.control("POST", "reset", &Value::Null).expect("a reset");
        let text = |name: &str| pair[name].as_str().expect("text").to_owned();
        (text("api_key"), text("api_secret"))
    }

    fn told(&self) -> Vec<Event> {
        std::mem::take(&mut self.told.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn kinds_told(&self) -> Vec<EventKind> {
        self.told().iter().map(Event::kind).collect()
    }
}

/// Whoever reads it sees the old text or the new one.
fn write(file: &std::path::Path, text: &str) {
    let new = file.with_extension("new");
    std::fs::write(&new, text).expect("the test's file");
    std::fs::rename(new, file).expect("the test's file");
}

fn get() -> Request {
    Request::new("GET", "/v2.1/calls").expect("a good request")
}

#[test]
fn it_tells_of_a_reset_in_order_and_never_the_secret() {
    let world = World::new();
    let (told, file) = (world.told.clone(), world.file.clone());
    let new = Arc::new(Mutex::new(None::<(String, String)>));
    let late = new.clone();
    let mut config = world.config();
    config.set_rotation_wait(PATIENCE).set_observer(Arc::new(move |event: &Event| {
        told.lock().unwrap_or_else(PoisonError::into_inner).push(event.clone());
        // The new pair comes only once calls wait for it.
        if event.kind() == EventKind::WaitingForSource {
            let pair = late.lock().unwrap_or_else(PoisonError::into_inner);
            let (key, secret) = pair.as_ref().expect("there was a reset");
            write(&file, &format!("{key}:{secret}\n"));
        }
    }));
    let client = Client::new(&config).expect("a client");
    client.verify().expect("a good pair");
    assert_eq!(world.kinds_told(), []);
    let pair = world.reset();
    *new.lock().expect("no panic") = Some(pair.clone());
    client.request(get()).expect("the call is held until the pair comes");
    let events = world.told();
    let seen: Vec<(EventKind, u64, u16)> =
        events.iter().map(|event| (event.kind(), event.generation(), event.http_status())).collect();
    assert_eq!(
        seen,
        [
            (EventKind::PairRejected, 1, 401),
            (EventKind::WaitingForSource, 1, 0),
            (EventKind::SourceChanged, 2, 0),
            (EventKind::Rotated, 2, 0),
        ]
    );
    let text = format!("{events:?}");
    assert!(!text.contains(world.sandbox.api_secret()) && !text.contains(&pair.1), "{text}");
}

#[test]
fn it_survives_a_handler_that_calls_and_panics() {
    let world = World::new();
    let told = world.told.clone();
    let client = Arc::new(Mutex::new(None::<Client>));
    let calls = client.clone();
    let mut config = world.config();
    config.set_rotation_wait(PATIENCE).set_observer(Arc::new(move |event: &Event| {
        let is_first = {
            let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
            told.push(event.clone());
            told.len() == 1
        };
        if is_first {
            let client = calls.lock().unwrap_or_else(PoisonError::into_inner).clone();
            client.expect("it was made").verify().expect("the call within the handler");
        }
        panic::resume_unwind(Box::new("the handler's own"));
    }));
    *client.lock().expect("no panic") = Some(Client::new(&config).expect("a client"));
    let client = client.lock().expect("no panic").clone().expect("it was made");
    client.verify().expect("a good pair");
    let (key, secret) = world.reset();
    world.write(&key, &secret);
    let result = panic::catch_unwind(AssertUnwindSafe(|| client.request(get())));
    result.expect("no panic comes out of a call").expect("the new pair is there");
    let kinds = world.kinds_told();
    assert_eq!(kinds.first(), Some(&EventKind::PairRejected), "{kinds:?}");
    assert_eq!(kinds.iter().filter(|kind| **kind == EventKind::Rotated).count(), 1, "{kinds:?}");
}

#[test]
fn it_replaces_a_pair_by_one_that_is_good_and_no_other() {
    let world = World::new();
    let (client, sharing) = (world.client(), world.client());
    client.verify().expect("a good pair");
    let wrong = Credentials::new(b"abc123def456", b"wrong1wrong1").expect("it could be a pair");
    assert_eq!(client.replace(&wrong).expect_err("it is wrong").kind(), ErrorKind::InvalidCredentials);
    client.verify().expect("the pair in use lost nothing by it");
    assert_eq!(world.kinds_told(), []);
    let (key, secret) = world.reset();
    let new = Credentials::new(key.as_bytes(), secret.as_bytes()).expect("a pair");
    assert!(client.replace(&new).expect("it is good").id().is_some());
    assert_eq!(world.kinds_told(), [EventKind::Rotated]);
    // The clients that share the pair have it too, though the file still gives the old one.
    assert!(sharing.credentials().expect("a pair").same_pair(&new));
    sharing.request(get()).expect("the new pair is in use");
}

#[test]
fn it_reloads_and_keeps_a_good_pair_from_a_wrong_or_vanished_one() {
    let world = World::new();
    let client = world.client();
    client.verify().expect("a good pair");
    assert!(!client.reload().expect("the file is there"));
    world.write("abc123def456", "wrong1wrong1");
    assert!(client.reload().expect("the file is there"));
    client.verify().expect("the wrong pair costs no call");
    assert_eq!(world.kinds_told(), [EventKind::SourceChanged, EventKind::CandidateRejected]);
    std::fs::remove_file(&world.file).expect("it is there");
    assert_eq!(client.reload().expect_err("it is gone").kind(), ErrorKind::SourceUnavailable);
    client.verify().expect("the pair in use lost nothing by it");
    assert_eq!(world.kinds_told(), []);
}

#[test]
fn it_tells_of_retries_of_a_low_limit_and_of_an_old_pair() {
    let world = World::new();
    let pair = json!({
        "api_key": world.sandbox.api_key(),
        "api_secret": world.sandbox.api_secret(),
        "created_at": "2020-01-01T00:00:00Z",
    });
    write(&world.file, &pair.to_string());
    let client = world.client();
    let fault = json!({"fault": "answer", "status": 503, "times": 1});
    world.sandbox.control("POST", "faults", &fault).expect("a fault");
    client.request(get()).expect("the second attempt is answered");
    let events = world.told();
    let kinds: Vec<EventKind> = events.iter().map(Event::kind).collect();
    assert_eq!(kinds, [EventKind::RotationDue, EventKind::Retrying]);
    assert_eq!(events[1].http_status(), 503);
    assert!(events[1].wait().is_some_and(|wait| !wait.is_zero()));
    let low = json!({"X-Rate-Limit-Limit": "1800", "X-Rate-Limit-Remaining": "17"});
    let fault = json!({"fault": "answer", "status": 200, "times": 2, "body": {}, "headers": low});
    world.sandbox.control("POST", "faults", &fault).expect("a fault");
    client.request(get()).expect("an answer");
    client.request(get()).expect("an answer");
    assert_eq!(world.kinds_told(), [EventKind::RateLimitLow], "told once");
}
