//! The results of each method of the exchange before, during and after the time at which its report is expected.

use std::time::Duration;

use justcall_auth_protocol::error::{Error, ErrorKind};
use justcall_auth_protocol::exchange::Cause;
use justcall_auth_protocol::keyring::SourceRead;
use justcall_auth_protocol::{Action, Exchange, Policy, Refresh, RefreshAction};

use super::{
    ACCOUNT_7, CALLS, USERS, at, call, empty, failure, holding, pair, reload, respond, take, verify,
};

#[test]
fn it_limits_a_verification_to_64_kib_and_other_responses_to_32_mib() {
    assert_eq!(verify(Policy::default(), &holding(), 0).max_body(), 65_536);
    assert_eq!(call("GET", Policy::default(), &holding(), 0).max_body(), 33_554_432);
}

#[test]
fn it_reads_no_longer_body_than_the_policy_allows() {
    let policy = |max_response_length| Policy { max_response_length, ..Policy::default() };
    for (limit, of_call, of_verification) in
        [(1000, 1000, 1000), (1 << 20, 1 << 20, 65_536), (usize::MAX, usize::MAX, 65_536)]
    {
        assert_eq!(call("GET", policy(limit), &holding(), 0).max_body(), of_call);
        assert_eq!(verify(policy(limit), &holding(), 0).max_body(), of_verification);
    }
}

#[test]
fn it_ends_at_the_timeout_of_the_request_then_of_the_client_then_never() {
    let policy = |seconds| Policy { timeout: Duration::from_secs(seconds), ..Policy::default() };
    assert_eq!(call("GET", policy(9), &holding(), 1000).deadline(), Some(Duration::from_secs(10)));
    assert_eq!(call("GET", policy(0), &holding(), 1000).deadline(), None);
    let mut exchange = call("GET", policy(9), &holding(), 1000);
    take(&mut exchange, 9_999);
    assert_eq!(failure(&mut exchange, 10_000).kind(), ErrorKind::Timeout);
}

#[test]
fn it_counts_one_attempt_however_often_next_is_called() {
    let mut exchange = call("POST", Policy { max_retries: 0, ..Policy::default() }, &holding(), 1);
    for now in 1..5 {
        take(&mut exchange, now);
    }
    respond(&mut exchange, 500, "", 5);
    assert_eq!(failure(&mut exchange, 5).attempts(), 1);
}

#[test]
fn it_keeps_proving_a_pair_however_often_next_is_called() {
    let shared = holding();
    reload(&shared, pair("second").into(), 1);
    let mut proves = call("GET", Policy::default(), &shared, 2);
    for now in 2..5 {
        take(&mut proves, now);
        assert!(proves.holds_lease() && !proves.is_loading() && !proves.waits_for_lease());
        assert!(proves.authorization().expect("due").same_pair(&pair("second")));
    }
    respond(&mut proves, 200, "", 5);
    assert!(!proves.holds_lease());
    assert_eq!(shared.keyring.current().expect("in use").generation(), 2);
}

#[test]
fn it_keeps_reading_the_source_however_often_next_is_called() {
    let mut reads = call("GET", Policy::default(), &empty(), 0);
    assert!(!reads.is_loading() && !reads.holds_lease());
    for now in 0..3 {
        assert_eq!(reads.next(&at(now)).expect("an action"), Action::Load);
        assert!(reads.is_loading() && reads.holds_lease() && !reads.waits_for_lease());
    }
    assert!(reads.loaded(Ok(pair("first").into()), &at(3)));
    assert!(!reads.is_loading() && !reads.holds_lease());
    assert!(!reads.loaded(Ok(pair("second").into()), &at(3)), "the read was already reported");
    take(&mut reads, 4);
    assert!(!reads.loaded(Ok(pair("second").into()), &at(4)), "no report is expected");
    assert!(reads.authorization().expect("still due").same_pair(&pair("first")));
}

#[test]
fn it_ignores_a_report_after_the_end() {
    let mut exchange = call("GET", Policy::default(), &holding(), 1);
    take(&mut exchange, 1);
    respond(&mut exchange, 200, "first", 2);
    respond(&mut exchange, 500, "second", 3);
    exchange.not_answered(Cause::Closed.into_error(true), &at(3));
    exchange.cancel(Error::new(ErrorKind::Cancelled));
    assert_eq!(exchange.next(&at(3)).expect("it is over"), Action::Done);
    assert_eq!(exchange.response().expect("a response").body(), b"first");
    assert_eq!(exchange.into_response().expect("a response").http_status(), 200);
}

#[test]
fn it_returns_the_error_instead_of_a_response_or_an_account() {
    let mut exchange = verify(Policy::default(), &holding(), 1);
    assert_eq!(exchange.response().expect_err("not over").kind(), ErrorKind::InvalidArgument);
    take(&mut exchange, 1);
    respond(&mut exchange, 403, "", 2);
    assert_eq!(exchange.response().expect_err("failed").kind(), ErrorKind::Forbidden);
    assert_eq!(exchange.into_account().expect_err("failed").kind(), ErrorKind::Forbidden);

    let mut exchange = call("GET", Policy::default(), &holding(), 1);
    take(&mut exchange, 1);
    respond(&mut exchange, 200, "", 2);
    assert_eq!(exchange.into_account().expect_err("no account").kind(), ErrorKind::InvalidArgument);
}

