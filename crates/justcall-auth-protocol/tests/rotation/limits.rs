//! The exact limits of intervals, retries and waits.

use std::sync::Arc;
use std::time::Duration;

use justcall_auth_protocol::error::{Error, ErrorKind};
use justcall_auth_protocol::keyring::{LoadedPair, SourceRead};
use justcall_auth_protocol::{Action, Exchange, Moment, Policy, Request, Shared};

use crate::rules::{at, reload, respond, shared, watched};
use crate::world::credentials;

fn after(milliseconds: u64) -> Moment {
    Moment { monotonic: Duration::from_millis(milliseconds), ..at(0) }
}

/// Returns a pair whose source is read only after a rejection.
fn unwatched(pair: u32) -> LoadedPair {
    LoadedPair { is_watched: false, ..watched(pair) }
}

fn get(policy: &Arc<Policy>, shared: &Shared, now: &Moment) -> Exchange {
    let request = Request::new("GET", "/v2/calls").expect("good");
    Exchange::request(policy.clone(), shared.clone(), request, now)
}

fn send(exchange: &mut Exchange, now: &Moment) {
    assert!(matches!(exchange.next(now).expect("an action"), Action::Send { .. }));
    exchange.authorization().expect("due");
}

#[test]
fn it_reads_a_good_source_once_per_second_however_many_calls_begin() {
    let shared = shared();
    let policy = Arc::default();
    reload(&shared, watched(1), &after(1000));
    for millis in [1000, 1001, 1500, 1999] {
        assert!(matches!(
            get(&policy, &shared, &after(millis)).next(&after(millis)).expect("an action"),
            Action::Send { .. }
        ));
    }
    let mut reads = get(&policy, &shared, &after(2000));
    assert_eq!(reads.next(&after(2000)).expect("an action"), Action::Load);
    let mut other = get(&policy, &shared, &after(2000));
    assert!(
        matches!(other.next(&after(2000)).expect("an action"), Action::Send { .. }),
        "no other call waits for the read"
    );
    reads.loaded(Ok(SourceRead::Unchanged), &after(2100));
    assert!(matches!(
        get(&policy, &shared, &after(3099)).next(&after(3099)).expect("an action"),
        Action::Send { .. }
    ));
    assert_eq!(get(&policy, &shared, &after(3100)).next(&after(3100)).expect("an action"), Action::Load);
}

#[test]
fn it_spreads_the_reads_of_many_processes_after_a_rejection() {
    let next_read = |random| {
        let shared = shared();
        let policy = Arc::new(Policy { rotation_wait: Duration::from_secs(10), ..Policy::default() });
        reload(&shared, watched(1), &after(0));
        let mut exchange = get(&policy, &shared, &after(500));
        send(&mut exchange, &after(500));
        respond(&mut exchange, 401, "", &after(500));
        assert_eq!(exchange.next(&after(500)).expect("an action"), Action::Load);
        exchange.loaded(Ok(SourceRead::Unchanged), &Moment { random, ..after(500) });
        let is_due = |millis: &u64| exchange.next(&after(*millis)).expect("an action") == Action::Load;
        (500..1500).find(is_due).expect("the source is read again") - 500
    };
    assert_eq!([0, 40, 63, 64].map(next_read), [250, 290, 313, 250]);
}

#[test]
fn it_retries_a_pair_with_one_call_after_its_cool_down() {
    let shared = shared();
    let policy = Arc::default();
    reload(&shared, unwatched(1), &after(0));
    let mut first = get(&policy, &shared, &after(100));
    send(&mut first, &after(100));
    respond(&mut first, 401, "", &after(100));
    let over = after(30_100);
    let mut calls = [(); 3].map(|()| get(&policy, &shared, &over));
    send(&mut calls[0], &over);
    for call in &mut calls[1..] {
        assert!(matches!(call.next(&over), Ok(Action::Wait(_))), "one call tries the pair");
    }
    respond(&mut calls[0], 200, "", &over);
    calls[1..].iter_mut().for_each(|call| send(call, &over));
}

