//! Removed rejections: every keyring of the process may use the pairs immediately.

use std::sync::Arc;
use std::time::Duration;

use justcall_auth_protocol::error::ErrorKind;
use justcall_auth_protocol::event::EventKind;
use justcall_auth_protocol::keyring::{Rejections, SourceRead};
use justcall_auth_protocol::{Action, Exchange, Moment, Policy, Shared};

use crate::calls::{
    ACCOUNT, TEXTS, USERS, account_page, expecting, in_use, keyring_of, kinds, post, reads_source, sent,
    succeeds_with, unwatched,
};
use crate::rules::{at, reload, respond};
use crate::world::credentials;

/// Returns the rejections of a process, and two of its keyrings with the same pair.
fn process() -> (Arc<Rejections>, [Shared; 2]) {
    let rejections = Arc::default();
    let keyrings = [keyring_of("here", &rejections), keyring_of("here", &rejections)];
    for shared in &keyrings {
        reload(shared, unwatched(1), &at(1));
    }
    (rejections, keyrings)
}

/// Expects that a call with `shared` fails without a request, because its pair was rejected recently.
fn is_refused(shared: &Shared, now: &Moment) {
    let mut call = post(&Arc::default(), shared, now);
    // The source is read first, unless that has happened since the rejection.
    if matches!(call.next(now), Ok(Action::Load)) {
        call.loaded(Ok(SourceRead::Unchanged), now);
    }
    let error = call.next(now).expect_err("the pair was rejected recently");
    assert_eq!((error.kind(), error.request_sent()), (ErrorKind::InvalidCredentials, false));
}

#[test]
fn it_sends_a_rejected_pair_at_once_in_every_keyring_of_the_process() {
    let (rejections, [first, second]) = process();
    let mut rejected = post(&Arc::default(), &first, &at(2));
    assert_eq!(sent(&mut rejected, &at(2)), (1, TEXTS.into()));
    respond(&mut rejected, 401, "", &at(2));
    is_refused(&first, &at(3));
    is_refused(&second, &at(3));
    let late = keyring_of("here", &rejections);
    reload(&late, unwatched(1), &at(3));
    is_refused(&late, &at(3));

    rejections.forget_all();
    for shared in [first, second, late, keyring_of("here", &rejections)] {
        assert_eq!(shared.keyring.rejected_for(at(4).monotonic), None);
        if shared.keyring.current().is_none() {
            reload(&shared, unwatched(1), &at(4));
        }
        let mut call = post(&Arc::default(), &shared, &at(4));
        assert_eq!(sent(&mut call, &at(4)), (1, TEXTS.into()));
        succeeds_with(&mut call, 200, "", &at(4));
        assert!(shared.keyring.settled(at(4).monotonic).is_some(), "nothing is left of the rejection");
    }
}

#[test]
fn it_records_a_later_rejection_like_the_first_one() {
    let (rejections, [first, second]) = process();
    for now in [at(2), at(4), at(6)] {
        let mut rejected = post(&Arc::default(), &first, &now);
        assert_eq!(sent(&mut rejected, &now), (1, TEXTS.into()));
        respond(&mut rejected, 401, "", &now);
        assert_eq!(kinds(&mut rejected), [EventKind::PairRejected], "it is reported each time");
        assert_eq!(first.keyring.rejected_for(now.monotonic), Some(Duration::from_secs(30)));
        is_refused(&second, &Moment { monotonic: now.monotonic + Duration::from_secs(1), ..now });
        rejections.forget_all();
    }
}

#[test]
fn it_counts_a_late_response_as_another_rejection() {
    let (rejections, [first, second]) = process();
    let mut slow = post(&Arc::default(), &first, &at(2));
    assert_eq!(sent(&mut slow, &at(2)), (1, TEXTS.into()));
    let mut quick = post(&Arc::default(), &first, &at(2));
    assert_eq!(sent(&mut quick, &at(2)), (1, TEXTS.into()));
    respond(&mut quick, 401, "", &at(2));
    rejections.forget_all();
    respond(&mut slow, 401, "", &at(3));
    assert_eq!(kinds(&mut slow), [EventKind::PairRejected]);
    assert_eq!(first.keyring.rejected_for(at(3).monotonic), Some(Duration::from_secs(30)));
    is_refused(&second, &at(4));
}

