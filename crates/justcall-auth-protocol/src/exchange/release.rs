//! The release of the calls that were held during a reset.
//!
//! Without it, all of them would send at the moment at which another pair is proven, and the processes of a fleet would
//! together spend the account's burst limit in one second.

use std::time::Duration;

use super::Exchange;
use super::action::Action;
use super::recovery::Recovery;
use super::state::ExchangeState;
use crate::keyring::Blocker;
use crate::service::BURST_INTERVAL;
use crate::time::Moment;

/// Waiting for another call or another pair, and the release after it.
impl Exchange {
    pub(super) fn wait(&mut self, wait: Duration, blocker: Blocker, now: &Moment) -> Action {
        self.blocker = Some(blocker);
        self.blocked_since.get_or_insert(now.monotonic);
        Action::Wait(wait)
    }

    /// Releases the call if it was held. Returns `None` if it need not wait.
    pub(super) fn release(&mut self, now: &Moment) -> Option<Action> {
        let held = now.monotonic.saturating_sub(self.blocked_since.take()?);
        let left = self.deadline.map(|deadline| deadline.saturating_sub(now.monotonic));
        let wait = release_wait(self.keyring.release()?, held, left, now.random);
        if wait.is_zero() {
            return None;
        }
        self.blocker = None;
        self.recovery = Recovery::default();
        self.state = ExchangeState::Waiting(now.monotonic.saturating_add(wait));
        Some(Action::Wait(wait))
    }
}

/// Returns how long a call that was held for `held` still waits. `place` is the number of calls that were released
/// before it, and `left` is the time until its deadline.
///
/// Each call gets an interval of the burst limit, and a random time in it. The intervals begin again when the wait would
/// exceed `held`, or half of `left`. A call that was held for less than an interval does not wait: no more of such calls
/// can gather than are sent in an interval anyway.
fn release_wait(place: u32, held: Duration, left: Option<Duration>, random: u64) -> Duration {
    if held < BURST_INTERVAL {
        return Duration::ZERO;
    }
    let limit = left.map_or(held, |left| held.min(left / 2));
    let interval = micros(BURST_INTERVAL);
    let wait = interval.saturating_mul(place.into()).saturating_add(random % interval);
    Duration::from_micros(wait % micros(limit).max(1))
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELD: Duration = Duration::from_secs(10);

    fn waits(count: u32, left: Option<Duration>) -> Vec<Duration> {
        let random = |place: u32| u64::from(place).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (0..count).map(|place| release_wait(place, HELD, left, random(place))).collect()
    }

    fn in_second(waits: &[Duration], second: u64) -> usize {
        waits.iter().filter(|wait| wait.as_secs() == second).count()
    }

    #[test]
    fn it_does_not_delay_a_call_that_was_held_for_less_than_an_interval() {
        let wait = |held| release_wait(3, held, None, 999_999);
        assert_eq!(wait(BURST_INTERVAL.saturating_sub(Duration::from_nanos(1))), Duration::ZERO);
        assert!(wait(BURST_INTERVAL) > Duration::ZERO);
    }

    #[test]
    fn it_releases_one_call_in_each_interval() {
        let waits = waits(10, None);
        for (place, wait) in (0..).zip(waits) {
            assert!(
                (BURST_INTERVAL * place..BURST_INTERVAL * (place + 1)).contains(&wait),
                "{place}: {wait:?}"
            );
        }
    }

    #[test]
    fn it_takes_no_longer_than_the_hold_and_releases_as_many_calls_in_each_second() {
        let waits = waits(300, None);
        assert!(waits.iter().all(|wait| *wait < HELD));
        assert!((0..10).all(|second| in_second(&waits, second) == 30), "{waits:?}");
    }

    #[test]
    fn it_waits_for_at_most_half_the_time_until_the_deadline() {
        let (waits, whole) = (waits(300, Some(Duration::from_secs(6))), waits(300, None));
        assert!(waits.iter().all(|wait| *wait < Duration::from_secs(3)));
        assert!(whole.iter().any(|wait| *wait > Duration::from_secs(3)), "the control");
        assert!((0..3).all(|second| in_second(&waits, second) == 100), "{waits:?}");
        assert_eq!(release_wait(7, HELD, Some(Duration::ZERO), u64::MAX), Duration::ZERO);
        assert!(release_wait(u32::MAX, HELD, Some(Duration::MAX), u64::MAX) < HELD);
    }

    #[test]
    fn it_gives_calls_of_different_processes_different_times() {
        assert_ne!(release_wait(0, HELD, None, 1), release_wait(0, HELD, None, 700_000));
    }
}
