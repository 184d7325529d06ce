//! Resets with a source that follows, so that no call fails.

use std::time::Duration;

use justcall_auth_protocol::Policy;
use justcall_auth_protocol::event::EventKind;
use proptest::prelude::*;

use crate::world::{Change, SourceState, World, ms};

fn waiting_policy() -> Policy {
    Policy { rotation_wait: Duration::from_secs(10), ..Policy::default() }
}

#[test]
fn it_bridges_a_reset_without_a_failed_call() {
    let mut world = World::new(waiting_policy(), SourceState::Pair(1), 1);
    for call in 0..200 {
        world.at(call * 50, Change::CallBegins);
    }
    world
        .at(2000, Change::ServiceAccepts(2))
        .at(5000, Change::SourceReturns(SourceState::Pair(2)))
        .run()
        .check_rules();
    assert!(world.failures().is_empty(), "{:?}", world.failures());
    assert_eq!((world.in_use(), world.count(EventKind::Rotated)), (Some(2), 1));
    assert_eq!((world.count(EventKind::PairRejected), world.count(EventKind::WaitingForSource)), (1, 1));
    assert_eq!(world.count(EventKind::SourceChanged), 1);
    assert!(world.rejected <= 2, "at most one request was in flight with the old pair: {}", world.rejected);
    assert_eq!(world.sent.len(), 200 + world.rejected, "each rejected request was sent once more");
}

#[test]
fn it_fails_immediately_without_a_wait_and_recovers_when_the_source_follows() {
    let mut world = World::new(Policy::default(), SourceState::Pair(1), 1);
    for call in 0..100 {
        world.at(call * 100, Change::CallBegins);
    }
    world
        .at(2000, Change::ServiceAccepts(2))
        .at(5000, Change::SourceReturns(SourceState::Pair(2)))
        .run()
        .check_rules();
    let failed: Vec<Duration> = world
        .ends
        .iter()
        .filter(|end| end.result.is_err())
        .map(|end| end.ended.saturating_sub(end.began))
        .collect();
    assert!((30..50).contains(&failed.len()), "about the calls of 3 to 4 seconds: {}", failed.len());
    assert!(failed.iter().all(|took| *took < ms(700)), "{failed:?}");
    assert_eq!(world.rejected, 1);
    assert_eq!(world.in_use(), Some(2));
}

#[test]
fn it_uses_a_new_pair_before_the_old_one_is_reset() {
    // The service may support overlapping pairs, or the source may be early: the candidate is proven beside the good
    // pair.
    let mut world = World::new(Policy::default(), SourceState::Watched(1), 1);
    for call in 0..100 {
        world.at(call * 100, Change::CallBegins);
    }
    world
        .at(3000, Change::SourceReturns(SourceState::Watched(2)))
        .at(3000, Change::ServiceAccepts(2))
        .run()
        .check_rules();
    assert!(world.failures().is_empty(), "{:?}", world.failures());
    assert_eq!((world.in_use(), world.count(EventKind::Rotated)), (Some(2), 1));
}

/// Returns how many requests were sent in each of the six seconds after the rotation, the proof included. `calls` begin
/// in each second until the source has the new pair after a wait of 5 s.
fn sent_after_rotation(calls: u64) -> Vec<usize> {
    let mut world = World::new(waiting_policy_for(30), SourceState::Pair(1), 1);
    world.at(500, Change::CallBegins).at(900, Change::ServiceAccepts(2));
    for call in 0..5 * calls {
        world.at(1000 + call * 1000 / calls, Change::CallBegins);
    }
    world.at(6000, Change::SourceReturns(SourceState::Pair(2))).run().check_rules();
    assert!(world.failures().is_empty(), "{:?}", world.failures());
    let first = world.sent.iter().find(|(_, pair)| *pair == 2).expect("it is proven").0;
    let seconds = world.sent.iter().filter(|(_, pair)| *pair == 2);
    let seconds: Vec<u64> = seconds.map(|(at, _)| at.saturating_sub(first).as_secs()).collect();
    (0..6).map(|second| seconds.iter().filter(|sent| **sent == second).count()).collect()
}