#[test]
fn it_leaves_a_lease_to_the_parent_of_a_fork() {
    let shared = empty();
    let mut reads = call("GET", Policy::default(), &shared, 0);
    assert_eq!(reads.next(&at(0)).expect("an action"), Action::Load);
    reads.leave();
    let mut waits = call("GET", Policy::default(), &shared, 1);
    assert!(matches!(waits.next(&at(1)), Ok(Action::Wait(_))), "the source is still being read");
    assert!(waits.waits_for_lease());

    let shared = holding();
    reload(&shared, pair("second").into(), 1);
    let mut proves = call("GET", Policy::default(), &shared, 2);
    take(&mut proves, 2);
    proves.leave();
    let mut other = call("GET", Policy::default(), &shared, 2);
    take(&mut other, 2);
    assert!(!other.holds_lease(), "the new pair is still being proven");
}

#[test]
fn it_fails_a_reload_without_naming_a_request() {
    for had_pair in [true, false] {
        let shared = if had_pair { holding() } else { empty() };
        let mut reloads = Refresh::reload(&Policy::default(), shared.clone(), &at(1));
        assert_eq!(reloads.next(&at(1)).expect("an action"), RefreshAction::Load);
        assert!(reloads.loaded(Err(Error::new(ErrorKind::SourceUnavailable)), &at(1)));
        let error = reloads.next(&at(1)).expect_err("the source failed");
        assert_eq!((error.kind(), error.method()), (ErrorKind::SourceUnavailable, None));
        assert!(reloads.next(&at(1)).is_err(), "the error is final");
    }
}

#[test]
fn it_fails_a_call_for_its_source_only_while_there_is_no_pair() {
    for had_pair in [true, false] {
        let shared = if had_pair { holding() } else { empty() };
        shared.keyring.request_refresh();
        let mut exchange = call("GET", Policy::default(), &shared, 2000);
        assert_eq!(exchange.next(&at(2000)).expect("an action"), Action::Load);
        assert!(exchange.loaded(Err(Error::new(ErrorKind::SourceUnavailable)), &at(2000)));
        if had_pair {
            assert_eq!(take(&mut exchange, 2000), CALLS);
        } else {
            assert_eq!(failure(&mut exchange, 2000).kind(), ErrorKind::SourceUnavailable);
        }
    }
}

#[test]
fn it_returns_whether_a_reload_found_another_pair() {
    let shared = empty();
    assert!(reload(&shared, pair("first").into(), 0));
    assert!(!reload(&shared, pair("first").into(), 1));
    assert!(!reload(&shared, SourceRead::Unchanged, 2));
    assert!(reload(&shared, pair("second").into(), 3));
}

#[test]
fn it_prefers_the_response_of_the_error_to_that_of_an_earlier_attempt() {
    let mut exchange = call("GET", Policy::default(), &holding(), 1);
    take(&mut exchange, 1);
    respond(&mut exchange, 503, "first", 2);
    take(&mut exchange, 1000);
    respond(&mut exchange, 422, "second", 1001);
    let error = failure(&mut exchange, 1001);
    assert_eq!(error.response().expect("a response").body(), b"second");
    assert_eq!((error.http_status(), error.attempts()), (422, 2));
}

#[test]
fn it_distinguishes_a_lost_verifying_request_from_the_request_of_the_call() {
    let policy = Policy { expected_account: Some(7), max_retries: 0, ..Policy::default() };
    for is_sent in [true, false] {
        let mut exchange = call("POST", policy.clone(), &holding(), 1);
        take(&mut exchange, 1);
        exchange.not_answered(Cause::Closed.into_error(is_sent), &at(2));
        assert!(!failure(&mut exchange, 3).request_sent(), "the request itself was never sent");
    }
    let mut exchange = call("POST", policy, &holding(), 1);
    take(&mut exchange, 1);
    respond(&mut exchange, 200, ACCOUNT_7, 2);
    take(&mut exchange, 3);
    exchange.not_answered(Cause::Connect.into_error(false), &at(4));
    assert!(!failure(&mut exchange, 5).request_sent(), "only the account page was requested");
}

#[test]
fn it_ends_a_cancelled_confirmation_as_cancelled() {
    for (cause, kind) in
        [(Cause::Cancelled, ErrorKind::Cancelled), (Cause::Closed, ErrorKind::InvalidCredentials)]
    {
        let shared = holding();
        let request = justcall_auth_protocol::Request::new("GET", "/v2/account").expect("a good path");
        let mut exchange = Exchange::request(std::sync::Arc::default(), shared, request, &at(1));
        take(&mut exchange, 1);
        respond(&mut exchange, 401, "", 2);
        assert_eq!(take(&mut exchange, 2), USERS);
        exchange.not_answered(cause.into_error(true), &at(3));
        assert_eq!(failure(&mut exchange, 3).kind(), kind);
    }
}

#[test]
fn it_shows_the_state_of_a_call_but_no_secret_in_debug() {
    let shared = empty();
    let mut exchange = call("GET", Policy::default(), &shared, 0);
    assert_eq!(exchange.next(&at(0)).expect("an action"), Action::Load);
    assert!(format!("{exchange:?}").contains("Loading(Lease("), "{exchange:?}");
    exchange.loaded(Ok(pair("canary-secret").into()), &at(0));
    take(&mut exchange, 0);
    let rejections = justcall_auth_protocol::keyring::Rejections::default();
    assert_eq!(format!("{rejections:?}"), "Rejections { .. }");
    assert!(format!("{:?}", shared.keyring).starts_with("Keyring { current: Some(PairVersion"), "{shared:?}");
    assert!(!format!("{exchange:?}{shared:?}").contains("canary"));
}

#[test]
fn it_names_every_cause_in_one_word() {
    let names: Vec<_> = Cause::ALL.iter().map(|cause| cause.name()).collect();
    assert_eq!(names, ["resolve", "connect", "tls", "timeout", "closed", "cancelled"]);
}
