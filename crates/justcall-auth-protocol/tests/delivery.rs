//! The delivery of a request in the error of a failed call. A caller may resend a request that was certainly not
//! delivered.

use std::sync::Arc;
use std::time::Duration;

use justcall_auth_protocol::error::{Error, ErrorKind};
use justcall_auth_protocol::exchange::Cause;
use justcall_auth_protocol::{
    Action, Credentials, Exchange, Moment, Policy, Refresh, RefreshAction, Request, Response, Shared,
};

fn at(milliseconds: u64) -> Moment {
    let monotonic = Duration::from_millis(milliseconds);
    Moment { monotonic, unix: Duration::from_secs(1_800_000_000) + monotonic, random: 0 }
}

fn pair(secret: &str) -> Credentials {
    Credentials::new(b"abc123def456", secret.as_bytes()).expect("a good pair")
}

/// Returns the shared state with a pair in use.
fn holding() -> Shared {
    let shared = Shared::new("https://api.justcall.io", Arc::default());
    let mut exchange = Refresh::find(&Policy::default(), shared.clone(), &at(0));
    assert_eq!(exchange.next(&at(0)).expect("an action"), RefreshAction::Load);
    exchange.loaded(Ok(pair("sec789xyz000").into()), &at(0));
    shared
}

fn call(method: &str, policy: Policy) -> Exchange {
    let request = Request::new(method, "/v2.1/texts/+15550100?note=1").expect("good");
    Exchange::request(Arc::new(policy), holding(), request, &at(0))
}

fn quick() -> Policy {
    Policy { timeout: Duration::from_secs(1), ..Policy::default() }
}

/// Takes the authorization at `now`, as a driver does before it sends.
fn take(exchange: &mut Exchange, now: u64) {
    assert!(matches!(exchange.next(&at(now)), Ok(Action::Send { .. })));
    exchange.authorization().expect("a request is due");
}

fn respond(exchange: &mut Exchange, status: u16, header: &[(&str, &str)], now: u64) {
    let headers = header.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    exchange.answered(Response::new(status, headers.collect::<Vec<_>>(), b"{}".to_vec()), &at(now));
}

fn failure(exchange: &mut Exchange, now: u64) -> Error {
    exchange.next(&at(now)).expect_err("the call has failed")
}

#[test]
fn it_reports_a_request_as_sent_once_its_authorization_was_taken() {
    for method in ["POST", "GET"] {
        for (is_taken, phase) in [(false, "connect"), (true, "receive")] {
            let mut exchange = call(method, quick());
            assert!(matches!(exchange.next(&at(1)), Ok(Action::Send { .. })));
            if is_taken {
                exchange.authorization().expect("a request is due");
            }
            let error = failure(&mut exchange, 1000);
            assert_eq!((error.kind(), error.request_sent()), (ErrorKind::Timeout, is_taken), "{method}");
            assert_eq!(error.reason(), Some(phase));
        }
    }
}

#[test]
fn it_reports_the_same_for_a_cancelled_call() {
    for is_taken in [false, true] {
        let mut exchange = call("POST", Policy::default());
        assert!(matches!(exchange.next(&at(1)), Ok(Action::Send { .. })));
        if is_taken {
            exchange.authorization().expect("a request is due");
        }
        exchange.cancel(Error::new(ErrorKind::Cancelled));
        let error = failure(&mut exchange, 2);
        assert_eq!((error.kind(), error.request_sent()), (ErrorKind::Cancelled, is_taken));
    }
}

#[test]
fn it_trusts_the_driver_that_nothing_was_sent() {
    for sent in [false, true] {
        let mut exchange = call("POST", Policy { max_retries: 0, ..quick() });
        take(&mut exchange, 1);
        exchange.not_answered(Cause::Connect.into_error(sent), &at(2));
        assert_eq!(failure(&mut exchange, 3).request_sent(), sent);
    }
}

