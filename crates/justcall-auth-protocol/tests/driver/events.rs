//! The events of a call: their times, numbers and figures.

use std::time::Duration;

use justcall_auth_protocol::error::ErrorKind;
use justcall_auth_protocol::event::{Event, EventKind};
use justcall_auth_protocol::keyring::{LoadedPair, SourceRead};
use justcall_auth_protocol::{Action, Policy, Response};

use super::{at, call, empty, failure, holding, pair, reload, respond, take};

/// Returns the events of a call whose response has this rate limit.
fn with_limit(shared: &justcall_auth_protocol::Shared, limit: &str, remaining: &str) -> Vec<Event> {
    let mut exchange = call("GET", Policy::default(), shared, 1);
    take(&mut exchange, 1);
    let header = |name: &str, value: &str| (format!("X-Rate-Limit-{name}"), value.to_owned());
    let headers = vec![header("Limit", limit), header("Remaining", remaining)];
    exchange.answered(Response::new(200, headers, Vec::new()), &at(2));
    exchange.take_events()
}

#[test]
fn it_reports_a_low_rate_limit_once_until_it_has_risen() {
    let shared = holding();
    for (remaining, is_reported) in [
        ("11", false),
        ("10", false),
        ("9", true),
        ("8", false),
        ("0", false),
        ("10", false),
        ("9", true),
        ("100", false),
    ] {
        let events = with_limit(&shared, "100", remaining);
        let kinds: Vec<_> = events.iter().map(Event::kind).collect();
        assert_eq!(kinds, if is_reported { vec![EventKind::RateLimitLow] } else { vec![] }, "{remaining}");
        if let [event] = &events[..] {
            assert_eq!(event.message(), "The account has 9 of 100 requests left in its rate limit.");
            assert_eq!(event.http_status(), 200);
        }
    }
}

#[test]
fn it_reports_an_old_pair_once_and_in_days() {
    let day = Duration::from_secs(24 * 60 * 60);
    let policy = |rotation_due| Policy { rotation_due, ..Policy::default() };
    for (age, due, is_reported) in [
        (3 * day + day / 2, 3 * day, true),
        (3 * day, 3 * day, true),
        ((3 * day).saturating_sub(Duration::from_secs(1)), 3 * day, false),
        (3 * day, Duration::ZERO, false),
    ] {
        let shared = empty();
        let created_at = at(5).unix.checked_sub(age);
        reload(&shared, SourceRead::Pair(LoadedPair { created_at, ..LoadedPair::from(pair("first")) }), 5);
        let current = shared.keyring.current().expect("in use");
        assert_eq!(
            (current.created_at(), current.first_seen(), current.age(at(5).unix)),
            (created_at, at(5).unix, age)
        );
        for is_first in [true, false] {
            let mut exchange = call("GET", policy(due), &shared, 5);
            take(&mut exchange, 5);
            respond(&mut exchange, 200, "", 5);
            let events = exchange.take_events();
            assert_eq!(events.len(), usize::from(is_reported && is_first), "{age:?} {due:?}");
            if let [event] = &events[..] {
                assert_eq!((event.kind(), event.generation()), (EventKind::RotationDue, 1));
                assert!(
                    event.message().starts_with("The pair in use is 3 days old, "),
                    "{}",
                    event.message()
                );
            }
        }
    }
}

#[test]
fn it_reports_the_next_old_pair_too() {
    let shared = holding();
    let old = Policy { rotation_due: Duration::from_secs(1), ..Policy::default() };
    for (generation, secret) in [(1, "first"), (2, "second"), (3, "third")] {
        if generation > 1 {
            reload(&shared, pair(secret).into(), 2000 * generation);
        }
        let now = 2000 * generation + 1500;
        let mut exchange = call("GET", old.clone(), &shared, now);
        take(&mut exchange, now);
        respond(&mut exchange, 200, "", now);
        let due = exchange.take_events().into_iter().filter(|event| event.kind() == EventKind::RotationDue);
        assert_eq!(due.map(|event| event.generation()).collect::<Vec<_>>(), [generation]);
    }
}

