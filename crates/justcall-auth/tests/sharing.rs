//! The shared state of the clients of one process: pairs, rejections, connections.

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use justcall_auth::source::Load;
use justcall_auth::{Client, Config, Credentials, Error, ErrorKind, Request, StateFile, unix_time};
use justcall_auth_sandbox::Sandbox;
use serde_json::{Value, json};
use support::{TIME_LIMIT, bare_config, pair, requests, sandbox};

fn config(sandbox: &Sandbox) -> Config {
    let mut config = bare_config(sandbox);
    config.set_max_retries(0);
    config
}

fn with_pair(sandbox: &Sandbox, key: &str, secret: &str) -> Client {
    let mut config = config(sandbox);
    config.set_credentials(Credentials::new(key.as_bytes(), secret.as_bytes()).expect("well formed"));
    Client::new(&config).expect("a client")
}

fn calls(client: &Client) -> Result<(), Error> {
    client.request(Request::new("GET", "/v2.1/calls").expect("good")).map(drop)
}

#[test]
fn it_shares_rejections_between_all_clients_of_the_process() {
    let sandbox = sandbox();
    let wrong = "0".repeat(40);
    let first = with_pair(&sandbox, sandbox.api_key(), &wrong);
    assert_eq!(calls(&first).expect_err("a wrong secret").http_status(), 401);
    for client in [&first, &with_pair(&sandbox, sandbox.api_key(), &wrong)] {
        let error = calls(client).expect_err("rejected a moment ago");
        assert_eq!(error.kind(), ErrorKind::InvalidCredentials);
        assert!(!error.request_sent() && error.retry_after().is_some(), "{error:?}");
    }
    drop(first);
    calls(&with_pair(&sandbox, sandbox.api_key(), &wrong)).expect_err("remembered without any client");
    assert_eq!(requests(&sandbox).len(), 1, "the service received one request");
    calls(&with_pair(&sandbox, sandbox.api_key(), sandbox.api_secret()))
        .expect("another pair is not rejected");
}

#[test]
fn a_derived_client_has_other_settings_and_the_same_pair_and_connection() {
    let sandbox = sandbox();
    let client = with_pair(&sandbox, sandbox.api_key(), sandbox.api_secret());
    calls(&client).expect("a good pair");
    calls(&client.with_options(Some(TIME_LIMIT), None, None)).expect("the same pair");
    let patient = client.with_options(None, Some(1), None);
    for (caller, is_retried) in [(&client, false), (&patient, true)] {
        sandbox
            .control("POST", "faults", &json!({"fault": "answer", "status": 503, "times": 1}))
            .expect("a fault");
        assert_eq!(calls(caller).is_ok(), is_retried);
    }
    assert_eq!((client.generation(), patient.generation()), (1, 1));
    let connections: Vec<_> =
        requests(&sandbox).iter().map(|request| request["connection"].clone()).collect();
    assert_eq!(connections, vec![connections[0].clone(); 5]);
}

#[test]
fn it_refreshes_the_source_after_its_pair_was_rejected() {
    let sandbox = sandbox();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("pair");
    std::fs::write(&file, format!("{}:{}", sandbox.api_key(), sandbox.api_secret())).expect("a file");
    let mut config = config(&sandbox);
    config.set_source(&format!("file:{}", file.display())).expect("good");
    let (client, twin) = (Client::new(&config).expect("a client"), Client::new(&config).expect("a client"));
    calls(&client).expect("the first pair");

    let new = sandbox.control("POST", "reset", &json!({})).expect("a reset");
    assert_eq!(calls(&client).expect_err("the old pair is invalid").http_status(), 401);
    std::fs::write(
        &file,
        format!("{}:{}", new["api_key"].as_str().unwrap(), new["api_secret"].as_str().unwrap()),
    )
    .expect("a file");
    let begun = Instant::now();
    while calls(&twin).is_err() {
        assert!(begun.elapsed() < TIME_LIMIT, "the new pair is never read");
        std::thread::yield_now();
    }
    calls(&client).expect("all clients use the new pair");
    let generations: Vec<Value> =
        requests(&sandbox).iter().map(|request| request["key_generation"].clone()).collect();
    assert_eq!(generations, [json!(1), json!(1), json!(2), json!(2)], "exactly one request was rejected");
}

