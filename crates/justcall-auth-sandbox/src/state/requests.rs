//! What came in, without the pairs.

use std::collections::VecDeque;

use serde::Serialize;

use super::accounts::Match;

/// How many requests are remembered; the oldest are forgotten first.
const KEPT: usize = 65_536;

/// One request as `GET requests` shows it. Neither key nor secret is in it, only which generation each was.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct RequestRecord {
    /// Set when it is added to the others.
    pub(crate) n: u64,
    pub(crate) t_ms: u64,
    pub(crate) connection: u64,
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
}

/// The requests of a sandbox in the order they came.
#[derive(Default)]
pub(super) struct Requests {
    last: u64,
    kept: VecDeque<RequestRecord>,
}

impl Requests {
    /// Adds a request; returns its number.
    pub(super) fn add(&mut self, request: RequestRecord) -> u64 {
        self.last += 1;
        if self.kept.len() == KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(RequestRecord { n: self.last, ..request });
        self.last
    }

    /// Changes the record of a request, unless it was forgotten.
    pub(super) fn change(&mut self, n: u64, change: impl FnOnce(&mut RequestRecord)) {
        if let Ok(index) = self.kept.binary_search_by_key(&n, |record| record.n) {
            change(&mut self.kept[index]);
        }
    }

    /// The requests with a number above `since`.
    pub(super) fn since(&self, since: u64) -> Vec<RequestRecord> {
        let first = self.kept.partition_point(|record| record.n <= since);
        self.kept.range(first..).cloned().collect()
    }

    /// Forgets all requests; returns how many there were. Numbers go on where they were.
    pub(super) fn clear(&mut self) -> usize {
        let count = self.kept.len();
        self.kept.clear();
        count
    }
}
