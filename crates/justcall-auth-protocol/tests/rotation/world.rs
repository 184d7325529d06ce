//! The world that calls live in: its clock jumps from one thing that happens to the next.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;
use std::time::Duration;

use justcall_auth_protocol::error::{Error, ErrorKind};
use justcall_auth_protocol::event::{Event, EventKind};
use justcall_auth_protocol::keyring::SourceRead;
use justcall_auth_protocol::{Action, Credentials, Exchange, Moment, Policy, Request, Response, Shared};

/// Pairs are numbers here.
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

/// What the source says when it is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    Pair(Pair),
    /// A pair that is found where it costs nothing to look.
    Watched(Pair),
    Nothing,
}

/// Something that happens in the world by itself.
#[derive(Debug, Clone, Copy)]
pub enum Change {
    /// From now on the service takes this pair alone.
    Accepts(Pair),
    /// From now on the source says this.
    Says(Said),
    /// A call begins.
    Begins,
}

/// What becomes of a request that is sent with a good pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Answer(u16),
    Lost,
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Change(Change),
    Go(usize),
    Looked(usize),
    Arrives(usize, Pair),
    Comes(usize, Pair, Fate),
}

/// How a call ended.
#[derive(Debug)]
pub struct End {
    pub began: Duration,
    pub ended: Duration,
    pub result: Result<(), Error>,
}

pub struct World {
    pub policy: Arc<Policy>,
    pub shared: Shared,
    pub latency: Duration,
    pub look_time: Duration,
    /// What becomes of requests that carry a good pair, in turn.
    pub fates: Vec<Fate>,
    now: Duration,
    accepts: Pair,
    says: Said,
    steps: BinaryHeap<Reverse<(Duration, usize)>>,
    waiting: BTreeMap<usize, Step>,
    calls: Vec<Option<(Exchange, Duration)>>,
    pub ends: Vec<End>,
    pub events: Vec<(Duration, Event)>,
    /// When a pair was sent, and which.
    pub sent: Vec<(Duration, Pair)>,
    /// When looks at the source began and ended, once there was a pair.
    pub looks: Vec<(Duration, Duration)>,
    /// When this process first learned that a pair is bad.
    pub known_bad: BTreeMap<Pair, Duration>,
    /// Requests that were rejected.
    pub rejected: usize,
    looking: Option<Duration>,
    good_sent: usize,
    scheduled: usize,
}

impl World {
    pub fn new(policy: Policy, first: Said, accepts: Pair) -> Self {
        Self {
            policy: Arc::new(policy),
            shared: Shared::new("https://api.justcall.io", Arc::default()),
            latency: ms(40),
            look_time: ms(1),
            fates: vec![Fate::Answer(200)],
            now: Duration::from_secs(1000),
            accepts,
            says: first,
            steps: BinaryHeap::new(),
            waiting: BTreeMap::new(),
            calls: Vec::new(),
            ends: Vec::new(),
            events: Vec::new(),
            sent: Vec::new(),
            looks: Vec::new(),
            known_bad: BTreeMap::new(),
            rejected: 0,
            looking: None,
            good_sent: 0,
            scheduled: 0,
        }
    }

    /// Lets `change` happen after so many milliseconds.
    pub fn at(&mut self, after: u64, change: Change) -> &mut Self {
        self.schedule(Duration::from_secs(1000) + ms(after), Step::Change(change));
        self
    }

    pub fn moment(&self) -> Moment {
        Moment {
            monotonic: self.now,
            unix: Duration::from_secs(1_800_000_000) + self.now,
            // Spread without being random: a failure is found again.
            random: u64::try_from(self.now.as_nanos() % 1_000_003)
                .expect("small")
                .wrapping_mul(0x9E37_79B9_7F4A_7C15)
                >> 7,
        }
    }

    /// Goes on until nothing happens any more.
    pub fn run(&mut self) -> &mut Self {
        let mut happened = 0;
        while let Some(Reverse((at, key))) = self.steps.pop() {
            happened += 1;
            assert!(happened < 2_000_000, "the calls do not end");
            self.now = self.now.max(at);
            let step = self.waiting.remove(&key).expect("scheduled once");
            self.happen(step);
        }
        assert!(self.calls.iter().all(Option::is_none), "a call was forgotten");
        self
    }

    fn schedule(&mut self, at: Duration, step: Step) {
        self.scheduled += 1;
        self.waiting.insert(self.scheduled, step);
        self.steps.push(Reverse((at, self.scheduled)));
    }

