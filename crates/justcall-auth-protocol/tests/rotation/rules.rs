//! The rules of a reset, tested one at a time without the simulated world.

use std::sync::Arc;
use std::time::Duration;

use justcall_auth_protocol::error::{Error, ErrorKind};
use justcall_auth_protocol::event::EventKind;
use justcall_auth_protocol::keyring::{LoadedPair, SourceRead};
use justcall_auth_protocol::{
    Action, Exchange, Moment, Policy, Refresh, RefreshAction, Request, Response, Shared,
};

use crate::world::credentials;

pub fn at(seconds: u64) -> Moment {
    let monotonic = Duration::from_secs(seconds);
    Moment { monotonic, unix: Duration::from_secs(1_800_000_000) + monotonic, random: 0 }
}

pub fn shared() -> Shared {
    Shared::new("https://api.justcall.io", Arc::default())
}

pub fn watched(pair: u32) -> LoadedPair {
    LoadedPair { is_watched: true, ..LoadedPair::from(credentials(pair)) }
}

/// Reloads the source, which returns `pair` at `now`. Returns true if that is a new pair.
pub fn reload(shared: &Shared, pair: LoadedPair, now: &Moment) -> bool {
    let mut exchange = Refresh::reload(&Policy::default(), shared.clone(), now);
    assert_eq!(exchange.next(now).expect("an action"), RefreshAction::Load);
    exchange.loaded(Ok(SourceRead::Pair(pair)), now);
    let end = exchange.next(now).expect("an action");
    assert!(matches!(end, RefreshAction::Done(_)), "{end:?}");
    end == RefreshAction::Done(true)
}

pub fn call(policy: &Arc<Policy>, shared: &Shared, now: &Moment) -> Exchange {
    let request = Request::new("POST", "/v2/texts").expect("good");
    Exchange::request(policy.clone(), shared.clone(), request, now)
}

/// Expects that the call sends. Returns whether it sends pair 2, and the path of the request.
fn sent(exchange: &mut Exchange, now: &Moment) -> (bool, String) {
    assert!(matches!(exchange.next(now).expect("an action"), Action::Send { .. }));
    let is_second = exchange.authorization().expect("due").same_pair(&credentials(2));
    (is_second, exchange.outgoing().path().to_owned())
}

pub fn respond(exchange: &mut Exchange, status: u16, body: &str, now: &Moment) {
    exchange.answered(Response::new(status, Vec::new(), body.into()), now);
}

const OWN_403: &str = r#"{"status":"error","message":"Your plan has no API access."}"#;
const ACCOUNT_7: &str = r#"{"status":"success","data":{"account_id":7}}"#;
const ACCOUNT_8: &str = r#"{"status":"success","data":{"account_id":8}}"#;

#[test]
fn it_treats_a_403_as_proof_only_if_its_body_is_json() {
    for (body, generation) in [("<html>", 1), (OWN_403, 2)] {
        let shared = shared();
        reload(&shared, watched(1), &at(1));
        assert!(reload(&shared, watched(2), &at(2)));
        let mut exchange = call(&Arc::default(), &shared, &at(2));
        assert!(sent(&mut exchange, &at(2)).0);
        respond(&mut exchange, 403, body, &at(2));
        assert_eq!(exchange.next(&at(2)).expect_err("403").kind(), ErrorKind::Forbidden);
        assert_eq!(shared.keyring.current().expect("a pair").generation(), generation, "{body}");
    }
}

#[test]
fn it_keeps_the_previous_pair_for_webhooks_unless_it_was_compromised() {
    for compromised in [false, true] {
        let shared = shared();
        reload(&shared, watched(1), &at(1));
        reload(&shared, LoadedPair { previous_compromised: compromised, ..watched(2) }, &at(2));
        assert!(shared.keyring.previous(at(2).monotonic).is_none(), "the old one is still in use");
        let mut exchange = call(&Arc::default(), &shared, &at(2));
        sent(&mut exchange, &at(2));
        respond(&mut exchange, 200, "", &at(2));
        let is_accepted = |seconds| shared.keyring.previous(at(seconds).monotonic).is_some();
        assert_eq!(is_accepted(2), !compromised);
        assert_eq!(is_accepted(2 + 15 * 60 - 1), !compromised);
        assert!(!is_accepted(2 + 15 * 60), "15 minutes are over");
        reload(&shared, LoadedPair { previous_compromised: true, ..watched(2) }, &at(4));
        assert!(!is_accepted(4), "the source may report it later too");
    }
    let shared = shared();
    reload(&shared, watched(1), &at(1));
    reload(&shared, watched(2), &at(2));
    assert!(
        !reload(&shared, LoadedPair { previous_compromised: true, ..watched(2) }, &at(3)),
        "the same pair"
    );
    let mut exchange = call(&Arc::default(), &shared, &at(3));
    sent(&mut exchange, &at(3));
    respond(&mut exchange, 200, "", &at(3));
    assert!(shared.keyring.previous(at(3).monotonic).is_none(), "the source reported it before the proof");
}

