//! How long a waiting call goes on: until its deadline, or until somebody interrupts it.

use std::sync::Arc;
use std::time::Duration;

use crate::clock;
use crate::interrupt::Interrupt;

/// The longest that a waiting call goes without looking whether it was interrupted.
const INTERRUPT_INTERVAL: Duration = Duration::from_millis(50);

/// Why a wait ends before what was waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Impatience {
    /// The deadline has passed.
    Deadline,
    /// Somebody asked to stop.
    Interrupted,
}

/// A deadline and an interrupt. Cloning shares the interrupt.
#[derive(Clone, Default)]
pub(crate) struct Patience {
    deadline: Option<Duration>,
    interrupt: Option<Arc<dyn Interrupt>>,
}

impl Patience {
    /// Until the monotonic time `deadline`, where there is one, or until `interrupt` says so.
    pub fn new(deadline: Option<Duration>, interrupt: Option<Arc<dyn Interrupt>>) -> Self {
        Self { deadline, interrupt }
    }

    /// The same, but for no longer than `limit` from now.
    pub fn at_most(&self, limit: Duration) -> Self {
        let until = clock::monotonic().saturating_add(limit);
        Self { deadline: Some(self.deadline.map_or(until, |deadline| deadline.min(until))), ..self.clone() }
    }

    /// How long to block before looking again: never past the deadline, nor longer than an interrupt may wait.
    pub fn slice(&self) -> Result<Duration, Impatience> {
        let Some(deadline) = self.deadline else { return Ok(INTERRUPT_INTERVAL) };
        let left = deadline.saturating_sub(clock::monotonic());
        if left.is_zero() { Err(Impatience::Deadline) } else { Ok(left.min(INTERRUPT_INTERVAL)) }
    }

    /// Asks whether to stop. Worth doing when nothing came for a slice.
    pub fn check_interrupt(&self) -> Result<(), Impatience> {
        match &self.interrupt {
            Some(interrupt) if interrupt.interrupted() => Err(Impatience::Interrupted),
            _ => Ok(()),
        }
    }
}