#[test]
fn it_shares_no_pair_between_clients_of_two_services_or_two_accounts() {
    let (here, elsewhere) = (sandbox(), sandbox());
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("pair");
    std::fs::write(&file, format!("{}:{}", here.api_key(), here.api_secret())).expect("a file");
    let client = |sandbox: &Sandbox, account: Option<u64>| {
        let mut config = config(sandbox);
        config.set_source(&format!("file:{}", file.display())).expect("good");
        if let Some(account) = account {
            config.set_expected_account(account).expect("it is not 0");
        }
        Client::new(&config).expect("a client")
    };
    let (first, foreign) = (client(&here, None), client(&elsewhere, None));
    calls(&first).expect("a good pair");
    assert_eq!(calls(&foreign).expect_err("unknown there").http_status(), 401);
    calls(&first).expect("a rejection of another service does not count");

    let (right, wrong) = (client(&here, Some(12345)), client(&here, Some(7)));
    calls(&right).expect("its account");
    assert_eq!(calls(&wrong).expect_err("another account").kind(), ErrorKind::WrongAccount);
    let verifications = requests(&here).iter().filter(|request| request["path"] == "/v2/account").count();
    assert_eq!(verifications, 2, "each client verifies its own account");
}

#[test]
fn it_refreshes_a_source_for_a_later_client() {
    let loads = Arc::new(AtomicUsize::new(0));
    let counted = loads.clone();
    let load: Arc<dyn Load> = Arc::new(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        Credentials::new(b"abc123def456", b"sec789xyz000")
    });
    let client = || {
        let mut config = Config::new();
        config.set_source_callback(load.clone());
        Client::new(&config).expect("a client")
    };
    let first = client();
    for _ in 0..3 {
        first.credentials().expect("a pair");
    }
    assert_eq!(loads.load(Ordering::Relaxed), 1, "the callback does not run for each call");
    let _second = client();
    let begun = Instant::now();
    while loads.load(Ordering::Relaxed) == 1 {
        first.credentials().expect("a pair");
        assert!(begun.elapsed() < TIME_LIMIT, "no refresh for the later client");
        std::thread::yield_now();
    }
}

#[test]
fn it_shares_connections_between_clients_of_equal_settings() {
    let sandbox = sandbox();
    let other = sandbox.control("POST", "pairs", &json!({})).expect("another account");
    let text = |name: &str| other[name].as_str().expect("text");
    // The first client stays, because connections close with the last client that may use them.
    let first = with_pair(&sandbox, sandbox.api_key(), sandbox.api_secret());
    calls(&first).expect("a good pair");
    calls(&with_pair(&sandbox, text("api_key"), text("api_secret"))).expect("a good pair");
    let connections: Vec<Value> =
        requests(&sandbox).iter().map(|request| request["connection"].clone()).collect();
    assert_eq!(connections[0], connections[1]);
}

#[test]
#[cfg(target_os = "linux")]
fn it_creates_ten_thousand_clients_of_a_few_kilobytes() {
    const CLIENTS: usize = 10_000;
    let sandbox = sandbox();
    let resident = || {
        let statm = std::fs::read_to_string("/proc/self/statm").expect("the kernel's file");
        statm.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).expect("a number") * 4096
    };
    let make = |number: usize| with_pair(&sandbox, &format!("tenant-key-{number}"), "sec789xyz000");
    let warm = make(CLIENTS);
    let before = resident();
    let clients: Vec<Client> = (0..CLIENTS).map(make).collect();
    let each = resident().saturating_sub(before) / clients.len();
    assert!(each < 8 * 1024, "{each} bytes a client");
    assert!(each > 100, "the control: {each} bytes a client are too few");
    drop(warm);
}

/// Returns the value of a sample in a client's usage.
fn counted(client: &Client, sample: &str) -> Option<u64> {
    let usage = client.usage();
    let line = usage.lines().find_map(|line| line.strip_prefix(&format!("justcall_auth_{sample} ")));
    line.map(|value| value.parse().expect("a whole number"))
}

#[test]
fn it_counts_the_clients_of_one_pair_together() {
    let sandbox = sandbox();
    let config = support::config(&sandbox);
    let [first, second] = [(); 2].map(|()| Client::new(&config).expect("a client"));
    let other = with_pair(&sandbox, sandbox.api_key(), &"0".repeat(40));
    assert_eq!(counted(&first, "pair_generation"), None, "no call has read the source yet");
    calls(&first).expect("a good pair");
    second.verify().expect("a good pair");
    calls(&other).expect_err("a wrong secret");
    for client in [&first, &second] {
        assert_eq!(counted(client, "calls_total{outcome=\"ok\"}"), Some(2));
        assert_eq!(counted(client, "requests_total{method=\"GET\",status=\"200\"}"), Some(2));
        assert_eq!(counted(client, "pair_rejected"), Some(0));
        assert!(counted(client, "rate_limit_remaining{window=\"main\"}").is_some());
    }
    assert_eq!(counted(&other, "calls_total{outcome=\"ok\"}"), Some(0));
    assert_eq!(counted(&other, "calls_total{outcome=\"invalid_credentials\"}"), Some(1));
    assert_eq!(counted(&other, "pair_rejected"), Some(1));
}

