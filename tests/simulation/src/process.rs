//! Processes, their clients and their keyrings, with what the checks know of them.

use std::sync::Arc;
use std::time::Duration;

use justcall_auth_protocol::keyring::Rejections;
use justcall_auth_protocol::{Policy, Shared};

use crate::service::{Account, Pair};

/// A process: what it holds is shared by its clients alone.
#[derive(Debug)]
pub struct Process {
    pub(crate) source: usize,
    pub(crate) clients: Vec<Client>,
    pub(crate) rings: Vec<Ring>,
    pub(crate) rejections: Arc<Rejections>,
    /// What any keyring of the process has learned.
    pub(crate) refusals: Refusals,
}

/// A client: settings and the keyring that it uses.
#[derive(Debug)]
pub struct Client {
    pub(crate) policy: Arc<Policy>,
    pub(crate) ring: usize,
    pub(crate) is_shut_down: bool,
}

/// A keyring, the change detector beside it, and what the checks know.
#[derive(Debug)]
pub struct Ring {
    pub(crate) shared: Shared,
    pub(crate) expected: Option<Account>,
    /// The version of the source's content that was read last, where the source shows its changes.
    pub(crate) seen_version: u64,
    pub(crate) refusals: Refusals,
    /// The account of the pair in use, where the service has shown it.
    pub(crate) known: Option<Account>,
    pub(crate) current: Option<Pair>,
    /// The pairs that the service has accepted from this keyring.
    pub(crate) accepted: Vec<Pair>,
    /// Which calls read the source, and how long each may keep the others from it.
    pub(crate) readers: Vec<(u64, Duration)>,
    /// Until then something other than a reset was in the way.
    pub(crate) disturbed_until: Duration,
}

impl Process {
    pub(crate) fn new(source: usize) -> Self {
        Self {
            source,
            clients: Vec::new(),
            rings: Vec::new(),
            rejections: Arc::default(),
            refusals: Refusals::default(),
        }
    }

    /// Adds a client; it shares the keyring of those that expect the same account.
    pub(crate) fn add_client(&mut self, policy: Policy, rejections: Arc<Rejections>, now: Duration) {
        let expected = policy.expected_account;
        let ring = self.rings.iter().position(|ring| ring.expected == expected).unwrap_or_else(|| {
            self.rings.push(Ring::new(expected, rejections, now));
            self.rings.len() - 1
        });
        self.rings[ring].shared.keyring.request_refresh();
        self.clients.push(Client { policy: Arc::new(policy), ring, is_shut_down: false });
    }
}

impl Ring {
    fn new(expected: Option<Account>, rejections: Arc<Rejections>, now: Duration) -> Self {
        Self {
            shared: Shared::new("https://api.justcall.io", rejections),
            expected,
            seen_version: 0,
            refusals: Refusals::default(),
            known: None,
            current: None,
            accepted: Vec::new(),
            readers: Vec::new(),
            disturbed_until: now,
        }
    }

    /// Until `until` something other than a reset is in the way of the calls.
    pub(crate) fn disturb(&mut self, until: Duration) {
        self.disturbed_until = self.disturbed_until.max(until);
    }
}

/// What is known of a refused pair.
#[derive(Debug, Clone, Copy)]
pub struct Refusal {
    pub(crate) pair: Pair,
    /// The first time, where it was tried again since.
    pub(crate) first: Duration,
    pub(crate) at: Duration,
    /// Orders it among what happened at that moment.
    pub(crate) tick: u64,
    /// It is not sent before this time, whichever client's cool-down counts.
    pub(crate) until: Duration,
    /// It may be sent from this time on, whichever client's cool-down counts.
    pub(crate) latest: Duration,
}

/// The pairs that are known to be refused.
#[derive(Debug, Default)]
pub struct Refusals {
    known: Vec<Refusal>,
    /// When each pair was refused first, whatever became of it.
    firsts: Vec<(Pair, Duration)>,
}

impl Refusals {
    pub(crate) fn of(&self, pair: Pair) -> Option<Refusal> {
        self.known.iter().rev().find(|refusal| refusal.pair == pair).copied()
    }

    /// What was known of `pair`, and in force, when a request became due.
    pub(crate) fn known(&self, pair: Pair, due: Duration, tick: u64) -> Option<Refusal> {
        self.of(pair).filter(|refusal| refusal.tick < tick && due < refusal.until)
    }

    /// When `pair` was refused first, even if it was accepted since.
    pub(crate) fn first(&self, pair: Pair) -> Option<Duration> {
        self.firsts.iter().find(|(refused, _)| *refused == pair).map(|(_, at)| *at)
    }

    /// A refusal of `pair` came back; it is not to be sent before `until`.
    pub(crate) fn learn(&mut self, pair: Pair, tick: u64, now: Duration, until: Duration) {
        if self.first(pair).is_none() {
            self.firsts.push((pair, now));
        }
        match self.known.iter_mut().find(|refusal| refusal.pair == pair) {
            None => self.known.push(Refusal { pair, first: now, at: now, tick, until, latest: until }),
            Some(known) => {
                let in_force = [known.until, known.latest].into_iter().find(|end| now < *end);
                // What was under way when the pair was refused says nothing new.
                if now >= known.until {
                    (known.at, known.tick) = (now, tick);
                }
                known.until = in_force.map_or(until, |end| end.min(until));
                known.latest = known.latest.max(until);
            }
        }
    }

    /// A proof of `pair` succeeded.
    pub(crate) fn forget(&mut self, pair: Pair) {
        self.known.retain(|refusal| refusal.pair != pair);
    }
}
