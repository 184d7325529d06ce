//! A reset, in as many orders of events as time allows: threads that call, one that resets the pair and lets the source
//! follow, and one for the clock.
//!
//! Whatever the order, no call fails, no pair is sent in two halves or after it is known to be bad, nobody looks at the
//! source beside another, and the last pair is in use in the end. That it ends at all, the checker sees to: it takes a
//! deadlock, or too many steps, for a failure.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use justcall_auth_model::keyring::{LoadedPair, SourceRead};
use justcall_auth_model::{
    Action, Credentials, EventKind, Exchange, Moment, Policy, Request, Response, Shared,
};
use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};
use shuttle::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use shuttle::{Config, MaxSteps, Runner, thread};

const PAIRS: usize = 3;
const CALLERS: usize = 3;
const CALLS: usize = 2;

/// Kept once: protecting them anew for every order would take most of the time.
static CREDENTIALS: LazyLock<Vec<Credentials>> = LazyLock::new(|| {
    let pair = |number: usize| {
        let half = |name: &str| format!("{name}-{number}").into_bytes();
        Credentials::new(&half("key"), &half("secret")).expect("a good pair")
    };
    (0..PAIRS).map(pair).collect()
});

/// The number of a pair; both its halves must agree.
fn number(credentials: &Credentials) -> usize {
    let position = CREDENTIALS.iter().position(|known| known.same_pair(credentials));
    position.expect("both halves are of one pair")
}

struct World {
    shared: Shared,
    policy: Arc<Policy>,
    clock: AtomicU64,
    accepted: AtomicUsize,
    given: AtomicUsize,
    is_looked_at: AtomicBool,
    known_bad: [AtomicBool; PAIRS],
    rotations: AtomicUsize,
    calling: AtomicUsize,
    /// A driver that does not do as it is told.
    is_rude: bool,
}

impl World {
    fn new(is_rude: bool) -> Arc<Self> {
        let policy = Policy {
            timeout: Duration::ZERO,
            max_retries: 8,
            rotation_wait: Duration::from_secs(3600),
            cool_down: Duration::from_secs(3600),
            ..Policy::default()
        };
        Arc::new(Self {
            shared: Shared::new("https://api.justcall.io", Arc::default()),
            policy: Arc::new(policy),
            clock: AtomicU64::new(1000),
            accepted: AtomicUsize::new(0),
            given: AtomicUsize::new(0),
            is_looked_at: AtomicBool::new(false),
            known_bad: std::array::from_fn(|_| AtomicBool::new(false)),
            rotations: AtomicUsize::new(0),
            calling: AtomicUsize::new(CALLERS),
            is_rude,
        })
    }

    fn now(&self) -> Moment {
        let monotonic = Duration::from_millis(self.clock.load(Ordering::SeqCst));
        Moment { monotonic, unix: Duration::from_secs(1_800_000_000) + monotonic, random: 0 }
    }

    fn look(&self) -> SourceRead {
        assert!(!self.is_looked_at.swap(true, Ordering::SeqCst), "two look at the source at once");
        let given = self.given.load(Ordering::SeqCst);
        thread::yield_now();
        self.is_looked_at.store(false, Ordering::SeqCst);
        SourceRead::Pair(LoadedPair { is_watched: true, ..LoadedPair::from(CREDENTIALS[given].clone()) })
    }

    fn call(&self) {
        let request = Request::new("POST", "/v2/texts").expect("a good path");
        let mut exchange = Exchange::request(self.policy.clone(), self.shared.clone(), request, &self.now());
        loop {
            let known_bad: Vec<bool> = self.known_bad.iter().map(|bad| bad.load(Ordering::SeqCst)).collect();
            let action = exchange.next(&self.now());
            let rotated = |event: &justcall_auth_model::Event| event.kind() == EventKind::Rotated;
            let rotations = exchange.take_events().iter().filter(|event| rotated(event)).count();
            self.rotations.fetch_add(rotations, Ordering::SeqCst);
            match action.expect("no call fails") {
                Action::Load => {
                    exchange.loaded(Ok(self.look()), &self.now());
                }
                Action::Wait(_) if self.is_rude => drop(self.look()),
                Action::Wait(_) => thread::yield_now(),
                Action::Done => return,
                Action::Send { .. } => {
                    let pair = number(&exchange.authorization().expect("due"));
                    assert!(!known_bad[pair], "a pair was sent that is known to be bad");
                    thread::yield_now();
                    let is_good = pair == self.accepted.load(Ordering::SeqCst);
                    let status = if is_good { 200 } else { 401 };
                    exchange.answered(Response::new(status, Vec::new(), Vec::new()), &self.now());
                    self.known_bad[pair].fetch_or(!is_good, Ordering::SeqCst);
                }
            }
        }
    }
}

fn reset(is_rude: bool) {
    let world = World::new(is_rude);
    let mut threads = Vec::new();
    for _ in 0..CALLERS {
        let world = world.clone();
        threads.push(thread::spawn(move || {
            for _ in 0..CALLS {
                world.call();
            }
            world.calling.fetch_sub(1, Ordering::SeqCst);
        }));
    }
    let resetting = world.clone();
    threads.push(thread::spawn(move || {
        for pair in 1..PAIRS {
            resetting.accepted.store(pair, Ordering::SeqCst);
            resetting.given.store(pair, Ordering::SeqCst);
        }
    }));
    let ticking = world.clone();
    threads.push(thread::spawn(move || {
        while ticking.calling.load(Ordering::SeqCst) > 0 {
            ticking.clock.fetch_add(100, Ordering::SeqCst);
            thread::yield_now();
        }
    }));
    for thread in threads {
        thread.join().expect("no thread fails");
    }
    // What comes after finds the last pair, with nothing left over from those before.
    world.clock.fetch_add(1000, Ordering::SeqCst);
    world.call();
    let version = world.shared.keyring.current().expect("a pair");
    assert_eq!(number(version.credentials()), PAIRS - 1, "the last promotion was lost");
    let rotations = world.rotations.load(Ordering::SeqCst);
    assert_eq!(version.generation(), 1 + rotations as u64, "each promotion was told once");
    assert!(world.shared.keyring.candidate().is_none(), "a candidate was left over");
}

fn check(scheduler: impl Scheduler + 'static, is_rude: bool) {
    let mut config = Config::new();
    // Hashing and cipher want more than its threads have.
    config.stack_size = 512 * 1024;
    config.max_steps = MaxSteps::FailAfter(200_000);
    LazyLock::force(&CREDENTIALS);
    Runner::new(scheduler, config).run(move || reset(is_rude));
}

#[test]
fn it_bridges_resets_in_every_order_that_was_tried() {
    check(RandomScheduler::new_from_seed(20_261_124, 1500), false);
}

#[test]
fn it_bridges_resets_when_threads_are_held_up_at_the_worst_moment() {
    check(PctScheduler::new_from_seed(20_261_124, 3, 1500), false);
}

#[test]
#[should_panic(expected = "two look at the source at once")]
fn it_would_notice_a_driver_that_does_not_wait() {
    check(RandomScheduler::new_from_seed(20_261_124, 1500), true);
}