#[test]
fn it_treats_only_responses_to_a_known_pair_as_proof() {
    for (status, generation) in
        [(200, 2), (204, 2), (404, 2), (422, 2), (302, 1), (400, 1), (401, 1), (429, 1), (500, 1), (503, 1)]
    {
        let shared = shared();
        reload(&shared, watched(1), &at(1));
        reload(&shared, watched(2), &at(2));
        let mut exchange = call(&Arc::default(), &shared, &at(2));
        assert!(sent(&mut exchange, &at(2)).0);
        respond(&mut exchange, status, "", &at(2));
        assert_eq!(shared.keyring.current().expect("a pair").generation(), generation, "{status}");
        assert_eq!(
            shared.keyring.candidate().is_some(),
            generation == 1,
            "{status}: the candidate is not lost"
        );
    }
}

#[test]
fn it_fixes_the_pair_in_use_when_the_authorization_is_taken() {
    let shared = shared();
    let policy = Arc::default();
    let use_another = |pair| {
        let mut exchange = Exchange::replace(Arc::default(), shared.clone(), credentials(pair), &at(2));
        assert!(matches!(exchange.next(&at(2)).expect("an action"), Action::Send { .. }));
        respond(&mut exchange, 200, ACCOUNT_7, &at(2));
    };
    reload(&shared, LoadedPair { is_watched: false, ..watched(1) }, &at(1));
    let mut exchange = call(&policy, &shared, &at(1));
    assert!(matches!(exchange.next(&at(1)).expect("an action"), Action::Send { .. }));
    use_another(2);
    for _ in 0..2 {
        assert!(exchange.authorization().expect("due").same_pair(&credentials(2)), "chosen when it is taken");
        use_another(3);
    }
    // The response is about the pair that was sent. The pair now in use is tried immediately and is not rejected.
    respond(&mut exchange, 401, "", &at(3));
    assert_eq!(shared.keyring.rejected_for(at(3).monotonic), None);
    assert!(matches!(exchange.next(&at(3)).expect("an action"), Action::Send { .. }));
    assert!(exchange.authorization().expect("due").same_pair(&credentials(3)));
}

#[test]
fn it_refuses_a_candidate_of_another_account_and_continues_with_the_good_pair() {
    let policy = Arc::new(Policy { expected_account: Some(7), ..Policy::default() });
    let shared = shared();
    reload(&shared, watched(1), &at(1));
    let mut first = call(&policy, &shared, &at(1));
    assert_eq!(sent(&mut first, &at(1)), (false, "/v2/account".into()));
    respond(&mut first, 200, ACCOUNT_7, &at(1));
    assert_eq!(sent(&mut first, &at(1)), (false, "/v2/texts".into()));
    respond(&mut first, 201, "", &at(1));

    reload(&shared, watched(2), &at(2));
    let mut second = call(&policy, &shared, &at(2));
    assert_eq!(sent(&mut second, &at(2)), (true, "/v2/account".into()));
    respond(&mut second, 200, ACCOUNT_8, &at(2));
    assert_eq!(second.take_events()[0].kind(), EventKind::CandidateRejected);
    assert_eq!(sent(&mut second, &at(2)), (false, "/v2/texts".into()), "its account is proven already");
    respond(&mut second, 201, "", &at(2));
    assert_eq!(second.next(&at(2)).expect("done"), Action::Done);
    assert_eq!(sent(&mut call(&policy, &shared, &at(2)), &at(2)), (false, "/v2/texts".into()));
}

