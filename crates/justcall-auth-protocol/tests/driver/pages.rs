//! The pages that verify a pair: which is asked, and what counts as an answer.

use std::time::Duration;

use justcall_auth_protocol::error::ErrorKind;
use justcall_auth_protocol::metrics::open_metrics;
use justcall_auth_protocol::{Action, Exchange, Policy};

use super::{
    ACCOUNT, ACCOUNT_7, CALLS, USERS, answer, at, call, failure, holding, pair, reload, take, verify,
};

#[test]
fn it_takes_only_an_account_for_the_account_page() {
    for body in ["{}", r#"{"status":"success"}"#, r#"{"status":"error","data":{}}"#, "<html>", ""] {
        let mut verifies = verify(Policy::default(), &holding(), 1);
        assert_eq!(take(&mut verifies, 1), ACCOUNT);
        answer(&mut verifies, 200, body, 2);
        assert_eq!(failure(&mut verifies, 2).kind(), ErrorKind::InvalidResponse, "{body}");
    }
    let mut verifies = verify(Policy::default(), &holding(), 1);
    take(&mut verifies, 1);
    answer(&mut verifies, 200, ACCOUNT_7, 2);
    assert_eq!(verifies.next(&at(2)).expect("an action"), Action::Done);
    let account = verifies.into_account().expect("an account");
    assert_eq!((account.id(), account.verified_by()), (Some(7), ACCOUNT));
}

#[test]
fn it_takes_any_json_object_for_every_other_page() {
    let chosen = Policy { verify_path: Some("/v2/mine".into()), ..Policy::default() };
    for (policy, page) in [(Policy::default(), USERS), (chosen, "/v2/mine")] {
        for (body, is_good) in [("{}", true), (r#"{"data":[]}"#, true), ("<html>", false), ("[]", false)] {
            let mut verifies = verify(policy.clone(), &holding(), 1);
            if page == USERS {
                take(&mut verifies, 1);
                answer(&mut verifies, 404, "", 1);
            }
            assert_eq!(take(&mut verifies, 1), page);
            answer(&mut verifies, 200, body, 2);
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
fn it_asks_the_users_page_only_where_there_may_be_no_account_page() {
    for status in [400, 403, 422, 429, 500, 503] {
        let mut verifies = verify(Policy { max_retries: 0, ..Policy::default() }, &holding(), 1);
        take(&mut verifies, 1);
        answer(&mut verifies, status, "", 2);
        assert_eq!(failure(&mut verifies, 2).http_status(), status);
    }
    for status in [404, 401] {
        let chosen = Policy { verify_path: Some(ACCOUNT.into()), max_retries: 0, ..Policy::default() };
        let mut verifies = verify(chosen, &holding(), 1);
        assert_eq!(take(&mut verifies, 1), ACCOUNT);
        answer(&mut verifies, status, "", 2);
        assert_eq!(failure(&mut verifies, 2).http_status(), status, "the page that was chosen says so");
        // The users page is the last one.
        let mut verifies = verify(Policy { max_retries: 0, ..Policy::default() }, &holding(), 1);
        take(&mut verifies, 1);
        answer(&mut verifies, 404, "", 2);
        assert_eq!(take(&mut verifies, 2), USERS);
        answer(&mut verifies, status, "", 2);
        assert_eq!(failure(&mut verifies, 2).http_status(), status);
    }
}

#[test]
fn it_takes_a_404_for_a_proof_unless_the_account_was_the_question() {
    for (expected_account, generation) in [(None, 2), (Some(7), 1)] {
        let shared = holding();
        reload(&shared, pair("second").into(), 1);
        let chosen = Policy { verify_path: Some("/v2/mine".into()), expected_account, ..Policy::default() };
        let mut verifies = verify(chosen, &shared, 2);
        assert_eq!(take(&mut verifies, 2), "/v2/mine");
        assert!(verifies.authorization().expect("due").same_pair(&pair("second")));
        answer(&mut verifies, 404, "", 2);
        assert_eq!(failure(&mut verifies, 2).kind(), ErrorKind::NotFound);
        assert_eq!(shared.keyring.current().expect("in use").generation(), generation);
    }
}

#[test]
fn it_measures_and_sends_the_users_page_as_a_request_like_any_other() {
    let shared = holding();
    let mut verifies = verify(Policy { timeout: Duration::from_secs(30), ..Policy::default() }, &shared, 0);
    take(&mut verifies, 0);
    answer(&mut verifies, 404, "", 2000);
    assert!(
        matches!(verifies.next(&at(2000)), Ok(Action::Send { remaining: Some(left) }) if left == Duration::from_secs(28))
    );
    // It was not sent yet: nobody took its authorization.
    let mut late = verify(Policy { timeout: Duration::from_secs(30), ..Policy::default() }, &shared, 0);
    take(&mut late, 0);
    answer(&mut late, 404, "", 2000);
    assert_eq!(failure(&mut late, 30_000).reason(), Some("connect"));
    take(&mut verifies, 2000);
    answer(&mut verifies, 200, "{}", 2500);
    let text = open_metrics(&shared.metrics, &shared.keyring, &Policy::default(), &at(3000));
    assert!(text.contains("request_duration_seconds_sum 4.5\n"), "2 s twice and 0.5 s: {text}");
}

#[test]
fn it_confirms_a_refusal_of_the_account_page_once_a_cool_down() {
    let shared = holding();
    let request = || justcall_auth_protocol::Request::new("GET", ACCOUNT).expect("a good path");
    let ask = |now| Exchange::request(std::sync::Arc::default(), shared.clone(), request(), &at(now));
    let (mut first, mut second) = (ask(1), ask(1));
    take(&mut first, 1);
    take(&mut second, 1);
    answer(&mut first, 401, "", 2);
    assert_eq!(take(&mut first, 2), USERS);
    assert!(first.is_verifying());
    answer(&mut first, 401, "", 3);
    assert!(shared.keyring.rejected_for(at(3).monotonic).is_some());
    // What the account page says against the pair is no news any more.
    answer(&mut second, 401, "", 3);
    assert!(!second.is_verifying());
    assert!(!matches!(second.next(&at(3)), Ok(Action::Send { .. })));
}

#[test]
fn it_asks_for_the_account_only_where_one_is_expected() {
    for (expected_account, page) in [(None, CALLS), (Some(7), ACCOUNT)] {
        let policy = Policy { expected_account, ..Policy::default() };
        let mut exchange = call("POST", policy, &holding(), 1);
        assert_eq!(take(&mut exchange, 1), page);
        assert_eq!(exchange.is_verifying(), page == ACCOUNT);
    }
}

#[test]
fn it_fails_with_the_page_that_is_unreadable_and_not_as_another_account() {
    let shared = holding();
    let policy = Policy { expected_account: Some(7), ..Policy::default() };
    reload(&shared, pair("second").into(), 1);
    let mut proves = call("POST", policy, &shared, 2);
    take(&mut proves, 2);
    answer(&mut proves, 200, "<html>", 2);
    assert_eq!(failure(&mut proves, 2).kind(), ErrorKind::InvalidResponse);
    assert!(shared.keyring.candidate().is_some(), "that says nothing about the pair");
    let mut next = call("POST", Policy::default(), &shared, 2);
    take(&mut next, 2);
    assert!(next.authorization().expect("due").same_pair(&pair("second")), "it was not set aside");
}
