//! The world of an episode: its clock jumps from one thing that happens to the next.

use std::sync::Arc;
use std::time::Duration;

use justcall_auth_protocol::Moment;

use crate::call::{Call, Doing, Flight, Reference};
use crate::checks::{Check, Release};
use crate::coverage::{Coverage, Seen};
use crate::episode::Episode;
use crate::plant::Plant;
use crate::process::{Process, Ring};
use crate::queue::Queue;
use crate::random::Random;
use crate::service::{Account, Pair, Pool, Service};
use crate::source::Source;
use crate::trace::{Trace, What};
use crate::violation::Violation;

/// How many events before a violation are shown.
const SHOWN: usize = 80;
/// A call that has not ended so long after the last fault never ends: longer than every lease, wait and answer together.
const TIME_LIMIT: Duration = Duration::from_secs(2_000);
/// For so long no number of requests is unusual to the product, and a little longer.
const HOUR: Duration = Duration::from_secs(62 * 60);
/// When an episode begins.
const START: Duration = Duration::from_secs(1);

/// Something that will happen.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Event {
    /// A call of this process begins, and the next one is scheduled.
    Begins(usize),
    /// Many calls of this process begin at once.
    Burst(usize),
    /// The call's driver asks its exchange what to do.
    Drive(Reference),
    /// The call's read of the source is over.
    ReadEnds(Reference),
    /// The call's host takes the authorization.
    Takes(Reference),
    /// The request arrives at the service.
    Arrives(usize),
    /// The answer of the request comes back, or the driver learns that there is none.
    Returns(usize),
    /// The call is cancelled.
    Cancel(usize),
    /// An exchange that was left alone is dropped.
    Drop(usize),
    /// An account is reset.
    Reset(Account),
    /// The service takes the pair from now on, and the other pairs of its account no more.
    Lives(Pair),
    /// The service does not take the pair any more.
    Dies(Pair),
    /// The source gives the pair from now on.
    Follows(usize, Pair),
    /// The source gives what it should not, for a while.
    Mistake(usize),
    /// The source gives the latest pair again.
    Corrects(usize),
    /// A fork, a new client or a shutdown.
    Change,
    /// Faults end.
    Settles,
}

/// The world of an episode, and what outlasts it: the pairs and the counters.
pub struct World {
    pub(crate) seed: u64,
    pub(crate) random: Random,
    pub(crate) episode: Episode,
    pub(crate) now: Duration,
    pub(crate) queue: Queue<Event>,
    pub(crate) service: Service,
    pub(crate) pool: Pool,
    pub(crate) sources: Vec<Source>,
    pub(crate) processes: Vec<Process>,
    pub(crate) calls: Vec<Call>,
    pub(crate) flights: Vec<Flight>,
    /// The releases of held calls that go on.
    pub(crate) releases: Vec<Release>,
    /// When the calls that were held sent, and for which account, within the last second.
    pub(crate) released: Vec<(Duration, Account)>,
    /// Orders what happens at one moment.
    pub(crate) ticks: u64,
    pub(crate) trace: Trace,
    pub(crate) seen: Coverage,
    pub(crate) plant: Option<Plant>,
    pub(crate) violation: Option<Box<Violation>>,
}

impl World {
    /// A world without an episode; `plant` is a bug to plant in it.
    pub fn new(plant: Option<Plant>) -> Self {
        let mut random = Random::new(0);
        Self {
            seed: 0,
            episode: Episode::draw(&mut random),
            random,
            now: START,
            queue: Queue::new(),
            service: Service::new(),
            pool: Pool::new(),
            sources: Vec::new(),
            processes: Vec::new(),
            calls: Vec::new(),
            flights: Vec::new(),
            releases: Vec::new(),
            released: Vec::new(),
            ticks: 0,
            trace: Trace::default(),
            seen: Coverage::default(),
            plant,
            violation: None,
        }
    }

    /// Runs the episode of `seed` to its end. Gives back how much time passed in it.
    ///
    /// # Errors
    /// The first promise that was not kept.
    pub fn run(&mut self, seed: u64) -> Result<Duration, Box<Violation>> {
        self.begin(seed);
        let end = START + self.episode.length + TIME_LIMIT;
        while let Some((at, event)) = self.queue.pop() {
            self.now = at;
            if at > end {
                break;
            }
            self.happen(event);
            if let Some(violation) = self.violation.take() {
                return Err(violation);
            }
        }
        let alive = |call: &&Call| call.machine.is_some() && call.doing != Doing::Nothing;
        if let Some(call) = self.calls.iter().find(alive) {
            let message = format!("call {} has not ended: it is {:?}", call.number, call.doing);
            let (process, number) = (call.process, call.number);
            self.violate(Check::EveryCallEnds, Some(process), Some(number), message);
        }
        self.violation.take().map_or(Ok(self.episode.length), Err)
    }

    /// The counters of all episodes so far.
    pub fn seen(&self) -> &Coverage {
        &self.seen
    }

