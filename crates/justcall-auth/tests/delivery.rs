//! Reports of a call about its request, and calls that must not wait for themselves.

mod support;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use justcall_auth::exchange::Action;
use justcall_auth::source::Load;
use justcall_auth::{Cancel, Client, Credentials, Error, ErrorKind, Event, EventKind, Request};
use justcall_auth_sandbox::Sandbox;
use serde_json::{Value, json};
use support::{TIME_LIMIT, bare_config, pair, requests, sandbox};

fn pair_of(account: &Value) -> Credentials {
    let text = |name: &str| account[name].as_str().expect("the sandbox returns it").as_bytes();
    Credentials::new(text("api_key"), text("api_secret")).expect("the sandbox's pairs are good")
}

fn post() -> Request {
    let mut request = Request::new("POST", "/v2.1/echo").expect("good");
    request.set_body("{}");
    request
}

#[test]
fn it_keeps_the_response_of_a_call_that_is_cancelled_while_it_waits_for_a_retry() {
    for (method, status) in [("PUT", 503), ("POST", 429)] {
        let sandbox = sandbox();
        let fault = json!({"fault": "answer", "status": status, "headers": {"retry-after": "50"}});
        sandbox.control("POST", "faults", &fault).expect("a fault");
        let cancel = Cancel::new();
        let fired = cancel.clone();
        let mut config = bare_config(&sandbox);
        config.set_credentials(pair(&sandbox)).set_observer(Arc::new(move |event: &Event| {
            if event.kind() == EventKind::Retrying {
                fired.fire();
            }
        }));
        let client = Client::new(&config).expect("a client");
        let request = Request::new(method, "/v2.1/echo").expect("good");
        let error = client.call().with_cancel(cancel).request(request).expect_err("it was cancelled");
        assert_eq!(
            (error.kind(), error.http_status(), error.request_sent()),
            (ErrorKind::Cancelled, status, true),
            "{method}"
        );
        let response = error.response().expect("the last response");
        assert_eq!(response.header("retry-after"), Some("50"));
        assert_eq!((error.method(), error.path(), error.attempts()), (Some(method), Some("/v2.1/echo"), 1));
    }
}

#[test]
fn it_keeps_the_refusal_of_a_call_that_is_cancelled_while_it_waits_for_another_pair() {
    let sandbox = sandbox();
    let cancel = Cancel::new();
    let fired = cancel.clone();
    let mut config = bare_config(&sandbox);
    config.set_credentials(pair(&sandbox)).set_rotation_wait(TIME_LIMIT).set_observer(Arc::new(
        move |event: &Event| {
            if event.kind() == EventKind::WaitingForSource {
                fired.fire();
            }
        },
    ));
    let client = Client::new(&config).expect("a client");
    sandbox.control("POST", "reset", &Value::Null).expect("a reset");
    let error = client.call().with_cancel(cancel).request(post()).expect_err("it was cancelled");
    assert_eq!((error.kind(), error.http_status(), error.request_sent()), (ErrorKind::Cancelled, 401, true));
}

#[test]
fn it_reports_that_an_exchange_was_sent_when_its_client_shuts_down() {
    let sandbox = sandbox();
    for is_taken in [false, true] {
        let mut config = bare_config(&sandbox);
        config.set_credentials(pair(&sandbox));
        let client = Client::new(&config).expect("a client");
        let mut exchange = client.exchange(post());
        while !matches!(exchange.next().expect("an action"), Action::Send { .. }) {
            exchange.load();
        }
        assert!(exchange.remaining().is_some_and(|left| left <= TIME_LIMIT));
        if is_taken {
            exchange.authorization().expect("a request is due");
        }
        client.shutdown();
        let error = exchange.next().expect_err("the client is shut down");
        assert_eq!((error.kind(), error.request_sent()), (ErrorKind::Cancelled, is_taken));
    }
}

#[test]
fn it_never_prints_the_path_of_a_failed_request() {
    let sandbox = sandbox();
    sandbox.control("POST", "faults", &json!({"fault": "answer", "status": 422})).expect("a fault");
    let mut config = bare_config(&sandbox);
    config.set_credentials(pair(&sandbox));
    let request = Request::new("POST", "/v2.1/echo/+15550100?x=1").expect("good");
    let error = Client::new(&config).expect("a client").request(request).expect_err("422");
    assert_eq!(error.path(), Some("/v2.1/echo/+15550100"));
    for text in [error.to_string(), format!("{error:?}"), error.hint().to_owned()] {
        assert!(!text.contains("5550100"), "{text}");
    }
}

