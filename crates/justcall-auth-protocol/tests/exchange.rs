//! The exchange with random responses, losses and clocks, and each of its rules.

mod property;

use std::sync::Arc;
use std::time::Duration;

use justcall_auth_protocol::error::{Error, ErrorKind};
use justcall_auth_protocol::{
    Action, Credentials, Exchange, Headers, Moment, Policy, Refresh, RefreshAction, Request, Response, Shared,
};
use proptest::prelude::*;

const MAX_ACTIONS: usize = 200;

fn pair() -> Credentials {
    Credentials::new(b"abc123def456", b"sec789xyz000").expect("the document's pair is good")
}

fn other(secret: &str) -> Credentials {
    Credentials::new(b"abc123def456", secret.as_bytes()).expect("a good pair")
}

fn shared() -> Shared {
    Shared::new("https://api.justcall.io", Arc::default())
}

/// Returns the shared state with `pair` in use since `at`.
fn holding(pair: Credentials, at: &Moment) -> Shared {
    let shared = shared();
    let mut exchange = Refresh::find(&Policy::default(), shared.clone(), at);
    assert_eq!(exchange.next(at).expect("an action"), RefreshAction::Load);
    exchange.loaded(Ok(pair.into()), at);
    assert_eq!(exchange.next(at).expect("an action"), RefreshAction::Done(false));
    shared
}

fn moment(monotonic: Duration) -> Moment {
    Moment {
        monotonic,
        unix: Duration::from_secs(1_800_000_000) + monotonic,
        random: monotonic.subsec_nanos().into(),
    }
}

fn response(status: u16, retry_after: Option<u64>, body: &str) -> Response {
    let headers = retry_after.map(|seconds| ("retry-after".to_owned(), seconds.to_string()));
    Response::new(status, headers.into_iter().collect::<Headers>(), body.into())
}

fn lost(sent: bool) -> Error {
    Error::new(ErrorKind::ConnectionFailed).with_request_sent(sent)
}