#[test]
fn it_releases_held_calls_over_the_time_for_which_they_were_held() {
    let sent = sent_after_rotation(20);
    assert_eq!(sent.iter().sum::<usize>(), 100, "{sent:?}");
    assert!(sent[..3].iter().all(|sent| (10..60).contains(sent)), "{sent:?}");
}

#[test]
fn it_does_not_delay_a_single_call_and_few_calls_by_a_few_seconds() {
    let mut world = World::new(waiting_policy_for(30), SourceState::Pair(1), 1);
    world.at(500, Change::ServiceAccepts(2)).at(1000, Change::CallBegins);
    world.at(6000, Change::SourceReturns(SourceState::Pair(2))).run().check_rules();
    let proven = world.ends[0].ended;
    assert!(proven < Duration::from_secs(1006) + ms(500), "{proven:?}");
    let sent = sent_after_rotation(1);
    assert!(sent.iter().sum::<usize>() == 5 && sent[..4].iter().sum::<usize>() == 5, "{sent:?}");
    assert!(sent[0] < 5, "the control: not all of them are sent at once: {sent:?}");
}

fn waiting_policy_for(seconds: u64) -> Policy {
    let (rotation_wait, timeout) = (Duration::from_secs(seconds), Duration::from_secs(2 * seconds));
    Policy { rotation_wait, timeout, ..Policy::default() }
}

#[test]
fn it_lets_calls_wait_for_the_whole_wait_even_if_it_exceeds_the_cool_down() {
    for every in [100_000, 500] {
        let mut world = World::new(waiting_policy_for(120), SourceState::Watched(1), 1);
        for call in 0..100_000 / every {
            world.at(2000 + call * every, Change::CallBegins);
        }
        world.at(1000, Change::CallBegins).at(1500, Change::ServiceAccepts(2));
        world.at(110_000, Change::SourceReturns(SourceState::Watched(2))).run().check_rules();
        assert!(world.failures().is_empty(), "{:?}", world.failures()[0]);
        assert!((2..=4).contains(&world.rejected), "one per cool-down: {}", world.rejected);
    }
}

#[test]
fn it_ends_the_wait_on_time_however_often_the_pair_is_retried() {
    for wait in [10, 120] {
        let mut world = World::new(waiting_policy_for(wait), SourceState::Watched(1), 1);
        for call in 0..50 {
            world.at(1000 + call * 100, Change::CallBegins);
        }
        world.at(2000, Change::ServiceAccepts(2)).run().check_rules();
        let last = world.ends.iter().map(|end| end.ended).max().expect("calls");
        let over = Duration::from_secs(1000 + 2 + wait);
        assert!(last < over + ms(1500), "{last:?} is long after {over:?}");
        assert_eq!(world.failures().len(), 40);
    }
}

proptest! {
    #![proptest_config(crate::property::config(400))]

    /// No call ends with `invalid_credentials` if the source has a good pair within the wait. No pair is sent after it
    /// is known to be rejected. Every call ends.
    #[test]
    fn it_loses_no_call_to_any_number_of_resets(
        resets in proptest::collection::vec((2000..20_000_u64, 0..3000_u64), 1..6),
        calls in proptest::collection::vec(0..60_000_u64, 1..120),
        latency in 1..400_u64,
        read_time in 0..300_u64,
        watched in any::<bool>(),
    ) {
        let state = |pair| if watched { SourceState::Watched(pair) } else { SourceState::Pair(pair) };
        let mut world = World::new(waiting_policy(), state(1), 1);
        (world.latency, world.read_time) = (ms(latency), ms(read_time));
        let (mut at, mut pair) = (0, 1);
        for (gap, lag) in &resets {
            // The next reset comes after the source has followed and a call has had time to prove the pair.
            at += gap + 3000;
            pair += 1;
            world.at(at, Change::ServiceAccepts(pair)).at(at + lag, Change::SourceReturns(state(pair)));
        }
        for call in &calls {
            world.at(*call, Change::CallBegins);
        }
        world.run().check_rules();
        prop_assert!(world.failures().is_empty(), "{:?}", world.failures());
        prop_assert!(world.count(EventKind::Rotated) <= resets.len());
        prop_assert_eq!(world.ends.len(), calls.len());
    }
}