#[test]
fn it_continues_a_waiting_call_with_the_pair_in_use() {
    let (rejections, [shared, _]) = process();
    let policy = Arc::new(Policy { rotation_wait: Duration::from_secs(20), ..Policy::default() });
    let mut call = post(&policy, &shared, &at(2));
    assert_eq!(sent(&mut call, &at(2)), (1, TEXTS.into()));
    respond(&mut call, 401, "", &at(2));
    reads_source(&mut call, SourceRead::Unchanged, &at(2));
    assert!(matches!(call.next(&at(2)), Ok(Action::Wait(_))), "it waits");
    rejections.forget_all();
    assert_eq!(sent(&mut call, &at(3)), (1, TEXTS.into()));
    succeeds_with(&mut call, 200, "", &at(3));
    assert_eq!(shared.keyring.rejected_for(at(3).monotonic), None);
}

#[test]
fn it_proves_a_rejected_candidate_with_the_next_call() {
    let (rejections, [shared, _]) = process();
    reload(&shared, unwatched(2), &at(2));
    let mut call = post(&Arc::default(), &shared, &at(2));
    assert_eq!(sent(&mut call, &at(2)), (2, TEXTS.into()));
    respond(&mut call, 401, "", &at(2));
    assert_eq!(sent(&mut call, &at(2)), (1, TEXTS.into()));
    succeeds_with(&mut call, 200, "", &at(2));
    assert_eq!(sent(&mut post(&Arc::default(), &shared, &at(3)), &at(3)).0, 1, "not a second time");
    rejections.forget_all();
    let mut call = post(&Arc::default(), &shared, &at(3));
    assert_eq!(sent(&mut call, &at(3)), (2, TEXTS.into()));
    succeeds_with(&mut call, 200, "", &at(3));
    assert_eq!(in_use(&shared), 2);
}

#[test]
fn it_verifies_the_account_of_a_refused_candidate_again() {
    let (rejections, [shared, _]) = process();
    let mut known = post(&expecting(7), &shared, &at(2));
    assert_eq!(sent(&mut known, &at(2)), (1, ACCOUNT.into()));
    respond(&mut known, 200, &account_page(7), &at(2));
    reload(&shared, unwatched(2), &at(2));
    let mut call = post(&expecting(7), &shared, &at(2));
    assert_eq!(sent(&mut call, &at(2)), (2, ACCOUNT.into()));
    respond(&mut call, 200, &account_page(8), &at(2));
    assert_eq!(sent(&mut post(&expecting(7), &shared, &at(3)), &at(3)).0, 1, "it was set aside");
    rejections.forget_all();
    assert_eq!(sent(&mut post(&expecting(7), &shared, &at(3)), &at(3)), (2, ACCOUNT.into()));
}

#[test]
fn it_accepts_a_rejected_pair_as_a_replacement() {
    let (rejections, [shared, _]) = process();
    let replace = || Exchange::replace(Arc::default(), shared.clone(), credentials(3), &at(2));
    let mut refused = replace();
    for page in [ACCOUNT, USERS] {
        assert_eq!(sent(&mut refused, &at(2)), (3, page.into()));
        respond(&mut refused, 401, "", &at(2));
    }
    let error = replace().next(&at(2)).expect_err("the pair was rejected recently");
    assert_eq!((error.kind(), error.request_sent()), (ErrorKind::InvalidCredentials, false));
    rejections.forget_all();
    let mut accepted = replace();
    assert_eq!(sent(&mut accepted, &at(2)), (3, ACCOUNT.into()));
    succeeds_with(&mut accepted, 200, &account_page(7), &at(2));
    assert_eq!(in_use(&shared), 3);
}