/// The outcome of one attempt on the network.
#[derive(Debug, Clone)]
enum NetworkOutcome {
    Response { status: u16, retry_after: Option<u64>, body: &'static str },
    Lost { sent: bool },
    Failed(ErrorKind),
}

fn outcomes() -> impl Strategy<Value = NetworkOutcome> {
    let statuses = prop_oneof![
        Just(200),
        Just(401),
        Just(403),
        Just(404),
        Just(422),
        Just(429),
        Just(500),
        Just(503),
        100..1000_u16
    ];
    let bodies = prop_oneof![
        Just(""),
        Just("{}"),
        Just(r#"{"status":"success","data":{"account_id":1}}"#),
        Just("<html>")
    ];
    prop_oneof![
        4 => (statuses, proptest::option::of(0..100_u64), bodies)
            .prop_map(|(status, retry_after, body)| NetworkOutcome::Response { status, retry_after, body }),
        2 => any::<bool>().prop_map(|sent| NetworkOutcome::Lost { sent }),
        1 => prop_oneof![Just(ErrorKind::TlsFailed), Just(ErrorKind::Timeout), Just(ErrorKind::InvalidResponse)]
            .prop_map(NetworkOutcome::Failed),
    ]
}

/// The record of a completed call.
#[derive(Debug)]
struct CallRecord {
    outcomes: Vec<NetworkOutcome>,
    ended: Duration,
    result: Result<(), Error>,
}

/// Drives `exchange` to its end. Each attempt takes the next of `steps` milliseconds.
fn drive(
    exchange: &mut Exchange,
    outcomes: &[NetworkOutcome],
    steps: &[u64],
    now: &mut Duration,
) -> CallRecord {
    let mut record = CallRecord { outcomes: Vec::new(), ended: *now, result: Ok(()) };
    for turn in 0..MAX_ACTIONS {
        record.ended = *now;
        match exchange.next(&moment(*now)) {
            Err(error) => {
                record.result = Err(error);
                return record;
            }
            Ok(Action::Done) => return record,
            Ok(Action::Load) => {
                exchange.loaded(Ok(pair().into()), &moment(*now));
            }
            Ok(Action::Wait(wait)) => {
                assert!(wait > Duration::ZERO, "a wait of zero would loop");
                *now += wait;
            }
            Ok(Action::Send { .. }) => {
                exchange.authorization().expect("the action is Send");
                *now += Duration::from_millis(steps[turn % steps.len()]);
                let outcome = outcomes[record.outcomes.len() % outcomes.len()].clone();
                match &outcome {
                    NetworkOutcome::Response { status, retry_after, body } => {
                        exchange.answered(response(*status, *retry_after, body), &moment(*now));
                    }
                    NetworkOutcome::Lost { sent } => exchange.not_answered(lost(*sent), &moment(*now)),
                    NetworkOutcome::Failed(kind) => exchange.not_answered(Error::new(*kind), &moment(*now)),
                }
                record.outcomes.push(outcome);
            }
        }
    }
    panic!("the exchange does not end: {record:?}");
}

/// Returns true if the service has certainly not executed the request.
fn certainly_refused(outcome: &NetworkOutcome) -> bool {
    matches!(outcome, NetworkOutcome::Response { status: 429, .. } | NetworkOutcome::Lost { sent: false })
}

proptest! {
    #![proptest_config(property::config(2000))]

    #[test]
    fn it_always_ends_within_its_retries_and_its_deadline(
        outcomes in proptest::collection::vec(outcomes(), 1..8),
        steps in proptest::collection::vec(0..4000_u64, 1..8),
        method in prop_oneof![Just("GET"), Just("POST"), Just("PATCH"), Just("DELETE")],
        verify in any::<bool>(),
        max_retries in 0..5_u32,
        timeout in prop_oneof![Just(0_u64), 1..20_000_u64],
        start in 0..1_000_000_u64,
    ) {
        let timeout = Duration::from_millis(timeout);
        let policy = Arc::new(Policy { timeout, max_retries, ..Policy::default() });
        let shared = shared();
        let mut now = Duration::from_millis(start);
        let started = now;
        let mut exchange = if verify {
            Exchange::verify(policy, shared, &moment(now))
        } else {
            Exchange::request(policy, shared, Request::new(method, "/v2/calls").expect("a good path"), &moment(now))
        };
        let record = drive(&mut exchange, &outcomes, &steps, &mut now);

        let fallback = usize::from(verify);
        prop_assert!(record.outcomes.len() <= 1 + max_retries as usize + fallback, "{record:?}");
        if !timeout.is_zero() {
            // Only the last attempt may end after the deadline, because the driver knows it. A wait must not.
            let longest = steps.iter().copied().max().unwrap_or(0);
            prop_assert!(record.ended <= started + timeout + Duration::from_millis(longest), "{record:?}");
        }
        if !verify && matches!(method, "POST" | "PATCH") {
            let retried = record.outcomes.len().saturating_sub(1);
            prop_assert!(record.outcomes[..retried].iter().all(certainly_refused), "{record:?}");
        }
        // The result is final.
        let repeated = exchange.next(&moment(now + Duration::from_secs(3600)));
        match &record.result {
            Ok(()) => prop_assert_eq!(repeated.expect("done stays done"), Action::Done),
            Err(error) => prop_assert_eq!(repeated.expect_err("failed stays failed").kind(), error.kind()),
        }
    }
}

fn get(policy: Policy) -> Exchange {
    Exchange::request(
        Arc::new(policy),
        holding(pair(), &moment(Duration::ZERO)),
        Request::new("GET", "/v2/calls").expect("good"),
        &moment(Duration::ZERO),
    )
}

#[test]
fn it_reads_the_source_before_it_sends_and_fails_with_the_error_of_the_source() {
    let start = moment(Duration::ZERO);
    let mut exchange = Exchange::verify(Arc::default(), shared(), &start);
    assert_eq!(exchange.next(&start).expect("an action"), Action::Load);
    assert!(exchange.authorization().is_err(), "the action is not Send");
    exchange.loaded(Err(Error::new(ErrorKind::SourceUnavailable)), &start);
    assert_eq!(exchange.next(&start).expect_err("the source's error").kind(), ErrorKind::SourceUnavailable);
}

#[test]
fn it_fixes_the_pair_when_the_authorization_is_taken() {
    let mut exchange = get(Policy::default());
    let now = moment(Duration::ZERO);
    assert!(matches!(exchange.next(&now).expect("an action"), Action::Send { .. }));
    assert!(exchange.authorization().expect("due").same_pair(&pair()));
    assert!(
        matches!(exchange.next(&now).expect("an action"), Action::Send { .. }),
        "a second call changes nothing"
    );
    assert_eq!(exchange.url(), "https://api.justcall.io/v2/calls");
}

#[test]
fn it_fails_immediately_if_the_wait_would_exceed_the_deadline() {
    let mut exchange = get(Policy { timeout: Duration::from_secs(20), ..Policy::default() });
    let now = moment(Duration::from_secs(1));
    assert!(matches!(exchange.next(&now).expect("an action"), Action::Send { .. }));
    exchange.answered(response(429, Some(19), ""), &now);
    let error = exchange.next(&now).expect_err("19 s from now is the deadline");
    assert_eq!((error.kind(), error.retry_after()), (ErrorKind::RateLimited, Some(Duration::from_secs(19))));
}

#[test]
fn it_backs_off_longer_each_time_and_never_less_than_half() {
    let mut exchange = get(Policy { max_retries: 4, timeout: Duration::ZERO, ..Policy::default() });
    let mut now = Duration::ZERO;
    for full in [250_u64, 500, 1000, 2000] {
        assert!(matches!(exchange.next(&moment(now)).expect("an action"), Action::Send { .. }));
        exchange.answered(response(503, None, ""), &moment(now));
        let Action::Wait(wait) = exchange.next(&moment(now)).expect("an action") else { panic!("no wait") };
        let range = Duration::from_millis(full / 2)..=Duration::from_millis(full);
        assert!(range.contains(&wait), "{wait:?} is not in {range:?}");
        now += wait;
    }
}

#[test]
fn it_ignores_unexpected_reports() {
    let mut exchange = get(Policy::default());
    let now = moment(Duration::ZERO);
    exchange.answered(response(200, None, ""), &now);
    exchange.not_answered(lost(true), &now);
    assert!(matches!(exchange.next(&now).expect("the action is still Send"), Action::Send { .. }));
    assert_eq!(exchange.into_response().expect_err("not over").kind(), ErrorKind::InvalidArgument);
}

/// Expects that the exchange sends, takes the authorization, and returns the path.
fn sent(exchange: &mut Exchange, now: &Moment) -> String {
    assert!(matches!(exchange.next(now).expect("an action"), Action::Send { .. }));
    exchange.authorization().expect("due");
    exchange.outgoing().path().to_owned()
}

#[test]
fn it_confirms_a_rejection_by_the_account_page_on_the_users_page() {
    for status in [401, 404] {
        let now = moment(Duration::ZERO);
        let shared = holding(pair(), &now);
        let mut exchange = Exchange::verify(Arc::default(), shared.clone(), &now);
        assert_eq!(sent(&mut exchange, &now), "/v2/account");
        exchange.answered(response(status, None, ""), &now);
        assert_eq!(shared.keyring.rejected_for(now.monotonic), None, "not rejected yet");
        assert_eq!(sent(&mut exchange, &now), "/v2.1/users?per_page=1");
        exchange.answered(response(200, None, "{}"), &now);
        assert_eq!(exchange.into_account().expect("proven").verified_by(), "/v2.1/users?per_page=1");
    }
}

#[test]
fn it_asks_for_an_absent_account_page_once_in_ten_minutes() {
    let start = moment(Duration::from_secs(1));
    let just_before = moment(Duration::from_millis(600_999));
    let later = moment(Duration::from_secs(601));
    let paths = |shared: &Shared, policy: &Policy, status: u16, users: (u16, &str), now: &Moment| {
        let mut exchange = Exchange::verify(Arc::new(policy.clone()), shared.clone(), now);
        let mut paths = Vec::new();
        while let Ok(Action::Send { .. }) = exchange.next(now) {
            exchange.authorization().expect("due");
            paths.push(exchange.outgoing().path().to_owned());
            let (status, body) =
                if paths.last().is_some_and(|path| path == "/v2/account") { (status, "") } else { users };
            exchange.answered(response(status, None, body), now);
        }
        paths.iter().map(|path| if path == "/v2/account" { 'a' } else { 'u' }).collect::<String>()
    };
    let (plain, good) = (Policy { max_retries: 0, ..Policy::default() }, (200, "{}"));
    let shared = holding(pair(), &start);
    assert_eq!(paths(&shared, &plain, 404, good, &start), "au");
    assert_eq!(paths(&shared, &plain, 404, good, &start), "u", "the absence is known");
    let expecting = Policy { expected_account: Some(12345), ..plain.clone() };
    assert_eq!(paths(&shared, &expecting, 404, good, &start), "au", "only that page returns an account");
    assert_eq!(paths(&holding(pair(), &start), &plain, 404, good, &start), "au", "another source");
    assert_eq!(paths(&shared, &plain, 404, good, &just_before), "u");
    assert_eq!(paths(&shared, &plain, 404, good, &later), "au", "the page may exist by now");
    for (status, users) in [(401, good), (404, (503, "")), (404, (404, "")), (404, (200, "<html>"))] {
        let shared = holding(pair(), &start);
        assert_eq!(paths(&shared, &plain, status, users, &start), "au");
        assert_eq!(
            paths(&shared, &plain, status, good, &start),
            "au",
            "{status} {users:?} proves no absence"
        );
    }
}

#[test]
fn it_keeps_asking_for_an_account_page_that_was_absent_for_a_rejected_pair_only() {
    let now = moment(Duration::from_secs(2));
    let shared = holding(pair(), &moment(Duration::ZERO));
    let mut exchange = Exchange::verify(Arc::default(), shared.clone(), &now);
    assert_eq!(sent(&mut exchange, &now), "/v2/account");
    exchange.answered(response(404, None, ""), &now);
    assert_eq!(sent(&mut exchange, &now), "/v2.1/users?per_page=1");
    exchange.answered(response(401, None, ""), &now);
    assert_eq!(exchange.next(&now).expect("an action"), Action::Load, "the source may have another pair");
    let other = Credentials::new(b"abc123def456", b"another-secret").expect("good");
    exchange.loaded(Ok(other.into()), &now);
    assert_eq!(sent(&mut exchange, &now), "/v2/account");
    let account = r#"{"status": "success", "data": {"account_id": 7}}"#;
    exchange.answered(response(200, None, account), &now);
    assert_eq!(exchange.into_account().expect("proven").id(), Some(7));
    let mut exchange = Exchange::verify(Arc::default(), shared, &now);
    assert_eq!(sent(&mut exchange, &now), "/v2/account");
}

#[test]
fn it_asks_again_for_an_account_page_that_has_responded() {
    let now = moment(Duration::from_secs(2));
    let shared = holding(pair(), &moment(Duration::ZERO));
    let verify = |policy: Policy| Exchange::verify(Arc::new(policy), shared.clone(), &now);
    let mut exchange = verify(Policy::default());
    sent(&mut exchange, &now);
    exchange.answered(response(404, None, ""), &now);
    sent(&mut exchange, &now);
    exchange.answered(response(200, None, "{}"), &now);
    assert_eq!(sent(&mut verify(Policy::default()), &now), "/v2.1/users?per_page=1", "the control");
    let mut exchange = verify(Policy { expected_account: Some(7), ..Policy::default() });
    assert_eq!(sent(&mut exchange, &now), "/v2/account");
    exchange.answered(response(200, None, r#"{"status": "success", "data": {"account_id": 7}}"#), &now);
    assert_eq!(sent(&mut verify(Policy::default()), &now), "/v2/account");
}

#[test]
fn it_rejects_no_pair_only_because_the_account_page_rejected_a_callers_own_request() {
    let now = moment(Duration::from_secs(2));
    for path in ["/v2/account", "/v2/account?fields=plan"] {
        let shared = holding(pair(), &moment(Duration::ZERO));
        let account_call = |status, body| {
            let request = Request::new("GET", path).expect("good");
            let mut exchange = Exchange::request(Arc::default(), shared.clone(), request, &now);
            assert_eq!(sent(&mut exchange, &now), path);
            exchange.answered(response(401, None, ""), &now);
            assert_eq!(sent(&mut exchange, &now), "/v2.1/users?per_page=1");
            assert!(exchange.is_verifying() && shared.keyring.rejected_for(now.monotonic).is_none());
            match status {
                0 => exchange.not_answered(lost(true), &now),
                status => exchange.answered(response(status, None, body), &now),
            }
            exchange
        };
        for (status, body) in
            [(200, "{}"), (200, "<html>"), (403, "{}"), (404, ""), (429, ""), (503, ""), (0, "")]
        {
            let error = account_call(status, body).next(&now).expect_err("the response of the account page");
            assert_eq!((error.kind(), error.http_status()), (ErrorKind::InvalidCredentials, 401), "{status}");
            assert_eq!(error.hint().contains("The pair is valid"), status == 200 && body == "{}", "{status}");
            assert_eq!(shared.keyring.rejected_for(now.monotonic), None, "{status}");
        }
        let mut exchange = account_call(401, "");
        assert!(shared.keyring.rejected_for(now.monotonic).is_some(), "two pages rejected the pair");
        assert_eq!(exchange.next(&now).expect("an action"), Action::Load);
        exchange.loaded(Ok(other("another").into()), &now);
        assert_eq!(sent(&mut exchange, &now), path);
        exchange.answered(response(200, None, "{}"), &now);
        assert_eq!(exchange.next(&now).expect("done"), Action::Done);
        assert_eq!(exchange.into_response().expect("a response").body(), b"{}");
    }
}

#[test]
fn it_trusts_a_rejection_by_any_other_page_and_by_a_configured_one() {
    let now = moment(Duration::ZERO);
    let shared = holding(pair(), &now);
    let request = Request::new("GET", "/v2/accounts").expect("good");
    let mut exchange = Exchange::request(Arc::default(), shared.clone(), request, &now);
    sent(&mut exchange, &now);
    exchange.answered(response(401, None, ""), &now);
    assert!(shared.keyring.rejected_for(now.monotonic).is_some());
    let policy = Policy { verify_path: Some("/v2/account".into()), ..Policy::default() };
    let shared = holding(pair(), &now);
    let mut exchange = Exchange::verify(Arc::new(policy), shared.clone(), &now);
    assert_eq!(sent(&mut exchange, &now), "/v2/account");
    exchange.answered(response(401, None, ""), &now);
    assert!(shared.keyring.rejected_for(now.monotonic).is_some());
}

#[test]
fn it_does_not_send_a_rejected_pair_until_the_cool_down_ends_or_the_source_changes() {
    let at = |seconds: u64| moment(Duration::from_secs(seconds));
    let shared = holding(pair(), &at(1));
    let call = |seconds: u64| {
        let request = Request::new("GET", "/v2/calls").expect("good");
        Exchange::request(Arc::default(), shared.clone(), request, &at(seconds))
    };
    let mut first = call(2);
    sent(&mut first, &at(2));
    first.answered(response(401, None, ""), &at(2));
    assert_eq!(first.next(&at(2)).expect("an action"), Action::Load, "the source may have another pair");
    first.loaded(Ok(pair().into()), &at(2));
    assert_eq!(first.next(&at(2)).expect_err("401").http_status(), 401);

    let mut second = call(3);
    assert_eq!(second.next(&at(3)).expect("an action"), Action::Load, "the interval of one second is over");
    second.loaded(Ok(pair().into()), &at(3));
    let error = second.next(&at(3)).expect_err("the same pair");
    assert_eq!(
        (error.kind(), error.http_status(), error.request_sent()),
        (ErrorKind::InvalidCredentials, 0, false)
    );
    assert_eq!(error.retry_after(), Some(Duration::from_secs(29)));

    let mut third = call(4);
    assert_eq!(third.next(&at(4)).expect("an action"), Action::Load);
    third.loaded(Ok(other("another").into()), &at(4));
    assert_eq!(sent(&mut third, &at(4)), "/v2/calls");
    third.answered(response(401, None, ""), &at(4));
    assert_eq!(third.next(&at(4)).expect_err("neither is good").http_status(), 401);
    assert!(call(5).next(&at(5)).is_ok_and(|action| action == Action::Load));
    let mut after = call(34);
    assert_eq!(sent(&mut after, &at(34)), "/v2/calls", "the cool-down is over");
}

#[test]
fn it_keeps_the_pair_if_the_source_cannot_be_read() {
    let now = moment(Duration::from_secs(10));
    let shared = holding(pair(), &moment(Duration::ZERO));
    shared.keyring.request_refresh();
    let mut exchange = Exchange::verify(Arc::default(), shared, &now);
    assert_eq!(exchange.next(&now).expect("an action"), Action::Load);
    exchange.loaded(Err(Error::new(ErrorKind::SourceUnavailable)), &now);
    assert_eq!(sent(&mut exchange, &now), "/v2/account");
}

#[test]
fn it_sends_no_request_with_a_pair_of_another_account() {
    let policy = Arc::new(Policy { expected_account: Some(7), ..Policy::default() });
    let now = moment(Duration::ZERO);
    let shared = holding(pair(), &now);
    let call = || {
        let request = Request::new("POST", "/v2/texts").expect("good");
        Exchange::request(policy.clone(), shared.clone(), request, &now)
    };
    for (body, why) in [
        (r#"{"status":"success","data":{"account_id":8}}"#, "belongs to the account 8"),
        (r#"{"status":"success","data":{}}"#, "its account is unknown"),
    ] {
        let mut exchange = call();
        assert_eq!(sent(&mut exchange, &now), "/v2/account");
        exchange.answered(response(200, None, body), &now);
        let error = exchange.next(&now).expect_err("another account");
        assert_eq!(error.kind(), ErrorKind::WrongAccount);
        assert!(error.message().contains(why), "{error}");
    }
    let good = r#"{"status":"success","data":{"account_id":7}}"#;
    let mut exchange = call();
    assert_eq!(sent(&mut exchange, &now), "/v2/account");
    exchange.answered(response(200, None, good), &now);
    assert_eq!(sent(&mut exchange, &now), "/v2/texts");
    exchange.answered(response(201, None, ""), &now);
    assert_eq!(exchange.next(&now).expect("done"), Action::Done);
    assert_eq!(sent(&mut call(), &now), "/v2/texts", "proven once per pair");
}