    fn begin(&mut self, seed: u64) {
        self.seed = seed;
        self.random = Random::new(seed.wrapping_mul(0xD134_2543_DE82_EF95).wrapping_add(seed));
        self.episode = Episode::draw(&mut self.random);
        if self.episode.is_fleet {
            self.saw(Seen::Fleets);
        }
        self.now = START;
        self.queue = Queue::new();
        self.service.restart(self.episode.account_page);
        self.sources.clear();
        self.processes.clear();
        self.calls.clear();
        self.flights.clear();
        self.releases.clear();
        self.released.clear();
        self.trace.clear();
        for account in 1..=self.episode.accounts as Account {
            self.service.add(account, true);
            let gap = self.gap(self.episode.reset_gap);
            self.queue.add(self.now + gap, Event::Reset(account));
        }
        for _ in 0..self.episode.processes {
            self.add_process();
        }
        if self.episode.change_gap > 0 {
            let gap = self.gap(self.episode.change_gap);
            self.queue.add(self.now + gap, Event::Change);
        }
        self.queue.add(START + self.episode.length, Event::Settles);
    }

    fn add_process(&mut self) {
        let home = self.random.between(1, self.episode.accounts as Account);
        let is_file = self.random.chance(600);
        let content = self.service.latest(home);
        let source = self.sources.len();
        self.sources.push(Source::new(home, is_file, content));
        if self.episode.mistake_gap > 0 {
            let gap = self.gap(self.episode.mistake_gap);
            self.queue.add(self.now + gap, Event::Mistake(source));
        }
        let process = self.processes.len();
        self.processes.push(Process::new(source));
        for _ in 0..self.episode.clients {
            self.add_client(process);
        }
        self.start_calling(process);
    }

    /// Adds a client to `process`.
    pub(crate) fn add_client(&mut self, process: usize) {
        let home = self.sources[self.processes[process].source].home;
        let other = home % self.episode.accounts as Account + 1;
        let policy = self.episode.policy(&mut self.random, home, other);
        let rejections = if self.plant == Some(Plant::SeparateRejections) {
            Arc::default()
        } else {
            self.processes[process].rejections.clone()
        };
        self.processes[process].add_client(policy, rejections, self.now);
    }

    pub(crate) fn start_calling(&mut self, process: usize) {
        let gap = self.gap(self.episode.call_gap);
        self.queue.add(self.now + gap, Event::Begins(process));
        let burst = self.gap(200_000);
        self.queue.add(self.now + burst, Event::Burst(process));
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Begins(process) => self.begin_calls(process, 1, true),
            Event::Burst(process) => {
                let (fewest, most) =
                    if self.now < HOUR { self.episode.burst } else { self.episode.late_burst };
                let number = self.random.between(fewest, most);
                self.begin_calls(process, number, false);
            }
            Event::Drive(call) => self.if_current(call, Self::drive),
            Event::ReadEnds(call) => self.if_current(call, Self::end_read),
            Event::Takes(call) => self.if_current(call, Self::take),
            Event::Arrives(flight) => self.arrive(flight),
            Event::Returns(flight) => self.come_back(flight),
            Event::Cancel(call) => self.cancel(call),
            Event::Drop(call) => self.drop_exchange(call),
            Event::Settles => self.settle(),
            other => self.change(other),
        }
    }

    fn if_current(&mut self, call: Reference, happen: impl FnOnce(&mut Self, usize)) {
        let known = &self.calls[call.slot];
        if known.step == call.step && known.machine.is_some() {
            happen(self, call.slot);
        }
    }

    /// Whether faults have ended.
    pub(crate) fn is_settled(&self) -> bool {
        self.now >= START + self.episode.length
    }

    /// A number that is higher than at everything before.
    pub(crate) fn tick(&mut self) -> u64 {
        self.ticks += 1;
        self.ticks
    }

    /// A time until the next event of a kind with the mean `milliseconds`.
    pub(crate) fn gap(&mut self, milliseconds: u64) -> Duration {
        self.random.time(0, 2 * milliseconds)
    }

    /// The time and some randomness, as a driver sees them.
    pub(crate) fn moment(&mut self) -> Moment {
        Moment {
            monotonic: self.now,
            unix: Duration::from_secs(1_800_000_000) + self.now,
            random: self.random.next(),
        }
    }

    pub(crate) fn ring(&mut self, slot: usize) -> &mut Ring {
        let call = &self.calls[slot];
        &mut self.processes[call.process].rings[call.ring]
    }

    pub(crate) fn note(&mut self, slot: usize, what: What) {
        let call = &self.calls[slot];
        self.trace.note(self.now, Some(call.process), Some(call.number), what);
    }

    pub(crate) fn note_all(&mut self, what: What) {
        self.trace.note(self.now, None, None, what);
    }

    /// `check` was not kept.
    pub(crate) fn violate(
        &mut self,
        check: Check,
        process: Option<usize>,
        call: Option<u64>,
        message: impl Into<String>,
    ) {
        if self.violation.is_none() {
            let trace = self.trace.tail(process, call, SHOWN);
            let message = message.into();
            let (seed, plant) = (self.seed, self.plant);
            self.violation = Some(Box::new(Violation { check, message, seed, plant, trace }));
        }
    }

    /// `check` was not kept for the call at `slot`.
    pub(crate) fn violate_call(&mut self, check: Check, slot: usize, message: impl Into<String>) {
        let call = &self.calls[slot];
        let (process, number) = (call.process, call.number);
        self.violate(check, Some(process), Some(number), message);
    }

    pub(crate) fn saw(&mut self, what: Seen) {
        self.seen.saw(what);
    }
}
