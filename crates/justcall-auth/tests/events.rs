//! The events of a reset in their order, and the effects of replacing and reloading a pair.

mod support;

use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use justcall_auth::{Client, Config, Credentials, ErrorKind, Event, EventKind, Request};
use justcall_auth_sandbox::Sandbox;
use serde_json::{Value, json};
use support::TIME_LIMIT;
use tempfile::TempDir;

/// A sandbox, a file with its pair, and the events of the clients with that source.
struct World {
    sandbox: Sandbox,
    file: PathBuf,
    events: Arc<Mutex<Vec<Event>>>,
    _folder: TempDir,
}

impl World {
    fn new() -> Self {
        let sandbox = support::sandbox();
        let folder = TempDir::new().expect("a folder");
        let world =
            Self { file: folder.path().join("pair"), sandbox, events: Arc::default(), _folder: folder };
        world.write(world.sandbox.api_key(), world.sandbox.api_secret());
        world
    }

    fn write(&self, key: &str, secret: &str) {
        write(&self.file, &format!("{key}:{secret}\n"));
    }

    fn config(&self) -> Config {
        let mut config = support::bare_config(&self.sandbox);
        config.set_source(&format!("file:{}", self.file.display())).expect("a source");
        let events = self.events.clone();
        config.set_observer(Arc::new(move |event: &Event| {
            events.lock().unwrap_or_else(PoisonError::into_inner).push(event.clone());
        }));
        config
    }

    fn client(&self) -> Client {
        Client::new(&self.config()).expect("a client")
    }

    /// Resets the pair in the dashboard. Returns the new pair.
    fn reset(&self) -> (String, String) {
        let pair = self.sandbox.control("POST", "reset", &Value::Null).expect("a reset");
        let text = |name: &str| pair[name].as_str().expect("text").to_owned();
        (text("api_key"), text("api_secret"))
    }

    fn events(&self) -> Vec<Event> {
        std::mem::take(&mut self.events.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn event_kinds(&self) -> Vec<EventKind> {
        self.events().iter().map(Event::kind).collect()
    }
}

/// Replaces the file atomically: a reader sees either the old or the new text.
fn write(file: &std::path::Path, text: &str) {
    let new = file.with_extension("new");
    std::fs::write(&new, text).expect("the test's file");
    std::fs::rename(new, file).expect("the test's file");
}

fn get() -> Request {
    Request::new("GET", "/v2.1/calls").expect("a good request")
}

#[test]
fn it_emits_the_events_of_a_reset_in_order_without_the_secret() {
    let world = World::new();
    let (events, file) = (world.events.clone(), world.file.clone());
    let new = Arc::new(Mutex::new(None::<(String, String)>));
    let late = new.clone();
    let mut config = world.config();
    config.set_rotation_wait(TIME_LIMIT).set_observer(Arc::new(move |event: &Event| {
        events.lock().unwrap_or_else(PoisonError::into_inner).push(event.clone());
        // The new pair is written only after calls wait for it.
        if event.kind() == EventKind::WaitingForSource {
            let pair = late.lock().unwrap_or_else(PoisonError::into_inner);
            let (key, secret) = pair.as_ref().expect("there was a reset");
            write(&file, &format!("{key}:{secret}\n"));
        }
    }));
    let client = Client::new(&config).expect("a client");
    client.verify().expect("a good pair");
    assert_eq!(world.event_kinds(), []);
    let pair = world.reset();
    *new.lock().expect("no panic") = Some(pair.clone());
    client.request(get()).expect("the call waits for the new pair");
    let events = world.events();
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
    let events = world.events.clone();
    let client = Arc::new(Mutex::new(None::<Client>));
    let calls = client.clone();
    let mut config = world.config();
    config.set_rotation_wait(TIME_LIMIT).set_observer(Arc::new(move |event: &Event| {
        let is_first = {
            let mut events = events.lock().unwrap_or_else(PoisonError::into_inner);
            events.push(event.clone());
            events.len() == 1
        };
        if is_first {
            let client = calls.lock().unwrap_or_else(PoisonError::into_inner).clone();
            client.expect("the client exists").verify().expect("the call within the handler");
        }
        panic::resume_unwind(Box::new("a panic in the handler"));
    }));
    *client.lock().expect("no panic") = Some(Client::new(&config).expect("a client"));
    let client = client.lock().expect("no panic").clone().expect("the client exists");
    client.verify().expect("a good pair");
    let (key, secret) = world.reset();
    world.write(&key, &secret);
    let result = panic::catch_unwind(AssertUnwindSafe(|| client.request(get())));
    result.expect("no panic comes out of a call").expect("the new pair exists");
    let kinds = world.event_kinds();
    assert_eq!(kinds.first(), Some(&EventKind::PairRejected), "{kinds:?}");
    assert_eq!(kinds.iter().filter(|kind| **kind == EventKind::Rotated).count(), 1, "{kinds:?}");
}

#[test]
fn it_replaces_a_pair_only_by_a_valid_one() {
    let world = World::new();
    let (client, sharing) = (world.client(), world.client());
    client.verify().expect("a good pair");
    let wrong = Credentials::new(b"abc123def456", b"wrong1wrong1").expect("its form is valid");
    assert_eq!(client.replace(&wrong).expect_err("it is wrong").kind(), ErrorKind::InvalidCredentials);
    client.verify().expect("the pair in use still works");
    assert_eq!(world.event_kinds(), []);
    let (key, secret) = world.reset();
    let new = Credentials::new(key.as_bytes(), secret.as_bytes()).expect("a pair");
    assert!(client.replace(&new).expect("it is good").id().is_some());
    assert_eq!(world.event_kinds(), [EventKind::Rotated]);
    // Clients that share the pair use the new one, although the file still contains the old one.
    assert!(sharing.credentials().expect("a pair").same_pair(&new));
    sharing.request(get()).expect("the new pair is in use");
}

#[test]
fn it_keeps_a_valid_pair_if_a_reload_finds_a_wrong_one_or_none() {
    let world = World::new();
    let client = world.client();
    client.verify().expect("a good pair");
    assert!(!client.reload().expect("the file exists"));
    world.write("abc123def456", "wrong1wrong1");
    assert!(client.reload().expect("the file exists"));
    client.verify().expect("the wrong pair costs no call");
    assert_eq!(world.event_kinds(), [EventKind::SourceChanged, EventKind::CandidateRejected]);
    std::fs::remove_file(&world.file).expect("the file exists");
    assert_eq!(client.reload().expect_err("the file was removed").kind(), ErrorKind::SourceUnavailable);
    client.verify().expect("the pair in use still works");
    assert_eq!(world.event_kinds(), []);
}

#[test]
fn it_emits_events_about_retries_a_low_limit_and_an_old_pair() {
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
    client.request(get()).expect("the retry succeeds");
    let events = world.events();
    let kinds: Vec<EventKind> = events.iter().map(Event::kind).collect();
    assert_eq!(kinds, [EventKind::RotationDue, EventKind::Retrying]);
    assert_eq!(events[1].http_status(), 503);
    assert!(events[1].wait().is_some_and(|wait| !wait.is_zero()));
    let low = json!({"X-Rate-Limit-Limit": "1800", "X-Rate-Limit-Remaining": "17"});
    let fault = json!({"fault": "answer", "status": 200, "times": 2, "body": {}, "headers": low});
    world.sandbox.control("POST", "faults", &fault).expect("a fault");
    client.request(get()).expect("an answer");
    client.request(get()).expect("an answer");
    assert_eq!(world.event_kinds(), [EventKind::RateLimitLow], "one event");
}
