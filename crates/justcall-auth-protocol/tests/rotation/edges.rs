//! The exact times at which one rule ends and another begins.

use std::sync::Arc;
use std::time::Duration;

use justcall_auth_protocol::error::{Error, ErrorKind};
use justcall_auth_protocol::event::{Event, EventKind};
use justcall_auth_protocol::keyring::SourceRead;
use justcall_auth_protocol::{Action, Exchange, Moment, Policy, Refresh, RefreshAction};

use crate::calls::{
    ACCOUNT, TEXTS, account_page, expecting, in_use, keyring_of, kinds, post, reads_source, sent,
    succeeds_with, unwatched,
};
use crate::rules::{at, reload, respond, shared, watched};
use crate::world::credentials;

fn waiting_policy(rotation_wait: u64, cool_down: u64) -> Arc<Policy> {
    let (rotation_wait, cool_down) = (Duration::from_secs(rotation_wait), Duration::from_secs(cool_down));
    Arc::new(Policy { rotation_wait, cool_down, timeout: Duration::ZERO, ..Policy::default() })
}

fn without_retries(policy: &Arc<Policy>) -> Arc<Policy> {
    Arc::new(Policy { max_retries: 0, ..Policy::clone(policy) })
}

#[test]
fn it_is_settled_while_there_is_only_a_good_pair() {
    let shared = shared();
    assert!(shared.keyring.settled(at(0).monotonic).is_none(), "there is no pair");
    reload(&shared, watched(1), &at(1));
    assert_eq!(shared.keyring.settled(at(1).monotonic).expect("good").generation(), 1);
    assert!(shared.keyring.settled(at(2).monotonic).is_none(), "its source may be read again");
    reload(&shared, unwatched(1), &at(2));
    assert!(shared.keyring.settled(at(9).monotonic).is_some(), "its source is expensive to read");
    shared.keyring.request_refresh();
    assert!(shared.keyring.settled(at(9).monotonic).is_none());
    reload(&shared, unwatched(2), &at(9));
    assert!(shared.keyring.settled(at(9).monotonic).is_none(), "there is a candidate");
    let mut proves = post(&Arc::default(), &shared, &at(9));
    sent(&mut proves, &at(9));
    respond(&mut proves, 401, "", &at(9));
    assert_eq!(sent(&mut proves, &at(9)), (1, TEXTS.into()));
    assert!(shared.keyring.settled(at(9).monotonic).is_some(), "a rejected candidate is not tried");
}

#[test]
fn it_does_not_extend_a_lease_when_next_is_called() {
    let shared = shared();
    let mut reads = post(&waiting_policy(0, 30), &shared, &at(0));
    for second in [0, 30, 59] {
        assert_eq!(reads.next(&at(second)).expect("an action"), Action::Load);
    }
    let mut other = post(&waiting_policy(0, 30), &shared, &at(60));
    assert_eq!(other.next(&at(60)).expect("the lease has ended after 60 s"), Action::Load);
    assert_eq!(reads.next(&at(61)).expect("its own call continues"), Action::Load);
}

#[test]
fn it_lets_calls_wait_until_the_end_of_the_wait_and_no_longer() {
    for (second, is_waiting) in [(11, true), (12, false)] {
        let shared = shared();
        let policy = waiting_policy(10, 30);
        reload(&shared, unwatched(1), &at(1));
        let mut call = post(&policy, &shared, &at(1));
        sent(&mut call, &at(1));
        respond(&mut call, 401, "", &at(2));
        reads_source(&mut call, SourceRead::Unchanged, &at(second));
        let next = call.next(&at(second));
        assert_eq!(matches!(next, Ok(Action::Wait(_))), is_waiting, "{next:?}");
        assert_eq!(next.is_err(), !is_waiting);
        assert_eq!(kinds(&mut call).contains(&EventKind::WaitingForSource), is_waiting);
    }
}

