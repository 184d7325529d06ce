//! A call is ended from outside whatever it waits for, soon; looking up a name is in the tests of the transport itself.
#![cfg(target_os = "linux")]

mod support;

use std::io::Read as _;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use justcall_auth::exchange::Action;
use justcall_auth::{Cancel, Client, Config, Credentials, Error, ErrorKind, Event, EventKind, Request};
use justcall_auth_sandbox::Sandbox;
use serde_json::{Value, json};
use support::{PATIENCE, config, sandbox, wait_until};

/// How long a call may go on that was ended. What it takes is measured elsewhere.
const LIMIT: Duration = Duration::from_secs(1);
/// A client of what listens on `listener`, with any pair.
fn client_of(listener: &TcpListener) -> Client {
    let mut config = Config::new();
    let address = listener.local_addr().expect("it is bound");
    config.set_base_url(&format!("http://{address}")).expect("loopback");
    config.set_credentials(Credentials::new(b"abc123def456", b"sec789xyz000").expect("good"));
    Client::new(config.set_timeout(PATIENCE)).expect("a client")
}

/// Makes `call` on another thread, ends it once `reached` says so, and gives the error that it ends with.
fn end_once(
    reached: impl FnOnce(),
    end: impl FnOnce(),
    call: impl FnOnce() -> Result<(), Error> + Send + 'static,
) -> Error {
    let caller = thread::spawn(move || {
        let result = call();
        (result, Instant::now())
    });
    reached();
    let fired = Instant::now();
    end();
    let (result, ended) = caller.join().expect("no panic");
    let error = result.expect_err("the call was ended");
    assert_eq!(error.kind(), ErrorKind::Cancelled, "{error}");
    let took = ended.saturating_duration_since(fired);
    assert!(took < LIMIT, "it went on for {took:?}");
    error
}

fn end_request(client: &Client, request: Request, reached: impl FnOnce()) -> Error {
    let (cancel, client) = (Cancel::new(), client.clone());
    let for_call = cancel.clone();
    let call = move || client.call().with_cancel(for_call).request(request).map(drop);
    end_once(reached, || cancel.fire(), call)
}

fn get() -> Request {
    Request::new("GET", "/v2.1/calls").expect("a good request")
}

fn struck(sandbox: &Sandbox) -> bool {
    let faults = sandbox.control("GET", "faults", &Value::Null).expect("the faults");
    faults[0]["struck"].as_u64().is_some_and(|times| times > 0)
}

/// Whether a socket of this process is connecting to `port`.
fn is_connecting(port: u16) -> bool {
    let table = std::fs::read_to_string("/proc/self/net/tcp").expect("the kernel's table");
    table.contains(&format!(" 0100007F:{port:04X} 02 "))
}

#[test]
fn it_ends_a_call_that_a_server_holds_up() {
    for (fault, sent) in [
        (json!({"fault": "hang_handshake"}), false),
        (json!({"fault": "slow_handshake", "ms": 60_000}), false),
        (json!({"fault": "hang"}), true),
        (json!({"fault": "hang_body"}), true),
        (json!({"fault": "slow_body", "chunk_bytes": 1, "every_ms": 200}), true),
        // It never pauses for as long as a call waits at a time.
        (json!({"fault": "slow_body", "chunk_bytes": 1, "every_ms": 5}), true),
    ] {
        let sandbox = sandbox();
        let client = Client::new(&config(&sandbox)).expect("a client");
        sandbox.control("POST", "faults", &fault).expect("a fault");
        let error = end_request(&client, get(), || wait_until("the fault", || struck(&sandbox)));
        assert_eq!(error.request_sent(), sent, "{fault}");
        // The client is as good as before.
        sandbox.control("DELETE", "faults", &Value::Null).expect("none");
        client.verify().expect("a good pair");
    }
}

#[test]
fn it_ends_a_call_that_is_connecting() {
    let full = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = full.local_addr().expect("it is bound");
    // Nobody accepts; once its queue is full the kernel answers no more.
    let mut queued = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(100)) {
        queued.push(stream);
    }
    let connecting = || wait_until("connecting", || is_connecting(address.port()));
    let error = end_request(&client_of(&full), get(), connecting);
    assert!(!error.request_sent());
}

#[test]
fn it_ends_a_call_that_is_sending() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let mut request = Request::new("POST", "/v2.1/texts").expect("a good request");
    request.set_body(vec![b' '; 32 << 20]);
    let mut held = None;
    let error = end_request(&client_of(&listener), request, || {
        // The reader stops after one byte: the rest does not fit into what the system holds.
        let (mut reader, _) = listener.accept().expect("a connection");
        reader.read_exact(&mut [0]).expect("a byte");
        held = Some(reader);
    });
    assert!(error.request_sent());
}

