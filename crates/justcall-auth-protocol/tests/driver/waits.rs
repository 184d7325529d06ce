//! The wait of a call before a retry.

use std::time::Duration;

use justcall_auth_protocol::error::ErrorKind;
use justcall_auth_protocol::exchange::Cause;
use justcall_auth_protocol::{Action, Moment, Policy, Response};

use super::{at, call, failure, holding, respond, take};

/// Returns the wait after `attempts` responses with status 503, the last with this randomness, in milliseconds.
fn backoff(attempts: u32, random: u64) -> u128 {
    let policy = Policy { max_retries: attempts, timeout: Duration::ZERO, ..Policy::default() };
    let mut exchange = call("GET", policy, &holding(), 0);
    let mut now = 0;
    for attempt in 1..=attempts {
        take(&mut exchange, now);
        let random = if attempt == attempts { random } else { 0 };
        exchange.answered(Response::new(503, Vec::new(), Vec::new()), &Moment { random, ..at(now) });
        let Ok(Action::Wait(wait)) = exchange.next(&at(now)) else { panic!("no wait") };
        if attempt == attempts {
            return wait.as_millis();
        }
        now += u64::try_from(wait.as_millis()).expect("short");
    }
    unreachable!("the last attempt returns")
}

#[test]
fn it_waits_between_half_and_the_whole_of_a_time_that_doubles_up_to_8_s() {
    for (attempts, half) in
        [(1, 125), (2, 250), (3, 500), (4, 1000), (5, 2000), (6, 4000), (7, 4000), (20, 4000)]
    {
        assert_eq!(backoff(attempts, 0), half);
        assert_eq!(backoff(attempts, 7), half + 7);
        let random = u64::try_from(half).expect("small");
        assert_eq!(backoff(attempts, random), 2 * half, "the upper bound is included");
        assert_eq!(backoff(attempts, random + 1), half, "no wait is longer");
    }
}

#[test]
fn it_waits_as_long_as_the_service_asks_if_that_is_longer() {
    for (requested, waited) in [("0", 125), ("3", 3000)] {
        let mut exchange = call("GET", Policy::default(), &holding(), 0);
        take(&mut exchange, 0);
        let headers = vec![("retry-after".to_owned(), requested.to_owned())];
        exchange.answered(Response::new(503, headers, Vec::new()), &at(0));
        assert_eq!(exchange.next(&at(0)).expect("an action"), Action::Wait(Duration::from_millis(waited)));
        assert_eq!(
            exchange.next(&at(waited - 1)).expect("an action"),
            Action::Wait(Duration::from_millis(1))
        );
        take(&mut exchange, waited);
    }
}

#[test]
fn it_retries_only_requests_that_may_be_retried() {
    for (method, status, is_retried) in [
        ("POST", 429, true),
        ("GET", 429, true),
        ("POST", 500, false),
        ("GET", 500, true),
        ("POST", 503, false),
        ("DELETE", 503, true),
        ("GET", 400, false),
        ("GET", 404, false),
    ] {
        for max_retries in [0, 1] {
            let policy = Policy { max_retries, ..Policy::default() };
            let mut exchange = call(method, policy, &holding(), 0);
            take(&mut exchange, 0);
            respond(&mut exchange, status, "", 1);
            let next = exchange.next(&at(1));
            assert_eq!(
                matches!(next, Ok(Action::Wait(_))),
                is_retried && max_retries == 1,
                "{method} {status}"
            );
        }
    }
}

#[test]
fn it_retries_a_lost_request_only_if_it_is_idempotent_or_was_not_sent() {
    for (method, is_sent, is_retried) in
        [("GET", true, true), ("GET", false, true), ("POST", true, false), ("POST", false, true)]
    {
        let mut exchange = call(method, Policy::default(), &holding(), 0);
        take(&mut exchange, 0);
        exchange.not_answered(Cause::Closed.into_error(is_sent), &at(1));
        let next = exchange.next(&at(1));
        assert_eq!(matches!(next, Ok(Action::Wait(_))), is_retried, "{method} {is_sent}: {next:?}");
    }
}

#[test]
fn it_does_not_wait_until_its_deadline() {
    for (timeout, is_retried) in [(125, false), (126, true)] {
        let policy = Policy { timeout: Duration::from_millis(timeout), ..Policy::default() };
        let mut exchange = call("GET", policy, &holding(), 0);
        take(&mut exchange, 0);
        respond(&mut exchange, 503, "", 0);
        if is_retried {
            assert_eq!(exchange.next(&at(0)).expect("an action"), Action::Wait(Duration::from_millis(125)));
        } else {
            assert_eq!(failure(&mut exchange, 0).kind(), ErrorKind::Unavailable);
        }
    }
}