#[test]
fn it_verifies_the_account_of_a_candidate_before_it_sends_other_requests() {
    let policy = Arc::new(Policy { expected_account: Some(7), ..Policy::default() });
    let shared = shared();
    reload(&shared, watched(1), &at(1));
    reload(&shared, watched(2), &at(2));
    let mut exchange = call(&policy, &shared, &at(2));
    assert_eq!(sent(&mut exchange, &at(2)), (true, "/v2/account".into()));
    respond(&mut exchange, 404, "", &at(2));
    assert_eq!(sent(&mut exchange, &at(2)), (true, "/v2.1/users?per_page=1".into()));
    respond(&mut exchange, 404, "", &at(2));
    assert_eq!(exchange.next(&at(2)).expect_err("not found").kind(), ErrorKind::NotFound);
    assert_eq!(shared.keyring.current().expect("a pair").generation(), 1, "a 404 proves no account");
    let mut exchange = call(&policy, &shared, &at(2));
    sent(&mut exchange, &at(2));
    respond(&mut exchange, 200, ACCOUNT_7, &at(2));
    assert_eq!(sent(&mut exchange, &at(2)), (true, "/v2/texts".into()));
    assert_eq!(shared.keyring.current().expect("a pair").generation(), 2);
}

#[test]
fn it_replaces_a_pair_only_by_a_good_one() {
    let shared = shared();
    reload(&shared, watched(1), &at(1));
    let replace = |status, now: &Moment| {
        let mut exchange = Exchange::replace(Arc::default(), shared.clone(), credentials(2), now);
        assert_eq!(sent(&mut exchange, now), (true, "/v2/account".into()));
        respond(&mut exchange, status, ACCOUNT_7, now);
        while matches!(exchange.next(now), Ok(Action::Send { .. })) {
            respond(&mut exchange, status, ACCOUNT_7, now);
        }
        exchange.into_account()
    };
    assert_eq!(replace(500, &at(2)).expect_err("500 proves nothing").http_status(), 0);
    assert_eq!(replace(401, &at(3)).expect_err("rejected").http_status(), 401);
    assert_eq!(shared.keyring.current().expect("a pair").generation(), 1);
    let mut repeated = Exchange::replace(Arc::default(), shared.clone(), credentials(2), &at(4));
    assert!(!repeated.next(&at(4)).expect_err("rejected a second ago").request_sent());
    assert_eq!(replace(200, &at(40)).expect("good").id(), Some(7));
    assert_eq!(shared.keyring.current().expect("a pair").generation(), 2);
    assert!(!reload(&shared, watched(2), &at(41)), "the source follows");
}

#[test]
fn it_does_not_return_to_a_candidate_that_is_proven_late() {
    let shared = shared();
    reload(&shared, watched(1), &at(1));
    reload(&shared, watched(2), &at(2));
    let mut slow = call(&Arc::default(), &shared, &at(2));
    assert!(sent(&mut slow, &at(2)).0);
    let mut replacing = Exchange::replace(Arc::default(), shared.clone(), credentials(3), &at(2));
    assert!(matches!(replacing.next(&at(2)).expect("an action"), Action::Send { .. }));
    respond(&mut replacing, 200, ACCOUNT_7, &at(3));
    respond(&mut slow, 200, "", &at(4));
    let current = shared.keyring.current().expect("a pair");
    assert!(current.credentials().same_pair(&credentials(3)) && current.generation() == 2);
    assert!(shared.keyring.candidate().is_none());
}

#[test]
fn it_lets_another_call_prove_a_pair_if_the_proving_call_ends_or_is_abandoned() {
    let shared = shared();
    reload(&shared, watched(1), &at(1));
    reload(&shared, watched(2), &at(2));
    let policy = Arc::default();
    let mut first = call(&policy, &shared, &at(2));
    assert!(sent(&mut first, &at(2)).0);
    assert!(!sent(&mut call(&policy, &shared, &at(2)), &at(2)).0, "one call proves at a time");
    drop(first);
    let mut third = call(&policy, &shared, &at(2));
    assert!(sent(&mut third, &at(2)).0);
    third.cancel(Error::new(ErrorKind::Cancelled));
    let mut fourth = call(&policy, &shared, &at(2));
    assert!(sent(&mut fourth, &at(2)).0);
    // The fourth call is kept beyond its deadline, as by a program that forgot it.
    assert!(sent(&mut call(&policy, &shared, &at(40)), &at(40)).0);
}