#[test]
fn it_counts_the_wait_from_the_first_rejection_even_if_the_pair_was_retried() {
    for (second, is_waiting) in [(41, true), (42, false)] {
        let shared = shared();
        let policy = waiting_policy(40, 30);
        reload(&shared, unwatched(1), &at(1));
        let mut call = post(&policy, &shared, &at(1));
        sent(&mut call, &at(1));
        respond(&mut call, 401, "", &at(2));
        assert_eq!(sent(&mut call, &at(32)), (1, TEXTS.into()), "its cool-down is over");
        respond(&mut call, 401, "", &at(33));
        let mut call = post(&policy, &shared, &at(second));
        reads_source(&mut call, SourceRead::Unchanged, &at(second));
        let next = call.next(&at(second));
        assert_eq!(matches!(next, Ok(Action::Wait(_))), is_waiting, "{next:?}");
        assert_eq!(next.is_err(), !is_waiting);
    }
}

#[test]
fn it_reports_waiting_calls_once_and_only_if_they_wait() {
    for rotation_wait in [10, 0] {
        let shared = shared();
        let policy = waiting_policy(rotation_wait, 30);
        reload(&shared, unwatched(1), &at(1));
        let mut calls = [(); 3].map(|()| post(&policy, &shared, &at(1)));
        for call in &mut calls {
            sent(call, &at(1));
        }
        for call in &mut calls {
            respond(call, 401, "", &at(2));
        }
        assert_eq!(calls[0].next(&at(2)).expect("an action"), Action::Load);
        for call in &mut calls[1..] {
            assert!(matches!(call.next(&at(2)), Ok(Action::Wait(_))), "another call reads the source");
        }
        let reported = calls.iter_mut().flat_map(kinds).filter(|kind| *kind == EventKind::WaitingForSource);
        assert_eq!(reported.count(), usize::from(rotation_wait > 0));
    }
}

#[test]
fn it_retries_a_rejected_pair_only_with_a_call_that_has_a_retry_or_has_waited() {
    for (rotation_wait, max_retries, is_sent) in [(60, 2, true), (60, 0, false), (10, 0, true), (10, 2, true)]
    {
        let shared = shared();
        reload(&shared, unwatched(1), &at(1));
        let policy = waiting_policy(rotation_wait, 30);
        let mut first = post(&without_retries(&policy), &shared, &at(1));
        sent(&mut first, &at(1));
        respond(&mut first, 401, "", &at(2));
        let policy = Arc::new(Policy { max_retries, ..Policy::clone(&policy) });
        for (second, is_over) in [(31, false), (32, true)] {
            let mut call = post(&policy, &shared, &at(second));
            let next = call.next(&at(second));
            assert_eq!(matches!(next, Ok(Action::Send { .. })), is_sent && is_over, "at {second}: {next:?}");
        }
    }
}

#[test]
fn it_retries_a_rejected_candidate_only_if_the_pair_in_use_is_rejected() {
    let shared = shared();
    let policy = waiting_policy(100, 30);
    reload(&shared, unwatched(1), &at(1));
    reload(&shared, unwatched(2), &at(1));
    let mut proves = post(&policy, &shared, &at(1));
    assert_eq!(sent(&mut proves, &at(1)), (2, TEXTS.into()));
    respond(&mut proves, 401, "", &at(2));
    assert_eq!(sent(&mut proves, &at(2)), (1, TEXTS.into()));
    assert_eq!(sent(&mut post(&policy, &shared, &at(40)), &at(40)), (1, TEXTS.into()), "1 is good");
    respond(&mut proves, 401, "", &at(25));
    let mut waiting = post(&policy, &shared, &at(25));
    reads_source(&mut waiting, SourceRead::Unchanged, &at(31));
    assert!(matches!(waiting.next(&at(31)), Ok(Action::Wait(_))), "both were rejected recently");
    assert_eq!(sent(&mut waiting, &at(32)), (2, TEXTS.into()), "its cool-down ends first");
}

#[test]
fn it_reads_again_for_a_call_that_began_when_the_failed_read_ended() {
    let shared = shared();
    let mut first = post(&Arc::default(), &shared, &at(1));
    let mut waits = post(&Arc::default(), &shared, &at(2));
    assert_eq!(first.next(&at(1)).expect("an action"), Action::Load);
    assert!(first.loaded(Err(Error::new(ErrorKind::SourceUnavailable)), &at(3)));
    drop(first);
    let mut later = post(&Arc::default(), &shared, &at(3));
    assert_eq!(later.next(&at(3)).expect("an action"), Action::Load);
    assert_eq!(
        waits.next(&at(3)).expect_err("that read was for this call too").kind(),
        ErrorKind::SourceUnavailable
    );
}