    fn happen(&mut self, step: Step) {
        match step {
            Step::Change(Change::Accepts(pair)) => self.accepts = pair,
            Step::Change(Change::Says(said)) => self.says = said,
            Step::Change(Change::Begins) => {
                let request = Request::new("POST", "/v2/texts").expect("a good path");
                let exchange =
                    Exchange::request(self.policy.clone(), self.shared.clone(), request, &self.moment());
                self.calls.push(Some((exchange, self.now)));
                self.go(self.calls.len() - 1);
            }
            Step::Go(call) => self.go(call),
            Step::Looked(call) => {
                let began = self.looking.take().expect("a look was under way");
                if self.shared.keyring.current().is_some() {
                    self.looks.push((began, self.now));
                }
                let look = match self.says {
                    Said::Pair(pair) => Ok(SourceRead::from(credentials(pair))),
                    Said::Watched(pair) => Ok(watched(pair)),
                    Said::Nothing => Err(Error::new(ErrorKind::SourceUnavailable)),
                };
                let now = self.moment();
                self.exchange(call).loaded(look, &now);
                self.go(call);
            }
            Step::Arrives(call, pair) => {
                let fate = if pair == self.accepts { self.next_fate() } else { Fate::Answer(401) };
                self.schedule(self.now + self.latency / 2, Step::Comes(call, pair, fate));
            }
            Step::Comes(call, pair, fate) => {
                let now = self.moment();
                if fate == Fate::Answer(401) {
                    self.rejected += 1;
                    self.known_bad.entry(pair).or_insert(self.now);
                }
                match fate {
                    Fate::Answer(status) => {
                        self.exchange(call).answered(Response::new(status, Vec::new(), Vec::new()), &now);
                    }
                    Fate::Lost => self
                        .exchange(call)
                        .not_answered(Error::new(ErrorKind::ConnectionFailed).with_request_sent(true), &now),
                }
                self.go(call);
            }
        }
    }

    fn next_fate(&mut self) -> Fate {
        self.good_sent += 1;
        self.fates[self.good_sent % self.fates.len()]
    }

    fn exchange(&mut self, call: usize) -> &mut Exchange {
        &mut self.calls[call].as_mut().expect("the call is not over").0
    }

    fn go(&mut self, call: usize) {
        let now = self.moment();
        let action = self.exchange(call).next(&now);
        let told = self.exchange(call).take_events();
        self.events.extend(told.into_iter().map(|event| (now.monotonic, event)));
        match action {
            Ok(Action::Load) => {
                assert!(self.looking.is_none(), "two calls look at the source at once");
                self.looking = Some(self.now);
                self.schedule(self.now + self.look_time, Step::Looked(call));
            }
            Ok(Action::Send { .. }) => {
                let pair = number(&self.exchange(call).authorization().expect("due"));
                self.sent.push((self.now, pair));
                self.schedule(self.now + self.latency / 2, Step::Arrives(call, pair));
            }
            Ok(Action::Wait(wait)) => {
                assert!(wait > Duration::ZERO, "a wait of nothing would spin");
                self.schedule(self.now + wait, Step::Go(call));
            }
            Ok(Action::Done) => self.end(call, Ok(())),
            Err(error) => self.end(call, Err(error)),
        }
    }

    fn end(&mut self, call: usize, result: Result<(), Error>) {
        let (_, began) = self.calls[call].take().expect("a call ends once");
        self.ends.push(End { began, ended: self.now, result });
    }

    pub fn failures(&self) -> Vec<&Error> {
        self.ends.iter().filter_map(|end| end.result.as_ref().err()).collect()
    }

    pub fn count(&self, kind: EventKind) -> usize {
        self.events.iter().filter(|(_, event)| event.kind() == kind).count()
    }

    /// The pair in use now.
    pub fn in_use(&self) -> Option<Pair> {
        self.shared.keyring.current().map(|held| number(held.credentials()))
    }

    /// Design section 7, rule 4; and looks at the source that are neither too many nor at the same time.
    pub fn check_rules(&self) {
        for (at, pair) in &self.sent {
            if let Some(known) = self.known_bad.get(pair).filter(|known| at > known) {
                assert!(
                    *at >= *known + self.policy.cool_down,
                    "pair {pair} was sent at {at:?}, known bad since {known:?}"
                );
            }
        }
        for pair in self.looks.windows(2) {
            assert!(pair[1].0 >= pair[0].1 + ms(250), "looked at {:?} and at {:?}", pair[0], pair[1]);
        }
    }
}

fn watched(pair: Pair) -> SourceRead {
    let found = justcall_auth_protocol::keyring::LoadedPair::from(credentials(pair));
    SourceRead::Pair(justcall_auth_protocol::keyring::LoadedPair { is_watched: true, ..found })
}
