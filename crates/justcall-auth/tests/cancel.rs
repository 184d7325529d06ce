//! Cancellation of calls from outside, soon, whatever they wait for. The tests of the transport cover name look-ups.
#![cfg(target_os = "linux")]

mod support;

use std::fs;
use std::io::Read as _;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use justcall_auth::exchange::Action;
use justcall_auth::{
    Cancel, Client, Config, Credentials, Error, ErrorKind, Event, EventKind, Interrupt, Request,
};
use justcall_auth_sandbox::Sandbox;
use serde_json::{Value, json};
use support::{TIME_LIMIT, config, sandbox, wait_until};

/// How long a cancelled call may continue. Another test measures the usual time.
const LIMIT: Duration = Duration::from_secs(1);
/// Creates a client of the server on `listener`, with any pair.
fn client_of(listener: &TcpListener) -> Client {
    let mut config = Config::new();
    let address = listener.local_addr().expect("it is bound");
    config.set_base_url(&format!("http://{address}")).expect("loopback");
    config.set_credentials(Credentials::new(b"abc123def456", b"sec789xyz000").expect("good"));
    Client::new(config.set_timeout(TIME_LIMIT)).expect("a client")
}

/// Runs `call` on another thread and cancels it after `reached` returns. Returns the error of the call.
fn cancel_once(
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
    let error = result.expect_err("the call was cancelled");
    assert_eq!(error.kind(), ErrorKind::Cancelled, "{error}");
    let took = ended.saturating_duration_since(fired);
    assert!(took < LIMIT, "the call continued for {took:?}");
    error
}

fn cancel_request(client: &Client, request: Request, reached: impl FnOnce()) -> Error {
    let (cancel, client) = (Cancel::new(), client.clone());
    let for_call = cancel.clone();
    let call = move || client.call().with_cancel(for_call).request(request).map(drop);
    cancel_once(reached, || cancel.fire(), call)
}

fn get() -> Request {
    Request::new("GET", "/v2.1/calls").expect("a good request")
}

fn struck(sandbox: &Sandbox) -> bool {
    let faults = sandbox.control("GET", "faults", &Value::Null).expect("the faults");
    faults[0]["struck"].as_u64().is_some_and(|times| times > 0)
}

/// Returns true if a socket of this process is connecting to `port`.
fn is_connecting(port: u16) -> bool {
    let table = fs::read_to_string("/proc/self/net/tcp").expect("the kernel's table");
    table.contains(&format!(" 0100007F:{port:04X} 02 "))
}

#[test]
fn it_cancels_a_call_that_waits_for_the_server() {
    for (fault, sent) in [
        (json!({"fault": "hang_handshake"}), false),
        (json!({"fault": "slow_handshake", "ms": 60_000}), false),
        (json!({"fault": "hang"}), true),
        (json!({"fault": "hang_body"}), true),
        (json!({"fault": "slow_body", "chunk_bytes": 1, "every_ms": 200}), true),
        // The pauses are shorter than a slice.
        (json!({"fault": "slow_body", "chunk_bytes": 1, "every_ms": 5}), true),
    ] {
        let sandbox = sandbox();
        let client = Client::new(&config(&sandbox)).expect("a client");
        sandbox.control("POST", "faults", &fault).expect("a fault");
        let error = cancel_request(&client, get(), || wait_until("the fault", || struck(&sandbox)));
        assert_eq!(error.request_sent(), sent, "{fault}");
        // The client can still be used.
        sandbox.control("DELETE", "faults", &Value::Null).expect("none");
        client.verify().expect("a good pair");
    }
}

#[test]
fn it_cancels_a_call_that_is_connecting() {
    let full = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = full.local_addr().expect("it is bound");
    // No thread accepts connections. When the queue is full, the kernel answers no more.
    let mut queued = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(100)) {
        queued.push(stream);
    }
    let connecting = || wait_until("connecting", || is_connecting(address.port()));
    let error = cancel_request(&client_of(&full), get(), connecting);
    assert!(!error.request_sent());
}

