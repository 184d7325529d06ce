//! The moment in which one rule ends and the next begins.

use std::sync::Arc;
use std::time::Duration;

use justcall_auth_protocol::error::{Error, ErrorKind};
use justcall_auth_protocol::event::EventKind;
use justcall_auth_protocol::keyring::SourceRead;
use justcall_auth_protocol::{Action, Exchange, Moment, Policy, Refresh, RefreshAction};

use crate::calls::{
    ACCOUNT, TEXTS, ends_with, expecting, in_use, keyring_of, kinds, looks, page_of, post, sent, unwatched,
};
use crate::rules::{answer, at, found, reload, shared};
use crate::world::credentials;

fn patient(rotation_wait: u64, cool_down: u64) -> Arc<Policy> {
    let (rotation_wait, cool_down) = (Duration::from_secs(rotation_wait), Duration::from_secs(cool_down));
    Arc::new(Policy { rotation_wait, cool_down, timeout: Duration::ZERO, ..Policy::default() })
}

fn impatient(policy: &Arc<Policy>) -> Arc<Policy> {
    Arc::new(Policy { max_retries: 0, ..Policy::clone(policy) })
}

#[test]
fn it_is_settled_while_a_good_pair_is_all_there_is_to_use() {
    let shared = shared();
    assert!(shared.keyring.settled(at(0).monotonic).is_none(), "there is no pair");
    reload(&shared, found(1), &at(1));
    assert_eq!(shared.keyring.settled(at(1).monotonic).expect("good").generation(), 1);
    assert!(shared.keyring.settled(at(2).monotonic).is_none(), "its source may be read again");
    reload(&shared, unwatched(1), &at(2));
    assert!(shared.keyring.settled(at(9).monotonic).is_some(), "its source costs too much");
    shared.keyring.request_refresh();
    assert!(shared.keyring.settled(at(9).monotonic).is_none());
    reload(&shared, unwatched(2), &at(9));
    assert!(shared.keyring.settled(at(9).monotonic).is_none(), "there is a candidate");
    let mut proves = post(&Arc::default(), &shared, &at(9));
    sent(&mut proves, &at(9));
    answer(&mut proves, 401, "", &at(9));
    assert_eq!(sent(&mut proves, &at(9)), (1, TEXTS.into()));
    assert!(shared.keyring.settled(at(9).monotonic).is_some(), "a rejected candidate is nothing to try");
}

#[test]
fn it_does_not_prolong_the_lease_of_a_call_that_asks_what_to_do() {
    let shared = shared();
    let mut reads = post(&patient(0, 30), &shared, &at(0));
    for second in [0, 30, 59] {
        assert_eq!(reads.next(&at(second)).expect("an action"), Action::Load);
    }
    let mut other = post(&patient(0, 30), &shared, &at(60));
    assert_eq!(other.next(&at(60)).expect("60 s are over"), Action::Load);
    assert_eq!(reads.next(&at(61)).expect("it goes on"), Action::Load);
}

#[test]
fn it_holds_calls_up_to_the_end_of_the_wait_and_no_longer() {
    for (second, is_held) in [(11, true), (12, false)] {
        let shared = shared();
        let policy = patient(10, 30);
        reload(&shared, unwatched(1), &at(1));
        let mut call = post(&policy, &shared, &at(1));
        sent(&mut call, &at(1));
        answer(&mut call, 401, "", &at(2));
        looks(&mut call, SourceRead::Unchanged, &at(second));
        let next = call.next(&at(second));
        assert_eq!(matches!(next, Ok(Action::Wait(_))), is_held, "{next:?}");
        assert_eq!(next.is_err(), !is_held);
        assert_eq!(kinds(&mut call).contains(&EventKind::WaitingForSource), is_held);
    }
}

#[test]
fn it_counts_the_wait_from_the_first_rejection_although_the_pair_was_tried_again() {
    for (second, is_held) in [(41, true), (42, false)] {
        let shared = shared();
        let policy = patient(40, 30);
        reload(&shared, unwatched(1), &at(1));
        let mut call = post(&policy, &shared, &at(1));
        sent(&mut call, &at(1));
        answer(&mut call, 401, "", &at(2));
        assert_eq!(sent(&mut call, &at(32)), (1, TEXTS.into()), "its cool-down is over");
        answer(&mut call, 401, "", &at(33));
        let mut call = post(&policy, &shared, &at(second));
        looks(&mut call, SourceRead::Unchanged, &at(second));
        let next = call.next(&at(second));
        assert_eq!(matches!(next, Ok(Action::Wait(_))), is_held, "{next:?}");
        assert_eq!(next.is_err(), !is_held);
    }
}

