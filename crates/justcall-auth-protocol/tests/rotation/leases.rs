//! Leases of abandoned calls, which must not block other calls.

use std::sync::Arc;
use std::time::Duration;

use justcall_auth_protocol::error::{Error, ErrorKind};
use justcall_auth_protocol::event::{Event, EventKind};
use justcall_auth_protocol::keyring::SourceRead;
use justcall_auth_protocol::{Action, Exchange, Moment, Policy, Refresh, RefreshAction, Shared};

use crate::rules::{at, call, reload, respond, shared, watched};
use crate::world::credentials;

const ACCOUNT_7: &str = r#"{"status":"success","data":{"account_id":7}}"#;
const ACCOUNT_8: &str = r#"{"status":"success","data":{"account_id":8}}"#;

type Begin = fn(Arc<Policy>, Shared, &Moment) -> Exchange;

fn policy(timeout: u64) -> Arc<Policy> {
    Arc::new(Policy { timeout: Duration::from_secs(timeout), ..Policy::default() })
}

/// Takes the authorization. Returns true if it is pair 2.
fn take(exchange: &mut Exchange, now: &Moment) -> bool {
    assert!(matches!(exchange.next(now), Ok(Action::Send { .. })));
    exchange.authorization().expect("a request is due").same_pair(&credentials(2))
}

fn waits(exchange: &mut Exchange, now: &Moment) -> bool {
    matches!(exchange.next(now), Ok(Action::Wait(_)))
}

#[test]
fn it_ends_the_lease_of_an_abandoned_read_at_the_deadline_of_its_call() {
    let shared = shared();
    let mut abandoned = call(&policy(5), &shared, &at(0));
    assert_eq!(abandoned.next(&at(0)).expect("an action"), Action::Load);
    let mut other = call(&policy(0), &shared, &at(1));
    assert!(waits(&mut other, &at(1)) && waits(&mut other, &at(4)));
    assert_eq!(other.next(&at(5)).expect("the lease has ended"), Action::Load);
    assert!(other.loaded(Ok(SourceRead::Pair(watched(2))), &at(6)));
    assert!(take(&mut other, &at(6)));
    assert!(!abandoned.loaded(Ok(SourceRead::Pair(watched(1))), &at(7)), "a later report is ignored");
    assert_eq!(shared.keyring.current().expect("a pair").generation(), 1);
    assert!(shared.keyring.candidate().is_none());
    assert_eq!(abandoned.next(&at(7)).expect_err("its deadline").kind(), ErrorKind::Timeout);
}

#[test]
fn it_ends_the_lease_of_a_call_without_a_deadline_after_60_s() {
    let shared = shared();
    let mut abandoned = call(&policy(0), &shared, &at(0));
    assert_eq!(abandoned.next(&at(0)).expect("an action"), Action::Load);
    let mut other = call(&policy(0), &shared, &at(1));
    assert!(waits(&mut other, &at(59)));
    assert_eq!(other.next(&at(60)).expect("the lease has ended"), Action::Load);
    // The new lease is as valid as the first one.
    let mut third = call(&policy(0), &shared, &at(61));
    assert!(waits(&mut third, &at(61)));
}

#[test]
fn it_ends_a_call_whose_source_takes_longer_than_the_lease() {
    let shared = shared();
    let mut slow = call(&policy(0), &shared, &at(0));
    assert_eq!(slow.next(&at(0)).expect("an action"), Action::Load);
    assert!(!slow.loaded(Ok(SourceRead::Pair(watched(1))), &at(61)));
    let error = slow.next(&at(61)).expect_err("another read would take as long");
    assert_eq!(error.kind(), ErrorKind::SourceUnavailable);
    assert!(error.message().contains("60 s") && !error.request_sent(), "{error}");
    // A call continues with the pair that another call found in the meantime.
    let mut late = call(&policy(0), &shared, &at(100));
    assert_eq!(late.next(&at(100)).expect("an action"), Action::Load);
    let mut other = call(&policy(0), &shared, &at(170));
    assert_eq!(other.next(&at(170)).expect("an action"), Action::Load);
    other.loaded(Ok(SourceRead::from(credentials(2))), &at(170));
    late.loaded(Ok(SourceRead::Pair(watched(1))), &at(171));
    assert!(take(&mut late, &at(171)));
}

