//! The state of a sandbox: accounts with their pairs, faults in force, the record of requests, webhooks.
//!
//! It knows neither HTTP nor threads, and gets the time as an argument. Every change is a method of [`State`], so that one
//! place sees each request, each result, and each change of an account, a fault or a webhook. Subscribers learn there what
//! has changed.

mod account;
mod accounts;
mod changes;
mod fault;
mod faults;
mod objects;
mod rate;
mod requests;
mod webhooks;

use std::time::Instant;

use serde::Serialize;
use serde_json::Value;
use tokio::sync::watch;

use crate::{ControlError, Dialect};

pub(crate) use account::{Account, AccountChange, AccountView, NewAccount, Pair, Reset};
use accounts::Accounts;
use changes::{Changes, Topic};
pub(crate) use fault::{BadCertificate, Fault, FaultAnswer, FaultKind, Interim, RawBytes, Then};
use faults::Faults;
pub(crate) use objects::{ObjectList, Objects};
pub(crate) use rate::{Quota, Standing};
use requests::Requests;
pub(crate) use requests::{RequestRecord, RequestView};
use webhooks::Webhooks;
pub(crate) use webhooks::{WebhookAttempt, WebhookUrl};

/// How many requests a new subscriber gets, or one that missed too much.
const REQUESTS_SHOWN: usize = 10_000;

/// What changes while a sandbox runs.
pub(crate) struct State {
    accounts: Accounts,
    faults: Faults,
    requests: Requests,
    webhooks: Webhooks,
    changes: Changes,
}

/// The changes since a revision. Unchanged parts are absent.
#[derive(Serialize)]
pub(crate) struct Update {
    pub(crate) revision: u64,
    /// True if all requests that were reported before are void.
    reset: bool,
    requests: Vec<RequestView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    accounts: Option<Vec<AccountView>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    faults: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    webhooks: Option<Value>,
}

impl State {
    /// Creates a state without accounts, faults or requests. The dialect decides which limits the accounts announce.
    pub(crate) fn new(dialect: Dialect) -> Self {
        Self {
            accounts: Accounts::new(dialect),
            faults: Faults::default(),
            requests: Requests::default(),
            webhooks: Webhooks::default(),
            changes: Changes::new(),
        }
    }

    /// Returns a receiver that wakes at every change. [`State::update`] then returns what changed.
    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Returns the changes after a revision. At 0, or at a revision that does not exist, everything is new.
    pub(crate) fn update(&self, since: u64, now: Instant) -> Update {
        let revision = self.changes.revision();
        let since = if since > revision { 0 } else { since };
        let changed = self.changes.requests_since(since);
        let whole = |topic| self.changes.has_changed(topic, since);
        Update {
            revision,
            reset: changed.is_none(),
            requests: match changed {
                None => self.requests.view_last(REQUESTS_SHOWN),
                Some(numbers) => self.requests.view(&numbers),
            },
            accounts: whole(Topic::Accounts).then(|| self.accounts(now)),
            faults: whole(Topic::Faults).then(|| self.faults()),
            webhooks: whole(Topic::Webhooks).then(|| self.webhooks()),
        }
    }

    /// Creates an account with its pair.
    pub(crate) fn create_account(&mut self, new: NewAccount) -> Result<&Account, ControlError> {
        self.changes.add(Topic::Accounts);
        self.accounts.create(new)
    }

    /// Changes what an account may do.
    pub(crate) fn change_account(&mut self, id: u64, change: AccountChange) -> Result<(), ControlError> {
        self.changes.add(Topic::Accounts);
        self.accounts.change(id, change).map(drop)
    }

    /// Gives an account a new pair.
    pub(crate) fn reset(&mut self, reset: Reset, now: Instant) -> Result<&Account, ControlError> {
        self.changes.add(Topic::Accounts);
        self.accounts.reset(reset, now)
    }

    /// Returns an account whose current secret was not shown yet, and marks it as shown. Fails if it was shown.
    pub(crate) fn reveal_secret(&mut self, id: u64) -> Result<&Account, ControlError> {
        self.changes.add(Topic::Accounts);
        self.accounts.reveal(id)
    }

    /// Ends a pair that is current or alive. Returns its account and generation.
    pub(crate) fn revoke(&mut self, key: &str, now: Instant) -> Result<(&Account, usize), ControlError> {
        self.changes.add(Topic::Accounts);
        self.accounts.revoke(key, now)
    }

