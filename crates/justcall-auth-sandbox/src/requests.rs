//! What came in, without the pairs.

use std::collections::VecDeque;

use serde::Serialize;

use crate::accounts::Match;

/// How many requests are remembered; the oldest are forgotten first.
const KEPT: usize = 65_536;

/// One request as `GET requests` shows it. Neither key nor secret is in it, only which generation each was.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Recorded {
    n: u64,
    t_ms: u64,
    connection: u64,
    method: String,
    path: String,
    query: Option<String>,
    account_id: Option<u64>,
    key_generation: Option<usize>,
    secret_generation: Option<usize>,
    status: Option<u16>,
    fault: Option<String>,
    header_names: Vec<String>,
    body_bytes: usize,
    raw_head: String,
}

/// What is known of a request when it has been read.
pub(crate) struct Arrival {
    pub(crate) t_ms: u64,
    pub(crate) connection: u64,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: Option<String>,
    pub(crate) matched: Match,
    pub(crate) fault: Option<String>,
    pub(crate) header_names: Vec<String>,
    pub(crate) body_bytes: usize,
    pub(crate) raw_head: String,
}

/// The requests of a sandbox in the order they came.
#[derive(Default)]
pub(crate) struct Requests {
    last: u64,
    kept: VecDeque<Recorded>,
}

impl Requests {
    /// Records a request that has been read and not been answered; returns its number.
    pub(crate) fn arrived(&mut self, arrival: Arrival) -> u64 {
        self.last += 1;
        if self.kept.len() == KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(Recorded {
            n: self.last,
            t_ms: arrival.t_ms,
            connection: arrival.connection,
            method: arrival.method,
            path: arrival.path,
            query: arrival.query,
            account_id: arrival.matched.account_id,
            key_generation: arrival.matched.key_generation,
            secret_generation: arrival.matched.secret_generation,
            status: None,
            fault: arrival.fault,
            header_names: arrival.header_names,
            body_bytes: arrival.body_bytes,
            raw_head: arrival.raw_head,
        });
        self.last
    }

    /// Notes the status with which a request is being answered.
    pub(crate) fn answered(&mut self, n: u64, status: u16) {
        if let Ok(index) = self.kept.binary_search_by_key(&n, |recorded| recorded.n) {
            self.kept[index].status = Some(status);
        }
    }

    /// The requests with a number above `since`.
    pub(crate) fn since(&self, since: u64) -> Vec<Recorded> {
        let first = self.kept.partition_point(|recorded| recorded.n <= since);
        self.kept.range(first..).cloned().collect()
    }

    /// Forgets all requests; returns how many there were. Numbers go on where they were.
    pub(crate) fn clear(&mut self) -> usize {
        let count = self.kept.len();
        self.kept.clear();
        count
    }
}
