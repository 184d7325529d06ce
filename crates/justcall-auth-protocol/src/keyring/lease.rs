//! The exclusive right to read the source, or to prove a pair.
//!
//! At any time, at most one call of a process reads the source, and at most one proves a pair. Each holds a [`Lease`].
//! A lease ends when it is dropped, at the deadline of its call, or after [`LEASE_LIMIT`] if the call has none. An
//! abandoned call thus does not block others. What it finds after the end of its lease has no effect.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::Keyring;

/// The duration of a lease if its call has no deadline.
pub(crate) const LEASE_LIMIT: Duration = Duration::from_secs(60);

/// The exclusive right to read the source, or to prove a pair. Dropping it ends the lease.
pub(crate) struct Lease {
    keyring: Arc<Keyring>,
    number: u64,
}

impl Lease {
    pub(super) fn new(keyring: &Arc<Keyring>, number: u64) -> Self {
        Self { keyring: keyring.clone(), number }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.keyring.end_lease(self.number);
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lease").field(&self.number).finish()
    }
}

/// The leases in force.
#[derive(Clone, Default)]
pub(super) struct Leases {
    refresh: Option<LeaseTerm>,
    proof: Option<LeaseTerm>,
    /// The number of leases so far.
    count: u64,
}

/// The number of a lease and the time of its end.
#[derive(Debug, Clone, Copy)]
struct LeaseTerm {
    number: u64,
    end: Duration,
}

impl LeaseTerm {
    /// Returns true if the lease has ended. No other function decides that.
    fn has_ended(self, now: Duration) -> bool {
        now >= self.end
    }
}

impl Leases {
    /// Returns the number of a new lease to read the source, or `None` if another one is in force.
    pub fn take_refresh(&mut self, deadline: Option<Duration>, now: Duration) -> Option<u64> {
        Self::take(&mut self.refresh, &mut self.count, deadline, now)
    }

    /// Returns the number of a new lease to prove a pair, or `None` if another one is in force.
    pub fn take_proof(&mut self, deadline: Option<Duration>, now: Duration) -> Option<u64> {
        Self::take(&mut self.proof, &mut self.count, deadline, now)
    }

    /// Returns true if `lease` is in force.
    pub fn is_in_force(&self, lease: &Lease, now: Duration) -> bool {
        let mut terms = [self.refresh, self.proof].into_iter().flatten();
        terms.any(|term| term.number == lease.number && !term.has_ended(now))
    }

    pub fn end(&mut self, number: u64) {
        self.refresh.take_if(|term| term.number == number);
        self.proof.take_if(|term| term.number == number);
    }

    fn take(
        term: &mut Option<LeaseTerm>,
        count: &mut u64,
        deadline: Option<Duration>,
        now: Duration,
    ) -> Option<u64> {
        if term.is_some_and(|term| !term.has_ended(now)) {
            return None;
        }
        *count += 1;
        *term = Some(LeaseTerm { number: *count, end: deadline.unwrap_or(now.saturating_add(LEASE_LIMIT)) });
        Some(*count)
    }
}
