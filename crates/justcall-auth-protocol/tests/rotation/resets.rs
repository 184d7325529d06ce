//! Resets with a source that follows: nobody notices.

use std::time::Duration;

use justcall_auth_protocol::Policy;
use justcall_auth_protocol::event::EventKind;
use proptest::prelude::*;

use crate::world::{Change, Said, World, ms};

fn patient() -> Policy {
    Policy { rotation_wait: Duration::from_secs(10), ..Policy::default() }
}

#[test]
fn it_bridges_a_reset_without_a_failed_call() {
    let mut world = World::new(patient(), Said::Pair(1), 1);
    for call in 0..200 {
        world.at(call * 50, Change::Begins);
    }
    world.at(2000, Change::Accepts(2)).at(5000, Change::Says(Said::Pair(2))).run().check_rules();
    assert!(world.failures().is_empty(), "{:?}", world.failures());
    assert_eq!((world.in_use(), world.count(EventKind::Rotated)), (Some(2), 1));
    assert_eq!((world.count(EventKind::PairRejected), world.count(EventKind::WaitingForSource)), (1, 1));
    assert_eq!(world.count(EventKind::SourceChanged), 1);
    assert!(world.rejected <= 2, "one more than the first was in flight: {}", world.rejected);
    assert_eq!(world.sent.len(), 200 + world.rejected, "each was sent once more only");
}

#[test]
fn it_fails_at_once_without_a_wait_and_recovers_when_the_source_follows() {
    let mut world = World::new(Policy::default(), Said::Pair(1), 1);
    for call in 0..100 {
        world.at(call * 100, Change::Begins);
    }
    world.at(2000, Change::Accepts(2)).at(5000, Change::Says(Said::Pair(2))).run().check_rules();
    let failed: Vec<Duration> = world
        .ends
        .iter()
        .filter(|end| end.result.is_err())
        .map(|end| end.ended.saturating_sub(end.began))
        .collect();
    assert!((30..50).contains(&failed.len()), "about those of 3 to 4 seconds: {}", failed.len());
    assert!(failed.iter().all(|took| *took < ms(700)), "{failed:?}");
    assert_eq!(world.rejected, 1);
    assert_eq!(world.in_use(), Some(2));
}

#[test]
fn it_sees_a_new_pair_before_the_old_one_is_reset() {
    // The service of the future, or a source that runs ahead: the candidate is proven beside the good pair.
    let mut world = World::new(Policy::default(), Said::Watched(1), 1);
    for call in 0..100 {
        world.at(call * 100, Change::Begins);
    }
    world.at(3000, Change::Says(Said::Watched(2))).at(3000, Change::Accepts(2)).run().check_rules();
    assert!(world.failures().is_empty(), "{:?}", world.failures());
    assert_eq!((world.in_use(), world.count(EventKind::Rotated)), (Some(2), 1));
}

fn patient_for(seconds: u64) -> Policy {
    let (rotation_wait, timeout) = (Duration::from_secs(seconds), Duration::from_secs(2 * seconds));
    Policy { rotation_wait, timeout, ..Policy::default() }
}

#[test]
fn it_holds_calls_for_the_whole_wait_also_where_that_is_longer_than_the_cool_down() {
    for every in [100_000, 500] {
        let mut world = World::new(patient_for(120), Said::Watched(1), 1);
        for call in 0..100_000 / every {
            world.at(2000 + call * every, Change::Begins);
        }
        world.at(1000, Change::Begins).at(1500, Change::Accepts(2));
        world.at(110_000, Change::Says(Said::Watched(2))).run().check_rules();
        assert!(world.failures().is_empty(), "{:?}", world.failures()[0]);
        assert!((2..=4).contains(&world.rejected), "one a cool-down: {}", world.rejected);
    }
}

#[test]
fn it_ends_the_wait_when_it_is_over_however_often_the_pair_is_tried_again() {
    for wait in [10, 120] {
        let mut world = World::new(patient_for(wait), Said::Watched(1), 1);
        for call in 0..50 {
            world.at(1000 + call * 100, Change::Begins);
        }
        world.at(2000, Change::Accepts(2)).run().check_rules();
        let last = world.ends.iter().map(|end| end.ended).max().expect("calls");
        let over = Duration::from_secs(1000 + 2 + wait);
        assert!(last < over + ms(1500), "{last:?} is long after {over:?}");
        assert_eq!(world.failures().len(), 40);
    }
}

proptest! {
    #![proptest_config(crate::property::config(400))]

    /// No call ends `invalid_credentials` while the source holds a good pair within the wait; no pair is sent after it is
    /// known to be bad; it always ends.
    #[test]
    fn it_loses_no_call_to_any_number_of_resets(
        resets in proptest::collection::vec((2000..20_000_u64, 0..3000_u64), 1..6),
        calls in proptest::collection::vec(0..60_000_u64, 1..120),
        latency in 1..400_u64,
        look_time in 0..300_u64,
        watched in any::<bool>(),
    ) {
        let said = |pair| if watched { Said::Watched(pair) } else { Said::Pair(pair) };
        let mut world = World::new(patient(), said(1), 1);
        (world.latency, world.look_time) = (ms(latency), ms(look_time));
        let (mut at, mut pair) = (0, 1);
        for (gap, lag) in &resets {
            // The next one comes when the source has followed and a call had time to prove it.
            at += gap + 3000;
            pair += 1;
            world.at(at, Change::Accepts(pair)).at(at + lag, Change::Says(said(pair)));
        }
        for call in &calls {
            world.at(*call, Change::Begins);
        }
        world.run().check_rules();
        prop_assert!(world.failures().is_empty(), "{:?}", world.failures());
        prop_assert!(world.count(EventKind::Rotated) <= resets.len());
        prop_assert_eq!(world.ends.len(), calls.len());
    }
}
