//! What happened in an episode, to be read when a promise was not kept.

use std::fmt::Write as _;
use std::time::Duration;

use crate::service::{Account, Page, Pair};

/// Something that happened.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs, reason = "each is shown in words by `Entry::text`")]
pub enum What {
    Begins(&'static str, usize, usize, Option<Duration>),
    Reads,
    Gave(Option<Pair>),
    Unchanged,
    ReadFailed(&'static str),
    Due,
    Takes(Pair, Page),
    Arrives(Pair, u16),
    Answered(u16),
    NotAnswered(&'static str, bool),
    Waits(Duration),
    Succeeds,
    Fails(&'static str, bool),
    Cancelled,
    Abandoned(&'static str),
    Event(&'static str),
    Current(Option<Pair>),
    Resets(Account, Pair, bool),
    Dies(Pair),
    Lives(Pair),
    SourceGives(usize, Option<Pair>),
    Starts(&'static str),
    Settles,
    Fault(&'static str),
}

/// Something that happened, when and to whom.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    at: Duration,
    process: Option<usize>,
    call: Option<u64>,
    what: What,
}

/// All that happened in an episode.
#[derive(Debug, Default)]
pub struct Trace(Vec<Entry>);

impl Trace {
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn note(&mut self, at: Duration, process: Option<usize>, call: Option<u64>, what: What) {
        self.0.push(Entry { at, process, call, what });
    }

    /// The last `count` lines about `call`, its process and the service.
    pub(crate) fn tail(&self, process: Option<usize>, call: Option<u64>, count: usize) -> String {
        let concerns = |entry: &&Entry| {
            entry.process.is_none() || process.is_none() || entry.process == process || entry.call == call
        };
        let mut lines: Vec<&Entry> = self.0.iter().rev().filter(concerns).take(count).collect();
        let older = self.0.iter().filter(|entry| call.is_some() && entry.call == call);
        let cut = lines.last().map_or(Duration::ZERO, |entry| entry.at);
        let mut text = String::new();
        for entry in older.filter(|entry| entry.at < cut) {
            writeln!(text, "{}", entry.text(call)).expect("a string takes all");
        }
        lines.reverse();
        for entry in lines {
            writeln!(text, "{}", entry.text(call)).expect("a string takes all");
        }
        text
    }
}

impl Entry {
    fn text(&self, call: Option<u64>) -> String {
        let mark = if self.call.is_some() && self.call == call { '>' } else { ' ' };
        let process = self.process.map_or_else(String::new, |process| format!("process {process}"));
        let number = self.call.map_or_else(String::new, |number| format!("call {number}"));
        let what = self.what.text();
        format!("{mark} {:>12.6} s  {process:<10} {number:<10} {what}", self.at.as_secs_f64())
    }
}

impl What {
    fn text(self) -> String {
        let pair = |pair: Option<Pair>| pair.map_or("nothing".to_owned(), |pair| format!("pair {pair}"));
        let sent = |sent: bool| if sent { "request_sent" } else { "not request_sent" };
        match self {
            Self::Begins(task, client, ring, timeout) => {
                let timeout = timeout.map_or("no deadline".to_owned(), |deadline| {
                    format!("deadline {:.3} s", deadline.as_secs_f64())
                });
                format!("begins: {task}, client {client}, keyring {ring}, {timeout}")
            }
            Self::Reads => "reads the source".into(),
            Self::Gave(given) => format!("the source gave {}", pair(given)),
            Self::Unchanged => "the source has not changed".into(),
            Self::ReadFailed(why) => format!("the read failed: {why}"),
            Self::Due => "a request is due".into(),
            Self::Takes(pair, page) => format!("takes pair {pair} for {page:?}"),
            Self::Arrives(pair, status) => format!("arrives with pair {pair}, answered {status}"),
            Self::Answered(status) => format!("gets the answer {status}"),
            Self::NotAnswered(why, is_sent) => format!("gets no answer: {why}, {}", sent(is_sent)),
            Self::Waits(wait) => format!("waits {:.3} s", wait.as_secs_f64()),
            Self::Succeeds => "succeeds".into(),
            Self::Fails(kind, is_sent) => format!("fails: {kind}, {}", sent(is_sent)),
            Self::Cancelled => "is cancelled".into(),
            Self::Abandoned(how) => format!("is left alone: {how}"),
            Self::Current(now) => format!("{} is in use from now on", pair(now)),
            Self::Event(name) => format!("event {name}"),
            Self::Resets(account, pair, overlaps) => {
                let old = if overlaps { "the old one stays for a while" } else { "the old one is dead" };
                format!("account {account} is reset: pair {pair}, {old}")
            }
            Self::Dies(pair) => format!("pair {pair} is dead"),
            Self::Lives(pair) => format!("pair {pair} is live"),
            Self::SourceGives(source, given) => format!("source {source} gives {} from now on", pair(given)),
            Self::Starts(what) => what.into(),
            Self::Settles => "faults end, every source gives a live pair".into(),
            Self::Fault(what) => format!("planted fault: {what}"),
        }
    }
}