#[test]
fn it_reports_a_wait_with_the_generation_of_the_pair_in_use() {
    let (shared, policy) = (shared(), waiting_policy(10, 30));
    for pair in [1, 2] {
        reload(&shared, unwatched(pair), &at(1));
        let mut call = post(&policy, &shared, &at(1));
        sent(&mut call, &at(1));
        respond(&mut call, 200, "", &at(1));
    }
    let mut call = post(&policy, &shared, &at(2));
    sent(&mut call, &at(2));
    respond(&mut call, 401, "", &at(2));
    reads_source(&mut call, SourceRead::Unchanged, &at(3));
    assert!(matches!(call.next(&at(3)), Ok(Action::Wait(_))));
    let waiting = |event: &Event| event.kind() == EventKind::WaitingForSource;
    assert_eq!(call.take_events().into_iter().find(waiting).map(|event| event.generation()), Some(2));
}

#[test]
fn it_finds_any_pair_and_waits_only_for_the_first() {
    let shared = shared();
    let find = |second| Refresh::find(&Policy::default(), shared.clone(), &at(second));
    let (mut reads, mut waits) = (find(1), find(1));
    assert_eq!(reads.next(&at(1)).expect("an action"), RefreshAction::Load);
    assert!(matches!(waits.next(&at(1)), Ok(RefreshAction::Wait(_))));
    reads.loaded(Err(Error::new(ErrorKind::SourceUnavailable)), &at(2));
    for call in [&mut reads, &mut waits] {
        assert_eq!(call.next(&at(2)).expect_err("no pair").kind(), ErrorKind::SourceUnavailable);
    }
    reload(&shared, watched(1), &at(3));
    let mut reads = find(5);
    assert_eq!(reads.next(&at(5)).expect("an action"), RefreshAction::Load);
    assert_eq!(find(5).next(&at(5)).expect("there is a pair"), RefreshAction::Done(false));
    // A rejected pair is a pair too: find does not ask the service.
    reads.loaded(Ok(SourceRead::Unchanged), &at(5));
    let mut call = post(&without_retries(&waiting_policy(60, 30)), &shared, &at(5));
    sent(&mut call, &at(5));
    respond(&mut call, 401, "", &at(6));
    reload(&shared, watched(1), &at(6));
    assert_eq!(find(6).next(&at(6)).expect("there is a pair"), RefreshAction::Done(false));
    let mut other = post(&waiting_policy(60, 30), &shared, &at(8));
    assert_eq!(other.next(&at(8)).expect("an action"), Action::Load);
    assert_eq!(
        find(8).next(&at(8)).expect("find does not wait for another call"),
        RefreshAction::Done(false)
    );
}

#[test]
fn it_releases_no_lease_but_its_own() {
    let shared = shared();
    reload(&shared, watched(1), &at(1));
    reload(&shared, watched(2), &at(1));
    let begin = || post(&waiting_policy(0, 30), &shared, &at(3));
    let (mut proves, mut reads) = (begin(), begin());
    assert_eq!(sent(&mut proves, &at(3)), (2, TEXTS.into()));
    assert_eq!(reads.next(&at(3)).expect("an action"), Action::Load);
    drop(proves);
    let (mut proves, mut uses) = (begin(), begin());
    assert_eq!(sent(&mut proves, &at(3)), (2, TEXTS.into()), "this lease is free again");
    assert_eq!(sent(&mut uses, &at(3)), (1, TEXTS.into()), "the source is still being read");
    drop(reads);
    let (mut reads, mut uses) = (begin(), begin());
    assert_eq!(reads.next(&at(3)).expect("an action"), Action::Load, "this lease is free again");
    assert_eq!(sent(&mut uses, &at(3)), (1, TEXTS.into()), "the candidate is still being proven");
    assert!(!uses.holds_lease());
}

