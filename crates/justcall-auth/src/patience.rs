//! How long a waiting call goes on: until its deadline, or until somebody ends it.

use std::cell::Cell;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use justcall_auth_protocol::error::{Error, ErrorKind};

use crate::cancel::Cancel;
use crate::clock;
use crate::interrupt::Interrupt;

/// The longest that a call goes on without looking whether it was ended.
const INTERVAL: Duration = Duration::from_millis(50);

/// Why a wait ends before what was waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Impatience {
    /// The deadline has passed.
    Deadline,
    /// Somebody asked to stop.
    Interrupted,
}

/// A deadline, and what may end a call. Cloning shares the latter.
#[derive(Clone, Default)]
pub(crate) struct Patience {
    deadline: Option<Duration>,
    cancels: Vec<Cancel>,
    interrupt: Option<Arc<dyn Interrupt>>,
    /// When the interrupt was asked last. Asking may cost more than a call, so it is not done for those that are quick.
    asked: Cell<Duration>,
}

impl Patience {
    /// Without a deadline; until one of `cancels` is fired, or `interrupt` says so.
    pub fn new(cancels: Vec<Cancel>, interrupt: Option<Arc<dyn Interrupt>>) -> Self {
        Self { deadline: None, cancels, interrupt, asked: Cell::new(clock::monotonic()) }
    }

    /// The same, until the monotonic time `deadline`, where there is one.
    pub fn until(&self, deadline: Option<Duration>) -> Self {
        Self { deadline, ..self.clone() }
    }

    /// The same, but for no longer than `limit` from now.
    pub fn at_most(&self, limit: Duration) -> Self {
        let until = clock::monotonic().saturating_add(limit);
        self.until(Some(self.deadline.map_or(until, |deadline| deadline.min(until))))
    }

    /// How long to block before looking again: never past the deadline, nor longer than whoever ends the call may wait.
    pub fn slice(&self) -> Result<Duration, Impatience> {
        self.check_cancelled()?;
        let now = clock::monotonic();
        if self.interrupt.is_some() && now.saturating_sub(self.asked.get()) >= INTERVAL {
            self.check_interrupt()?;
        }
        let left = self.deadline.map_or(INTERVAL, |deadline| deadline.saturating_sub(now));
        if left.is_zero() { Err(Impatience::Deadline) } else { Ok(left.min(INTERVAL)) }
    }

    /// Asks whether to stop. Worth doing when nothing came for a slice.
    pub fn check_interrupt(&self) -> Result<(), Impatience> {
        self.check_cancelled()?;
        self.asked.set(clock::monotonic());
        match &self.interrupt {
            Some(interrupt) if interrupt.interrupted() => Err(Impatience::Interrupted),
            _ => Ok(()),
        }
    }

    /// Sleeps for a part of `wait`, not past the deadline.
    ///
    /// # Errors
    /// `cancelled`.
    pub fn pause(&self, wait: Duration) -> Result<(), Error> {
        match self.check_interrupt().and_then(|()| self.slice()) {
            Err(Impatience::Interrupted) => Err(Error::new(ErrorKind::Cancelled)),
            slice => {
                thread::sleep(wait.min(slice.unwrap_or_default()));
                Ok(())
            }
        }
    }

    /// Whether the call was ended by what needs no asking.
    pub fn check_cancelled(&self) -> Result<(), Impatience> {
        if self.cancels.iter().any(Cancel::is_fired) { Err(Impatience::Interrupted) } else { Ok(()) }
    }

    /// Whether what failed just now may have failed only because there was no more time for it.
    pub fn is_over(&self) -> bool {
        self.check_cancelled().is_err()
            || self.deadline.is_some_and(|deadline| clock::monotonic() >= deadline)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_ends_when_it_is_cancelled_interrupted_or_past_its_deadline() {
        let cancel = Cancel::new();
        let patience = Patience::new(vec![Cancel::new(), cancel.clone()], None);
        assert_eq!(patience.slice(), Ok(INTERVAL));
        assert!(!patience.is_over());
        cancel.fire();
        assert_eq!(patience.slice(), Err(Impatience::Interrupted));
        assert_eq!(patience.check_interrupt(), Err(Impatience::Interrupted));
        assert!(patience.is_over());

        let interrupted = Patience::new(Vec::new(), Some(Arc::new(|| true)));
        assert_eq!(interrupted.check_interrupt(), Err(Impatience::Interrupted));
        assert_eq!(interrupted.slice(), Ok(INTERVAL), "asked a moment ago");
        interrupted.asked.set(Duration::ZERO);
        assert_eq!(
            interrupted.slice(),
            Err(Impatience::Interrupted),
            "also when something comes all the time"
        );

        let late = Patience::default().until(Some(clock::monotonic()));
        assert_eq!(late.slice(), Err(Impatience::Deadline));
        assert!(late.is_over());
    }
}
