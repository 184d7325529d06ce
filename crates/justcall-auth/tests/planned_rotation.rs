//! A planned rotation: for a while the old and the new pair both work, and the source follows. No request is refused.
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
use support::PATIENCE;
use tempfile::TempDir;

const CALLERS: usize = 6;
/// So many requests with the new pair show that it is the one in use; the first of them proves it.
const ENOUGH: usize = 20;

/// Where the pair stands, replaced as a whole.
enum Place {
    File(PathBuf),
    /// A folder with a link to the version in use, as Kubernetes makes it.
    Folder(PathBuf),
}

impl Place {
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
        // There from the first version on.
        let _exists = symlink(Path::new("..data").join(half), folder.join(half));
    }
}

/// What the sandbox has seen.
#[derive(Debug)]
struct Seen {
    /// How many requests came with the pair of each generation.
    generations: BTreeMap<u64, usize>,
    /// How many requests were answered 401.
    refused: usize,
    /// How many carried halves of two pairs.
    torn: usize,
}

impl Seen {
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
        assert!(begun.elapsed() < PATIENCE, "{what} never happened");
        thread::sleep(Duration::from_millis(10));
    }
}

/// Calls from many threads while the pair is reset and the source follows; then the overlap ends, if there is one.
fn rotate(place: impl FnOnce(PathBuf) -> Place, reset: &Value) -> Seen {
    let sandbox = support::sandbox();
    let folder = TempDir::new().expect("a folder");
    let place = place(folder.path().join("pair"));
    if let Place::Folder(path) = &place {
        fs::create_dir(path).expect("the folder");
    }
    place.write(1, &json!({"api_key": sandbox.api_key(), "api_secret": sandbox.api_secret()}));
    let mut config = support::bare_config(&sandbox);
    config.set_source(&place.source()).expect("a source");
    // Without an overlap, calls wait so long for the source to follow: none of them fails either way.
    config.set_rotation_wait(PATIENCE);
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
            wait_until("a refusal", || Seen::by(&sandbox).refused > 0);
        }
        place.write(2, &new);
        wait_until("the use of the new pair", || Seen::by(&sandbox).with(2) >= ENOUGH);
        // Calls that began with the old pair have ended when every thread has begun another one.
        all_call();
        if reset["overlap_ms"].is_u64() {
            let end = format!("pairs/{}/revoke", sandbox.api_key());
            sandbox.control("POST", &end, &Value::Null).expect("the end of the overlap");
        }
        all_call();
        is_over.store(true, Ordering::Relaxed);
    });
    Seen::by(&sandbox)
}

/// Longer than the test: the test itself ends it.
fn overlap() -> Value {
    json!({"overlap_ms": 3_600_000})
}

#[test]
fn it_has_no_request_refused_in_a_planned_rotation_of_a_file() {
    let seen = rotate(Place::File, &overlap());
    assert_eq!((seen.refused, seen.torn), (0, 0), "{seen:?}");
    assert!(seen.with(1) > CALLERS && seen.with(2) >= ENOUGH, "the control: both were used: {seen:?}");
}

#[test]
fn it_has_no_request_refused_in_a_planned_rotation_of_a_folder() {
    let seen = rotate(Place::Folder, &overlap());
    assert_eq!((seen.refused, seen.torn), (0, 0), "{seen:?}");
    assert!(seen.with(1) > CALLERS && seen.with(2) >= ENOUGH, "the control: both were used: {seen:?}");
}

#[test]
fn it_has_requests_refused_and_no_call_fail_without_an_overlap() {
    let seen = rotate(Place::File, &json!({}));
    assert!(seen.refused > 0 && seen.torn == 0, "{seen:?}");
}