#[test]
fn it_says_that_calls_are_held_where_they_are_and_only_once() {
    for rotation_wait in [10, 0] {
        let shared = shared();
        let policy = patient(rotation_wait, 30);
        reload(&shared, unwatched(1), &at(1));
        let mut calls = [(); 3].map(|()| post(&policy, &shared, &at(1)));
        for call in &mut calls {
            sent(call, &at(1));
        }
        for call in &mut calls {
            answer(call, 401, "", &at(2));
        }
        assert_eq!(calls[0].next(&at(2)).expect("an action"), Action::Load);
        for call in &mut calls[1..] {
            assert!(matches!(call.next(&at(2)), Ok(Action::Wait(_))), "another call reads the source");
        }
        let told = calls.iter_mut().flat_map(kinds).filter(|kind| *kind == EventKind::WaitingForSource);
        assert_eq!(told.count(), usize::from(rotation_wait > 0));
    }
}

#[test]
fn it_tries_a_rejected_pair_again_with_a_call_that_can_afford_it_or_has_waited() {
    for (rotation_wait, max_retries, is_sent) in [(60, 2, true), (60, 0, false), (10, 0, true), (10, 2, true)]
    {
        let shared = shared();
        reload(&shared, unwatched(1), &at(1));
        let policy = patient(rotation_wait, 30);
        let mut first = post(&impatient(&policy), &shared, &at(1));
        sent(&mut first, &at(1));
        answer(&mut first, 401, "", &at(2));
        let policy = Arc::new(Policy { max_retries, ..Policy::clone(&policy) });
        for (second, is_over) in [(31, false), (32, true)] {
            let mut call = post(&policy, &shared, &at(second));
            let next = call.next(&at(second));
            assert_eq!(matches!(next, Ok(Action::Send { .. })), is_sent && is_over, "at {second}: {next:?}");
        }
    }
}

#[test]
fn it_tries_a_rejected_candidate_again_only_beside_a_rejected_pair() {
    let shared = shared();
    let policy = patient(100, 30);
    reload(&shared, unwatched(1), &at(1));
    reload(&shared, unwatched(2), &at(1));
    let mut proves = post(&policy, &shared, &at(1));
    assert_eq!(sent(&mut proves, &at(1)), (2, TEXTS.into()));
    answer(&mut proves, 401, "", &at(2));
    assert_eq!(sent(&mut proves, &at(2)), (1, TEXTS.into()));
    assert_eq!(sent(&mut post(&policy, &shared, &at(40)), &at(40)), (1, TEXTS.into()), "1 is good");
    answer(&mut proves, 401, "", &at(25));
    let mut held = post(&policy, &shared, &at(25));
    looks(&mut held, SourceRead::Unchanged, &at(31));
    assert!(matches!(held.next(&at(31)), Ok(Action::Wait(_))), "both were rejected lately");
    assert_eq!(sent(&mut held, &at(32)), (2, TEXTS.into()), "its cool-down is over first");
}

#[test]
fn it_looks_again_for_a_call_that_began_when_the_failed_look_ended() {
    let shared = shared();
    let mut first = post(&Arc::default(), &shared, &at(1));
    let mut waits = post(&Arc::default(), &shared, &at(2));
    assert_eq!(first.next(&at(1)).expect("an action"), Action::Load);
    assert!(first.loaded(Err(Error::new(ErrorKind::SourceUnavailable)), &at(3)));
    drop(first);
    let mut later = post(&Arc::default(), &shared, &at(3));
    assert_eq!(later.next(&at(3)).expect("an action"), Action::Load);
    assert_eq!(
        waits.next(&at(3)).expect_err("that look was for it, too").kind(),
        ErrorKind::SourceUnavailable
    );
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
    reload(&shared, found(1), &at(3));
    let mut reads = find(5);
    assert_eq!(reads.next(&at(5)).expect("an action"), RefreshAction::Load);
    assert_eq!(find(5).next(&at(5)).expect("there is a pair"), RefreshAction::Done(false));
    // A rejected pair is a pair, too: find asks nothing of the service.
    reads.loaded(Ok(SourceRead::Unchanged), &at(5));
    let mut call = post(&impatient(&patient(60, 30)), &shared, &at(5));
    sent(&mut call, &at(5));
    answer(&mut call, 401, "", &at(6));
    reload(&shared, found(1), &at(6));
    assert_eq!(find(6).next(&at(6)).expect("there is a pair"), RefreshAction::Done(false));
    let mut other = post(&patient(60, 30), &shared, &at(8));
    assert_eq!(other.next(&at(8)).expect("an action"), Action::Load);
    assert_eq!(find(8).next(&at(8)).expect("it waits for no other call"), RefreshAction::Done(false));
}

