//! Knowledge about a pair counts for all calls and keyrings, whether the pair comes from the source or from `replace`.

use std::sync::Arc;

use justcall_auth_protocol::error::ErrorKind;
use justcall_auth_protocol::event::EventKind;
use justcall_auth_protocol::keyring::SourceRead;
use justcall_auth_protocol::{Exchange, Policy};

use crate::calls::{
    ACCOUNT, TEXTS, USERS, account_page, expecting, in_use, keyring_of, kinds, post, reads_source, sent,
    succeeds_with, unwatched,
};
use crate::rules::{at, reload, respond, shared, watched};
use crate::world::credentials;

#[test]
fn it_leaves_a_pair_of_another_account_to_the_clients_of_that_account() {
    let process = Arc::default();
    let (sevens, eights) = (keyring_of("here", &process), keyring_of("here", &process));
    reload(&sevens, watched(1), &at(1));
    reload(&sevens, watched(2), &at(2));
    let mut seven = post(&expecting(7), &sevens, &at(2));
    assert_eq!(sent(&mut seven, &at(2)), (2, ACCOUNT.into()));
    respond(&mut seven, 200, &account_page(8), &at(2));
    assert_eq!(sent(&mut seven, &at(2)), (1, ACCOUNT.into()), "2 is not for this client");

    reload(&eights, watched(2), &at(3));
    let mut eight = post(&expecting(8), &eights, &at(3));
    assert_eq!(sent(&mut eight, &at(3)), (2, ACCOUNT.into()), "this client expects the account of pair 2");
    respond(&mut eight, 200, &account_page(8), &at(3));
    assert_eq!(sent(&mut eight, &at(3)), (2, TEXTS.into()));
}

#[test]
fn it_does_not_send_a_pair_that_was_rejected_in_another_keyring_of_the_process() {
    for (scope, is_shared) in [("here", true), ("elsewhere", false)] {
        let process = Arc::default();
        let (first, second) = (keyring_of("here", &process), keyring_of(scope, &process));
        reload(&first, unwatched(1), &at(1));
        reload(&second, unwatched(1), &at(1));
        let mut rejected = post(&Arc::default(), &first, &at(2));
        assert_eq!(sent(&mut rejected, &at(2)), (1, TEXTS.into()));
        respond(&mut rejected, 401, "", &at(2));
        let mut call = post(&Arc::default(), &second, &at(3));
        if is_shared {
            assert!(second.keyring.settled(at(3).monotonic).is_none(), "another keyring has a rejection");
            reads_source(&mut call, SourceRead::Unchanged, &at(3));
            let error = call.next(&at(3)).expect_err("no other pair");
            assert_eq!((error.kind(), error.request_sent()), (ErrorKind::InvalidCredentials, false));
            assert_eq!(error.retry_after(), second.keyring.rejected_for(at(3).monotonic));
            assert_eq!(second.keyring.rejected_for(at(3).monotonic), Some(at(29).monotonic));
            // The cool-down is over for both keyrings, so one call tries the pair.
            assert_eq!(sent(&mut post(&Arc::default(), &second, &at(32)), &at(32)), (1, TEXTS.into()));
        } else {
            assert_eq!(sent(&mut call, &at(3)), (1, TEXTS.into()), "another service");
        }
    }
}

#[test]
fn it_does_not_prove_a_candidate_that_was_rejected_in_another_keyring_of_the_process() {
    for is_rejected in [true, false] {
        let process = Arc::default();
        let (first, second) = (keyring_of("here", &process), keyring_of("here", &process));
        reload(&first, unwatched(1), &at(1));
        reload(&first, unwatched(2), &at(1));
        reload(&second, unwatched(2), &at(1));
        let mut rejected = post(&Arc::default(), &second, &at(2));
        assert_eq!(sent(&mut rejected, &at(2)), (2, TEXTS.into()));
        respond(&mut rejected, if is_rejected { 401 } else { 503 }, "", &at(2));
        let pair = if is_rejected { 1 } else { 2 };
        assert_eq!(sent(&mut post(&Arc::default(), &first, &at(3)), &at(3)), (pair, TEXTS.into()));
        assert_eq!(in_use(&first), 1);
        assert_eq!(first.keyring.rejected_for(at(3).monotonic), None, "the pair in use is still good");
    }
}

