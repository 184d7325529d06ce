//! One call after the other, by hand: what the smaller tests begin, send and answer.

use std::sync::Arc;

use justcall_auth_protocol::event::EventKind;
use justcall_auth_protocol::keyring::{LoadedPair, Rejections, SourceRead};
use justcall_auth_protocol::{Action, Exchange, Moment, Policy, Request, Shared};

use crate::rules::{answer, found};
use crate::world::{Pair, credentials};

pub const ACCOUNT: &str = "/v2/account";
pub const USERS: &str = "/v2.1/users?per_page=1";
pub const TEXTS: &str = "/v2/texts";

/// The account page's answer for the account `id`.
pub fn page_of(id: u64) -> String {
    format!(r#"{{"status":"success","data":{{"account_id":{id}}}}}"#)
}

/// A client that expects the account `id`.
pub fn expecting(id: u64) -> Arc<Policy> {
    Arc::new(Policy { expected_account: Some(id), ..Policy::default() })
}

/// A keyring of the service `scope`, in the process of `rejections`.
pub fn keyring_of(scope: &str, rejections: &Arc<Rejections>) -> Shared {
    Shared::new(scope, rejections.clone())
}

/// A pair whose source is read after a rejection only.
pub fn unwatched(pair: Pair) -> LoadedPair {
    LoadedPair { is_watched: false, ..found(pair) }
}

pub fn post(policy: &Arc<Policy>, shared: &Shared, now: &Moment) -> Exchange {
    let request = Request::new("POST", TEXTS).expect("a good path");
    Exchange::request(policy.clone(), shared.clone(), request, now)
}

/// The pair and the path that the call sends next.
pub fn sent(call: &mut Exchange, now: &Moment) -> (Pair, String) {
    let action = call.next(now);
    assert!(matches!(action, Ok(Action::Send { .. })), "{action:?}");
    let taken = call.authorization().expect("a request is due");
    let pair = (1..9).find(|pair| taken.same_pair(&credentials(*pair))).expect("a pair of the tests");
    (pair, call.outgoing().path().to_owned())
}

/// Answers the request that the call has sent, and expects that the call is over and well.
pub fn ends_with(call: &mut Exchange, status: u16, body: &str, now: &Moment) {
    answer(call, status, body, now);
    assert_eq!(call.next(now).expect("a good end"), Action::Done);
}

/// The call reads its source now, and that gives `look`.
pub fn looks(call: &mut Exchange, look: SourceRead, now: &Moment) {
    assert_eq!(call.next(now).expect("an action"), Action::Load);
    assert!(call.loaded(Ok(look), now));
}

pub fn in_use(shared: &Shared) -> Pair {
    let held = shared.keyring.current().expect("a pair in use");
    (1..9).find(|pair| held.credentials().same_pair(&credentials(*pair))).expect("a pair of the tests")
}

pub fn kinds(call: &mut Exchange) -> Vec<EventKind> {
    call.take_events().iter().map(justcall_auth_protocol::Event::kind).collect()
}