#[test]
fn it_reports_a_new_pair_when_it_is_loaded_and_when_it_is_proven() {
    let shared = holding();
    shared.keyring.request_refresh();
    let mut exchange = call("GET", Policy::default(), &shared, 2000);
    assert_eq!(exchange.next(&at(2000)).expect("an action"), Action::Load);
    exchange.loaded(Ok(pair("second").into()), &at(2000));
    take(&mut exchange, 2000);
    assert!(exchange.take_events().is_empty(), "other calls may wait for this one");
    respond(&mut exchange, 200, "", 2001);
    let events = exchange.take_events();
    let reported: Vec<_> = events.iter().map(|event| (event.kind(), event.generation())).collect();
    assert_eq!(reported, [(EventKind::SourceChanged, 2), (EventKind::Rotated, 2)]);
    assert!(
        events.iter().all(|event| event.message().contains("abc1") && !event.message().contains("second"))
    );
    assert!(exchange.take_events().is_empty(), "each event is returned once");

    shared.keyring.request_refresh();
    let mut same = call("GET", Policy::default(), &shared, 4000);
    assert_eq!(same.next(&at(4000)).expect("an action"), Action::Load);
    same.loaded(Ok(SourceRead::Unchanged), &at(4000));
    assert!(same.take_events().is_empty(), "nothing changed");
}

#[test]
fn it_reports_a_rejected_pair_once_per_cool_down() {
    let shared = holding();
    let policy = Policy { max_retries: 0, ..Policy::default() };
    let mut calls: Vec<_> = (0..3).map(|_| call("GET", policy.clone(), &shared, 1)).collect();
    for call in &mut calls {
        take(call, 1);
    }
    for (number, call) in calls.iter_mut().enumerate() {
        respond(call, 401, "", 2);
        assert_eq!(failure(call, 2).kind(), ErrorKind::InvalidCredentials);
        let events = call.take_events();
        assert_eq!(events.len(), usize::from(number == 0), "{events:?}");
        if let [event] = &events[..] {
            let expected = (EventKind::PairRejected, 1, 401);
            assert_eq!((event.kind(), event.generation(), event.http_status()), expected);
        }
    }
    // A rejection at the end of the cool-down is reported again.
    let mut again = call("GET", policy, &shared, 30_002);
    assert_eq!(shared.keyring.rejected_for(at(30_001).monotonic), Some(Duration::from_millis(1)));
    assert_eq!(shared.keyring.rejected_for(at(30_002).monotonic), None);
    take(&mut again, 30_002);
    respond(&mut again, 401, "", 30_002);
    assert_eq!(again.take_events().len(), 1);
    assert_eq!(shared.keyring.rejected_for(at(30_002).monotonic), Some(Duration::from_secs(30)));
}

#[test]
fn it_reports_a_retry_with_its_wait() {
    let mut exchange = call("GET", Policy::default(), &holding(), 1);
    take(&mut exchange, 1);
    respond(&mut exchange, 503, "", 2);
    let events = exchange.take_events();
    assert_eq!(events.len(), 1);
    assert_eq!((events[0].kind(), events[0].http_status()), (EventKind::Retrying, 503));
    assert_eq!(events[0].wait(), Some(Duration::from_millis(125)));
    assert!(events[0].message().starts_with("The call is retried in 125 ms: "), "{}", events[0].message());
}

#[test]
fn it_records_when_a_pair_was_last_sent() {
    let shared = holding();
    assert_eq!(shared.metrics.last_used(), None);
    let mut exchange = call("GET", Policy::default(), &shared, 5000);
    take(&mut exchange, 5000);
    assert_eq!(shared.metrics.last_used(), None, "no response yet");
    respond(&mut exchange, 200, "", 7000);
    assert_eq!(shared.metrics.last_used(), Some(at(7000).unix));
}