#[test]
fn it_gives_back_no_lease_but_its_own() {
    let shared = shared();
    reload(&shared, found(1), &at(1));
    reload(&shared, found(2), &at(1));
    let begin = || post(&patient(0, 30), &shared, &at(3));
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
fn it_keeps_the_later_end_of_a_cool_down_that_two_keyrings_know() {
    for (other_cool_down, end) in [(30, 35), (10, 31)] {
        let process = Arc::default();
        let (first, second) = (keyring_of("here", &process), keyring_of("here", &process));
        reload(&first, unwatched(1), &at(0));
        reload(&second, unwatched(1), &at(0));
        let mut slow = post(&patient(0, other_cool_down), &second, &at(0));
        let mut quick = post(&patient(10, 30), &first, &at(0));
        sent(&mut slow, &at(0));
        sent(&mut quick, &at(0));
        answer(&mut quick, 401, "", &at(1));
        answer(&mut slow, 401, "", &at(5));
        looks(&mut quick, SourceRead::Unchanged, &at(6));
        assert_eq!(first.keyring.rejected_for(at(6).monotonic), Some(Duration::from_secs(end - 6)));
        assert!(matches!(quick.next(&at(10)), Ok(Action::Load)), "held, and rested");
        quick.loaded(Ok(SourceRead::Unchanged), &at(10));
        assert!(matches!(quick.next(&at(10)), Ok(Action::Wait(_))));
        // Calls are held from the first rejection on, whoever saw the second one.
        looks(&mut quick, SourceRead::Unchanged, &at(12));
        assert_eq!(quick.next(&at(12)).expect_err("10 s are over").kind(), ErrorKind::InvalidCredentials);
    }
}

#[test]
fn it_reads_the_source_no_sooner_for_a_rejection_elsewhere_that_ends_with_its_own() {
    for (other_cool_down, is_news) in [(20, false), (21, true)] {
        let process = Arc::default();
        let (first, second) = (keyring_of("here", &process), keyring_of("here", &process));
        reload(&first, unwatched(1), &at(0));
        reload(&second, unwatched(1), &at(0));
        let mut slow = post(&patient(0, other_cool_down), &second, &at(0));
        let mut quick = post(&patient(0, 30), &first, &at(0));
        sent(&mut slow, &at(0));
        sent(&mut quick, &at(0));
        answer(&mut quick, 401, "", &at(1));
        let before = Moment { monotonic: Duration::from_millis(10_600), ..at(10) };
        looks(&mut quick, SourceRead::Unchanged, &before);
        answer(&mut slow, 401, "", &at(11));
        let mut call = post(&patient(0, 30), &first, &at(11));
        let next = call.next(&at(11));
        assert_eq!(matches!(next, Ok(Action::Load)), is_news, "{next:?}");
        assert_eq!(next.is_err(), !is_news, "0.4 s ago it gave no other pair");
    }
}

#[test]
fn it_sends_a_pair_given_by_hand_again_when_its_cool_down_is_over() {
    let shared = shared();
    reload(&shared, unwatched(1), &at(1));
    let policy = Arc::new(Policy { verify_path: Some(ACCOUNT.into()), ..Policy::default() });
    let replace = |second| Exchange::replace(policy.clone(), shared.clone(), credentials(2), &at(second));
    let mut first = replace(2);
    sent(&mut first, &at(2));
    answer(&mut first, 401, "", &at(2));
    for second in [2, 31] {
        let error = replace(second).next(&at(second)).expect_err("rejected lately");
        assert_eq!(error.retry_after(), Some(at(32 - second).monotonic));
        let text = format!("they are not sent again for {} s", 33 - second);
        assert!(error.message().contains(&text), "{error}");
    }
    let mut last = replace(32);
    assert_eq!(sent(&mut last, &at(32)), (2, ACCOUNT.into()));
    ends_with(&mut last, 200, &page_of(7), &at(32));
    assert_eq!(in_use(&shared), 2);
}

#[test]
fn it_ends_a_replacement_by_a_pair_of_another_account() {
    let shared = shared();
    reload(&shared, unwatched(1), &at(1));
    let mut replaces = Exchange::replace(expecting(7), shared.clone(), credentials(2), &at(2));
    sent(&mut replaces, &at(2));
    answer(&mut replaces, 200, &page_of(8), &at(2));
    assert_eq!(replaces.next(&at(2)).expect_err("another account").kind(), ErrorKind::WrongAccount);
    assert_eq!(in_use(&shared), 1);
}

#[test]
fn it_ends_a_call_whose_pair_in_use_comes_back_as_one_of_another_account() {
    let shared = shared();
    reload(&shared, unwatched(1), &at(1));
    let mut first = post(&impatient(&patient(0, 30)), &shared, &at(1));
    sent(&mut first, &at(1));
    answer(&mut first, 401, "", &at(2));
    let mut again = post(&expecting(7), &shared, &at(32));
    assert_eq!(sent(&mut again, &at(32)), (1, ACCOUNT.into()));
    answer(&mut again, 200, &page_of(8), &at(32));
    assert_eq!(again.next(&at(32)).expect_err("another account").kind(), ErrorKind::WrongAccount);
}

#[test]
fn it_numbers_pairs_in_the_order_in_which_they_come_into_use() {
    let shared = shared();
    reload(&shared, unwatched(1), &at(1));
    let replace = |pair| Exchange::replace(Arc::default(), shared.clone(), credentials(pair), &at(2));
    let mut calls = [2, 3, 4].map(replace);
    for (generation, call) in (2..).zip(&mut calls) {
        sent(call, &at(2));
        ends_with(call, 200, &page_of(7), &at(2));
        let told: Vec<_> =
            call.take_events().iter().map(|event| (event.kind(), event.generation())).collect();
        assert_eq!(told, [(EventKind::Rotated, generation)]);
        assert_eq!(shared.keyring.current().expect("in use").generation(), generation);
    }
}

#[test]
fn it_does_not_go_back_to_an_older_pair_that_is_proven_late() {
    let shared = shared();
    reload(&shared, unwatched(1), &at(1));
    reload(&shared, unwatched(2), &at(2));
    let mut slow = post(&Arc::default(), &shared, &at(2));
    assert_eq!(sent(&mut slow, &at(2)), (2, TEXTS.into()));
    // By a page that names no account: only the order of the two pairs speaks against the older one.
    let policy = Arc::new(Policy { verify_path: Some("/v2/mine".into()), ..Policy::default() });
    let mut replaces = Exchange::replace(policy, shared.clone(), credentials(3), &at(2));
    assert_eq!(sent(&mut replaces, &at(2)), (3, "/v2/mine".into()));
    ends_with(&mut replaces, 200, "{}", &at(3));
    ends_with(&mut slow, 201, "", &at(4));
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
    ends_with(&mut replaces, 200, &page_of(7), &at(2));
    assert_eq!(in_use(&shared), 2);
    let mut proves = post(&Arc::default(), &shared, &at(2));
    assert_eq!(sent(&mut proves, &at(2)), (3, ACCOUNT.into()), "the source has said so since");
}

#[test]
fn it_knows_the_age_of_the_pair_in_use_when_that_is_given_by_hand() {
    let shared = shared();
    reload(&shared, unwatched(1), &at(1));
    let policy = Arc::new(Policy { rotation_due: Duration::from_secs(60), ..Policy::default() });
    let mut replaces = Exchange::replace(policy, shared.clone(), credentials(1), &at(100));
    assert_eq!(sent(&mut replaces, &at(100)), (1, ACCOUNT.into()));
    ends_with(&mut replaces, 200, &page_of(7), &at(100));
    assert_eq!(kinds(&mut replaces), [EventKind::RotationDue], "nothing came into use");
    assert_eq!(shared.keyring.current().expect("in use").generation(), 1);
}
