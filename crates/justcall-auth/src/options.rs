//! What a call may take, whatever it asks.

use std::sync::Arc;
use std::time::Duration;

use crate::cancel::Cancel;
use crate::context::CallContext;
use crate::interrupt::Interrupt;

/// The time limit of a call, and what may cancel it: for [`Call::with_options`](crate::Call::with_options) and
/// [`Source::load_with`](crate::Source::load_with). One value may serve any number of calls.
#[derive(Clone, Default)]
pub struct CallOptions {
    timeout: Option<Duration>,
    cancels: Vec<Cancel>,
    interrupt: Option<Arc<dyn Interrupt>>,
}

impl CallOptions {
    /// Creates options that change nothing: the timeout is the client's, and nothing cancels the call.
    pub fn new() -> Self {
        Self::default()
    }

    /// Limits the call, in place of the client's timeout. Zero: no limit.
    pub fn set_timeout(&mut self, timeout: Duration) -> &mut Self {
        self.timeout = Some(timeout);
        self
    }

    /// Lets `cancel` end the call, with `cancelled`. Any of several may.
    pub fn add_cancel(&mut self, cancel: Cancel) -> &mut Self {
        self.cancels.push(cancel);
        self
    }

    /// Lets `interrupt` end the call, with `cancelled`.
    pub fn set_interrupt(&mut self, interrupt: Arc<dyn Interrupt>) -> &mut Self {
        self.interrupt = Some(interrupt);
        self
    }

    /// Takes over what is set in `others`.
    pub(crate) fn add(&mut self, others: &Self) {
        self.timeout = others.timeout.or(self.timeout);
        self.cancels.extend_from_slice(&others.cancels);
        self.interrupt = others.interrupt.clone().or_else(|| self.interrupt.take());
    }

    pub(crate) fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// Returns what may cancel the call.
    pub(crate) fn context(&self) -> CallContext {
        CallContext::new(self.cancels.clone(), self.interrupt.clone())
    }

    /// Returns what may cancel the call, and its time limit from now on.
    pub(crate) fn limited_context(&self) -> CallContext {
        let context = self.context();
        match self.timeout {
            Some(timeout) if !timeout.is_zero() => context.at_most(timeout),
            _ => context,
        }
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancels.iter().any(Cancel::is_fired)
    }
}

/// What an interrupt looks at is the program's own.
impl std::fmt::Debug for CallOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CallOptions")
            .field("timeout", &self.timeout)
            .field("cancels", &self.cancels)
            .finish_non_exhaustive()
    }
}