#[test]
fn it_ends_a_call_whose_source_hangs() {
    let folder = tempfile::tempdir().expect("a folder");
    let begun = folder.path().join("begun");
    let script = folder.path().join("pair.sh");
    std::fs::write(&script, format!("touch '{}'\nexec sleep 600\n", begun.display())).expect("a script");
    let mut config = Config::new();
    config.set_source(&format!("command:sh {}", script.display())).expect("a source").set_timeout(PATIENCE);
    let client = Client::new(&config).expect("a client");
    let other = client.clone();
    let cancel = Cancel::new();
    // Another call waits for the one that reads: it is ended alone.
    let waiting = cancel.clone();
    let waits = move || other.call().with_cancel(waiting).request(get()).map(drop);
    let reads = Cancel::new();
    let reading = reads.clone();
    let reader = thread::spawn(move || client.call().with_cancel(reading).verify());
    wait_until("the command", || begun.exists());
    end_once(|| {}, || cancel.fire(), waits);
    assert!(!reader.is_finished());
    let fired = Instant::now();
    reads.fire();
    let error = reader.join().expect("no panic").expect_err("the call was ended");
    assert_eq!(error.kind(), ErrorKind::Cancelled, "{error}");
    assert!(fired.elapsed() < LIMIT);
}

#[test]
fn it_lets_a_call_that_waited_read_the_source_when_the_one_that_did_is_ended() {
    let sandbox = sandbox();
    let folder = tempfile::tempdir().expect("a folder");
    let (begun, script) = (folder.path().join("begun"), folder.path().join("pair.sh"));
    let pair = json!({"api_key": sandbox.api_key(), "api_secret": sandbox.api_secret()});
    let text = format!("mkdir '{}' && exec sleep 600\necho '{pair}'\n", begun.display());
    std::fs::write(&script, text).expect("a script");
    let mut config = config(&sandbox);
    config.set_source(&format!("command:sh {}", script.display())).expect("a source");
    let client = Client::new(&config).expect("a client");
    let (reads, other) = (Cancel::new(), client.clone());
    let reading = reads.clone();
    let reader = thread::spawn(move || client.call().with_cancel(reading).verify());
    wait_until("the command", || begun.exists());
    let mut waits = other.exchange(get());
    assert!(matches!(waits.next(), Ok(Action::Wait(_))), "one reads at a time");
    reads.fire();
    assert_eq!(reader.join().expect("no panic").expect_err("it was ended").kind(), ErrorKind::Cancelled);
    assert_eq!(waits.next().expect("it was not ended"), Action::Load);
    waits.load();
    assert!(matches!(waits.next().expect("a pair"), Action::Send { .. }));
}

#[test]
fn it_ends_a_call_that_waits_for_another_pair() {
    let sandbox = sandbox();
    let waits = Arc::new(AtomicBool::new(false));
    let seen = waits.clone();
    let mut config = config(&sandbox);
    config.set_max_retries(2).set_rotation_wait(PATIENCE).set_observer(Arc::new(move |event: &Event| {
        seen.fetch_or(event.kind() == EventKind::WaitingForSource, Ordering::Relaxed);
    }));
    let client = Client::new(&config).expect("a client");
    sandbox.control("POST", "reset", &Value::Null).expect("a reset");
    end_request(&client, get(), || wait_until("the wait", || waits.load(Ordering::Relaxed)));
}

#[test]
fn it_begins_nothing_once_fired_and_spares_other_calls() {
    let sandbox = sandbox();
    let client = Client::new(&config(&sandbox)).expect("a client");
    let cancel = Cancel::new();
    cancel.fire();
    let error = client.call().with_cancel(cancel.clone()).verify().expect_err("it was fired");
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert!(!error.request_sent() && cancel.is_fired());
    let seen = sandbox.control("GET", "requests", &Value::Null).expect("the record");
    assert_eq!(seen.as_array().map(Vec::len), Some(0));
    client.verify().expect("a good pair");
}

#[test]
fn it_ends_every_call_of_a_client_that_shuts_down_and_no_other() {
    let sandbox = sandbox();
    let client = Client::new(&config(&sandbox)).expect("a client");
    let other = Client::new(&config(&sandbox)).expect("a client");
    sandbox.control("POST", "faults", &json!({"fault": "hang", "path": "/v2.1/calls"})).expect("a fault");
    let (calling, exchange) = (client.clone(), client.exchange(get()));
    end_once(
        || wait_until("the fault", || struck(&sandbox)),
        || client.shutdown(),
        move || calling.request(get()).map(drop),
    );
    let mut exchange = exchange;
    let ends = [
        client.verify().map(drop),
        client.clone().reload().map(drop),
        client.credentials().map(drop),
        exchange.next().map(drop),
    ];
    for end in ends {
        assert_eq!(end.expect_err("the client is shut down").kind(), ErrorKind::Cancelled);
    }
    other.verify().expect("a good pair");
}
