//! The time limit and the cancellation of a call.

use std::cell::Cell;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use justcall_auth_protocol::error::{Error, ErrorKind};
use justcall_auth_secret::ForkOwned;

use crate::cancel::{Cancel, Sleeper};
use crate::clock;
use crate::interrupt::Interrupt;

/// The longest time between two checks of the interrupt, which may be slow.
const INTERRUPT_INTERVAL: Duration = Duration::from_millis(50);
/// The longest time between two checks of cancel handles that cannot wake the call.
const INTERVAL: Duration = Duration::from_millis(25);
/// The longest time between two checks while cancel handles can wake the call. Then the checks are only a precaution.
const LONG_INTERVAL: Duration = Duration::from_secs(1);

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

    /// Returns the same context with an equal share of the time left, if there is a deadline.
    pub fn share(&self, shares: u32) -> Self {
        let now = clock::monotonic();
        let share = |deadline: Duration| now.saturating_add(deadline.saturating_sub(now) / shares);
        self.until(self.deadline.map(share))
    }

    /// Returns how long to block before the next check: at most 50 ms, so that a cancelled call ends soon, and not past
    /// the deadline.
    pub fn slice(&self) -> Result<Duration, StopReason> {
        self.slice_with(None)
    }

    /// Returns how long to block before the next check while `watch` exists: at most a second.
    pub fn slice_with(&self, watch: Option<&Watch<'_>>) -> Result<Duration, StopReason> {
        self.check_cancelled()?;
        let now = clock::monotonic();
        if self.interrupt.is_some() && now.saturating_sub(self.interrupt_checked.get()) >= INTERRUPT_INTERVAL
        {
            self.check_interrupt()?;
        }
        let interval = match (watch, &self.interrupt) {
            (Some(_), _) => LONG_INTERVAL,
            (None, Some(_)) => INTERRUPT_INTERVAL,
            (None, None) => INTERVAL,
        };
        let left = self.deadline.map_or(interval, |deadline| deadline.saturating_sub(now));
        if left.is_zero() { Err(StopReason::Deadline) } else { Ok(left.min(interval)) }
    }

    /// Lets the cancel handles wake `sleeper` until the result is dropped. Call it after the first slice, because most
    /// waits end sooner. Returns `None` if the call must still check at short intervals: it has an interrupt, or a
    /// handle is in use at this moment.
    pub fn watch(&self, sleeper: Sleeper) -> Option<Watch<'_>> {
        if self.interrupt.is_some() {
            return None;
        }
        let mut watch = Watch { sleeper: ForkOwned::new(sleeper), handles: Vec::new() };
        for handle in self.handles() {
            if !handle.add_sleeper(watch.sleeper.clone()) {
                return None;
            }
            watch.handles.push(handle);
        }
        Some(watch)
    }

    fn handles(&self) -> impl Iterator<Item = &Cancel> {
        self.shutdown.iter().chain(&self.cancels)
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
        let watch = if wait > INTERVAL { self.watch(Sleeper::current_thread()) } else { None };
        match self.check_interrupt().and_then(|()| self.slice_with(watch.as_ref())) {
            Err(StopReason::Interrupted) => Err(Error::new(ErrorKind::Cancelled)),
            slice => {
                thread::park_timeout(wait.min(slice.unwrap_or_default()));
                Ok(())
            }
        }
    }

    /// Checks the cancel handles, but not the interrupt.
    pub fn check_cancelled(&self) -> Result<(), StopReason> {
        let is_cancelled = self.handles().any(Cancel::is_fired);
        if is_cancelled { Err(StopReason::Interrupted) } else { Ok(()) }
    }

    /// Returns true if the last failure may be due to cancellation or to the deadline.
    pub fn is_over(&self) -> bool {
        self.check_cancelled().is_err()
            || self.deadline.is_some_and(|deadline| clock::monotonic() >= deadline)
    }
}

/// The time during which the cancel handles of a call can wake it.
pub(crate) struct Watch<'a> {
    sleeper: ForkOwned<Sleeper>,
    handles: Vec<&'a Cancel>,
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        // In a child of fork(), the lock of a handle may be held by a thread that does not exist there.
        if self.sleeper.is_own() {
            self.handles.iter().for_each(|handle| handle.remove_sleeper(&self.sleeper));
        }
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
        assert_eq!(interrupted.slice(), Ok(INTERRUPT_INTERVAL), "checked a moment ago");
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

    #[test]
    fn it_checks_less_often_while_its_handles_can_wake_it() {
        let cancel = Cancel::new();
        let context = CallContext::new(vec![cancel.clone()], None);
        let watch = context.watch(Sleeper::current_thread());
        assert_eq!(context.slice_with(watch.as_ref()), Ok(LONG_INTERVAL));
        drop(watch);
        let interrupted = CallContext::new(vec![cancel], Some(Arc::new(|| false)));
        assert!(interrupted.watch(Sleeper::current_thread()).is_none());
    }

    #[test]
    fn it_pauses_until_a_handle_wakes_it() {
        let cancel = Cancel::new();
        let context = CallContext::new(vec![cancel.clone()], None);
        let firing = thread::spawn({
            let cancel = cancel.clone();
            move || {
                thread::sleep(10 * INTERVAL);
                cancel.fire();
            }
        });
        let mut pauses = 0;
        while context.pause(Duration::from_secs(3600)).is_ok() {
            pauses += 1;
        }
        assert!(cancel.is_fired() && pauses < 5, "it was woken {pauses} times");
        firing.join().expect("it does not panic");
    }
}