    /// Removes every account except the first. Returns how many there were.
    pub(crate) fn forget_other_accounts(&mut self) -> usize {
        self.changes.add(Topic::Accounts);
        self.accounts.forget_others()
    }

    /// Returns the accounts as the console shows them.
    pub(crate) fn accounts(&self, now: Instant) -> Vec<AccountView> {
        self.accounts.view(now)
    }

    /// Returns the account that has this `Authorization` value as a living pair, and counts a request of it. The
    /// caller may change the account's objects only.
    pub(crate) fn admit(
        &mut self,
        authorization: Option<&str>,
        now: Instant,
    ) -> Option<(&mut Account, Standing)> {
        let account = self.accounts.authorize(authorization, now)?;
        let standing = account.rate.count(now);
        self.changes.add(Topic::Accounts);
        Some((account, standing))
    }

    /// Returns the secret of a generation of an account.
    pub(crate) fn secret(
        &self,
        key: Option<&str>,
        id: Option<u64>,
        generation: Option<usize>,
    ) -> Result<&str, ControlError> {
        self.accounts.secret(key, id, generation)
    }

    /// Adds a fault. Returns its number.
    pub(crate) fn add_fault(&mut self, fault: Fault) -> u64 {
        self.changes.add(Topic::Faults);
        self.faults.add(fault)
    }

    /// Clears one fault. Returns false if it is not in force.
    pub(crate) fn remove_fault(&mut self, id: u64) -> bool {
        self.changes.add(Topic::Faults);
        self.faults.remove(id)
    }

    /// Clears all faults. Returns how many there were.
    pub(crate) fn clear_faults(&mut self) -> usize {
        self.changes.add(Topic::Faults);
        self.faults.clear()
    }

    /// Returns the faults in force, as `GET faults` shows them.
    pub(crate) fn faults(&self) -> Value {
        self.faults.list()
    }

    /// Returns the fault that strikes a new connection, if any.
    pub(crate) fn begin_connection(&mut self) -> Option<FaultKind> {
        let fault = self.faults.strike_connection()?;
        self.changes.add(Topic::Faults);
        Some(fault.kind)
    }

    /// Records a request whose head was read. Returns its number and the fault that strikes it, if any.
    pub(crate) fn begin_request(
        &mut self,
        request: RequestRecord,
        authorization: Option<&str>,
    ) -> (u64, Option<FaultKind>) {
        let fault = self.faults.strike_request(&request.method, &request.path, authorization);
        if fault.is_some() {
            self.changes.add(Topic::Faults);
        }
        let n = self.add_request(RequestRecord {
            matched: self.accounts.identify(authorization),
            fault: fault.as_ref().map(|fault| fault.name.clone()),
            head_complete: true,
            ..request
        });
        (n, fault.map(|fault| fault.kind))
    }

    /// Records a request whose head broke off.
    pub(crate) fn add_broken_request(&mut self, request: RequestRecord) {
        self.add_request(request);
    }

    fn add_request(&mut self, request: RequestRecord) -> u64 {
        let target = match &request.query {
            None => request.path.clone(),
            Some(query) => format!("{}?{query}", request.path),
        };
        let n = self.requests.add(RequestRecord {
            shown_target: self.accounts.mask(&target),
            client: request.client.as_deref().map(|client| self.accounts.mask(client)),
            ..request
        });
        self.changes.add_request(n);
        n
    }

    /// Records the status of the answer to a request.
    pub(crate) fn set_status(&mut self, n: u64, status: u16) {
        self.requests.change(n, |request| request.status = Some(status));
        self.changes.add_request(n);
    }

    /// Records bytes of a request's body.
    pub(crate) fn add_body(&mut self, n: u64, bytes: usize) {
        self.requests.change(n, |request| request.body_bytes += bytes);
    }

    /// Records that a request's body is complete.
    pub(crate) fn end_body(&mut self, n: u64) {
        self.requests.change(n, |request| request.body_complete = true);
    }

    /// Returns the requests with a number above `since`.
    pub(crate) fn requests(&self, since: u64) -> Vec<RequestRecord> {
        self.requests.since(since)
    }

    /// Removes all requests. Returns how many there were.
    pub(crate) fn clear_requests(&mut self) -> usize {
        self.changes.clear_requests();
        self.requests.clear()
    }

    /// Fails if a URL for webhooks cannot be registered.
    pub(crate) fn check_webhook_url(&self, url: &str) -> Result<(), ControlError> {
        self.webhooks.check_free(url)
    }