#[test]
fn it_remembers_an_attempt_that_may_have_been_delivered() {
    let mut exchange = call("GET", Policy::default());
    take(&mut exchange, 1);
    exchange.not_answered(Cause::Closed.into_error(true), &at(2));
    take(&mut exchange, 1000);
    exchange.not_answered(Cause::Connect.into_error(false), &at(1001));
    take(&mut exchange, 3000);
    exchange.not_answered(Cause::Connect.into_error(false), &at(3001));
    let error = failure(&mut exchange, 3002);
    assert!(error.request_sent(), "the first attempt may have been delivered");
    assert_eq!((error.reason(), error.attempts()), (Some("connect"), 3));
}

#[test]
fn it_keeps_the_last_response_of_a_call_that_ends_while_it_waits_for_a_retry() {
    for (method, status) in [("PUT", 503), ("POST", 429)] {
        let mut exchange = call(method, Policy::default());
        take(&mut exchange, 1);
        respond(&mut exchange, status, &[("retry-after", "5"), ("x-trace", "7")], 2);
        assert!(matches!(exchange.next(&at(3)), Ok(Action::Wait(_))));
        exchange.cancel(Error::new(ErrorKind::Cancelled));
        let error = failure(&mut exchange, 4);
        assert_eq!(
            (error.kind(), error.http_status(), error.request_sent()),
            (ErrorKind::Cancelled, status, true)
        );
        let response = error.response().expect("the last response");
        assert_eq!(response.header("x-trace"), Some("7"));
    }
}

#[test]
fn it_keeps_the_refusal_of_a_call_that_ends_while_it_waits_for_another_pair() {
    let policy = Policy { rotation_wait: Duration::from_secs(20), ..Policy::default() };
    let mut exchange = call("POST", policy);
    take(&mut exchange, 1);
    respond(&mut exchange, 401, &[], 2);
    exchange.cancel(Error::new(ErrorKind::Cancelled));
    let error = failure(&mut exchange, 4);
    assert_eq!((error.kind(), error.http_status(), error.request_sent()), (ErrorKind::Cancelled, 401, true));
}

#[test]
fn it_distinguishes_a_verifying_request_from_the_request_of_the_call() {
    let policy = Policy { expected_account: Some(7), ..quick() };
    let mut exchange = call("POST", policy);
    take(&mut exchange, 1);
    assert!(exchange.is_verifying());
    let error = failure(&mut exchange, 1000);
    assert_eq!((error.kind(), error.request_sent(), error.attempts()), (ErrorKind::Timeout, false, 0));
    assert_eq!((error.method(), error.path()), (Some("POST"), Some("/v2.1/texts/+15550100")));
    // A verifying call is about its verifying request.
    let mut verifies = Exchange::verify(Arc::new(quick()), holding(), &at(0));
    take(&mut verifies, 1);
    let error = failure(&mut verifies, 1000);
    assert_eq!((error.request_sent(), error.attempts()), (true, 1));
    assert_eq!((error.method(), error.path()), (Some("GET"), Some("/v2/account")));
}

#[test]
fn it_names_the_request_in_attributes_but_in_no_text() {
    let mut exchange = call("POST", Policy::default());
    take(&mut exchange, 1);
    respond(&mut exchange, 422, &[], 2);
    let error = failure(&mut exchange, 3);
    assert_eq!(
        (error.method(), error.path(), error.attempts()),
        (Some("POST"), Some("/v2.1/texts/+15550100"), 1)
    );
    for text in [error.to_string(), format!("{error:?}"), format!("{error:#?}"), error.hint().to_owned()] {
        assert!(!text.contains("5550100") && !text.contains("note"), "{text}");
    }
    let without_request = Error::invalid_argument("no request");
    assert_eq!(
        (without_request.method(), without_request.path(), without_request.attempts()),
        (None, None, 0)
    );
}

#[test]
fn it_counts_every_attempt_of_the_request() {
    let mut exchange = call("GET", Policy { max_retries: 2, ..Policy::default() });
    for now in [1, 1000, 3000] {
        take(&mut exchange, now);
        respond(&mut exchange, 503, &[], now + 1);
    }
    assert_eq!(failure(&mut exchange, 3002).attempts(), 3);
}

