//! The promise about the calls that are held during a reset: they are released over some time.

use std::time::Duration;

use crate::checks::Check;
use crate::coverage::Seen;
use crate::episode::AccountPage;
use crate::machine::Machine;
use crate::service::{Account, Pair};
use crate::world::World;

/// The burst limit of the plan in the middle, in requests a minute.
const BURST_LIMIT: u64 = 60;
/// The window in which no more may be sent.
const SECOND: Duration = Duration::from_secs(1);
/// What one process may send in a second beyond its share: at the start and the end of a release, and of a window.
const EXTRA: u64 = 6;
/// The held calls of a process of a fleet up to which the guide promises fewer requests in a second than the burst limit.
const CALLS_OF_FLEET: u64 = 10;
/// How long a call that waits for another one takes to notice that, in milliseconds.
const POLL: u64 = 20;

/// A release of held calls.
#[derive(Debug)]
pub struct Release {
    account: Account,
    /// When it is over, all oversleeping included.
    until: Duration,
    /// How many requests of it may be sent in a second. In a fleet, how many beyond the burst limit.
    allowed: u64,
}

impl World {
    /// The call waits. It is held if the pair in use is refused, and it does not wait for a retry.
    pub(crate) fn hold(&mut self, slot: usize) {
        let now = self.now;
        let call = &self.calls[slot];
        let may_be_held = call.held_since.is_none() && now >= call.record.not_before;
        if !may_be_held || !matches!(call.machine, Some(Machine::Exchange(_))) {
            return;
        }
        if self.ring(slot).shared.keyring.rejected_for(now).is_some() {
            self.calls[slot].held_since = Some(now);
            self.calls[slot].is_released = false;
            self.saw(Seen::HeldCalls);
        }
    }

    /// A pair was proven in the call's keyring: the calls that were held may send.
    pub(crate) fn end_hold(&mut self, slot: usize, pair: Pair) {
        let now = self.now;
        let (process, ring) = (self.calls[slot].process, self.calls[slot].ring);
        let slack = 2 * self.episode.oversleep + POLL;
        let (mut released, mut share, mut longest) = (0_u64, 0, Duration::ZERO);
        for call in self.calls.iter_mut().filter(|call| (call.process, call.ring) == (process, ring)) {
            let Some(since) = call.held_since.take().filter(|_| call.machine.is_some()) else { continue };
            let held = now.saturating_sub(since);
            // A call that has less time may send earlier.
            let has_time = call.deadline.is_none_or(|deadline| deadline.saturating_sub(now) / 2 >= held);
            call.is_released = has_time && held >= SECOND;
            if call.is_released {
                released += 1;
                share += 1_000 * (1_000 + slack) / millis(held);
                longest = longest.max(held);
            }
        }
        if !longest.is_zero() {
            let account = self.service.record(pair).account;
            let until = now + longest + Duration::from_millis(slack) + SECOND;
            let allowed = if self.episode.is_fleet {
                released.saturating_sub(CALLS_OF_FLEET)
            } else {
                // The times are random.
                EXTRA + 2 * share.div_ceil(1_000)
            };
            self.releases.push(Release { account, until, allowed });
        }
    }

    /// The call sends `pair`.
    pub(crate) fn check_release(&mut self, slot: usize, pair: Pair, is_proof: bool) {
        let account = self.service.record(pair).account;
        let ring = self.ring(slot);
        let wanted = ring.expected.or(ring.known);
        // The proofs of a pair that cannot show the required account fail, one after the other.
        let may_succeed =
            wanted.is_none_or(|wanted| wanted == account && self.episode.account_page == AccountPage::Shown);
        let call = &mut self.calls[slot];
        let was_held = call.held_since.take().is_some() && is_proof && may_succeed;
        let is_released = std::mem::take(&mut call.is_released);
        if !was_held && !is_released {
            return;
        }
        let now = self.now;
        if is_released {
            self.saw(Seen::ReleasedCalls);
        }
        self.released.retain(|(at, _)| now < *at + SECOND);
        self.released.push((now, account));
        let sent = self.released.iter().filter(|(_, of)| *of == account).count() as u64;
        self.releases.retain(|release| now < release.until);
        let releases = self.releases.iter().filter(|release| release.account == account);
        let share: u64 = releases.map(|release| release.allowed).sum();
        let limit = if self.episode.is_fleet {
            BURST_LIMIT + share
        } else {
            BURST_LIMIT.max(share + self.processes.len() as u64)
        };
        if sent >= limit {
            let message = format!(
                "{sent} requests of held calls of account {account} are sent in one second; fewer than {limit} may be"
            );
            self.violate_call(Check::SpreadRelease, slot, message);
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).expect("shorter than an episode")
}
