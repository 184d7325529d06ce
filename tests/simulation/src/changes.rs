//! What changes in the world by itself: resets, sources, processes and clients.

use std::time::Duration;

use crate::call::Doing;
use crate::coverage::Seen;
use crate::episode::{Episode, Faults};
use crate::service::{Account, Pair};
use crate::trace::What;
use crate::world::{Event, World};

/// More processes or clients would only repeat what the others do.
const MAX_PROCESSES: usize = 8;
/// See [`MAX_PROCESSES`].
const MAX_CLIENTS: usize = 6;

impl World {
    pub(crate) fn change(&mut self, event: Event) {
        if self.is_settled() {
            return;
        }
        match event {
            Event::Reset(account) => self.reset(account),
            Event::Lives(pair) => self.enliven(pair),
            Event::Dies(pair) => self.kill(pair),
            Event::Follows(source, pair) => self.give(source, Some(pair)),
            Event::Mistake(source) => self.mistake(source),
            Event::Corrects(source) => self.correct(source),
            Event::Change => self.change_processes(),
            _ => unreachable!("the world handles the others"),
        }
    }

    fn reset(&mut self, account: Account) {
        let gap = self.gap(self.episode.reset_gap) + Duration::from_secs(1);
        self.queue.add(self.now + gap, Event::Reset(account));
        match self.random.weighted(&[(70, 0), (15, 1), (8, 2), (4, 3), (3, 4)]) {
            0 => {
                let pair = self.service.add(account, false);
                self.saw(Seen::Resets);
                self.note_all(What::Resets(account, pair, false));
                self.enliven(pair);
                self.follow(account, pair);
            }
            1 => {
                self.saw(Seen::Resets);
                self.saw(Seen::OverlappingResets);
                let olds: Vec<Pair> = self.service.live(account).collect();
                let pair = self.service.add(account, true);
                self.service.changed_at = self.now;
                self.note_all(What::Resets(account, pair, true));
                for old in olds {
                    let after = self.random.time(500, 60_000);
                    self.queue.add(self.now + after, Event::Dies(old));
                }
                self.follow(account, pair);
            }
            2 => {
                self.saw(Seen::Resets);
                self.saw(Seen::PairGivenEarly);
                let pair = self.service.add(account, false);
                let after = self.random.time(500, 5_000);
                self.queue.add(self.now + after, Event::Lives(pair));
                for source in 0..self.sources.len() {
                    if self.sources[source].home == account {
                        self.give(source, Some(pair));
                    }
                }
            }
            3 => {
                self.saw(Seen::Revocations);
                let olds: Vec<Pair> = self.service.live(account).collect();
                for old in olds {
                    self.kill(old);
                }
            }
            _ => {
                let dead = self.service.dead(account);
                if !dead.is_empty() {
                    self.saw(Seen::Reinstatements);
                    let pair = self.random.pick(&dead);
                    self.enliven(pair);
                    self.follow(account, pair);
                }
            }
        }
    }

    /// The sources of `account` give `pair` after a while.
    fn follow(&mut self, account: Account, pair: Pair) {
        for source in 0..self.sources.len() {
            if self.sources[source].home == account {
                let (low, high) = self.episode.source_lag;
                let lag = self.random.time(low, high);
                self.queue.add(self.now + lag, Event::Follows(source, pair));
            }
        }
    }

    /// The service takes `pair` alone, of all the pairs of its account.
    fn enliven(&mut self, pair: Pair) {
        let account = self.service.record(pair).account;
        let olds: Vec<Pair> = self.service.live(account).filter(|old| *old != pair).collect();
        for old in olds {
            self.kill(old);
        }
        self.service.set_live(pair, true, self.now);
        self.note_all(What::Lives(pair));
    }

    fn kill(&mut self, pair: Pair) {
        if self.service.record(pair).is_live {
            self.service.set_live(pair, false, self.now);
            self.note_all(What::Dies(pair));
        }
    }

