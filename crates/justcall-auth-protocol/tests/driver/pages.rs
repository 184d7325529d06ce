//! The pages that verify a pair: which one is asked, and which responses count as proof.

use std::sync::Arc;
use std::time::Duration;

use justcall_auth_protocol::error::ErrorKind;
use justcall_auth_protocol::metrics::open_metrics;
use justcall_auth_protocol::{Action, Exchange, Policy, Request, Shared};

use super::{
    ACCOUNT, ACCOUNT_7, CALLS, USERS, at, call, failure, holding, pair, reload, respond, take, verify,
};

#[test]
fn it_accepts_only_an_account_from_the_account_page() {
    for body in ["{}", r#"{"status":"success"}"#, r#"{"status":"error","data":{}}"#, "<html>", ""] {
        let mut verifies = verify(Policy::default(), &holding(), 1);
        assert_eq!(take(&mut verifies, 1), ACCOUNT);
        respond(&mut verifies, 200, body, 2);
        assert_eq!(failure(&mut verifies, 2).kind(), ErrorKind::InvalidResponse, "{body}");
    }
    let mut verifies = verify(Policy::default(), &holding(), 1);
    take(&mut verifies, 1);
    respond(&mut verifies, 200, ACCOUNT_7, 2);
    assert_eq!(verifies.next(&at(2)).expect("an action"), Action::Done);
    let account = verifies.into_account().expect("an account");
    assert_eq!((account.id(), account.verified_by()), (Some(7), ACCOUNT));
}