#[test]
fn it_cancels_a_call_that_is_sending() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let mut request = Request::new("POST", "/v2.1/texts").expect("a good request");
    request.set_body(vec![b' '; 32 << 20]);
    let mut kept_open = None;
    let error = cancel_request(&client_of(&listener), request, || {
        // The reader stops after one byte, and the rest does not fit into the buffers of the system.
        let (mut reader, _) = listener.accept().expect("a connection");
        reader.read_exact(&mut [0]).expect("a byte");
        kept_open = Some(reader);
    });
    assert!(error.request_sent());
}

#[test]
fn it_cancels_a_call_whose_source_hangs() {
    let folder = tempfile::tempdir().expect("a folder");
    let begun = folder.path().join("begun");
    let script = folder.path().join("pair.sh");
    fs::write(&script, format!("touch '{}'\nexec sleep 600\n", begun.display())).expect("a script");
    let mut config = Config::new();
    config.set_source(&format!("command:sh {}", script.display())).expect("a source").set_timeout(TIME_LIMIT);
    let client = Client::new(&config).expect("a client");
    let other = client.clone();
    let cancel = Cancel::new();
    // Another call waits for the one that reads. Cancelling it does not affect the reader.
    let waiting = cancel.clone();
    let waits = move || other.call().with_cancel(waiting).request(get()).map(drop);
    let reads = Cancel::new();
    let reading = reads.clone();
    let reader = thread::spawn(move || client.call().with_cancel(reading).verify());
    wait_until("the command", || begun.exists());
    cancel_once(|| {}, || cancel.fire(), waits);
    assert!(!reader.is_finished());
    let fired = Instant::now();
    reads.fire();
    let error = reader.join().expect("no panic").expect_err("the call was cancelled");
    assert_eq!(error.kind(), ErrorKind::Cancelled, "{error}");
    assert!(fired.elapsed() < LIMIT);
}

#[test]
fn it_lets_a_waiting_call_read_the_source_after_the_reader_is_cancelled() {
    let sandbox = sandbox();
    let folder = tempfile::tempdir().expect("a folder");
    let (begun, script) = (folder.path().join("begun"), folder.path().join("pair.sh"));
    let pair = json!({"api_key": sandbox.api_key(), "api_secret": sandbox.api_secret()});
    let text = format!("mkdir '{}' && exec sleep 600\necho '{pair}'\n", begun.display());
    fs::write(&script, text).expect("a script");
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
    assert_eq!(reader.join().expect("no panic").expect_err("it was cancelled").kind(), ErrorKind::Cancelled);
    assert_eq!(waits.next().expect("it was not cancelled"), Action::Load);
    waits.load();
    assert!(matches!(waits.next().expect("a pair"), Action::Send { .. }));
}

#[test]
fn it_cancels_a_call_that_waits_for_another_pair() {
    let sandbox = sandbox();
    let waits = Arc::new(AtomicBool::new(false));
    let seen = waits.clone();
    let mut config = config(&sandbox);
    config.set_max_retries(2).set_rotation_wait(TIME_LIMIT).set_observer(Arc::new(move |event: &Event| {
        seen.fetch_or(event.kind() == EventKind::WaitingForSource, Ordering::Relaxed);
    }));
    let client = Client::new(&config).expect("a client");
    sandbox.control("POST", "reset", &Value::Null).expect("a reset");
    cancel_request(&client, get(), || wait_until("the wait", || waits.load(Ordering::Relaxed)));
}

