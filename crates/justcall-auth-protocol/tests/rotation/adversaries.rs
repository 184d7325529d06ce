//! Sources that return wrong pairs, and a network that loses requests.

use std::time::Duration;

use justcall_auth_protocol::Policy;
use justcall_auth_protocol::error::ErrorKind;
use justcall_auth_protocol::event::EventKind;
use proptest::prelude::*;

use crate::world::{Change, RequestOutcome, SourceState, World, ms};

fn calls(world: &mut World, number: u64, every: u64) {
    for call in 0..number {
        world.at(call * every, Change::CallBegins);
    }
}

#[test]
fn it_sends_one_rejected_request_for_a_typo_and_keeps_the_good_pair() {
    let mut world = World::new(Policy::default(), SourceState::Watched(1), 1);
    calls(&mut world, 1000, 100);
    world.at(3000, Change::SourceReturns(SourceState::Watched(7))).run().check_rules();
    assert!(world.failures().is_empty(), "{:?}", world.failures());
    assert_eq!((world.rejected, world.in_use()), (1, Some(1)));
    assert_eq!((world.count(EventKind::CandidateRejected), world.count(EventKind::PairRejected)), (1, 0));
}

#[test]
fn it_does_not_prove_a_pair_with_a_call_that_has_no_retry() {
    let policy = Policy { max_retries: 0, ..Policy::default() };
    let mut world = World::new(policy, SourceState::Watched(1), 1);
    calls(&mut world, 100, 100);
    world.at(3000, Change::SourceReturns(SourceState::Watched(7))).run().check_rules();
    assert_eq!((world.rejected, world.failures().len()), (0, 0));
}

#[test]
fn it_keeps_the_good_pair_if_the_source_becomes_unavailable() {
    let mut world = World::new(Policy::default(), SourceState::Watched(1), 1);
    calls(&mut world, 100, 100);
    world.at(3000, Change::SourceReturns(SourceState::Unavailable)).run().check_rules();
    assert!(world.failures().is_empty(), "{:?}", world.failures());
}

#[test]
fn it_reports_that_the_source_has_no_other_pair_if_the_pair_is_rejected() {
    let mut world = World::new(Policy::default(), SourceState::Pair(1), 1);
    calls(&mut world, 30, 100);
    world
        .at(1000, Change::SourceReturns(SourceState::Unavailable))
        .at(1000, Change::ServiceAccepts(2))
        .run()
        .check_rules();
    let first = world.failures()[0];
    assert_eq!((first.kind(), first.http_status()), (ErrorKind::InvalidCredentials, 401));
    assert!(first.hint().contains("The source has no other pair"), "{}", first.hint());
    assert_eq!(world.rejected, 1);
}

#[test]
fn it_finds_the_new_pair_after_wrong_and_older_ones() {
    let policy = Policy { rotation_wait: Duration::from_secs(20), max_retries: 4, ..Policy::default() };
    let mut world = World::new(policy, SourceState::Watched(1), 1);
    calls(&mut world, 300, 100);
    world.at(2000, Change::ServiceAccepts(2)).at(3000, Change::SourceReturns(SourceState::Watched(7)));
    world
        .at(5000, Change::SourceReturns(SourceState::Watched(1)))
        .at(6000, Change::SourceReturns(SourceState::Unavailable));
    world.at(7000, Change::SourceReturns(SourceState::Watched(2))).run().check_rules();
    assert!(world.failures().is_empty(), "{:?}", world.failures());
    assert_eq!((world.in_use(), world.count(EventKind::Rotated)), (Some(2), 1));
    assert!(world.rejected <= 3, "pair 1, a request in flight with it, and pair 7: {}", world.rejected);
}

#[test]
fn it_sends_a_rejected_pair_once_per_cool_down_however_many_calls_there_are() {
    let mut world = World::new(Policy::default(), SourceState::Pair(1), 2);
    calls(&mut world, 1200, 100);
    world.run().check_rules();
    assert_eq!(world.failures().len(), 1200);
    assert!((4..=5).contains(&world.rejected), "120 s are four cool-downs: {}", world.rejected);
}

#[test]
fn it_uses_a_rejected_pair_again_once_the_service_accepts_it_again() {
    let mut world = World::new(Policy::default(), SourceState::Pair(1), 1);
    calls(&mut world, 600, 100);
    world.at(2000, Change::ServiceAccepts(2)).at(4000, Change::ServiceAccepts(1)).run().check_rules();
    assert_eq!(world.rejected, 1);
    assert!(world.ends.last().expect("calls").result.is_ok());
}

#[test]
fn it_does_not_treat_a_429_503_400_or_lost_response_as_proof() {
    for outcome in [
        RequestOutcome::Response(429),
        RequestOutcome::Response(503),
        RequestOutcome::Lost,
        RequestOutcome::Response(400),
    ] {
        let policy = Policy { max_retries: 1, ..Policy::default() };
        let mut world = World::new(policy, SourceState::Watched(1), 1);
        world
            .at(0, Change::CallBegins)
            .at(1500, Change::SourceReturns(SourceState::Watched(2)))
            .at(1500, Change::ServiceAccepts(2));
        world.run();
        world.outcomes = vec![outcome];
        world.at(2500, Change::CallBegins).run();
        assert_eq!((world.in_use(), world.count(EventKind::Rotated)), (Some(1), 0), "{outcome:?}");
        world.outcomes = vec![RequestOutcome::Response(404)];
        world.at(9500, Change::CallBegins).run();
        assert_eq!((world.in_use(), world.count(EventKind::Rotated)), (Some(2), 1), "after {outcome:?}");
    }
}

proptest! {
    #![proptest_config(crate::property::config(400))]

    #[test]
    fn it_never_loses_the_good_pair_whatever_the_source_returns(
        changes in proptest::collection::vec((0..60_000_u64, 0..6_u32, 0..3_u32), 0..20),
        begins in proptest::collection::vec(0..60_000_u64, 1..80),
        outcomes in proptest::collection::vec(
            prop_oneof![4 => Just(RequestOutcome::Response(200)), 1 => Just(RequestOutcome::Response(429)), 1 => Just(RequestOutcome::Response(503)),
                1 => Just(RequestOutcome::Response(404)), 1 => Just(RequestOutcome::Lost)], 1..6),
        latency in 1..3000_u64,
        wait in 0..20_u64,
        max_retries in 0..4_u32,
    ) {
        let policy = Policy { rotation_wait: Duration::from_secs(wait), max_retries, ..Policy::default() };
        let mut world = World::new(policy, SourceState::Watched(1), 1);
        world.latency = ms(latency);
        world.outcomes = outcomes;
        for (at, pair, how) in &changes {
            let state = match how { 0 => SourceState::Unavailable, 1 => SourceState::Pair(*pair), _ => SourceState::Watched(*pair) };
            world.at(*at, Change::SourceReturns(state));
        }
        for at in &begins {
            world.at(*at, Change::CallBegins);
        }
        world.run().check_rules();
        prop_assert_eq!(world.ends.len(), begins.len());
        // The service accepts only pair 1. It must stay in use, unless the first pair of the source was another.
        if world.sent.first().is_some_and(|(_, pair)| *pair == 1) {
            prop_assert_eq!(world.in_use(), Some(1));
            let rejected = world.failures().iter().filter(|error| error.kind() == ErrorKind::InvalidCredentials).count();
            prop_assert_eq!(rejected, 0, "{:?}", world.failures());
            prop_assert!(world.rejected <= changes.len(), "at most one per wrong pair: {} of {}", world.rejected, changes.len());
        }
    }
}