#[test]
fn it_does_not_end_a_cool_down_sooner_because_the_pair_belongs_to_another_account() {
    for is_rejected in [true, false] {
        let process = Arc::default();
        let (sevens, eights) = (keyring_of("here", &process), keyring_of("here", &process));
        let policy = Arc::new(Policy { cool_down: at(5).monotonic, ..Policy::clone(&expecting(7)) });
        reload(&sevens, unwatched(1), &at(0));
        reload(&sevens, unwatched(2), &at(0));
        reload(&eights, unwatched(2), &at(0));
        let mut slow = post(&policy, &sevens, &at(1));
        assert_eq!(sent(&mut slow, &at(1)), (2, ACCOUNT.into()));
        let mut eight = post(&Arc::default(), &eights, &at(1));
        assert_eq!(sent(&mut eight, &at(1)), (2, TEXTS.into()));
        respond(&mut eight, if is_rejected { 401 } else { 201 }, "", &at(2));
        let mut other = post(&Arc::default(), &sevens, &at(2));
        assert_eq!(sent(&mut other, &at(2)), (1, TEXTS.into()));
        respond(&mut other, 401, "", &at(2));
        if is_rejected {
            // From here on, the keyring knows of both rejections.
            reads_source(&mut other, SourceRead::Unchanged, &at(3));
        }
        respond(&mut slow, 200, &account_page(8), &at(3));
        drop((slow, other));
        let mut call = post(&policy, &sevens, &at(9));
        if is_rejected {
            reads_source(&mut call, SourceRead::Unchanged, &at(9));
            let error = call.next(&at(9)).expect_err("both pairs are in their cool-down");
            assert_eq!((error.kind(), error.request_sent()), (ErrorKind::InvalidCredentials, false));
        } else {
            assert_eq!(sent(&mut call, &at(9)), (2, ACCOUNT.into()));
        }
    }
}

#[test]
fn it_does_not_ask_the_users_page_with_a_pair_rejected_in_the_meantime() {
    for is_rejected in [true, false] {
        let shared = shared();
        reload(&shared, unwatched(1), &at(1));
        let mut verifies = Exchange::verify(Arc::default(), shared.clone(), &at(1));
        assert_eq!(sent(&mut verifies, &at(1)), (1, ACCOUNT.into()));
        let mut other = post(&Arc::default(), &shared, &at(1));
        assert_eq!(sent(&mut other, &at(1)), (1, TEXTS.into()));
        respond(&mut other, if is_rejected { 401 } else { 201 }, "", &at(2));
        respond(&mut verifies, 404, "", &at(2));
        if is_rejected {
            drop(other);
            reads_source(&mut verifies, SourceRead::from(credentials(2)), &at(3));
            assert_eq!(
                sent(&mut verifies, &at(3)),
                (2, ACCOUNT.into()),
                "the new pair starts with the account page"
            );
        } else {
            assert_eq!(sent(&mut verifies, &at(3)), (1, USERS.into()));
        }
    }
}

#[test]
fn it_asks_the_account_page_first_if_a_retry_of_the_users_page_uses_another_pair() {
    for is_replaced in [true, false] {
        let shared = shared();
        reload(&shared, unwatched(1), &at(1));
        let mut verifies = Exchange::verify(Arc::default(), shared.clone(), &at(1));
        sent(&mut verifies, &at(1));
        respond(&mut verifies, 404, "", &at(1));
        assert_eq!(sent(&mut verifies, &at(1)), (1, USERS.into()));
        respond(&mut verifies, 503, "", &at(1));
        if is_replaced {
            let mut replaces = Exchange::replace(Arc::default(), shared.clone(), credentials(2), &at(1));
            sent(&mut replaces, &at(1));
            succeeds_with(&mut replaces, 200, &account_page(7), &at(1));
            assert_eq!(sent(&mut verifies, &at(2)), (2, ACCOUNT.into()));
            succeeds_with(&mut verifies, 200, &account_page(7), &at(2));
            assert_eq!(verifies.into_account().expect("verified").id(), Some(7));
        } else {
            assert_eq!(
                sent(&mut verifies, &at(2)),
                (1, USERS.into()),
                "the account page was asked with this pair"
            );
            succeeds_with(&mut verifies, 200, "{}", &at(2));
        }
    }
}

