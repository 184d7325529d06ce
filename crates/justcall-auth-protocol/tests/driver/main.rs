//! What a driver of the exchange relies on: the contract of each method, the pages that verify a pair, the events.

mod contract;
mod events;
mod pages;
mod waits;

use std::sync::Arc;
use std::time::Duration;

use justcall_auth_protocol::error::Error;
use justcall_auth_protocol::exchange::{Action, Exchange, Moment, Policy};
use justcall_auth_protocol::keyring::Look;
use justcall_auth_protocol::{Credentials, Keyring, Request, Response};

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

fn empty() -> Arc<Keyring> {
    Arc::new(Keyring::new("https://api.justcall.io", Arc::default()))
}

/// A keyring whose pair is `first`.
fn holding() -> Arc<Keyring> {
    let keyring = empty();
    reload(&keyring, pair("first").into(), 0);
    keyring
}

/// The source gives `look` at `now`; returns whether that is another pair.
fn reload(keyring: &Arc<Keyring>, look: Look, now: u64) -> bool {
    let mut exchange = Exchange::reload(Arc::default(), keyring.clone(), &at(now));
    assert_eq!(exchange.next(&at(now)).expect("an action"), Action::Load);
    exchange.loaded(Ok(look), &at(now));
    assert_eq!(exchange.next(&at(now)).expect("an action"), Action::Done);
    exchange.source_changed()
}

fn call(method: &str, policy: Policy, keyring: &Arc<Keyring>, now: u64) -> Exchange {
    let request = Request::new(method, CALLS).expect("a good path");
    Exchange::request(Arc::new(policy), keyring.clone(), request, &at(now))
}

fn verify(policy: Policy, keyring: &Arc<Keyring>, now: u64) -> Exchange {
    Exchange::verify(Arc::new(policy), keyring.clone(), &at(now))
}

/// Takes the authorization at `now`, as before sending; the path that is sent.
fn take(exchange: &mut Exchange, now: u64) -> String {
    let action = exchange.next(&at(now));
    assert!(matches!(action, Ok(Action::Send { .. })), "{action:?}");
    exchange.authorization().expect("a request is due");
    exchange.outgoing().path().to_owned()
}

fn answer(exchange: &mut Exchange, status: u16, body: &str, now: u64) {
    exchange.answered(Response::new(status, Vec::new(), body.into()), &at(now));
}

fn failure(exchange: &mut Exchange, now: u64) -> Error {
    exchange.next(&at(now)).expect_err("the call has failed")
}