#[test]
fn it_reports_that_another_call_is_still_reading_the_source() {
    let shared = shared();
    let mut abandoned = call(&policy(0), &shared, &at(0));
    assert_eq!(abandoned.next(&at(0)).expect("an action"), Action::Load);
    let is_expected = |error: &Error| {
        assert_eq!(error.kind(), ErrorKind::Timeout);
        assert_eq!(error.message(), "Another call is still reading the source of the credentials.");
        assert!(!error.hint().contains("network"), "{}", error.hint());
    };
    let calls: [Begin; 2] = [|policy, shared, now| call(&policy, &shared, now), Exchange::verify];
    for begin in calls {
        let mut waiting = begin(policy(5), shared.clone(), &at(1));
        assert!(waits(&mut waiting, &at(2)));
        is_expected(&waiting.next(&at(6)).expect_err("its deadline"));
    }
    for begin in [Refresh::find, Refresh::reload] {
        let mut waiting = begin(&policy(5), shared.clone(), &at(1));
        assert!(matches!(waiting.next(&at(2)), Ok(RefreshAction::Wait(_))) && waiting.waits_for_lease());
        is_expected(&waiting.next(&at(6)).expect_err("its deadline"));
    }
}

#[test]
fn it_ends_the_lease_of_an_abandoned_proof() {
    for timeout in [0, 40] {
        let shared = shared();
        reload(&shared, watched(1), &at(0));
        let mut refused = call(&policy(0), &shared, &at(0));
        take(&mut refused, &at(0));
        respond(&mut refused, 401, "", &at(1));
        reload(&shared, watched(2), &at(1));
        let mut abandoned = call(&policy(timeout), &shared, &at(1));
        assert!(take(&mut abandoned, &at(1)));
        let end = if timeout == 0 { 61 } else { 41 };
        assert!(waits(&mut refused, &at(end - 1)));
        assert!(take(&mut refused, &at(end)), "it proves the pair itself");
    }
}

#[test]
fn it_ignores_a_proof_that_ends_after_its_lease() {
    for (answered, is_late) in [(4, false), (5, true)] {
        let shared = shared();
        reload(&shared, watched(1), &at(0));
        reload(&shared, watched(2), &at(0));
        let mut slow = call(&policy(5), &shared, &at(0));
        assert!(take(&mut slow, &at(0)));
        respond(&mut slow, 200, "", &at(answered));
        let generation = shared.keyring.current().expect("a pair").generation();
        assert_eq!(generation, if is_late { 1 } else { 2 }, "answered at {answered} s");
    }
}

#[test]
fn it_keeps_a_rejection_if_an_earlier_proof_ends_late() {
    let shared = shared();
    reload(&shared, watched(1), &at(0));
    reload(&shared, watched(2), &at(0));
    let mut slow = call(&policy(5), &shared, &at(0));
    assert!(take(&mut slow, &at(0)));
    let mut proves = call(&policy(5), &shared, &at(6));
    assert!(take(&mut proves, &at(6)));
    respond(&mut proves, 200, "", &at(7));
    reload(&shared, watched(2), &at(8));
    let mut rejected = call(&policy(5), &shared, &at(8));
    assert!(take(&mut rejected, &at(8)));
    respond(&mut rejected, 401, "", &at(9));
    respond(&mut slow, 200, "", &at(10));
    assert!(shared.keyring.rejected_for(at(10).monotonic).is_some());
}

#[test]
fn it_reports_that_another_call_is_still_verifying_the_new_pair() {
    let shared = shared();
    reload(&shared, watched(1), &at(0));
    let mut refused = call(&policy(10), &shared, &at(0));
    take(&mut refused, &at(0));
    respond(&mut refused, 401, "", &at(1));
    reload(&shared, watched(2), &at(1));
    let mut proving = call(&policy(0), &shared, &at(1));
    assert!(take(&mut proving, &at(1)));
    assert!(waits(&mut refused, &at(2)));
    let error = refused.next(&at(10)).expect_err("its deadline");
    assert_eq!((error.kind(), error.http_status()), (ErrorKind::Timeout, 401));
    assert_eq!(error.message(), "Another call is still verifying the new pair.");
    assert!(error.retryable() && error.request_sent());
}

