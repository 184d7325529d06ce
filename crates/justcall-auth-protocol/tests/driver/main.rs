//! The contract for drivers of the exchange: each method, the pages that verify a pair, waits and events.

mod contract;
mod events;
mod pages;
mod waits;

use std::sync::Arc;
use std::time::Duration;

use justcall_auth_protocol::error::Error;
use justcall_auth_protocol::keyring::SourceRead;
use justcall_auth_protocol::{
    Action, Credentials, Exchange, Moment, Policy, Refresh, RefreshAction, Request, Response, Shared,
};

const ACCOUNT: &str = "/v2/account";
const USERS: &str = "/v2.1/users?per_page=1";
const CALLS: &str = "/v2/calls";
const ACCOUNT_7: &str = r#"{"status":"success","data":{"account_id":7}}"#;

fn at(milliseconds: u64) -> Moment {
    let monotonic = Duration::from_millis(milliseconds);
    Moment { monotonic, unix: Duration::from_secs(1_800_000_000) + monotonic, random: 0 }
}

fn pair(secret: &str) -> Credentials {
    Credentials::new(b"abc123def456", secret.as_bytes()).expect("a good pair")
}

fn empty() -> Shared {
    Shared::new("https://api.justcall.io", Arc::default())
}

/// Returns the shared state with the pair `first` in use.
fn holding() -> Shared {
    let shared = empty();
    reload(&shared, pair("first").into(), 0);
    shared
}

/// Reloads the source, which returns `read` at `now`. Returns true if that is a new pair.
fn reload(shared: &Shared, read: SourceRead, now: u64) -> bool {
    let mut exchange = Refresh::reload(&Policy::default(), shared.clone(), &at(now));
    assert_eq!(exchange.next(&at(now)).expect("an action"), RefreshAction::Load);
    exchange.loaded(Ok(read), &at(now));
    let end = exchange.next(&at(now)).expect("an action");
    assert!(matches!(end, RefreshAction::Done(_)), "{end:?}");
    end == RefreshAction::Done(true)
}

fn call(method: &str, policy: Policy, shared: &Shared, now: u64) -> Exchange {
    let request = Request::new(method, CALLS).expect("a good path");
    Exchange::request(Arc::new(policy), shared.clone(), request, &at(now))
}

fn verify(policy: Policy, shared: &Shared, now: u64) -> Exchange {
    Exchange::verify(Arc::new(policy), shared.clone(), &at(now))
}

/// Takes the authorization at `now`, as a driver does before it sends. Returns the path of the request.
fn take(exchange: &mut Exchange, now: u64) -> String {
    let action = exchange.next(&at(now));
    assert!(matches!(action, Ok(Action::Send { .. })), "{action:?}");
    exchange.authorization().expect("a request is due");
    exchange.outgoing().path().to_owned()
}

fn respond(exchange: &mut Exchange, status: u16, body: &str, now: u64) {
    exchange.answered(Response::new(status, Vec::new(), body.into()), &at(now));
}

fn failure(exchange: &mut Exchange, now: u64) -> Error {
    exchange.next(&at(now)).expect_err("the call has failed")
}
