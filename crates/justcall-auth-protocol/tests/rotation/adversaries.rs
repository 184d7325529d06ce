//! A source that serves what it should not, and a network that loses what it should not.

use std::time::Duration;

use justcall_auth_protocol::Policy;
use justcall_auth_protocol::error::ErrorKind;
use justcall_auth_protocol::event::EventKind;
use proptest::prelude::*;

use crate::world::{Change, Fate, Said, World, ms};

fn calls(world: &mut World, number: u64, every: u64) {
    for call in 0..number {
        world.at(call * every, Change::Begins);
    }
}

#[test]
fn it_pays_one_rejected_request_for_a_typo_and_keeps_the_good_pair() {
    let mut world = World::new(Policy::default(), Said::Watched(1), 1);
    calls(&mut world, 1000, 100);
    world.at(3000, Change::Says(Said::Watched(7))).run().check_rules();
    assert!(world.failures().is_empty(), "{:?}", world.failures());
    assert_eq!((world.rejected, world.in_use()), (1, Some(1)));
    assert_eq!((world.count(EventKind::CandidateRejected), world.count(EventKind::PairRejected)), (1, 0));
}

#[test]
fn it_does_not_risk_a_call_without_a_second_attempt_on_an_unproven_pair() {
    let policy = Policy { max_retries: 0, ..Policy::default() };
    let mut world = World::new(policy, Said::Watched(1), 1);
    calls(&mut world, 100, 100);
    world.at(3000, Change::Says(Said::Watched(7))).run().check_rules();
    assert_eq!((world.rejected, world.failures().len()), (0, 0));
}

#[test]
fn it_keeps_the_good_pair_when_the_source_vanishes() {
    let mut world = World::new(Policy::default(), Said::Watched(1), 1);
    calls(&mut world, 100, 100);
    world.at(3000, Change::Says(Said::Nothing)).run().check_rules();
    assert!(world.failures().is_empty(), "{:?}", world.failures());
}

#[test]
fn it_says_that_the_source_gave_nothing_either_when_the_pair_is_rejected() {
    let mut world = World::new(Policy::default(), Said::Pair(1), 1);
    calls(&mut world, 30, 100);
    world.at(1000, Change::Says(Said::Nothing)).at(1000, Change::Accepts(2)).run().check_rules();
    let first = world.failures()[0];
    assert_eq!((first.kind(), first.http_status()), (ErrorKind::InvalidCredentials, 401));
    assert!(first.hint().contains("The source gave no other pair"), "{}", first.hint());
    assert_eq!(world.rejected, 1);
}

#[test]
fn it_finds_the_new_pair_behind_wrong_and_older_ones() {
    let policy = Policy { rotation_wait: Duration::from_secs(20), max_retries: 4, ..Policy::default() };
    let mut world = World::new(policy, Said::Watched(1), 1);
    calls(&mut world, 300, 100);
    world.at(2000, Change::Accepts(2)).at(3000, Change::Says(Said::Watched(7)));
    world.at(5000, Change::Says(Said::Watched(1))).at(6000, Change::Says(Said::Nothing));
    world.at(7000, Change::Says(Said::Watched(2))).run().check_rules();
    assert!(world.failures().is_empty(), "{:?}", world.failures());
    assert_eq!((world.in_use(), world.count(EventKind::Rotated)), (Some(2), 1));
    assert!(world.rejected <= 3, "1, what was in flight with it, and 7: {}", world.rejected);
}

#[test]
fn it_asks_a_rejected_pair_once_in_a_cool_down_however_many_calls_there_are() {
    let mut world = World::new(Policy::default(), Said::Pair(1), 2);
    calls(&mut world, 1200, 100);
    world.run().check_rules();
    assert_eq!(world.failures().len(), 1200);
    assert!((4..=5).contains(&world.rejected), "120 s are four cool-downs: {}", world.rejected);
}

#[test]
fn it_takes_a_pair_back_into_use_that_the_service_takes_back() {
    let mut world = World::new(Policy::default(), Said::Pair(1), 1);
    calls(&mut world, 600, 100);
    world.at(2000, Change::Accepts(2)).at(4000, Change::Accepts(1)).run().check_rules();
    assert_eq!(world.rejected, 1);
    assert!(world.ends.last().expect("calls").result.is_ok());
}

#[test]
fn it_proves_nothing_by_an_answer_that_says_nothing_about_the_pair() {
    for fate in [Fate::Answer(429), Fate::Answer(503), Fate::Lost, Fate::Answer(400)] {
        let policy = Policy { max_retries: 1, ..Policy::default() };
        let mut world = World::new(policy, Said::Watched(1), 1);
        world.at(0, Change::Begins).at(1500, Change::Says(Said::Watched(2))).at(1500, Change::Accepts(2));
        world.run();
        world.fates = vec![fate];
        world.at(2500, Change::Begins).run();
        assert_eq!((world.in_use(), world.count(EventKind::Rotated)), (Some(1), 0), "{fate:?}");
        world.fates = vec![Fate::Answer(404)];
        world.at(9500, Change::Begins).run();
        assert_eq!((world.in_use(), world.count(EventKind::Rotated)), (Some(2), 1), "after {fate:?}");
    }
}

proptest! {
    #![proptest_config(crate::property::config(400))]

    #[test]
    fn it_never_loses_the_good_pair_to_a_source_that_says_anything(
        changes in proptest::collection::vec((0..60_000_u64, 0..6_u32, 0..3_u32), 0..20),
        begins in proptest::collection::vec(0..60_000_u64, 1..80),
        fates in proptest::collection::vec(
            prop_oneof![4 => Just(Fate::Answer(200)), 1 => Just(Fate::Answer(429)), 1 => Just(Fate::Answer(503)),
                1 => Just(Fate::Answer(404)), 1 => Just(Fate::Lost)], 1..6),
        latency in 1..3000_u64,
        wait in 0..20_u64,
        max_retries in 0..4_u32,
    ) {
        let policy = Policy { rotation_wait: Duration::from_secs(wait), max_retries, ..Policy::default() };
        let mut world = World::new(policy, Said::Watched(1), 1);
        world.latency = ms(latency);
        world.fates = fates;
        for (at, pair, how) in &changes {
            let said = match how { 0 => Said::Nothing, 1 => Said::Pair(*pair), _ => Said::Watched(*pair) };
            world.at(*at, Change::Says(said));
        }
        for at in &begins {
            world.at(*at, Change::Begins);
        }
        world.run().check_rules();
        prop_assert_eq!(world.ends.len(), begins.len());
        // The service takes pair 1 alone. Unless the source began with another, it is never given up.
        if world.sent.first().is_some_and(|(_, pair)| *pair == 1) {
            prop_assert_eq!(world.in_use(), Some(1));
            let rejected = world.failures().iter().filter(|error| error.kind() == ErrorKind::InvalidCredentials).count();
            prop_assert_eq!(rejected, 0, "{:?}", world.failures());
            prop_assert!(world.rejected <= changes.len(), "one a wrong pair: {} of {}", world.rejected, changes.len());
        }
    }
}
