//! What came in, without the pairs.

use std::collections::VecDeque;

use serde::Serialize;

use crate::accounts::Match;
use crate::head::Head;

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
    request_id: Option<String>,
    header_names: Vec<String>,
    head_complete: bool,
    body_bytes: usize,
    body_complete: bool,
    raw_head: String,
}

/// What is known of a request when its head has been read, or as much of it as came.
#[derive(Default)]
pub(crate) struct Arrival {
    pub(crate) t_ms: u64,
    pub(crate) connection: u64,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: Option<String>,
    pub(crate) matched: Match,
    pub(crate) fault: Option<String>,
    pub(crate) request_id: Option<String>,
    pub(crate) header_names: Vec<String>,
    pub(crate) head_complete: bool,
    pub(crate) raw_head: String,
}

impl Arrival {
    /// What a head says, complete or not; the rest is for the caller to add.
    pub(crate) fn of(head: &Head) -> Self {
        let (method, target) = head.method_and_target();
        let (path, query) =
            target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.map(str::to_owned),
            request_id: head.value("x-request-id").map(str::to_owned),
            header_names: head.names().map(str::to_owned).collect(),
            raw_head: head.redacted(),
            ..Self::default()
        }
    }
}

/// The requests of a sandbox in the order they came.
#[derive(Default)]
pub(crate) struct Requests {
    last: u64,
    kept: VecDeque<Recorded>,
}

impl Requests {
    /// Records a request of which the head has come; returns its number.
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
            request_id: arrival.request_id,
            header_names: arrival.header_names,
            head_complete: arrival.head_complete,
            body_bytes: 0,
            body_complete: false,
            raw_head: arrival.raw_head,
        });
        self.last
    }

    /// Notes the status with which a request is being answered.
    pub(crate) fn answered(&mut self, n: u64, status: u16) {
        self.change(n, |recorded| recorded.status = Some(status));
    }

    /// Notes that more of a request's body has come.
    pub(crate) fn body_came(&mut self, n: u64, bytes: usize) {
        self.change(n, |recorded| recorded.body_bytes += bytes);
    }

    /// Notes that all of a request's body has come.
    pub(crate) fn body_ended(&mut self, n: u64) {
        self.change(n, |recorded| recorded.body_complete = true);
    }

    fn change(&mut self, n: u64, change: impl FnOnce(&mut Recorded)) {
        if let Ok(index) = self.kept.binary_search_by_key(&n, |recorded| recorded.n) {
            change(&mut self.kept[index]);
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