#[test]
fn it_counts_retries_of_every_kind_together() {
    for max_retries in 0..4 {
        let policy = Arc::new(Policy { max_retries, timeout: Duration::ZERO, ..Policy::default() });
        for pattern in [&[401][..], &[503, 401], &[401, 429, 0], &[0, 401, 503]] {
            let shared = shared();
            reload(&shared, unwatched(1), &at(0));
            let mut exchange = get(&policy, &shared, &at(0));
            let (mut seconds, mut sent, mut loads) = (0, 0, 0);
            let error = loop {
                // So late that no wait is due, and so early that no cool-down is over.
                seconds += 2;
                assert!(seconds < 29, "it does not end");
                let now = at(seconds);
                match exchange.next(&now) {
                    Err(error) => break error,
                    Ok(Action::Load) => {
                        loads += 1;
                        exchange.loaded(Ok(SourceRead::Pair(unwatched(loads + 1))), &now);
                    }
                    Ok(Action::Send { .. }) => {
                        exchange.authorization().expect("due");
                        match pattern[sent % pattern.len()] {
                            0 => exchange.not_answered(Error::new(ErrorKind::ConnectionFailed), &now),
                            status => respond(&mut exchange, status, "", &now),
                        }
                        sent += 1;
                    }
                    Ok(other) => assert!(matches!(other, Action::Wait(_)), "{other:?}"),
                }
            };
            assert_eq!(sent, 1 + max_retries as usize, "{max_retries} {pattern:?}: {error}");
        }
    }
}

#[test]
fn it_fails_with_the_rejection_if_the_deadline_is_before_the_end_of_the_wait() {
    let shared = shared();
    let policy = Arc::new(Policy { rotation_wait: Duration::from_secs(60), ..Policy::default() });
    reload(&shared, watched(1), &at(1));
    let mut exchange = get(&policy, &shared, &at(1));
    send(&mut exchange, &at(1));
    respond(&mut exchange, 401, "", &at(2));
    assert_eq!(exchange.next(&at(3)).expect("an action"), Action::Load);
    exchange.loaded(Ok(SourceRead::Unchanged), &at(3));
    assert!(matches!(exchange.next(&at(3)), Ok(Action::Wait(_))));
    let error = exchange.next(&at(31)).expect_err("30 s are over");
    assert_eq!((error.kind(), error.http_status()), (ErrorKind::InvalidCredentials, 401));
}

#[test]
fn it_shares_rejections_and_later_acceptances_in_the_whole_process() {
    let rejections = Arc::default();
    let of = |scope: &str| Shared::new(scope, Arc::clone(&rejections));
    let policy = Arc::default();
    let (first, second) = (of("here"), of("here"));
    reload(&first, watched(1), &at(1));
    // The second keyring has the pair only as a candidate when the first one records its rejection.
    reload(&second, watched(2), &at(1));
    reload(&second, watched(1), &at(1));
    let mut slow = get(&policy, &second, &at(1));
    send(&mut slow, &at(1));
    let mut quick = get(&policy, &first, &at(1));
    send(&mut quick, &at(1));
    respond(&mut quick, 401, "", &at(2));
    for (scope, is_sent) in [("here", false), ("elsewhere", true)] {
        let another = of(scope);
        reload(&another, watched(1), &at(3));
        let next = get(&policy, &another, &at(3)).next(&at(3));
        assert_eq!(
            next.as_ref().is_ok_and(|action| matches!(action, Action::Send { .. })),
            is_sent,
            "{scope}: {next:?}"
        );
    }
    respond(&mut slow, 200, "", &at(4));
    let last = of("here");
    reload(&last, watched(1), &at(5));
    let mut call = get(&policy, &last, &at(5));
    send(&mut call, &at(5));
    assert!(call.authorization().expect("due").same_pair(&credentials(1)));
}
