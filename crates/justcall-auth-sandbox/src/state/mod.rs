//! What a sandbox remembers: accounts with their pairs, faults in force, requests that came in.
//!
//! It knows neither HTTP nor threads, and takes the time as an argument. Every change goes through a method of [`State`]: the
//! one place that sees each request, each result, and each change of an account or a fault.

mod account;
mod accounts;
mod fault;
mod faults;
mod rate;
mod requests;

use std::time::Instant;

use serde_json::Value;

use crate::{ControlError, Dialect};

pub(crate) use account::{Account, NewAccount, Pair, Reset};
use accounts::Accounts;
pub(crate) use fault::{Answer, BadCertificate, Fault, FaultKind, Interim, Then};
use faults::Faults;
pub(crate) use rate::{Quota, Standing};
pub(crate) use requests::RequestRecord;
use requests::Requests;

/// What changes while a sandbox runs.
pub(crate) struct State {
    accounts: Accounts,
    faults: Faults,
    requests: Requests,
}

impl State {
    /// No account, fault or request yet; the dialect decides which usual rate limits the accounts announce.
    pub(crate) fn new(dialect: Dialect) -> Self {
        Self { accounts: Accounts::new(dialect), faults: Faults::default(), requests: Requests::default() }
    }

    /// Makes an account with its pair.
    pub(crate) fn create_account(&mut self, new: NewAccount) -> Result<&Account, ControlError> {
        self.accounts.create(new)
    }

    /// Gives an account a new pair.
    pub(crate) fn reset(&mut self, reset: Reset, now: Instant) -> Result<&Account, ControlError> {
        self.accounts.reset(reset, now)
    }

    /// Kills a pair that is current or alive; returns its account and its generation.
    pub(crate) fn revoke(&mut self, key: &str, now: Instant) -> Result<(&Account, usize), ControlError> {
        self.accounts.revoke(key, now)
    }

    /// Forgets every account but the first; returns how many there were.
    pub(crate) fn forget_other_accounts(&mut self) -> usize {
        self.accounts.forget_others()
    }

    /// Returns the account whose living pair this `Authorization` value is, after counting one more request of it.
    pub(crate) fn admit(
        &mut self,
        authorization: Option<&str>,
        now: Instant,
    ) -> Option<(&Account, Standing)> {
        let account = self.accounts.authorize(authorization, now)?;
        let standing = account.rate.count(now);
        Some((account, standing))
    }

    /// Returns the secret that an account had in some generation.
    pub(crate) fn secret(
        &self,
        key: Option<&str>,
        id: Option<u64>,
        generation: Option<usize>,
    ) -> Result<&str, ControlError> {
        self.accounts.secret(key, id, generation)
    }

    /// Puts a fault in force; returns its number.
    pub(crate) fn add_fault(&mut self, fault: Fault) -> u64 {
        self.faults.add(fault)
    }

    /// Ends one fault; returns false if it is not in force.
    pub(crate) fn remove_fault(&mut self, id: u64) -> bool {
        self.faults.remove(id)
    }

    /// Ends all faults; returns how many there were.
    pub(crate) fn clear_faults(&mut self) -> usize {
        self.faults.clear()
    }

    /// Returns the faults in force, as `GET faults` shows them.
    pub(crate) fn faults(&self) -> Value {
        self.faults.list()
    }

    /// Returns the fault that strikes a new connection, if any.
    pub(crate) fn begin_connection(&mut self) -> Option<FaultKind> {
        self.faults.strike_connection().map(|fault| fault.kind)
    }

    /// Records a request of which the head has come; returns its number and the fault that strikes it, if any.
    pub(crate) fn begin_request(
        &mut self,
        request: RequestRecord,
        authorization: Option<&str>,
    ) -> (u64, Option<FaultKind>) {
        let fault = self.faults.strike_request(&request.method, &request.path, authorization);
        let n = self.requests.add(RequestRecord {
            matched: self.accounts.identify(authorization),
            fault: fault.as_ref().map(|fault| fault.name.clone()),
            head_complete: true,
            ..request
        });
        (n, fault.map(|fault| fault.kind))
    }

    /// Records a request of which the head broke off.
    pub(crate) fn add_broken_request(&mut self, request: RequestRecord) {
        self.requests.add(request);
    }

    /// Records the status with which a request is being answered.
    pub(crate) fn set_status(&mut self, n: u64, status: u16) {
        self.requests.change(n, |request| request.status = Some(status));
    }

    /// Records that more of a request's body has come.
    pub(crate) fn add_body(&mut self, n: u64, bytes: usize) {
        self.requests.change(n, |request| request.body_bytes += bytes);
    }

    /// Records that all of a request's body has come.
    pub(crate) fn end_body(&mut self, n: u64) {
        self.requests.change(n, |request| request.body_complete = true);
    }

    /// Returns the requests with a number above `since`.
    pub(crate) fn requests(&self, since: u64) -> Vec<RequestRecord> {
        self.requests.since(since)
    }

    /// Forgets all requests; returns how many there were.
    pub(crate) fn clear_requests(&mut self) -> usize {
        self.requests.clear()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Fault, FaultKind, NewAccount, RequestRecord, State};
    use crate::Dialect;

    #[test]
    fn it_records_a_request_with_its_generations_its_fault_and_its_result() {
        let mut state = State::new(Dialect::Article);
        let pair = state.create_account(NewAccount::default()).unwrap().pair().clone();
        let Value::Object(fault) = json!({"fault": "hang", "times": 1}) else { unreachable!() };
        state.add_fault(Fault::from_json(fault).unwrap());
        let request = RequestRecord { method: "POST".into(), path: "/a".into(), ..RequestRecord::default() };
        let (n, fault) = state.begin_request(request, Some(&format!("{}:{}", pair.key, pair.secret)));
        assert!(matches!(fault, Some(FaultKind::Hang {})), "{fault:?}");
        state.add_body(n, 5);
        state.end_body(n);
        state.set_status(n, 200);
        let recorded = json!({
            "n": 1, "t_ms": 0, "connection": 0, "method": "POST", "path": "/a", "query": null, "account_id": 12345,
            "key_generation": 1, "secret_generation": 1, "status": 200, "fault": "hang", "request_id": null,
            "header_names": [], "head_complete": true, "body_bytes": 5, "body_complete": true, "raw_head": "",
        });
        assert_eq!(serde_json::to_value(state.requests(0)).unwrap(), json!([recorded]));
        assert_eq!((state.requests(1).len(), state.clear_requests()), (0, 1));
    }
}