#[test]
fn it_does_not_send_a_candidate_that_was_rejected_as_a_replacement() {
    let shared = shared();
    reload(&shared, watched(1), &at(1));
    reload(&shared, watched(2), &at(2));
    let mut replaces = Exchange::replace(Arc::default(), shared.clone(), credentials(2), &at(2));
    assert_eq!(sent(&mut replaces, &at(2)), (2, ACCOUNT.into()));
    respond(&mut replaces, 401, "", &at(2));
    assert_eq!(sent(&mut replaces, &at(2)), (2, USERS.into()));
    respond(&mut replaces, 401, "", &at(2));
    assert_eq!(replaces.next(&at(2)).expect_err("refused").kind(), ErrorKind::InvalidCredentials);
    assert_eq!(kinds(&mut replaces), [EventKind::CandidateRejected], "the source returned the same pair");
    let mut call = post(&Arc::default(), &shared, &at(2));
    assert_eq!(sent(&mut call, &at(2)), (1, TEXTS.into()), "other calls do not send it either");
}

#[test]
fn it_has_no_candidate_that_is_the_pair_in_use() {
    let shared = shared();
    reload(&shared, watched(1), &at(1));
    let mut replaces = Exchange::replace(Arc::default(), shared.clone(), credentials(2), &at(2));
    sent(&mut replaces, &at(2));
    // The source returns the pair while it is being proven, and another call is to prove it too.
    assert!(reload(&shared, watched(2), &at(2)));
    let mut proves = post(&Arc::default(), &shared, &at(2));
    assert_eq!(sent(&mut proves, &at(2)), (2, TEXTS.into()));
    succeeds_with(&mut replaces, 200, &account_page(7), &at(2));
    assert!(shared.keyring.candidate().is_none());
    assert_eq!(kinds(&mut replaces), [EventKind::Rotated]);
    succeeds_with(&mut proves, 201, "", &at(2));
    assert!(!kinds(&mut proves).contains(&EventKind::Rotated), "it is in use already");
    assert_eq!((in_use(&shared), shared.keyring.current().expect("in use").generation()), (2, 2));
    let mut call = post(&Arc::default(), &shared, &at(2));
    assert_eq!(sent(&mut call, &at(2)), (2, TEXTS.into()));
    assert!(!call.holds_lease(), "there is nothing to prove");
}

#[test]
fn it_rejects_the_pair_in_use_if_a_call_that_was_to_prove_it_is_rejected() {
    let shared = shared();
    reload(&shared, unwatched(1), &at(1));
    let mut replaces = Exchange::replace(Arc::default(), shared.clone(), credentials(2), &at(2));
    sent(&mut replaces, &at(2));
    reload(&shared, unwatched(2), &at(2));
    let mut proves = post(&Arc::default(), &shared, &at(2));
    assert_eq!(sent(&mut proves, &at(2)), (2, TEXTS.into()));
    succeeds_with(&mut replaces, 200, &account_page(7), &at(2));
    respond(&mut proves, 401, "", &at(3));
    assert_eq!(kinds(&mut proves), [EventKind::PairRejected]);
    assert!(shared.keyring.rejected_for(at(3).monotonic).is_some());
}

#[test]
fn it_tries_the_pair_of_an_unchanged_source_if_the_replacement_is_rejected() {
    let shared = shared();
    reload(&shared, unwatched(1), &at(1));
    let mut replaces = Exchange::replace(Arc::default(), shared.clone(), credentials(2), &at(2));
    sent(&mut replaces, &at(2));
    succeeds_with(&mut replaces, 200, &account_page(7), &at(2));
    // An unchanged source does not affect a good pair.
    shared.keyring.request_refresh();
    let mut call = post(&Arc::default(), &shared, &at(4));
    reads_source(&mut call, SourceRead::Unchanged, &at(4));
    assert!(shared.keyring.candidate().is_none());
    assert_eq!(sent(&mut call, &at(4)), (2, TEXTS.into()));
    respond(&mut call, 401, "", &at(5));
    reads_source(&mut call, SourceRead::Unchanged, &at(6));
    // Pair 2 belongs to the account 7, so pair 1 must prove that it does too.
    assert_eq!(sent(&mut call, &at(6)), (1, ACCOUNT.into()));
    respond(&mut call, 200, &account_page(7), &at(6));
    assert_eq!(sent(&mut call, &at(6)), (1, TEXTS.into()));
    assert_eq!(in_use(&shared), 1);
}