/// Returns the shared state with pair 1 in use, known to belong to the account 7.
fn with_known_account() -> Shared {
    let shared = shared();
    reload(&shared, watched(1), &at(0));
    let mut verifies = Exchange::verify(policy(30), shared.clone(), &at(0));
    take(&mut verifies, &at(0));
    respond(&mut verifies, 200, ACCOUNT_7, &at(0));
    assert_eq!(verifies.next(&at(0)).expect("an action"), Action::Done);
    shared
}

#[test]
fn it_does_not_move_a_call_to_another_account() {
    for (page, why) in [
        (ACCOUNT_8, "The new pair belongs to the account 8, but the pair in use belongs to the account 7."),
        ("{\"status\":\"success\",\"data\":{}}", "its account is unknown"),
    ] {
        let shared = with_known_account();
        let mut refused = call(&policy(30), &shared, &at(2));
        assert_eq!(refused.next(&at(2)).expect("an action"), Action::Load, "the source is watched");
        refused.loaded(Ok(SourceRead::Unchanged), &at(2));
        take(&mut refused, &at(2));
        respond(&mut refused, 401, "", &at(2));
        assert_eq!(refused.next(&at(3)).expect("an action"), Action::Load);
        refused.loaded(Ok(SourceRead::Pair(watched(2))), &at(3));
        assert!(take(&mut refused, &at(3)));
        assert!(refused.is_verifying(), "nothing else is sent with it before its account is known");
        assert_eq!(refused.outgoing().path(), "/v2/account");
        respond(&mut refused, 200, page, &at(3));
        let error = refused.next(&at(3)).expect_err("another account");
        assert_eq!(error.kind(), ErrorKind::WrongAccount);
        assert!(error.message().contains(why), "{error}");
        let events: Vec<_> = refused.take_events().iter().map(Event::kind).collect();
        assert!(events.contains(&EventKind::CandidateRejected), "{events:?}");
        assert!(shared.keyring.current().expect("a pair").credentials().same_pair(&credentials(1)));
    }
}

#[test]
fn it_keeps_a_good_pair_if_the_source_returns_one_of_another_account() {
    let shared = with_known_account();
    reload(&shared, watched(2), &at(3));
    let mut sends = call(&policy(30), &shared, &at(3));
    assert!(take(&mut sends, &at(3)) && sends.is_verifying());
    respond(&mut sends, 200, ACCOUNT_8, &at(3));
    assert!(!take(&mut sends, &at(3)), "the request goes with the pair in use");
    assert!(!sends.is_verifying());
    respond(&mut sends, 201, "{}", &at(3));
    assert_eq!(sends.next(&at(3)).expect("an action"), Action::Done);
}

#[test]
fn it_accepts_a_pair_of_the_same_account_and_remembers_its_account() {
    let shared = with_known_account();
    for generation in [2_u32, 3, 4] {
        reload(&shared, watched(generation), &at(u64::from(generation)));
        let now = at(u64::from(generation));
        let mut sends = call(&policy(30), &shared, &now);
        take(&mut sends, &now);
        assert!(sends.is_verifying(), "generation {generation}");
        respond(&mut sends, 200, ACCOUNT_7, &now);
        take(&mut sends, &now);
        assert!(!sends.is_verifying());
        respond(&mut sends, 201, "{}", &now);
        assert_eq!(shared.keyring.current().expect("a pair").generation(), u64::from(generation));
    }
}

#[test]
fn it_requires_no_account_if_none_is_known_and_none_of_a_replacement() {
    let shared = shared();
    reload(&shared, watched(1), &at(0));
    reload(&shared, watched(2), &at(2));
    let mut sends = call(&policy(30), &shared, &at(2));
    assert!(take(&mut sends, &at(2)) && !sends.is_verifying());

    let shared = with_known_account();
    let mut replaces = Exchange::replace(policy(30), shared.clone(), credentials(2), &at(2));
    assert!(take(&mut replaces, &at(2)));
    respond(&mut replaces, 200, ACCOUNT_8, &at(2));
    assert_eq!(replaces.next(&at(2)).expect("an action"), Action::Done);
    assert!(shared.keyring.current().expect("a pair").credentials().same_pair(&credentials(2)));
}

