//! The time limit and the cancellation of a call.

use std::cell::Cell;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use justcall_auth_protocol::error::{Error, ErrorKind};

use crate::cancel::Cancel;
use crate::clock;
use crate::interrupt::Interrupt;

/// The longest time between two checks for cancellation.
const INTERVAL: Duration = Duration::from_millis(50);

/// The reason why a wait ends early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StopReason {
    /// The deadline has passed.
    Deadline,
    /// The call was cancelled.
    Interrupted,
}

/// The deadline of a call, and the handles that may cancel it. Clones share the handles.
#[derive(Clone, Default)]
pub(crate) struct CallContext {
    deadline: Option<Duration>,
    /// The handle of the client. Separate from the others, so that a call without others copies no list.
    shutdown: Option<Cancel>,
    cancels: Vec<Cancel>,
    interrupt: Option<Arc<dyn Interrupt>>,
    /// The time of the last interrupt check. A check may cost more than a short call, so short calls make none.
    interrupt_checked: Cell<Duration>,
}

impl CallContext {
    /// Creates a context without a deadline. Each of `cancels` and `interrupt` may cancel the call.
    pub fn new(cancels: Vec<Cancel>, interrupt: Option<Arc<dyn Interrupt>>) -> Self {
        let interrupt_checked = Cell::new(clock::monotonic());
        Self { deadline: None, shutdown: None, cancels, interrupt, interrupt_checked }
    }

    /// Lets `shutdown` cancel the call too.
    pub fn with_shutdown(self, shutdown: Cancel) -> Self {
        Self { shutdown: Some(shutdown), ..self }
    }

    /// Returns the same context with another deadline, in monotonic time.
    pub fn until(&self, deadline: Option<Duration>) -> Self {
        Self { deadline, ..self.clone() }
    }

    /// Returns the same context with a deadline of at most `limit` from now.
    pub fn at_most(&self, limit: Duration) -> Self {
        let until = clock::monotonic().saturating_add(limit);
        self.until(Some(self.deadline.map_or(until, |deadline| deadline.min(until))))
    }

    /// Returns how long to block before the next check: at most 50 ms, so that a cancelled call ends soon, and not past
    /// the deadline.
    pub fn slice(&self) -> Result<Duration, StopReason> {
        self.check_cancelled()?;
        let now = clock::monotonic();
        if self.interrupt.is_some() && now.saturating_sub(self.interrupt_checked.get()) >= INTERVAL {
            self.check_interrupt()?;
        }
        let left = self.deadline.map_or(INTERVAL, |deadline| deadline.saturating_sub(now));
        if left.is_zero() { Err(StopReason::Deadline) } else { Ok(left.min(INTERVAL)) }
    }

    /// Checks the cancel handles and the interrupt. Call it if no data came during a slice.
    pub fn check_interrupt(&self) -> Result<(), StopReason> {
        self.check_cancelled()?;
        self.interrupt_checked.set(clock::monotonic());
        match &self.interrupt {
            Some(interrupt) if interrupt.interrupted() => Err(StopReason::Interrupted),
            _ => Ok(()),
        }
    }

    /// Sleeps for a part of `wait`, but not past the deadline.
    ///
    /// # Errors
    /// Fails with `cancelled` if the call was cancelled.
    pub fn pause(&self, wait: Duration) -> Result<(), Error> {
        match self.check_interrupt().and_then(|()| self.slice()) {
            Err(StopReason::Interrupted) => Err(Error::new(ErrorKind::Cancelled)),
            slice => {
                thread::sleep(wait.min(slice.unwrap_or_default()));
                Ok(())
            }
        }
    }

    /// Checks the cancel handles, but not the interrupt.
    pub fn check_cancelled(&self) -> Result<(), StopReason> {
        let is_cancelled = self.shutdown.iter().chain(&self.cancels).any(Cancel::is_fired);
        if is_cancelled { Err(StopReason::Interrupted) } else { Ok(()) }
    }

    /// Returns true if the last failure may be due to cancellation or to the deadline.
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
        let context = CallContext::new(vec![Cancel::new(), cancel.clone()], None);
        assert_eq!(context.slice(), Ok(INTERVAL));
        assert!(!context.is_over());
        cancel.fire();
        assert_eq!(context.slice(), Err(StopReason::Interrupted));
        assert_eq!(context.check_interrupt(), Err(StopReason::Interrupted));
        assert!(context.is_over());

        let interrupted = CallContext::new(Vec::new(), Some(Arc::new(|| true)));
        assert_eq!(interrupted.check_interrupt(), Err(StopReason::Interrupted));
        assert_eq!(interrupted.slice(), Ok(INTERVAL), "checked a moment ago");
        interrupted.interrupt_checked.set(Duration::ZERO);
        assert_eq!(
            interrupted.slice(),
            Err(StopReason::Interrupted),
            "the interrupt is checked also if data keeps coming"
        );

        let late = CallContext::default().until(Some(clock::monotonic()));
        assert_eq!(late.slice(), Err(StopReason::Deadline));
        assert!(late.is_over());
    }
}