#[test]
fn it_starts_no_call_with_a_fired_handle_and_affects_no_other_call() {
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
fn it_cancels_every_call_of_a_client_at_shutdown_and_no_other() {
    let sandbox = sandbox();
    let client = Client::new(&config(&sandbox)).expect("a client");
    let other = Client::new(&config(&sandbox)).expect("a client");
    sandbox.control("POST", "faults", &json!({"fault": "hang", "path": "/v2.1/calls"})).expect("a fault");
    let (calling, exchange) = (client.clone(), client.exchange(get()));
    cancel_once(
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

/// Returns how often the thread `id` of this process has been woken.
fn wake_ups(id: &Path) -> u64 {
    let status = fs::read_to_string(Path::new("/proc").join(id).join("status")).expect("the thread runs");
    let count = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    count.and_then(|count| count.trim().parse().ok()).expect("the kernel counts them")
}

/// A call that waits for a response that never comes, and the thread that makes it.
struct WaitingCall {
    cancel: Cancel,
    thread: PathBuf,
    caller: JoinHandle<Instant>,
}

/// Starts `count` calls, and returns them once they have waited for longer than most calls.
fn waiting_calls(sandbox: &Sandbox, count: usize, interrupt: Option<Arc<dyn Interrupt>>) -> Vec<WaitingCall> {
    sandbox.control("DELETE", "faults", &Value::Null).expect("none");
    sandbox.control("POST", "faults", &json!({"fault": "hang"})).expect("a fault");
    let client = Client::new(&config(sandbox)).expect("a client");
    let (report, threads) = std::sync::mpsc::channel();
    let calls: Vec<WaitingCall> = (0..count)
        .map(|_| {
            let (cancel, client, report) = (Cancel::new(), client.clone(), report.clone());
            let (for_call, interrupt) = (cancel.clone(), interrupt.clone());
            let caller = thread::spawn(move || {
                let mut call = client.call().with_cancel(for_call);
                if let Some(interrupt) = interrupt {
                    call = call.with_interrupt(interrupt);
                }
                report.send(fs::read_link("/proc/thread-self").expect("Linux")).expect("awaited");
                let error = call.request(get()).expect_err("it was cancelled");
                assert_eq!(error.kind(), ErrorKind::Cancelled, "{error}");
                assert!(error.request_sent());
                Instant::now()
            });
            WaitingCall { cancel, thread: threads.recv().expect("it began"), caller }
        })
        .collect();
    let all_wait = || {
        let faults = sandbox.control("GET", "faults", &Value::Null).expect("the faults");
        faults[0]["struck"].as_u64() == Some(count as u64)
    };
    wait_until("the fault", all_wait);
    thread::sleep(Duration::from_millis(300));
    calls
}

/// Returns how often a second each of `calls` is woken while it waits.
fn wake_ups_per_second(calls: &[WaitingCall]) -> f64 {
    let total = || calls.iter().map(|call| wake_ups(&call.thread)).sum::<u64>();
    let (began, before) = (Instant::now(), total());
    thread::sleep(Duration::from_secs(3));
    let woken = u32::try_from(total() - before).expect("few");
    f64::from(woken) / began.elapsed().as_secs_f64() / calls.len() as f64
}

#[test]
fn it_wakes_a_waiting_call_at_most_once_a_second_and_ends_it_at_once() {
    let sandbox = sandbox();
    let calls = waiting_calls(&sandbox, 20, None);
    let often = wake_ups_per_second(&calls);
    // A second of slices may have one more at each end.
    assert!(often < 1.4, "{often} a second");
    let mut waits: Vec<Duration> = calls
        .into_iter()
        .map(|call| {
            // Checks once a second would end the calls after half a second on average.
            thread::sleep(Duration::from_millis(30));
            let fired = Instant::now();
            call.cancel.fire();
            call.caller.join().expect("no panic").saturating_duration_since(fired)
        })
        .collect();
    waits.sort_unstable();
    assert!(waits[10] < Duration::from_millis(100), "{waits:?}");

    let with_interrupt = waiting_calls(&sandbox, 2, Some(Arc::new(|| false)));
    let often = wake_ups_per_second(&with_interrupt);
    assert!((5.0..25.0).contains(&often), "an interrupt is polled, {often} a second");
    for call in with_interrupt {
        call.cancel.fire();
        call.caller.join().expect("no panic");
    }
}

#[test]
fn it_ends_all_waiting_calls_of_one_handle() {
    let sandbox = sandbox();
    sandbox.control("POST", "faults", &json!({"fault": "hang"})).expect("a fault");
    let client = Client::new(&config(&sandbox)).expect("a client");
    let cancel = Cancel::new();
    let callers: Vec<_> = (0..16)
        .map(|_| {
            let (client, cancel) = (client.clone(), cancel.clone());
            thread::spawn(move || {
                client.call().with_cancel(cancel).request(get()).expect_err("it was cancelled").kind()
            })
        })
        .collect();
    thread::sleep(Duration::from_millis(300));
    cancel.fire();
    for caller in callers {
        assert_eq!(caller.join().expect("no panic"), ErrorKind::Cancelled);
    }
    // A connection that a cancel handle shut down is not used again.
    sandbox.control("DELETE", "faults", &Value::Null).expect("none");
    client.verify().expect("a good pair");
}