#[test]
fn it_shows_the_generation_the_key_hint_and_the_rate_limit_of_the_pair_in_use() {
    let sandbox = sandbox();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("pair");
    let put = |key: &str, secret: &str| std::fs::write(&file, format!("{key}:{secret}")).expect("a file");
    put(sandbox.api_key(), sandbox.api_secret());
    let mut config = config(&sandbox);
    config.set_source(&format!("file:{}", file.display())).expect("good");
    let (client, twin) = (Client::new(&config).expect("a client"), Client::new(&config).expect("a client"));
    let known = |client: &Client| (client.generation(), client.key_hint());
    assert_eq!(known(&client), (0, None), "nothing was read yet");
    assert_eq!(client.rate_limit().main.limit, None);

    calls(&client).expect("the first pair");
    let hint = Some(justcall_auth::key_hint(sandbox.api_key().as_bytes()));
    assert_eq!(known(&client), (1, hint.clone()));
    assert_eq!(known(&twin), (1, hint), "they share the pair");
    let (limit, left) = (twin.rate_limit().main, twin.rate_limit().main.remaining.expect("it was reported"));
    assert!(limit.limit.is_some_and(|limit| left < limit), "{limit:?}");

    let new = sandbox.control("POST", "reset", &json!({})).expect("a reset");
    put(new["api_key"].as_str().expect("a key"), new["api_secret"].as_str().expect("a secret"));
    let begun = Instant::now();
    while calls(&client).is_err() {
        assert!(begun.elapsed() < TIME_LIMIT, "the new pair is never read");
        std::thread::yield_now();
    }
    let hint = justcall_auth::key_hint(new["api_key"].as_str().expect("a key").as_bytes());
    assert_eq!(known(&client), (2, Some(hint)));
}

#[test]
fn it_publishes_the_age_at_which_a_pair_is_due_for_rotation() {
    let sandbox = sandbox();
    let mut config = support::config(&sandbox);
    let due = |config: &Config| {
        let client = Client::new(config).expect("a client");
        calls(&client).expect("a good pair");
        counted(&client, "pair_rotation_due_seconds")
    };
    assert_eq!(due(&config), Some(90 * 24 * 60 * 60), "the default");
    config.set_rotation_due(Duration::from_secs(60));
    assert_eq!(due(&config), Some(60));
}

#[test]
fn it_records_the_use_of_a_pair_in_the_state_file() {
    let sandbox = sandbox();
    let folder = tempfile::tempdir().expect("a folder");
    let file = StateFile::at(folder.path().join("pairs.json"));
    let mut config = support::config(&sandbox);
    config.set_state_file(file.path()).expect("a path");
    let client = Client::new(&config).expect("a client");
    assert!(!file.path().exists(), "nothing was sent yet");
    let begun = Duration::from_secs(unix_time().as_secs());
    calls(&client).expect("a good pair");
    let known = file.seen(&pair(&sandbox), unix_time()).expect("the file");
    assert!(known.last_used.is_some_and(|used| (begun..=unix_time()).contains(&used)), "{known:?}");
}

#[test]
fn it_waits_for_the_new_pair_although_the_source_fails_meanwhile() {
    let sandbox = sandbox();
    let reads = Arc::new(AtomicUsize::new(0));
    let stored = Arc::new(Mutex::new(pair(&sandbox)));
    let load: Arc<dyn Load> = {
        let (reads, stored) = (reads.clone(), stored.clone());
        Arc::new(move || match reads.fetch_add(1, Ordering::Relaxed) {
            1 => Err(Error::new(ErrorKind::SourceUnavailable)),
            _ => Ok(stored.lock().expect("no panic").clone()),
        })
    };
    let mut config = bare_config(&sandbox);
    config.set_source_callback(load).set_rotation_wait(TIME_LIMIT);
    let client = Client::new(&config).expect("a client");
    calls(&client).expect("the first pair");
    let new = sandbox.control("POST", "reset", &json!({})).expect("a reset");
    let half = |name: &str| new[name].as_str().expect("a half").as_bytes();
    let new = Credentials::new(half("api_key"), half("api_secret")).expect("well formed");
    *stored.lock().expect("no panic") = new;
    calls(&client).expect("the pair of the third read");
    assert_eq!(reads.load(Ordering::Relaxed), 3);
}