    /// Registers a URL for webhooks.
    pub(crate) fn register_webhook_url(&mut self, url: String) -> Result<&WebhookUrl, ControlError> {
        self.changes.add(Topic::Webhooks);
        self.webhooks.register(url)
    }

    /// Removes a URL for webhooks. Returns false if there is none with that number.
    pub(crate) fn remove_webhook_url(&mut self, id: u64) -> bool {
        self.changes.add(Topic::Webhooks);
        self.webhooks.remove(id)
    }

    /// Records an attempt to deliver a webhook.
    pub(crate) fn add_webhook_attempt(&mut self, attempt: WebhookAttempt) {
        self.changes.add(Topic::Webhooks);
        self.webhooks.add(attempt);
    }

    /// Returns the registered URLs and the last attempts.
    pub(crate) fn webhooks(&self) -> Value {
        serde_json::to_value(&self.webhooks).expect("they are plain data with text for keys")
    }

    /// Removes the registered URLs and the attempts.
    pub(crate) fn clear_webhooks(&mut self) {
        self.changes.add(Topic::Webhooks);
        self.webhooks.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use serde_json::{Value, json};

    use super::{Fault, FaultKind, NewAccount, RequestRecord, State, WebhookAttempt};
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
            "n": 1, "t_ms": 0, "connection": 0, "peer": null, "client": null, "method": "POST", "path": "/a",
            "query": null, "account_id": 12345, "key_generation": 1, "secret_generation": 1, "status": 200,
            "fault": "hang", "request_id": null, "header_names": [], "head_complete": true, "body_bytes": 5,
            "body_complete": true, "raw_head": "",
        });
        assert_eq!(serde_json::to_value(state.requests(0)).unwrap(), json!([recorded]));
        assert_eq!((state.requests(1).len(), state.clear_requests()), (0, 1));
    }

    fn update(state: &State, since: u64) -> Value {
        serde_json::to_value(state.update(since, Instant::now())).unwrap()
    }

    #[test]
    fn it_reports_to_a_subscriber_only_what_is_new() {
        let mut state = State::new(Dialect::Article);
        state.create_account(NewAccount::default()).unwrap();
        let first = update(&state, 0);
        assert_eq!((&first["reset"], &first["requests"]), (&json!(true), &json!([])));
        assert_eq!(first["accounts"][0]["account_id"], 12345);
        let revision = first["revision"].as_u64().unwrap();
        let nothing = json!({"revision": revision, "reset": false, "requests": []});
        assert_eq!(update(&state, revision), nothing);
        assert_eq!(update(&state, revision + 1)["reset"], true, "a revision that never was");

        let request = RequestRecord { path: "/a".into(), query: Some("b=1".into()), ..Default::default() };
        let (n, _) = state.begin_request(request, Some("unknown:pair"));
        state.set_status(n, 401);
        let next = update(&state, revision);
        assert_eq!(next["requests"].as_array().unwrap().len(), 1);
        assert_eq!(
            (&next["requests"][0]["target"], &next["requests"][0]["status"]),
            (&json!("/a?b=1"), &json!(401))
        );
        assert!(next.get("accounts").is_none() && next.get("webhooks").is_none(), "{next}");

        let revision = next["revision"].as_u64().unwrap();
        state.add_webhook_attempt(WebhookAttempt::new(1, None, json!({})));
        state.clear_requests();
        let last = update(&state, revision);
        assert_eq!((&last["reset"], &last["requests"]), (&json!(true), &json!([])));
        assert_eq!(last["webhooks"]["attempts"].as_array().unwrap().len(), 1);
    }

    #[test]
    fn it_shows_no_secret_to_a_subscriber_wherever_a_client_wrote_it() {
        let mut state = State::new(Dialect::Article);
        let pair = state.create_account(NewAccount::default()).unwrap().pair().clone();
        let request = RequestRecord {
            path: format!("/{}", pair.secret),
            query: Some(format!("api_secret={}", pair.secret)),
            client: Some(format!("app/{}", pair.secret)),
            ..Default::default()
        };
        state.begin_request(request.clone(), Some(&format!("{}:{}", pair.key, pair.secret)));
        state.add_broken_request(request);
        let shown = update(&state, 0);
        assert_eq!(shown["requests"][1]["target"], "/<secret>?api_secret=<secret>");
        let shown = shown.to_string();
        assert!(shown.contains(&pair.key), "the control: what is shown of the pair is there");
        assert!(!shown.contains(&pair.secret), "{shown}");
    }
}
