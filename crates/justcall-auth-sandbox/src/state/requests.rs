//! The record of requests, without the pairs.

use std::collections::{BTreeSet, VecDeque};
use std::net::IpAddr;

use serde::Serialize;

use super::accounts::Match;

/// How many requests are kept. The oldest are removed first.
const KEPT: usize = 65_536;

/// A request as `GET requests` shows it. It contains neither key nor secret, only the generation of each.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct RequestRecord {
    /// Set when the record is added.
    pub(crate) n: u64,
    pub(crate) t_ms: u64,
    pub(crate) connection: u64,
    pub(crate) peer: Option<IpAddr>,
    /// The client's name for itself, with secrets masked.
    pub(crate) client: Option<String>,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: Option<String>,
    #[serde(flatten)]
    pub(crate) matched: Match,
    pub(crate) status: Option<u16>,
    pub(crate) fault: Option<String>,
    pub(crate) request_id: Option<String>,
    pub(crate) header_names: Vec<String>,
    pub(crate) head_complete: bool,
    pub(crate) body_bytes: usize,
    pub(crate) body_complete: bool,
    pub(crate) raw_head: String,
    /// Path and query with secrets masked, for the console.
    #[serde(skip)]
    pub(crate) shown_target: String,
}

impl RequestRecord {
    /// Returns what the console shows of the request.
    fn view(&self) -> RequestView {
        RequestView {
            n: self.n,
            t_ms: self.t_ms,
            connection: self.connection,
            peer: self.peer,
            client: self.client.clone(),
            method: self.method.clone(),
            target: self.shown_target.clone(),
            matched: self.matched,
            status: self.status,
            fault: self.fault.clone(),
            head_complete: self.head_complete,
        }
    }
}

/// A request as the console shows it: no head, no body, and no secret, even if a client wrote it into the URL.
#[derive(Serialize)]
pub(crate) struct RequestView {
    n: u64,
    t_ms: u64,
    connection: u64,
    peer: Option<IpAddr>,
    client: Option<String>,
    method: String,
    target: String,
    #[serde(flatten)]
    matched: Match,
    status: Option<u16>,
    fault: Option<String>,
    head_complete: bool,
}

/// The requests of a sandbox, oldest first.
#[derive(Default)]
pub(super) struct Requests {
    last: u64,
    kept: VecDeque<RequestRecord>,
}

impl Requests {
    /// Adds a request. Returns its number.
    pub(super) fn add(&mut self, request: RequestRecord) -> u64 {
        self.last += 1;
        if self.kept.len() == KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(RequestRecord { n: self.last, ..request });
        self.last
    }

    /// Changes the record of a request, if it is still kept.
    pub(super) fn change(&mut self, n: u64, change: impl FnOnce(&mut RequestRecord)) {
        if let Ok(index) = self.kept.binary_search_by_key(&n, |record| record.n) {
            change(&mut self.kept[index]);
        }
    }

    /// Returns the requests with a number above `since`.
    pub(super) fn since(&self, since: u64) -> Vec<RequestRecord> {
        let first = self.kept.partition_point(|record| record.n <= since);
        self.kept.range(first..).cloned().collect()
    }

    /// Returns up to `count` of the last requests as the console shows them.
    pub(super) fn view_last(&self, count: usize) -> Vec<RequestView> {
        self.kept.range(self.kept.len().saturating_sub(count)..).map(RequestRecord::view).collect()
    }

    /// Returns the requests with these numbers as the console shows them, except removed ones.
    pub(super) fn view(&self, numbers: &BTreeSet<u64>) -> Vec<RequestView> {
        let index = |n: &u64| self.kept.binary_search_by_key(n, |record| record.n).ok();
        numbers.iter().filter_map(index).map(|index| self.kept[index].view()).collect()
    }

    /// Removes all requests and returns how many there were. Numbers are not used again.
    pub(super) fn clear(&mut self) -> usize {
        let count = self.kept.len();
        self.kept.clear();
        count
    }
}