#[test]
fn it_records_the_account_of_either_of_two_replacements_by_the_same_pair() {
    for (is_account_known, is_first) in [(true, true), (true, false), (false, true)] {
        let shared = shared();
        reload(&shared, watched(1), &at(1));
        let replaces = || Exchange::replace(Arc::default(), shared.clone(), credentials(2), &at(2));
        let (mut first, mut second) = (replaces(), replaces());
        for call in [&mut first, &mut second] {
            assert_eq!(sent(call, &at(2)), (2, ACCOUNT.into()));
        }
        let (without_account, with_account) =
            if is_first { (&mut second, &mut first) } else { (&mut first, &mut second) };
        respond(without_account, 404, "", &at(2));
        sent(without_account, &at(2));
        succeeds_with(without_account, 200, "{}", &at(2));
        if is_account_known {
            succeeds_with(with_account, 200, &account_page(7), &at(2));
        }
        reload(&shared, watched(3), &at(3));
        let mut call = post(&Arc::default(), &shared, &at(3));
        let page = if is_account_known { ACCOUNT } else { TEXTS };
        assert_eq!(sent(&mut call, &at(3)), (3, page.into()), "a new pair must prove a known account");
        assert_eq!(shared.keyring.current().expect("in use").generation(), 2, "one pair came into use");
    }
}

#[test]
fn it_refuses_a_pair_of_another_account_that_was_proven_before_the_account_was_known() {
    for (is_known, generation) in [(true, 1), (false, 2)] {
        let shared = shared();
        reload(&shared, watched(1), &at(1));
        reload(&shared, watched(2), &at(2));
        let mut proves = post(&Arc::default(), &shared, &at(2));
        assert_eq!(sent(&mut proves, &at(2)), (2, TEXTS.into()), "no account is known");
        if is_known {
            let mut verifies = Exchange::verify(Arc::default(), shared.clone(), &at(2));
            assert_eq!(sent(&mut verifies, &at(2)), (1, ACCOUNT.into()));
            succeeds_with(&mut verifies, 200, &account_page(7), &at(2));
        }
        succeeds_with(&mut proves, 201, "", &at(3));
        assert_eq!(shared.keyring.current().expect("in use").generation(), generation);
        let mut next = post(&Arc::default(), &shared, &at(2));
        let due = if is_known { ACCOUNT } else { TEXTS };
        assert_eq!(sent(&mut next, &at(2)), (2, due.into()));
        if is_known {
            respond(&mut next, 200, &account_page(8), &at(2));
            assert_eq!(sent(&mut next, &at(2)), (1, TEXTS.into()));
        }
    }
}

#[test]
fn it_accepts_a_replacement_of_any_account_whichever_page_proves_it() {
    let shared = shared();
    reload(&shared, watched(1), &at(1));
    let mut verifies = Exchange::verify(Arc::default(), shared.clone(), &at(1));
    sent(&mut verifies, &at(1));
    succeeds_with(&mut verifies, 200, &account_page(7), &at(1));
    let mut replaces = Exchange::replace(Arc::default(), shared.clone(), credentials(2), &at(2));
    sent(&mut replaces, &at(2));
    respond(&mut replaces, 404, "", &at(2));
    assert_eq!(sent(&mut replaces, &at(2)), (2, USERS.into()));
    assert_eq!(replaces.next(&at(2)).expect("an action"), replaces.next(&at(2)).expect("the same action"));
    succeeds_with(&mut replaces, 200, "{}", &at(2));
    assert_eq!(in_use(&shared), 2);
}