#[test]
fn it_states_how_long_the_service_asks_to_wait() {
    for (status, text) in [
        (429, "The rate limit of the account is exhausted. The service asks to wait 45 s."),
        (503, "The service is unavailable. The service asks to wait 45 s."),
    ] {
        let mut exchange = call("POST", Policy { max_retries: 0, ..Policy::default() });
        take(&mut exchange, 1);
        respond(&mut exchange, status, &[("retry-after", "45")], 2);
        assert_eq!(failure(&mut exchange, 3).message(), text);
    }
    let mut exchange = call("POST", Policy { max_retries: 0, ..Policy::default() });
    take(&mut exchange, 1);
    respond(&mut exchange, 429, &[], 2);
    assert_eq!(failure(&mut exchange, 3).message(), "The rate limit of the account is exhausted.");
}

#[test]
fn it_retries_only_idempotent_requests_after_a_408() {
    let mut exchange = call("GET", Policy::default());
    take(&mut exchange, 1);
    respond(&mut exchange, 408, &[], 2);
    take(&mut exchange, 1000);
    respond(&mut exchange, 200, &[], 1001);
    assert_eq!(exchange.next(&at(1002)).expect("done"), Action::Done);

    let mut exchange = call("POST", Policy::default());
    take(&mut exchange, 1);
    respond(&mut exchange, 408, &[], 2);
    let error = failure(&mut exchange, 3);
    assert_eq!(
        (error.kind(), error.http_status(), error.request_sent(), error.attempts()),
        (ErrorKind::Unavailable, 408, true, 1)
    );
    assert!(error.retryable() && error.message().contains("408"), "{error}");
}

#[test]
fn it_passes_the_remaining_time_to_the_driver() {
    let mut exchange = call("GET", quick());
    let remaining = |exchange: &mut Exchange, now| match exchange.next(&at(now)) {
        Ok(Action::Send { remaining }) => remaining,
        other => panic!("expected Send: {other:?}"),
    };
    assert_eq!(remaining(&mut exchange, 1), Some(Duration::from_millis(999)));
    assert_eq!(remaining(&mut exchange, 999), Some(Duration::from_millis(1)));
    let mut unlimited = call("GET", Policy { timeout: Duration::ZERO, ..Policy::default() });
    assert_eq!(remaining(&mut unlimited, 1_000_000), None);
}

#[test]
fn it_reports_every_cause_as_the_built_in_transport_does() {
    let rows = [
        (Cause::Resolve, true, ErrorKind::ConnectionFailed, Some("resolve")),
        (Cause::Connect, true, ErrorKind::ConnectionFailed, Some("connect")),
        (Cause::Tls, true, ErrorKind::TlsFailed, None),
        (Cause::Timeout, true, ErrorKind::Timeout, Some("receive")),
        (Cause::Timeout, false, ErrorKind::Timeout, Some("connect")),
        (Cause::Closed, true, ErrorKind::ConnectionFailed, Some("receive")),
        (Cause::Closed, false, ErrorKind::ConnectionFailed, Some("send")),
        (Cause::Cancelled, true, ErrorKind::Cancelled, None),
    ];
    for (cause, sent, kind, reason) in rows {
        let error = cause.into_error(sent);
        assert_eq!((error.kind(), error.reason(), error.request_sent()), (kind, reason, sent), "{cause:?}");
    }
}

#[test]
fn it_retries_lost_connections_but_no_tls_failure() {
    for (cause, is_retried) in [
        (Cause::Resolve, true),
        (Cause::Connect, true),
        (Cause::Closed, true),
        (Cause::Tls, false),
        (Cause::Timeout, false),
        (Cause::Cancelled, false),
    ] {
        let mut exchange = call("GET", Policy::default());
        take(&mut exchange, 1);
        exchange.not_answered(cause.into_error(true), &at(2));
        let next = exchange.next(&at(3));
        assert_eq!(matches!(next, Ok(Action::Wait(_))), is_retried, "{cause:?}: {next:?}");
    }
}
