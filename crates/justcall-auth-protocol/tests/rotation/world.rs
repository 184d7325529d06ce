//! A simulated world for calls. Its clock jumps from one step to the next.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;
use std::time::Duration;

use justcall_auth_protocol::error::{Error, ErrorKind};
use justcall_auth_protocol::event::{Event, EventKind};
use justcall_auth_protocol::keyring::SourceRead;
use justcall_auth_protocol::{Action, Credentials, Exchange, Moment, Policy, Request, Response, Shared};

/// The number of a pair.
pub type Pair = u32;

pub fn credentials(pair: Pair) -> Credentials {
    Credentials::new(b"abc123def456", format!("secret-{pair}").as_bytes()).expect("a good pair")
}

fn number(credentials: &Credentials) -> Pair {
    credentials.expose_authorization(|header| {
        let text = std::str::from_utf8(header).expect("ASCII");
        text.rsplit('-').next().expect("a number").parse().expect("a number")
    })
}

pub fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// The result of reading the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceState {
    Pair(Pair),
    /// A pair of a source that can be checked for changes at almost no cost.
    Watched(Pair),
    Unavailable,
}

/// A change that a test schedules.
#[derive(Debug, Clone, Copy)]
pub enum Change {
    /// The service now accepts only this pair.
    ServiceAccepts(Pair),
    /// The source now returns this.
    SourceReturns(SourceState),
    /// A call begins.
    CallBegins,
}

/// The outcome of a request that is sent with a good pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestOutcome {
    Response(u16),
    Lost,
}

#[derive(Debug, Clone, Copy)]
enum WorldStep {
    Change(Change),
    Continue(usize),
    ReadEnds(usize),
    RequestArrives(usize, Pair),
    ResponseArrives(usize, Pair, RequestOutcome),
}

/// The result of a call.
#[derive(Debug)]
pub struct CallEnd {
    pub began: Duration,
    pub ended: Duration,
    pub result: Result<(), Error>,
}

pub struct World {
    pub policy: Arc<Policy>,
    pub shared: Shared,
    pub latency: Duration,
    pub read_time: Duration,
    /// The outcomes of requests with a good pair, in turn.
    pub outcomes: Vec<RequestOutcome>,
    now: Duration,
    accepts: Pair,
    source: SourceState,
    steps: BinaryHeap<Reverse<(Duration, usize)>>,
    waiting: BTreeMap<usize, WorldStep>,
    calls: Vec<Option<(Exchange, Duration)>>,
    pub ends: Vec<CallEnd>,
    pub events: Vec<(Duration, Event)>,
    /// Each time at which a pair was sent, and the pair.
    pub sent: Vec<(Duration, Pair)>,
    /// The times at which reads of the source began and ended, once there was a pair.
    pub reads: Vec<(Duration, Duration)>,
    /// The time at which a pair was first rejected.
    pub known_bad: BTreeMap<Pair, Duration>,
    /// The number of rejected requests.
    pub rejected: usize,
    reading: Option<Duration>,
    good_sent: usize,
    scheduled: usize,
}

impl World {
    pub fn new(policy: Policy, first: SourceState, accepts: Pair) -> Self {
        Self {
            policy: Arc::new(policy),
            shared: Shared::new("https://api.justcall.io", Arc::default()),
            latency: ms(40),
            read_time: ms(1),
            outcomes: vec![RequestOutcome::Response(200)],
            now: Duration::from_secs(1000),
            accepts,
            source: first,
            steps: BinaryHeap::new(),
            waiting: BTreeMap::new(),
            calls: Vec::new(),
            ends: Vec::new(),
            events: Vec::new(),
            sent: Vec::new(),
            reads: Vec::new(),
            known_bad: BTreeMap::new(),
            rejected: 0,
            reading: None,
            good_sent: 0,
            scheduled: 0,
        }
    }

    /// Schedules `change` after this number of milliseconds.
    pub fn at(&mut self, after: u64, change: Change) -> &mut Self {
        self.schedule(Duration::from_secs(1000) + ms(after), WorldStep::Change(change));
        self
    }

    pub fn moment(&self) -> Moment {
        Moment {
            monotonic: self.now,
            unix: Duration::from_secs(1_800_000_000) + self.now,
            // Spread but not random, so that failures are reproducible.
            random: u64::try_from(self.now.as_nanos() % 1_000_003)
                .expect("small")
                .wrapping_mul(0x9E37_79B9_7F4A_7C15)
                >> 7,
        }
    }

    /// Runs until no step is left.
    pub fn run(&mut self) -> &mut Self {
        let mut steps_performed = 0;
        while let Some(Reverse((at, key))) = self.steps.pop() {
            steps_performed += 1;
            assert!(steps_performed < 2_000_000, "the calls do not end");
            self.now = self.now.max(at);
            let step = self.waiting.remove(&key).expect("scheduled once");
            self.perform(step);
        }
        assert!(self.calls.iter().all(Option::is_none), "a call has not ended");
        self
    }

    fn schedule(&mut self, at: Duration, step: WorldStep) {
        self.scheduled += 1;
        self.waiting.insert(self.scheduled, step);
        self.steps.push(Reverse((at, self.scheduled)));
    }

