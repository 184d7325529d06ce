//! `request_sent` compared with the requests that arrived. Whatever fails and whenever a call is cancelled, it is true
//! for every request of which the service saw a part, and false if nothing can have been sent.
#![cfg(target_os = "linux")]

mod support;

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use justcall_auth::{Cancel, Client, Request};
use justcall_auth_sandbox::{Sandbox, SandboxConfig};
use serde_json::{Value, json};
use support::TIME_LIMIT;

/// The number of sandboxes that are called in parallel. Every other one has no TLS.
const WORLDS: u64 = 6;
/// The number of calls to each sandbox.
const CALLS: usize = 100;
/// The variable with the seed of a run, to repeat it.
const SEED: &str = "JUSTCALL_TEST_SEED";

/// Pseudo-random numbers that follow from a seed (`SplitMix64`).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[usize::try_from(self.below(from.len() as u64)).expect("below a length")]
    }
}

/// A fault of a call.
struct CallFault {
    order: Value,
    /// True if the fault lasts until the call stops.
    is_endless: bool,
    /// True if no byte of the request can leave over a new connection.
    spares_request: bool,
}

fn random_fault(random: &mut Random, is_tls: bool, size: usize) -> CallFault {
    let after = random.below(size as u64 + 1);
    let early = |then: &str| json!({"after_bytes": after, "then": then});
    let body = json!({"status": "error", "message": "no"});
    // Otherwise the next request would use a connection that is no longer read.
    let closes = json!({"Connection": "close"});
    let faults = [
        (json!(null), false, false),
        (json!({"fault": "reset_before_request"}), false, false),
        (json!({"fault": "slow_handshake", "ms": random.below(300)}), false, false),
        (json!({"fault": "hang"}), true, false),
        (json!({"fault": "hang_body"}), true, false),
        (json!({"fault": "delay", "ms": random.below(400)}), false, false),
        (json!({"fault": "reset_after_request"}), false, false),
        (json!({"fault": "close_after_request"}), false, false),
        (json!({"fault": "truncated_body"}), false, false),
        (json!({"fault": "close_idle", "after_ms": random.below(3)}), false, false),
        (json!({"fault": "raw", "bytes": "SSH-2.0-x\r\n"}), false, false),
        (json!({"fault": "raw", "bytes": "", "early": early("reset")}), false, false),
        (json!({"fault": "raw", "bytes": "", "early": early("close")}), false, false),
        (json!({"fault": "raw", "bytes": "", "early": early("hang")}), true, false),
        (json!({"fault": "answer", "status": 413, "body": body, "early": early("reset")}), false, false),
        (
            json!({"fault": "answer", "status": 503, "headers": closes, "body": body, "early": early("hang")}),
            false,
            false,
        ),
        (json!({"fault": "interim", "status": 103, "after_bytes": after}), false, false),
        (json!({"fault": "hang_handshake"}), true, true),
        (json!({"fault": "tls", "certificate": "expired"}), false, true),
        (json!({"fault": "tls", "certificate": "wrong_host"}), false, true),
    ];
    // The last three faults need TLS.
    let count = if is_tls { faults.len() } else { faults.len() - 3 };
    let index = usize::try_from(random.below(count as u64)).expect("below a length");
    let (order, is_endless, spares_request) = faults[index].clone();
    CallFault { order, is_endless, spares_request }
}

/// The result of a call.
#[derive(Debug, Clone)]
struct Outcome {
    id: String,
    /// A description of the call, for messages.
    about: String,
    request_sent: bool,
    /// True if no byte of the request can have left.
    is_spared: bool,
}

/// A sandbox, with a proxy and a port that refuse connections.
struct World {
    sandbox: Sandbox,
    /// A client that keeps the connections of earlier calls open; clients with the same settings share them.
    keeper: Option<Client>,
    /// A port that is bound and refuses connections.
    closed: (SocketAddr, OwnedFd),
    proxy: SocketAddr,
}