#[test]
fn it_releases_its_lease_when_it_is_dropped() {
    let shared = shared();
    let mut dropped = call(&policy(0), &shared, &at(0));
    assert_eq!(dropped.next(&at(0)).expect("an action"), Action::Load);
    assert!(dropped.holds_lease());
    let mut other = call(&policy(0), &shared, &at(1));
    assert!(waits(&mut other, &at(1)) && other.waits_for_lease() && !other.holds_lease());
    drop(dropped);
    assert_eq!(other.next(&at(1)).expect("an action"), Action::Load);
    other.loaded(Err(Error::new(ErrorKind::SourceUnavailable)), &at(1));
    assert!(!other.waits_for_lease());
}

#[test]
fn it_shows_the_state_of_a_refresh_and_hands_over_its_events_once() {
    let shared = shared();
    reload(&shared, watched(1), &at(0));
    let mut refresh = Refresh::reload(&policy(5), shared.clone(), &at(1));
    assert_eq!(refresh.deadline(), Some(at(6).monotonic));
    assert_eq!(Refresh::find(&policy(0), shared.clone(), &at(1)).deadline(), None);
    assert!(!refresh.is_loading());
    assert_eq!(refresh.next(&at(1)).expect("an action"), RefreshAction::Load);
    assert!(refresh.is_loading() && !refresh.waits_for_lease());
    assert!(refresh.loaded(Ok(SourceRead::Pair(watched(2))), &at(1)));
    assert!(!refresh.is_loading());
    let kinds: Vec<EventKind> = refresh.take_events().iter().map(Event::kind).collect();
    assert_eq!(kinds, [EventKind::SourceChanged]);
    assert!(refresh.take_events().is_empty());
}

#[test]
fn it_finds_the_pair_in_use_if_its_source_is_unreadable_and_fails_to_reload_it() {
    let unreadable = || Err(Error::new(ErrorKind::SourceUnavailable));
    let shared = shared();
    reload(&shared, watched(1), &at(0));
    let mut finds = Refresh::find(&policy(5), shared.clone(), &at(2));
    assert_eq!(finds.next(&at(2)).expect("an action"), RefreshAction::Load);
    assert!(finds.loaded(unreadable(), &at(2)));
    assert_eq!(finds.next(&at(2)).expect("there is a pair"), RefreshAction::Done(false));
    let mut reloads = Refresh::reload(&policy(5), shared, &at(2));
    assert_eq!(reloads.next(&at(2)).expect("an action"), RefreshAction::Load);
    assert!(reloads.loaded(unreadable(), &at(2)));
    assert_eq!(reloads.next(&at(2)).expect_err("unreadable").kind(), ErrorKind::SourceUnavailable);
}

#[test]
fn it_ends_the_lease_of_a_cancelled_refresh_but_not_of_one_that_a_fork_left() {
    for is_left in [false, true] {
        let shared = shared();
        let mut first = Refresh::reload(&policy(5), shared.clone(), &at(0));
        assert_eq!(first.next(&at(0)).expect("an action"), RefreshAction::Load);
        let mut second = Refresh::reload(&policy(5), shared, &at(1));
        assert!(matches!(second.next(&at(1)), Ok(RefreshAction::Wait(_))));
        if is_left {
            first.leave();
            assert!(matches!(second.next(&at(2)), Ok(RefreshAction::Wait(_))));
            assert_eq!(second.next(&at(5)).expect("the lease has ended"), RefreshAction::Load);
        } else {
            first.cancel(Error::new(ErrorKind::Cancelled));
            assert_eq!(first.next(&at(2)).expect_err("cancelled").kind(), ErrorKind::Cancelled);
            assert_eq!(second.next(&at(2)).expect("the lease has ended"), RefreshAction::Load);
            second.loaded(Ok(SourceRead::Pair(watched(1))), &at(2));
            second.cancel(Error::new(ErrorKind::Cancelled));
            assert!(second.next(&at(2)).is_ok(), "it was over");
        }
    }
}
