//! A planned rotation: the old and the new pair both work for a while, and the source changes. No request is refused.
#![cfg(unix)]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use justcall_auth::{Client, Request};
use justcall_auth_sandbox::Sandbox;
use serde_json::{Value, json};
use support::TIME_LIMIT;
use tempfile::TempDir;

const CALLERS: usize = 6;
/// The number of requests with the new pair after which it counts as in use. The first of them proves it.
const ENOUGH_REQUESTS: usize = 20;

/// The place of the pair, which is replaced atomically.
enum PairStore {
    File(PathBuf),
    /// A folder with a link to the current version, as Kubernetes creates it.
    Folder(PathBuf),
}

impl PairStore {
    fn source(&self) -> String {
        match self {
            Self::File(path) => format!("file:{}", path.display()),
            Self::Folder(path) => format!("dir:{}", path.display()),
        }
    }

    fn write(&self, generation: u64, pair: &Value) {
        let half = |name: &str| pair[name].as_str().expect("text").to_owned();
        let (key, secret) = (half("api_key"), half("api_secret"));
        match self {
            Self::File(path) => {
                let new = path.with_extension("new");
                fs::write(&new, format!("{key}:{secret}")).expect("the new file");
                fs::rename(new, path).expect("the file");
            }
            Self::Folder(path) => {
                let version = format!("..{generation}");
                fs::create_dir(path.join(&version)).expect("a version");
                fs::write(path.join(&version).join("api_key"), key).expect("the key");
                fs::write(path.join(&version).join("api_secret"), secret).expect("the secret");
                swap_link(path, &version);
            }
        }
    }
}

fn swap_link(folder: &Path, version: &str) {
    let new = folder.join("..new");
    symlink(version, &new).expect("a link");
    fs::rename(new, folder.join("..data")).expect("the link");
    for half in ["api_key", "api_secret"] {
        // The link exists from the first version on.
        let _exists = symlink(Path::new("..data").join(half), folder.join(half));
    }
}

/// The requests that the sandbox has received.
#[derive(Debug)]
struct SandboxLog {
    /// The number of requests with the pair of each generation.
    generations: BTreeMap<u64, usize>,
    /// The number of requests that were answered 401.
    refused: usize,
    /// The number of requests with halves of two pairs.
    torn: usize,
}

impl SandboxLog {
    fn by(sandbox: &Sandbox) -> Self {
        let mut seen = Self { generations: BTreeMap::new(), refused: 0, torn: 0 };
        let requests = sandbox.control("GET", "requests", &Value::Null).expect("the record");
        for request in requests.as_array().expect("a list") {
            let generation = request["key_generation"].as_u64().expect("a known key");
            *seen.generations.entry(generation).or_default() += 1;
            seen.refused += usize::from(request["status"] == 401);
            seen.torn += usize::from(request["secret_generation"] != generation);
        }
        seen
    }

    fn with(&self, generation: u64) -> usize {
        self.generations.get(&generation).copied().unwrap_or_default()
    }
}

fn wait_until(what: &str, mut reached: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !reached() {
        assert!(begun.elapsed() < TIME_LIMIT, "{what} never happened");
        thread::sleep(Duration::from_millis(10));
    }
}

/// Makes calls from many threads while the pair is reset and the source changes. Then ends the overlap, if there is
/// one.
fn rotate(place: impl FnOnce(PathBuf) -> PairStore, reset: &Value) -> SandboxLog {
    let sandbox = support::sandbox();
    let folder = TempDir::new().expect("a folder");
    let place = place(folder.path().join("pair"));
    if let PairStore::Folder(path) = &place {
        fs::create_dir(path).expect("the folder");
    }
    place.write(1, &json!({"api_key": sandbox.api_key(), "api_secret": sandbox.api_secret()}));
    let mut config = support::bare_config(&sandbox);
    config.set_source(&place.source()).expect("a source");
    // Without an overlap, calls wait this long for the source, so none of them fails.
    config.set_rotation_wait(TIME_LIMIT);
    let client = Client::new(&config).expect("a client");
    let (is_over, calls) = (AtomicBool::new(false), [const { AtomicUsize::new(0) }; CALLERS]);
    thread::scope(|scope| {
        for (caller, calls) in calls.iter().enumerate() {
            let (client, is_over) = (&client, &is_over);
            scope.spawn(move || {
                while !is_over.load(Ordering::Relaxed) {
                    let method = if caller % 2 == 0 { "GET" } else { "POST" };
                    let request = Request::new(method, "/v2.1/echo").expect("good");
                    client.request(request).expect("no call fails");
                    calls.fetch_add(1, Ordering::Relaxed);
                    thread::sleep(Duration::from_millis(2));
                }
            });
        }
        let all_call = || {
            let before: Vec<usize> = calls.iter().map(|calls| calls.load(Ordering::Relaxed)).collect();
            wait_until("two calls of every thread", || {
                calls.iter().zip(&before).all(|(calls, before)| calls.load(Ordering::Relaxed) >= before + 2)
            });
        };
        all_call();
        let new = sandbox.control("POST", "reset", reset).expect("a reset");
        if reset["overlap_ms"].is_u64() {
            all_call();
        } else {
            wait_until("a refusal", || SandboxLog::by(&sandbox).refused > 0);
        }
        place.write(2, &new);
        wait_until("the use of the new pair", || SandboxLog::by(&sandbox).with(2) >= ENOUGH_REQUESTS);
        // The calls that started with the old pair have ended after every thread has started another one.
        all_call();
        if reset["overlap_ms"].is_u64() {
            let end = format!("pairs/{}/revoke", sandbox.api_key());
            sandbox.control("POST", &end, &Value::Null).expect("the end of the overlap");
        }
        all_call();
        is_over.store(true, Ordering::Relaxed);
    });
    SandboxLog::by(&sandbox)
}

/// An overlap longer than the test, which ends it itself.
fn overlap() -> Value {
    json!({"overlap_ms": 3_600_000})
}

#[test]
fn no_request_is_refused_in_a_planned_rotation_of_a_file() {
    let seen = rotate(PairStore::File, &overlap());
    assert_eq!((seen.refused, seen.torn), (0, 0), "{seen:?}");
    assert!(
        seen.with(1) > CALLERS && seen.with(2) >= ENOUGH_REQUESTS,
        "the control: both were used: {seen:?}"
    );
}

#[test]
fn no_request_is_refused_in_a_planned_rotation_of_a_folder() {
    let seen = rotate(PairStore::Folder, &overlap());
    assert_eq!((seen.refused, seen.torn), (0, 0), "{seen:?}");
    assert!(
        seen.with(1) > CALLERS && seen.with(2) >= ENOUGH_REQUESTS,
        "the control: both were used: {seen:?}"
    );
}

#[test]
fn requests_are_refused_but_no_call_fails_without_an_overlap() {
    let seen = rotate(PairStore::File, &json!({}));
    assert!(seen.refused > 0 && seen.torn == 0, "{seen:?}");
}