/// The errors of a client inside its own callback.
type Inside = Arc<OnceLock<Vec<Error>>>;

/// Creates a client whose source uses the same client.
fn client_in_its_own_source(sandbox: &Sandbox, inside: &Inside, used: &Arc<OnceLock<Client>>) -> Client {
    let (pair, inside, used) = (pair(sandbox), inside.clone(), used.clone());
    let source: Arc<dyn Load> = Arc::new(move || {
        let client = used.get().expect("the client exists before the first call");
        let mut exchange = client.exchange(post());
        let seen = vec![
            client.verify().expect_err("it would wait for itself"),
            client.request(post()).expect_err("it would wait for itself"),
            client.credentials().expect_err("it would wait for itself"),
            client.reload().expect_err("it would wait for itself"),
            client.protection().map(drop).expect_err("it would wait for itself"),
            exchange.next().expect_err("it would wait for itself"),
        ];
        let _first = inside.set(seen);
        Ok(pair.clone())
    });
    let mut config = bare_config(sandbox);
    config.set_source_callback(source);
    Client::new(config.set_timeout(Duration::ZERO)).expect("a client")
}

#[test]
fn it_refuses_a_call_inside_the_callback_that_loads_its_pair() {
    let sandbox = sandbox();
    let (inside, used) = (Inside::default(), Arc::new(OnceLock::new()));
    let client = client_in_its_own_source(&sandbox, &inside, &used);
    assert!(used.set(client.clone()).is_ok());
    client.verify().expect("the callback still returns a pair");
    for error in inside.get().expect("the callback ran") {
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(!error.request_sent() && error.hint().contains("do not share this pair"), "{error}");
    }
    assert_eq!(requests(&sandbox).len(), 1, "the callback sent nothing");
    // Outside the callback the client works as usual, also on another thread while the callback runs.
    client.request(post()).expect("a good pair");
}

#[test]
fn it_lets_the_callback_use_clients_of_another_pair() {
    let sandbox = sandbox();
    let mut other = bare_config(&sandbox);
    other.set_credentials(pair(&sandbox));
    let other = Client::new(&other).expect("a client");
    let (pair, loads) = (pair(&sandbox), Arc::new(AtomicUsize::new(0)));
    let counted = loads.clone();
    let source: Arc<dyn Load> = Arc::new(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        other.verify().map(|_| pair.clone())
    });
    let mut config = bare_config(&sandbox);
    config.set_source_callback(source);
    Client::new(&config).expect("a client").verify().expect("a good pair");
    assert_eq!(loads.load(Ordering::Relaxed), 1);
}

/// A signal handler runs inside the wait of a call: `interrupt` makes one call there and lets the outer one continue.
fn call_from_an_interrupt(client: &Client, started: &Arc<AtomicBool>) -> Error {
    let (seen, inner, ready) = (Arc::new(OnceLock::new()), client.clone(), started.clone());
    let found = seen.clone();
    let interrupt = move || {
        if ready.load(Ordering::Acquire) && found.get().is_none() {
            let error = inner.request(post()).expect_err("it would wait for itself");
            assert!(found.set(error).is_ok());
            return true;
        }
        false
    };
    let ended = client.call().with_interrupt(Arc::new(interrupt)).request(post());
    assert_eq!(ended.expect_err("the interrupt ends it").kind(), ErrorKind::Cancelled);
    seen.get().expect("the interrupt ran").clone()
}

#[test]
fn it_refuses_a_call_from_an_interrupt_of_the_call_that_reads_the_source() {
    let sandbox = sandbox();
    let mut config = bare_config(&sandbox);
    config.set_source("command:sleep 600").expect("a source").set_timeout(Duration::ZERO);
    let client = Client::new(&config).expect("a client");
    let error = call_from_an_interrupt(&client, &Arc::new(AtomicBool::new(true)));
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
}

#[test]
fn it_refuses_a_call_from_an_interrupt_of_the_call_that_proves_a_pair() {
    let sandbox = sandbox();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("pair");
    std::fs::write(&file, format!("{}:{}", sandbox.api_key(), sandbox.api_secret())).expect("a file");
    let mut config = bare_config(&sandbox);
    config.set_source(&format!("file:{}", file.display())).expect("a source").set_timeout(Duration::ZERO);
    let proving = Arc::new(AtomicBool::new(false));
    let seen = proving.clone();
    config.set_observer(Arc::new(move |event: &Event| {
        seen.fetch_or(event.kind() == EventKind::SourceChanged, Ordering::Release);
    }));
    let client = Client::new(&config).expect("a client");
    client.verify().expect("a good pair");
    let new = sandbox.control("POST", "reset", &Value::Null).expect("a reset");
    let text = |name: &str| new[name].as_str().expect("the sandbox returns it").to_owned();
    let next = folder.path().join("next");
    std::fs::write(&next, format!("{}:{}", text("api_key"), text("api_secret"))).expect("a file");
    std::fs::rename(&next, &file).expect("the swap");
    // The proof hangs.
    let hang = json!({"fault": "hang", "api_key": text("api_key")});
    sandbox.control("POST", "faults", &hang).expect("a fault");
    let error = call_from_an_interrupt(&client, &proving);
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
}