fn closed_port() -> (SocketAddr, OwnedFd) {
    use rustix::net::{AddressFamily, SocketType, bind, getsockname, socket};
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None).expect("a socket");
    bind(&socket, &SocketAddr::from(([127, 0, 0, 1], 0))).expect("a free port");
    let address = getsockname(&socket).expect("it is bound").try_into().expect("an internet address");
    (address, socket)
}

/// Starts a proxy that makes no tunnel: it refuses, closes, or never answers.
fn closed_proxy() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    thread::spawn(move || {
        for (number, peer) in listener.incoming().enumerate() {
            let Ok(mut peer) = peer else { return };
            thread::spawn(move || {
                let mut buffer = [0; 4096];
                let _read = peer.read(&mut buffer);
                match number % 3 {
                    0 => drop(peer.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")),
                    1 => {}
                    // Waits until the client stops.
                    _ => while matches!(peer.read(&mut buffer), Ok(1..)) {},
                }
            });
        }
    });
    address
}

impl World {
    fn new(number: u64) -> Self {
        let config_of_sandbox = SandboxConfig { http: number % 2 == 1, ..SandboxConfig::default() };
        let sandbox = Sandbox::start(config_of_sandbox).expect("a sandbox");
        Self { sandbox, keeper: None, closed: closed_port(), proxy: closed_proxy() }
    }

    /// Makes one call with a fault that follows from the seed.
    fn call(&mut self, id: String, random: &mut Random) -> Outcome {
        let is_tls = self.sandbox.ca_file().is_some();
        let mut size = random.pick(&[0, 1, 300, 20_000, 60_000, 600_000]);
        let chosen = random_fault(random, is_tls, size);
        self.sandbox.control("DELETE", "faults", &Value::Null).expect("none");
        if !chosen.order.is_null() {
            self.sandbox.control("POST", "faults", &chosen.order).expect("a fault");
        }
        if chosen.order["early"]["then"] == "hang" {
            // Unread data must fit into the buffers of the system. Otherwise the sandbox does not see that the client
            // closes.
            size = size.min(60_000);
        }
        let is_astray = random.below(8) == 0;
        let is_hurried = chosen.is_endless || is_astray || random.below(3) == 0;
        let timeout = if is_hurried { Duration::from_millis(20 + random.below(200)) } else { TIME_LIMIT };
        let mut config = support::config(&self.sandbox);
        let retries = u32::from(random.below(4) == 0);
        config.set_timeout(timeout).set_max_retries(retries);
        if is_astray && is_tls {
            config.set_proxy(&format!("http://{}", self.proxy)).expect("a proxy");
        } else if is_astray {
            config.set_base_url(&format!("http://{}", self.closed.0)).expect("loopback");
        }
        let is_spared = chosen.spares_request || is_astray;
        if is_spared || random.below(2) == 0 {
            self.keeper = None;
        }
        let client = Client::new(&config).expect("a client");
        let about = format!(
            "{} {size} bytes in {timeout:?}, {retries} retries, astray: {is_astray}, {}",
            self.sandbox.url(),
            chosen.order
        );
        let request_sent = send(&client, &id, size, random);
        self.keeper = Some(client);
        Outcome { id, about, request_sent, is_spared }
    }

    /// Returns the requests of which the sandbox saw a part, after it has seen the end of every connection.
    fn arrived(mut self) -> BTreeSet<String> {
        self.keeper = None;
        self.sandbox.control("DELETE", "faults", &Value::Null).expect("none");
        // Connections are accepted in the order in which they were opened.
        support::client(&self.sandbox).verify().expect("a good pair");
        let begun = Instant::now();
        while self.sandbox.control("GET", "connections", &Value::Null).expect("the connections")["open"] != 0
        {
            assert!(begun.elapsed() < TIME_LIMIT, "a connection never ended");
            thread::sleep(Duration::from_millis(5));
        }
        let records = support::requests(&self.sandbox);
        let of_calls = records.iter().filter(|record| record["path"] != "/v2/account");
        // The head of a request is sent at once, so every arrived part contains the id.
        let id =
            |record: &Value| record["request_id"].as_str().unwrap_or_else(|| panic!("{record}")).to_owned();
        of_calls.map(id).collect()
    }
}

