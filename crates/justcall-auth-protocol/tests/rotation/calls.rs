//! Helpers that drive a single call: begin, send and respond.

use std::sync::Arc;

use justcall_auth_protocol::event::EventKind;
use justcall_auth_protocol::keyring::{LoadedPair, Rejections, SourceRead};
use justcall_auth_protocol::{Action, Exchange, Moment, Policy, Request, Shared};

use crate::rules::{respond, watched};
use crate::world::{Pair, credentials};

pub const ACCOUNT: &str = "/v2/account";
pub const USERS: &str = "/v2.1/users?per_page=1";
pub const TEXTS: &str = "/v2/texts";

/// Returns the body of the account page for the account `id`.
pub fn account_page(id: u64) -> String {
    format!(r#"{{"status":"success","data":{{"account_id":{id}}}}}"#)
}

/// Returns the policy of a client that expects the account `id`.
pub fn expecting(id: u64) -> Arc<Policy> {
    Arc::new(Policy { expected_account: Some(id), ..Policy::default() })
}

/// Returns the shared state for the service `scope`, in the process of `rejections`.
pub fn keyring_of(scope: &str, rejections: &Arc<Rejections>) -> Shared {
    Shared::new(scope, rejections.clone())
}

/// Returns a pair whose source is read only after a rejection.
pub fn unwatched(pair: Pair) -> LoadedPair {
    LoadedPair { is_watched: false, ..watched(pair) }
}

pub fn post(policy: &Arc<Policy>, shared: &Shared, now: &Moment) -> Exchange {
    let request = Request::new("POST", TEXTS).expect("a good path");
    Exchange::request(policy.clone(), shared.clone(), request, now)
}

/// Expects that the call sends. Returns the pair and the path of the request.
pub fn sent(call: &mut Exchange, now: &Moment) -> (Pair, String) {
    let action = call.next(now);
    assert!(matches!(action, Ok(Action::Send { .. })), "{action:?}");
    let taken = call.authorization().expect("a request is due");
    let pair = (1..9).find(|pair| taken.same_pair(&credentials(*pair))).expect("a pair of the tests");
    (pair, call.outgoing().path().to_owned())
}

/// Responds to the request that the call has sent, and expects that the call succeeds.
pub fn succeeds_with(call: &mut Exchange, status: u16, body: &str, now: &Moment) {
    respond(call, status, body, now);
    assert_eq!(call.next(now).expect("success"), Action::Done);
}

/// Expects that the call reads its source, which returns `read`.
pub fn reads_source(call: &mut Exchange, read: SourceRead, now: &Moment) {
    assert_eq!(call.next(now).expect("an action"), Action::Load);
    assert!(call.loaded(Ok(read), now));
}

pub fn in_use(shared: &Shared) -> Pair {
    let current = shared.keyring.current().expect("a pair in use");
    (1..9).find(|pair| current.credentials().same_pair(&credentials(*pair))).expect("a pair of the tests")
}

pub fn kinds(call: &mut Exchange) -> Vec<EventKind> {
    call.take_events().iter().map(justcall_auth_protocol::Event::kind).collect()
}