#[test]
fn it_returns_no_event_while_other_calls_may_wait_for_the_call() {
    let shared = shared();
    reload(&shared, watched(1), &at(1));
    let policy = Arc::new(Policy { rotation_due: Duration::from_secs(1), ..Policy::default() });
    let mut exchange = call(&policy, &shared, &at(3));
    assert_eq!(exchange.next(&at(3)).expect("an action"), Action::Load, "a second has passed");
    exchange.loaded(Ok(SourceRead::Unchanged), &at(3));
    assert!(!sent(&mut exchange, &at(3)).0);
    let headers = [("X-Rate-Limit-Limit", "100"), ("X-Rate-Limit-Remaining", "9")];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    exchange.answered(Response::new(503, headers, Vec::new()), &at(3));
    let reported: Vec<EventKind> =
        exchange.take_events().iter().map(justcall_auth_protocol::Event::kind).collect();
    assert_eq!(reported, [EventKind::RateLimitLow, EventKind::RotationDue], "POST is not retried");
    assert!(exchange.take_events().is_empty(), "each event is returned once");

    reload(&shared, watched(1), &at(4));
    let mut proves = call(&Arc::default(), &shared, &at(5));
    assert_eq!(proves.next(&at(5)).expect("an action"), Action::Load);
    proves.loaded(Ok(SourceRead::Pair(watched(2))), &at(5));
    assert!(sent(&mut proves, &at(5)).0);
    assert!(
        proves.take_events().is_empty(),
        "an event handler may start a call that would wait for this one"
    );
    respond(&mut proves, 200, "", &at(5));
    let reported: Vec<EventKind> =
        proves.take_events().iter().map(justcall_auth_protocol::Event::kind).collect();
    assert_eq!(reported, [EventKind::SourceChanged, EventKind::Rotated]);
}

#[test]
fn it_shares_the_error_of_the_first_read() {
    let shared = shared();
    let policy = Arc::default();
    let (mut first, mut second) = (call(&policy, &shared, &at(1)), call(&policy, &shared, &at(1)));
    assert_eq!(first.next(&at(1)).expect("an action"), Action::Load);
    assert!(matches!(second.next(&at(2)), Ok(Action::Wait(_))), "one call reads, the other waits");
    first.loaded(Err(Error::new(ErrorKind::SourceUnavailable)), &at(3));
    assert_eq!(first.next(&at(3)).expect_err("nothing").kind(), ErrorKind::SourceUnavailable);
    assert_eq!(second.next(&at(4)).expect_err("nothing").kind(), ErrorKind::SourceUnavailable);
    let mut third = call(&policy, &shared, &at(5));
    assert_eq!(third.next(&at(5)).expect("an action"), Action::Load, "a later call reads again");
}

#[test]
fn it_waits_for_the_first_read_after_a_rejection_however_long_it_takes() {
    let shared = shared();
    let policy = Arc::default();
    let after = |millis| Moment { monotonic: Duration::from_millis(millis), ..at(0) };
    let unwatched = |pair| LoadedPair { is_watched: false, ..watched(pair) };
    reload(&shared, unwatched(1), &at(0));
    let (mut first, mut second) = (call(&policy, &shared, &at(0)), call(&policy, &shared, &at(0)));
    assert!(!sent(&mut first, &at(0)).0);
    assert!(!sent(&mut second, &at(0)).0);
    respond(&mut first, 401, "{}", &after(100));
    respond(&mut second, 401, "{}", &after(100));
    assert_eq!(first.next(&after(400)).expect("an action"), Action::Load);
    let mut third = call(&policy, &shared, &after(400));
    for millis in [400, 900, 5_000, 20_000] {
        for waiting in [&mut second, &mut third] {
            assert!(
                matches!(waiting.next(&after(millis)), Ok(Action::Wait(_))),
                "the source may return another pair"
            );
        }
    }
    first.loaded(Ok(SourceRead::Pair(unwatched(2))), &at(21));
    assert!(sent(&mut first, &at(21)).0);
    respond(&mut first, 200, "{}", &at(21));
    assert!(sent(&mut second, &at(21)).0);
    assert_eq!(
        third.next(&at(21)).expect("an action"),
        Action::Wait(Duration::from_secs(1)),
        "it is released"
    );
    assert!(sent(&mut third, &at(22)).0);
}