    fn perform(&mut self, step: WorldStep) {
        match step {
            WorldStep::Change(Change::ServiceAccepts(pair)) => self.accepts = pair,
            WorldStep::Change(Change::SourceReturns(state)) => self.source = state,
            WorldStep::Change(Change::CallBegins) => {
                let request = Request::new("POST", "/v2/texts").expect("a good path");
                let exchange =
                    Exchange::request(self.policy.clone(), self.shared.clone(), request, &self.moment());
                self.calls.push(Some((exchange, self.now)));
                self.continue_call(self.calls.len() - 1);
            }
            WorldStep::Continue(call) => self.continue_call(call),
            WorldStep::ReadEnds(call) => {
                let began = self.reading.take().expect("a read is in progress");
                if self.shared.keyring.current().is_some() {
                    self.reads.push((began, self.now));
                }
                let read = match self.source {
                    SourceState::Pair(pair) => Ok(SourceRead::from(credentials(pair))),
                    SourceState::Watched(pair) => Ok(watched(pair)),
                    SourceState::Unavailable => Err(Error::new(ErrorKind::SourceUnavailable)),
                };
                let now = self.moment();
                self.exchange(call).loaded(read, &now);
                self.continue_call(call);
            }
            WorldStep::RequestArrives(call, pair) => {
                let outcome =
                    if pair == self.accepts { self.next_outcome() } else { RequestOutcome::Response(401) };
                self.schedule(self.now + self.latency / 2, WorldStep::ResponseArrives(call, pair, outcome));
            }
            WorldStep::ResponseArrives(call, pair, outcome) => {
                let now = self.moment();
                if outcome == RequestOutcome::Response(401) {
                    self.rejected += 1;
                    self.known_bad.entry(pair).or_insert(self.now);
                }
                match outcome {
                    RequestOutcome::Response(status) => {
                        self.exchange(call).answered(Response::new(status, Vec::new(), Vec::new()), &now);
                    }
                    RequestOutcome::Lost => self
                        .exchange(call)
                        .not_answered(Error::new(ErrorKind::ConnectionFailed).with_request_sent(true), &now),
                }
                self.continue_call(call);
            }
        }
    }

    fn next_outcome(&mut self) -> RequestOutcome {
        self.good_sent += 1;
        self.outcomes[self.good_sent % self.outcomes.len()]
    }

    fn exchange(&mut self, call: usize) -> &mut Exchange {
        &mut self.calls[call].as_mut().expect("the call is not over").0
    }

    fn continue_call(&mut self, call: usize) {
        let now = self.moment();
        let action = self.exchange(call).next(&now);
        let new_events = self.exchange(call).take_events();
        self.events.extend(new_events.into_iter().map(|event| (now.monotonic, event)));
        match action {
            Ok(Action::Load) => {
                assert!(self.reading.is_none(), "two calls read the source at the same time");
                self.reading = Some(self.now);
                self.schedule(self.now + self.read_time, WorldStep::ReadEnds(call));
            }
            Ok(Action::Send { .. }) => {
                let pair = number(&self.exchange(call).authorization().expect("due"));
                self.sent.push((self.now, pair));
                self.schedule(self.now + self.latency / 2, WorldStep::RequestArrives(call, pair));
            }
            Ok(Action::Wait(wait)) => {
                assert!(wait > Duration::ZERO, "a wait of zero would loop");
                self.schedule(self.now + wait, WorldStep::Continue(call));
            }
            Ok(Action::Done) => self.end(call, Ok(())),
            Err(error) => self.end(call, Err(error)),
        }
    }

    fn end(&mut self, call: usize, result: Result<(), Error>) {
        let (_, began) = self.calls[call].take().expect("a call ends once");
        self.ends.push(CallEnd { began, ended: self.now, result });
    }

    pub fn failures(&self) -> Vec<&Error> {
        self.ends.iter().filter_map(|end| end.result.as_ref().err()).collect()
    }

    pub fn count(&self, kind: EventKind) -> usize {
        self.events.iter().filter(|(_, event)| event.kind() == kind).count()
    }

    /// Returns the pair in use now.
    pub fn in_use(&self) -> Option<Pair> {
        self.shared.keyring.current().map(|current| number(current.credentials()))
    }

    /// Checks that no pair is sent during its cool-down, and that reads of the source keep their interval.
    pub fn check_rules(&self) {
        for (at, pair) in &self.sent {
            if let Some(known) = self.known_bad.get(pair).filter(|known| at > known) {
                assert!(
                    *at >= *known + self.policy.cool_down,
                    "pair {pair} was sent at {at:?}, rejected at {known:?}"
                );
            }
        }
        for pair in self.reads.windows(2) {
            assert!(pair[1].0 >= pair[0].1 + ms(250), "read at {:?} and at {:?}", pair[0], pair[1]);
        }
    }
}

fn watched(pair: Pair) -> SourceRead {
    let pair = justcall_auth_protocol::keyring::LoadedPair::from(credentials(pair));
    SourceRead::Pair(justcall_auth_protocol::keyring::LoadedPair { is_watched: true, ..pair })
}