/// Makes a call, perhaps with a cancellation in the middle. Returns `request_sent` as the caller gets it.
fn send(client: &Client, id: &str, size: usize, random: &mut Random) -> bool {
    let method = if size == 0 { "GET" } else { random.pick(&["POST", "PUT"]) };
    let mut request = Request::new(method, "/v2.1/echo").expect("good");
    request.set_header("X-Request-Id", id).expect("good");
    if size > 0 {
        request.set_body(vec![b'x'; size]);
    }
    let longest = random.pick(&[100, 3_000, 30_000]);
    let cancelled_after = (random.below(3) == 0).then(|| Duration::from_micros(random.below(longest)));
    let cancel = Cancel::new();
    thread::scope(|scope| {
        if let Some(after) = cancelled_after {
            let cancel = cancel.clone();
            scope.spawn(move || {
                thread::sleep(after);
                cancel.fire();
            });
        }
        client
            .call()
            .with_cancel(cancel.clone())
            .request(request)
            .map_or_else(|error| error.request_sent(), |_| true)
    })
}

/// Returns the outcomes that contradict the arrived requests.
fn violations(outcomes: &[Outcome], arrived: &BTreeSet<String>) -> Vec<String> {
    let wrong = outcomes.iter().filter_map(|outcome| {
        let why = if arrived.contains(&outcome.id) && !outcome.request_sent {
            "arrived, but counts as not sent"
        } else if outcome.is_spared && outcome.request_sent {
            "cannot have been sent, but counts as sent"
        } else {
            return None;
        };
        Some(format!("{} {why}: {}", outcome.id, outcome.about))
    });
    wrong.collect()
}

/// Runs the calls of one world. Returns their outcomes and the requests that arrived.
fn run(number: u64, seed: u64) -> (Vec<Outcome>, BTreeSet<String>) {
    let mut random = Random(seed ^ number << 32);
    let mut world = World::new(number);
    let outcomes = (0..CALLS).map(|call| world.call(format!("w{number}-c{call}"), &mut random)).collect();
    (outcomes, world.arrived())
}

#[test]
fn it_counts_arrived_requests_as_sent_and_impossible_ones_as_not_sent() {
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let seed = std::env::var(SEED).ok().map_or(clock, |seed| seed.parse().expect("a number"));
    println!("{SEED}={seed} repeats the choices of this run");
    let runs: Vec<_> = thread::scope(|scope| {
        let runs: Vec<_> = (0..WORLDS).map(|number| scope.spawn(move || run(number, seed))).collect();
        runs.into_iter().map(|run| run.join().expect("no panic")).collect()
    });
    let mut outcomes = Vec::new();
    let mut arrived = BTreeSet::new();
    for (of_world, arrived_there) in runs {
        outcomes.extend(of_world);
        arrived.extend(arrived_there);
    }
    let wrong = violations(&outcomes, &arrived);
    assert!(wrong.is_empty(), "{SEED}={seed}: {wrong:#?}");
    check_the_checker(&outcomes, &arrived);
}

/// The control: each kind of wrong flag is found, and there were enough calls of every kind.
fn check_the_checker(outcomes: &[Outcome], arrived: &BTreeSet<String>) {
    let flipped = |outcome: &Outcome| Outcome { request_sent: !outcome.request_sent, ..outcome.clone() };
    let (mut came, mut spared, mut neither) = (0, 0, 0);
    for outcome in outcomes {
        let is_found = !violations(&[flipped(outcome)], arrived).is_empty();
        let has_arrived = arrived.contains(&outcome.id);
        assert_eq!(is_found, has_arrived || outcome.is_spared, "{outcome:?}");
        came += usize::from(has_arrived);
        spared += usize::from(outcome.is_spared);
        neither += usize::from(!has_arrived && !outcome.is_spared);
    }
    println!("{came} requests arrived, {spared} could not, {neither} were cut off in between");
    assert!(came > 30 && spared > 10 && neither > 5, "{came} {spared} {neither}");
}