#[test]
fn it_accepts_any_json_object_from_other_pages() {
    let chosen = Policy { verify_path: Some("/v2/mine".into()), ..Policy::default() };
    for (policy, page) in [(Policy::default(), USERS), (chosen, "/v2/mine")] {
        for (body, is_good) in [("{}", true), (r#"{"data":[]}"#, true), ("<html>", false), ("[]", false)] {
            let mut verifies = verify(policy.clone(), &holding(), 1);
            if page == USERS {
                take(&mut verifies, 1);
                respond(&mut verifies, 404, "", 1);
            }
            assert_eq!(take(&mut verifies, 1), page);
            respond(&mut verifies, 200, body, 2);
            let result = verifies.next(&at(2)).map_err(|error| error.kind());
            assert_eq!(
                result,
                if is_good { Ok(Action::Done) } else { Err(ErrorKind::InvalidResponse) },
                "{body}"
            );
            assert!(!is_good || verifies.into_account().expect("proven").verified_by() == page);
        }
    }
}

#[test]
fn it_asks_the_users_page_only_if_there_may_be_no_account_page() {
    for status in [400, 403, 422, 429, 500, 503] {
        let mut verifies = verify(Policy { max_retries: 0, ..Policy::default() }, &holding(), 1);
        take(&mut verifies, 1);
        respond(&mut verifies, status, "", 2);
        assert_eq!(failure(&mut verifies, 2).http_status(), status);
    }
    for status in [404, 401] {
        let chosen = Policy { verify_path: Some(ACCOUNT.into()), max_retries: 0, ..Policy::default() };
        let mut verifies = verify(chosen, &holding(), 1);
        assert_eq!(take(&mut verifies, 1), ACCOUNT);
        respond(&mut verifies, status, "", 2);
        assert_eq!(failure(&mut verifies, 2).http_status(), status, "the configured page decides");
        // The users page is the last one to be asked.
        let mut verifies = verify(Policy { max_retries: 0, ..Policy::default() }, &holding(), 1);
        take(&mut verifies, 1);
        respond(&mut verifies, 404, "", 2);
        assert_eq!(take(&mut verifies, 2), USERS);
        respond(&mut verifies, status, "", 2);
        assert_eq!(failure(&mut verifies, 2).http_status(), status);
    }
}

#[test]
fn it_treats_a_404_as_proof_unless_an_account_is_required() {
    for (expected_account, generation) in [(None, 2), (Some(7), 1)] {
        let shared = holding();
        reload(&shared, pair("second").into(), 1);
        let chosen = Policy { verify_path: Some("/v2/mine".into()), expected_account, ..Policy::default() };
        let mut verifies = verify(chosen, &shared, 2);
        assert_eq!(take(&mut verifies, 2), "/v2/mine");
        assert!(verifies.authorization().expect("due").same_pair(&pair("second")));
        respond(&mut verifies, 404, "", 2);
        assert_eq!(failure(&mut verifies, 2).kind(), ErrorKind::NotFound);
        assert_eq!(shared.keyring.current().expect("in use").generation(), generation);
    }
}

#[test]
fn it_treats_the_request_of_the_users_page_like_any_other() {
    let shared = holding();
    let mut verifies = verify(Policy { timeout: Duration::from_secs(30), ..Policy::default() }, &shared, 0);
    take(&mut verifies, 0);
    respond(&mut verifies, 404, "", 2000);
    assert!(
        matches!(verifies.next(&at(2000)), Ok(Action::Send { remaining: Some(left) }) if left == Duration::from_secs(28))
    );
    // The request is not sent yet, because the driver has not taken its authorization.
    let mut late = verify(Policy { timeout: Duration::from_secs(30), ..Policy::default() }, &shared, 0);
    take(&mut late, 0);
    respond(&mut late, 404, "", 2000);
    assert_eq!(failure(&mut late, 30_000).reason(), Some("connect"));
    take(&mut verifies, 2000);
    respond(&mut verifies, 200, "{}", 2500);
    let text = open_metrics(&shared.metrics, &shared.keyring, &Policy::default(), &at(3000));
    assert!(text.contains("request_duration_seconds_sum 4.5\n"), "2 s twice and 0.5 s: {text}");
}

#[test]
fn it_confirms_a_rejection_by_the_account_page_once_per_cool_down() {
    let shared = holding();
    let request = || Request::new("GET", ACCOUNT).expect("a good path");
    let account_call = |now| Exchange::request(Arc::default(), shared.clone(), request(), &at(now));
    let (mut first, mut second) = (account_call(1), account_call(1));
    take(&mut first, 1);
    take(&mut second, 1);
    respond(&mut first, 401, "", 2);
    assert_eq!(take(&mut first, 2), USERS);
    assert!(first.is_verifying());
    respond(&mut first, 401, "", 3);
    assert!(shared.keyring.rejected_for(at(3).monotonic).is_some());
    // The rejection by the account page is already confirmed.
    respond(&mut second, 401, "", 3);
    assert!(!second.is_verifying());
    assert!(!matches!(second.next(&at(3)), Ok(Action::Send { .. })));
}

#[test]
fn it_asks_for_the_account_only_if_one_is_expected() {
    for (expected_account, page) in [(None, CALLS), (Some(7), ACCOUNT)] {
        let policy = Policy { expected_account, ..Policy::default() };
        let mut exchange = call("POST", policy, &holding(), 1);
        assert_eq!(take(&mut exchange, 1), page);
        assert_eq!(exchange.is_verifying(), page == ACCOUNT);
    }
}

#[test]
fn it_fails_with_invalid_response_if_the_account_page_is_unreadable() {
    let shared = holding();
    let policy = Policy { expected_account: Some(7), ..Policy::default() };
    reload(&shared, pair("second").into(), 1);
    let mut proves = call("POST", policy, &shared, 2);
    take(&mut proves, 2);
    respond(&mut proves, 200, "<html>", 2);
    assert_eq!(failure(&mut proves, 2).kind(), ErrorKind::InvalidResponse);
    assert!(shared.keyring.candidate().is_some(), "an unreadable page proves nothing about the pair");
    let mut next = call("POST", Policy::default(), &shared, 2);
    take(&mut next, 2);
    assert!(next.authorization().expect("due").same_pair(&pair("second")), "it was not set aside");
}

#[test]
fn it_does_not_ask_the_users_page_with_a_pair_that_another_call_found_rejected() {
    let own_account = Request::new("GET", ACCOUNT).expect("a good path");
    for asks in [
        |shared: &Shared, _: &Request| verify(Policy::default(), shared, 1_000),
        |shared: &Shared, own: &Request| {
            Exchange::request(Arc::default(), shared.clone(), own.clone(), &at(1_000))
        },
    ] {
        let shared = holding();
        let mut asks = asks(&shared, &own_account);
        let mut other = call("GET", Policy::default(), &shared, 1_000);
        assert_eq!((take(&mut asks, 1_000), take(&mut other, 1_000)), (ACCOUNT.to_owned(), CALLS.to_owned()));
        respond(&mut asks, 401, "", 2_000);
        respond(&mut other, 401, "", 2_000);
        assert_eq!(
            asks.next(&at(2_000)).expect("an action"),
            Action::Load,
            "the pair is known to be rejected"
        );
        asks.loaded(Ok(pair("second").into()), &at(3_000));
        assert_eq!(take(&mut asks, 3_000), ACCOUNT);
        respond(&mut asks, 200, ACCOUNT_7, 4_000);
        assert_eq!(asks.next(&at(4_000)).expect("an action"), Action::Done);
    }
}
