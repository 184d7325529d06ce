//! Runs resets in thousands of orders of events: several threads call, one resets the pair and updates the source, and one
//! advances the clock.
//!
//! In every order no call fails, key and secret of a request belong to the same pair, no pair is sent after its rejection,
//! at most one thread reads the source at a time, and the last pair is in use at the end. The model checker fails if there
//! is a deadlock, or if a run takes too many steps.

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

/// Created once: protecting the pairs in every run would take most of the time.
static CREDENTIALS: LazyLock<Vec<Credentials>> = LazyLock::new(|| {
    let pair = |number: usize| {
        let half = |name: &str| format!("{name}-{number}").into_bytes();
        Credentials::new(&half("key"), &half("secret")).expect("a good pair")
    };
    (0..PAIRS).map(pair).collect()
});

/// Returns the number of a pair. Panics if key and secret belong to different pairs.
fn number(credentials: &Credentials) -> usize {
    let position = CREDENTIALS.iter().position(|known| known.same_pair(credentials));
    position.expect("key and secret belong to one pair")
}

struct ModelWorld {
    shared: Shared,
    policy: Arc<Policy>,
    clock: AtomicU64,
    /// The number of the pair that the service accepts.
    accepted: AtomicUsize,
    /// The number of the pair in the source.
    in_source: AtomicUsize,
    is_being_read: AtomicBool,
    rejected: [AtomicBool; PAIRS],
    rotations: AtomicUsize,
    calling: AtomicUsize,
    /// Whether the driver reads the source when the exchange requests a wait.
    ignores_waits: bool,
}

impl ModelWorld {
    fn new(ignores_waits: bool) -> Arc<Self> {
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
            in_source: AtomicUsize::new(0),
            is_being_read: AtomicBool::new(false),
            rejected: std::array::from_fn(|_| AtomicBool::new(false)),
            rotations: AtomicUsize::new(0),
            calling: AtomicUsize::new(CALLERS),
            ignores_waits,
        })
    }

    fn now(&self) -> Moment {
        let monotonic = Duration::from_millis(self.clock.load(Ordering::SeqCst));
        Moment { monotonic, unix: Duration::from_secs(1_800_000_000) + monotonic, random: 0 }
    }

    fn read_source(&self) -> SourceRead {
        assert!(!self.is_being_read.swap(true, Ordering::SeqCst), "two threads read the source at once");
        let pair = self.in_source.load(Ordering::SeqCst);
        thread::yield_now();
        self.is_being_read.store(false, Ordering::SeqCst);
        SourceRead::Pair(LoadedPair { is_watched: true, ..LoadedPair::from(CREDENTIALS[pair].clone()) })
    }

    fn call(&self) {
        let request = Request::new("POST", "/v2/texts").expect("a good path");
        let mut exchange = Exchange::request(self.policy.clone(), self.shared.clone(), request, &self.now());
        loop {
            // Read before the exchange chooses a pair: a pair that is rejected later may still be sent.
            let rejected: Vec<bool> =
                self.rejected.iter().map(|rejected| rejected.load(Ordering::SeqCst)).collect();
            let action = exchange.next(&self.now());
            let rotated = |event: &justcall_auth_model::Event| event.kind() == EventKind::Rotated;
            let rotations = exchange.take_events().iter().filter(|event| rotated(event)).count();
            self.rotations.fetch_add(rotations, Ordering::SeqCst);
            match action.expect("no call fails") {
                Action::Load => {
                    exchange.loaded(Ok(self.read_source()), &self.now());
                }
                Action::Wait(_) if self.ignores_waits => drop(self.read_source()),
                Action::Wait(_) => thread::yield_now(),
                Action::Done => return,
                Action::Send { .. } => {
                    let pair = number(&exchange.authorization().expect("a send is due"));
                    assert!(!rejected[pair], "a rejected pair was sent again");
                    thread::yield_now();
                    let is_good = pair == self.accepted.load(Ordering::SeqCst);
                    let status = if is_good { 200 } else { 401 };
                    exchange.answered(Response::new(status, Vec::new(), Vec::new()), &self.now());
                    self.rejected[pair].fetch_or(!is_good, Ordering::SeqCst);
                }
            }
        }
    }
}

fn reset(ignores_waits: bool) {
    let world = ModelWorld::new(ignores_waits);
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
            resetting.in_source.store(pair, Ordering::SeqCst);
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
    // A later call uses the last pair, and no candidate is left.
    world.clock.fetch_add(1000, Ordering::SeqCst);
    world.call();
    let version = world.shared.keyring.current().expect("a pair is loaded");
    assert_eq!(number(version.credentials()), PAIRS - 1, "the last promotion was lost");
    let rotations = world.rotations.load(Ordering::SeqCst);
    assert_eq!(version.generation(), 1 + rotations as u64, "a promotion was not reported exactly once");
    assert!(world.shared.keyring.candidate().is_none(), "a candidate is left");
}

fn check(scheduler: impl Scheduler + 'static, ignores_waits: bool) {
    let mut config = Config::new();
    // Hash and cipher need more stack than shuttle's default.
    config.stack_size = 512 * 1024;
    config.max_steps = MaxSteps::FailAfter(200_000);
    LazyLock::force(&CREDENTIALS);
    Runner::new(scheduler, config).run(move || reset(ignores_waits));
}

#[test]
fn it_bridges_resets_in_every_random_order() {
    check(RandomScheduler::new_from_seed(20_261_124, 1500), false);
}

#[test]
fn it_bridges_resets_when_threads_are_delayed_at_chosen_steps() {
    check(PctScheduler::new_from_seed(20_261_124, 3, 1500), false);
}

#[test]
#[should_panic(expected = "two threads read the source at once")]
fn it_detects_a_driver_that_does_not_wait() {
    check(RandomScheduler::new_from_seed(20_261_124, 1500), true);
}