    fn give(&mut self, source: usize, content: Option<Pair>) {
        self.sources[source].set(content, self.now);
        self.note_all(What::SourceGives(source, content));
    }

    fn mistake(&mut self, source: usize) {
        let gap = self.gap(self.episode.mistake_gap);
        let after = self.random.time(1_000, 30_000);
        self.queue.add(self.now + after + gap, Event::Mistake(source));
        self.queue.add(self.now + after, Event::Corrects(source));
        let home = self.sources[source].home;
        let other = home % self.episode.accounts as Account + 1;
        match self.random.below(3) {
            0 if other != home => {
                if let Some(pair) = self.service.latest(other) {
                    self.saw(Seen::WrongAccountGiven);
                    self.give(source, Some(pair));
                }
            }
            0 | 1 => {
                let dead = self.service.dead(home);
                let pair =
                    if dead.is_empty() { self.service.add(home, false) } else { self.random.pick(&dead) };
                self.saw(Seen::DeadPairGiven);
                self.give(source, Some(pair));
            }
            _ => {
                self.saw(Seen::SourceEmpty);
                self.give(source, None);
            }
        }
    }

    fn correct(&mut self, source: usize) {
        let home = self.sources[source].home;
        if let Some(pair) = self.service.latest(home) {
            self.give(source, Some(pair));
        }
    }

    fn change_processes(&mut self) {
        let gap = self.gap(self.episode.change_gap);
        self.queue.add(self.now + gap, Event::Change);
        let process = self.random.index(self.processes.len());
        match self.random.below(3) {
            0 if self.processes.len() < MAX_PROCESSES => self.fork(process),
            1 if self.processes[process].clients.len() < MAX_CLIENTS => {
                self.saw(Seen::NewClients);
                self.trace.note(self.now, Some(process), None, What::Starts("a new client"));
                self.add_client(process);
            }
            _ => self.shut_down(process),
        }
    }

    /// Adds a child with the clients and the source of its parent, and with new keyrings.
    fn fork(&mut self, parent: usize) {
        self.saw(Seen::Forks);
        let source = self.processes[parent].source;
        let policies: Vec<_> =
            self.processes[parent].clients.iter().map(|client| (*client.policy).clone()).collect();
        let child = self.processes.len();
        let mut process = crate::process::Process::new(source);
        for policy in policies {
            let rejections = process.rejections.clone();
            process.add_client(policy, rejections, self.now);
        }
        self.processes.push(process);
        self.trace.note(self.now, Some(child), None, What::Starts("a child of fork"));
        self.start_calling(child);
    }

    fn shut_down(&mut self, process: usize) {
        self.saw(Seen::Shutdowns);
        let client = self.random.index(self.processes[process].clients.len());
        if self.processes[process].clients[client].is_shut_down {
            return;
        }
        self.trace.note(self.now, Some(process), None, What::Starts("a client is shut down"));
        self.processes[process].clients[client].is_shut_down = true;
        if self.processes[process].clients.iter().all(|client| client.is_shut_down) {
            self.add_client(process);
        }
        let is_its = |call: &crate::call::Call| call.process == process && call.client == client;
        let slots: Vec<usize> = (0..self.calls.len())
            .filter(|slot| {
                let call = &self.calls[*slot];
                call.machine.is_some() && call.doing != Doing::Nothing && is_its(call)
            })
            .collect();
        for slot in slots {
            self.cancel(slot);
        }
    }

    /// Faults end: each account has a live pair, and each source gives it.
    pub(crate) fn settle(&mut self) {
        self.episode.faults = Faults::default();
        for account in 1..=self.episode.accounts as Account {
            if self.service.live(account).next().is_none() {
                let pair = self.service.add(account, true);
                self.service.set_live(pair, true, self.now);
            }
        }
        for source in 0..self.sources.len() {
            self.correct(source);
        }
        self.note_all(What::Settles);
    }
}

impl World {
    /// The settings of the episode.
    pub fn episode(&self) -> &Episode {
        &self.episode
    }
}