#[test]
fn it_keeps_the_later_end_of_a_cool_down_known_to_two_keyrings() {
    for (other_cool_down, end) in [(30, 35), (10, 31)] {
        let process = Arc::default();
        let (first, second) = (keyring_of("here", &process), keyring_of("here", &process));
        reload(&first, unwatched(1), &at(0));
        reload(&second, unwatched(1), &at(0));
        let mut slow = post(&waiting_policy(0, other_cool_down), &second, &at(0));
        let mut quick = post(&waiting_policy(10, 30), &first, &at(0));
        sent(&mut slow, &at(0));
        sent(&mut quick, &at(0));
        respond(&mut quick, 401, "", &at(1));
        respond(&mut slow, 401, "", &at(5));
        reads_source(&mut quick, SourceRead::Unchanged, &at(6));
        assert_eq!(first.keyring.rejected_for(at(6).monotonic), Some(Duration::from_secs(end - 6)));
        assert!(matches!(quick.next(&at(10)), Ok(Action::Load)), "waiting, and the interval is over");
        quick.loaded(Ok(SourceRead::Unchanged), &at(10));
        assert!(matches!(quick.next(&at(10)), Ok(Action::Wait(_))));
        // Calls wait from the first rejection, even if another keyring recorded the second one.
        reads_source(&mut quick, SourceRead::Unchanged, &at(12));
        assert_eq!(quick.next(&at(12)).expect_err("10 s are over").kind(), ErrorKind::InvalidCredentials);
    }
}

#[test]
fn it_reads_the_source_early_only_for_a_rejection_that_extends_the_cool_down() {
    for (other_cool_down, is_news) in [(20, false), (21, true)] {
        let process = Arc::default();
        let (first, second) = (keyring_of("here", &process), keyring_of("here", &process));
        reload(&first, unwatched(1), &at(0));
        reload(&second, unwatched(1), &at(0));
        let mut slow = post(&waiting_policy(0, other_cool_down), &second, &at(0));
        let mut quick = post(&waiting_policy(0, 30), &first, &at(0));
        sent(&mut slow, &at(0));
        sent(&mut quick, &at(0));
        respond(&mut quick, 401, "", &at(1));
        let before = Moment { monotonic: Duration::from_millis(10_600), ..at(10) };
        reads_source(&mut quick, SourceRead::Unchanged, &before);
        respond(&mut slow, 401, "", &at(11));
        let mut call = post(&waiting_policy(0, 30), &first, &at(11));
        let next = call.next(&at(11));
        assert_eq!(matches!(next, Ok(Action::Load)), is_news, "{next:?}");
        assert_eq!(next.is_err(), !is_news, "0.4 s ago the source returned no other pair");
    }
}

#[test]
fn it_sends_a_replacement_again_after_its_cool_down() {
    let shared = shared();
    reload(&shared, unwatched(1), &at(1));
    let policy = Arc::new(Policy { verify_path: Some(ACCOUNT.into()), ..Policy::default() });
    let replace = |second| Exchange::replace(policy.clone(), shared.clone(), credentials(2), &at(second));
    let mut first = replace(2);
    sent(&mut first, &at(2));
    respond(&mut first, 401, "", &at(2));
    for second in [2, 31] {
        let error = replace(second).next(&at(second)).expect_err("rejected recently");
        assert_eq!(error.retry_after(), Some(at(32 - second).monotonic));
        let text = format!("does not send this pair again for {} s", 33 - second);
        assert!(error.message().contains(&text), "{error}");
    }
    let mut last = replace(32);
    assert_eq!(sent(&mut last, &at(32)), (2, ACCOUNT.into()));
    succeeds_with(&mut last, 200, &account_page(7), &at(32));
    assert_eq!(in_use(&shared), 2);
}

#[test]
fn it_fails_a_replacement_by_a_pair_of_another_account() {
    let shared = shared();
    reload(&shared, unwatched(1), &at(1));
    let mut replaces = Exchange::replace(expecting(7), shared.clone(), credentials(2), &at(2));
    sent(&mut replaces, &at(2));
    respond(&mut replaces, 200, &account_page(8), &at(2));
    assert_eq!(replaces.next(&at(2)).expect_err("another account").kind(), ErrorKind::WrongAccount);
    assert_eq!(in_use(&shared), 1);
}