#[test]
fn it_does_not_block_other_calls_while_a_callback_hangs() {
    let sandbox = sandbox();
    let (release, hangs) = mpsc::channel::<()>();
    let hangs = std::sync::Mutex::new(Some(hangs));
    let (pair, entered) = (pair(&sandbox), Arc::new(AtomicBool::new(false)));
    let is_in = entered.clone();
    let source: Arc<dyn Load> = Arc::new(move || -> Result<Credentials, Error> {
        let first = hangs.lock().expect("no test panics with it").take();
        if let Some(first) = first {
            is_in.store(true, Ordering::Release);
            let _released = first.recv();
        }
        Ok(pair.clone())
    });
    let mut config = bare_config(&sandbox);
    config.set_source_callback(source);
    let client = Client::new(&config).expect("a client");
    let hung = client.clone();
    let mut quick = post();
    quick.set_timeout(Duration::from_secs(2));
    let caller = thread::spawn(move || hung.request(quick));
    let began = Instant::now();
    while !entered.load(Ordering::Acquire) {
        assert!(began.elapsed() < TIME_LIMIT, "the callback never ran");
        thread::sleep(Duration::from_millis(1));
    }
    client.request(post()).expect("the lease of the other call has ended");
    release.send(()).expect("the callback waits for it");
    let error = caller.join().expect("no panic").expect_err("its deadline has passed");
    assert_eq!((error.kind(), error.request_sent()), (ErrorKind::Timeout, false), "{error}");
    assert!(error.message().contains("source"), "{error}");
}

#[test]
fn it_refuses_a_pair_of_another_account_from_the_source() {
    let sandbox = sandbox();
    let other = sandbox.control("POST", "pairs", &json!({"account_id": 67890})).expect("an account");
    let stored_pair = Arc::new(std::sync::Mutex::new(pair(&sandbox)));
    let source = stored_pair.clone();
    let load: Arc<dyn Load> = Arc::new(move || Ok(source.lock().expect("no test panics with it").clone()));
    let rejected = Arc::new(AtomicBool::new(false));
    let seen = rejected.clone();
    let mut config = bare_config(&sandbox);
    config.set_source_callback(load).set_observer(Arc::new(move |event: &Event| {
        seen.fetch_or(event.kind() == EventKind::CandidateRejected, Ordering::Relaxed);
    }));
    let client = Client::new(&config).expect("a client");
    client.verify().expect("a good pair");
    sandbox.control("POST", "reset", &json!({"api_key": sandbox.api_key()})).expect("a reset");
    *stored_pair.lock().expect("no test panics with it") = pair_of(&other);
    let error = client.request(post()).expect_err("the source supplies another account");
    assert_eq!(error.kind(), ErrorKind::WrongAccount, "{error}");
    assert!(error.request_sent() && error.http_status() == 401, "the first attempt was refused");
    assert!(rejected.load(Ordering::Relaxed));
    let seen = requests(&sandbox);
    let posts = seen.iter().filter(|request| request["method"] == "POST").count();
    assert_eq!(posts, 1, "nothing is sent with the other account: {seen:?}");
}

#[test]
fn it_uses_a_pair_of_another_account_if_the_first_one_is_unknown() {
    let sandbox = sandbox();
    let other = sandbox.control("POST", "pairs", &json!({"account_id": 67890})).expect("an account");
    let stored_pair = Arc::new(std::sync::Mutex::new(pair(&sandbox)));
    let source = stored_pair.clone();
    let load: Arc<dyn Load> = Arc::new(move || Ok(source.lock().expect("no test panics with it").clone()));
    let mut config = bare_config(&sandbox);
    config.set_source_callback(load);
    let client = Client::new(&config).expect("a client");
    client.request(post()).expect("a good pair");
    sandbox.control("POST", "reset", &json!({"api_key": sandbox.api_key()})).expect("a reset");
    *stored_pair.lock().expect("no test panics with it") = pair_of(&other);
    client.request(post()).expect("the documented behaviour");
}