#[test]
fn it_fails_a_call_whose_rejected_pair_is_accepted_for_another_account() {
    let shared = shared();
    reload(&shared, unwatched(1), &at(1));
    let mut first = post(&without_retries(&waiting_policy(0, 30)), &shared, &at(1));
    sent(&mut first, &at(1));
    respond(&mut first, 401, "", &at(2));
    let mut repeated = post(&expecting(7), &shared, &at(32));
    assert_eq!(sent(&mut repeated, &at(32)), (1, ACCOUNT.into()));
    respond(&mut repeated, 200, &account_page(8), &at(32));
    assert_eq!(repeated.next(&at(32)).expect_err("another account").kind(), ErrorKind::WrongAccount);
}

#[test]
fn it_numbers_pairs_in_the_order_in_which_they_come_into_use() {
    let shared = shared();
    reload(&shared, unwatched(1), &at(1));
    let replace = |pair| Exchange::replace(Arc::default(), shared.clone(), credentials(pair), &at(2));
    let mut calls = [2, 3, 4].map(replace);
    for (generation, call) in (2..).zip(&mut calls) {
        sent(call, &at(2));
        succeeds_with(call, 200, &account_page(7), &at(2));
        let reported: Vec<_> =
            call.take_events().iter().map(|event| (event.kind(), event.generation())).collect();
        assert_eq!(reported, [(EventKind::Rotated, generation)]);
        assert_eq!(shared.keyring.current().expect("in use").generation(), generation);
    }
}

#[test]
fn it_does_not_return_to_an_older_pair_that_is_proven_late() {
    let shared = shared();
    reload(&shared, unwatched(1), &at(1));
    reload(&shared, unwatched(2), &at(2));
    let mut slow = post(&Arc::default(), &shared, &at(2));
    assert_eq!(sent(&mut slow, &at(2)), (2, TEXTS.into()));
    // A proof by a page without an account: only the order of the two pairs decides.
    let policy = Arc::new(Policy { verify_path: Some("/v2/mine".into()), ..Policy::default() });
    let mut replaces = Exchange::replace(policy, shared.clone(), credentials(3), &at(2));
    assert_eq!(sent(&mut replaces, &at(2)), (3, "/v2/mine".into()));
    succeeds_with(&mut replaces, 200, "{}", &at(3));
    succeeds_with(&mut slow, 201, "", &at(4));
    assert_eq!((in_use(&shared), shared.keyring.current().expect("in use").generation()), (3, 2));
    assert!(shared.keyring.candidate().is_none());
}

#[test]
fn it_leaves_a_newer_candidate_to_be_proven() {
    let shared = shared();
    reload(&shared, unwatched(1), &at(1));
    let mut replaces = Exchange::replace(Arc::default(), shared.clone(), credentials(2), &at(2));
    sent(&mut replaces, &at(2));
    reload(&shared, unwatched(3), &at(2));
    succeeds_with(&mut replaces, 200, &account_page(7), &at(2));
    assert_eq!(in_use(&shared), 2);
    let mut proves = post(&Arc::default(), &shared, &at(2));
    assert_eq!(sent(&mut proves, &at(2)), (3, ACCOUNT.into()), "the source has returned it since");
}

#[test]
fn it_keeps_the_age_of_a_pair_that_is_replaced_by_itself() {
    let shared = shared();
    reload(&shared, unwatched(1), &at(1));
    let policy = Arc::new(Policy { rotation_due: Duration::from_secs(60), ..Policy::default() });
    let mut replaces = Exchange::replace(policy, shared.clone(), credentials(1), &at(100));
    assert_eq!(sent(&mut replaces, &at(100)), (1, ACCOUNT.into()));
    succeeds_with(&mut replaces, 200, &account_page(7), &at(100));
    assert_eq!(kinds(&mut replaces), [EventKind::RotationDue], "nothing came into use");
    assert_eq!(shared.keyring.current().expect("in use").generation(), 1);
}
