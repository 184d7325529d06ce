//! The options of a call that do not depend on its request.

use std::sync::Arc;
use std::time::Duration;

use crate::cancel::Cancel;
use crate::context::CallContext;
use crate::interrupt::Interrupt;

/// The time limit, the cancel handles and the interrupt of a call, for [`Call::with_options`](crate::Call::with_options) and
/// [`Source::load_with`](crate::Source::load_with). One value may serve any number of calls.
#[derive(Clone, Default)]
pub struct CallOptions {
    timeout: Option<Duration>,
    cancels: Vec<Cancel>,
    interrupt: Option<Arc<dyn Interrupt>>,
}

impl CallOptions {
    /// Creates options without effect: the timeout is the client's, and nothing cancels the call.
    pub fn new() -> Self {
        Self::default()
    }

    /// Limits the call instead of the client's timeout. Zero means no limit.
    pub fn set_timeout(&mut self, timeout: Duration) -> &mut Self {
        self.timeout = Some(timeout);
        self
    }

    /// Lets `cancel` cancel the call. Options may have several cancel handles.
    pub fn add_cancel(&mut self, cancel: Cancel) -> &mut Self {
        self.cancels.push(cancel);
        self
    }

    /// Lets `interrupt` cancel the call.
    pub fn set_interrupt(&mut self, interrupt: Arc<dyn Interrupt>) -> &mut Self {
        self.interrupt = Some(interrupt);
        self
    }

    /// Adds the settings of `others`.
    pub(crate) fn add(&mut self, others: &Self) {
        self.timeout = others.timeout.or(self.timeout);
        self.cancels.extend_from_slice(&others.cancels);
        self.interrupt = others.interrupt.clone().or_else(|| self.interrupt.take());
    }

    pub(crate) fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// Converts the cancel handles and the interrupt into the context of a call.
    pub(crate) fn into_context(self) -> CallContext {
        CallContext::new(self.cancels, self.interrupt)
    }

    /// Returns the context of a call that starts now, with its time limit.
    pub(crate) fn limited_context(&self) -> CallContext {
        let context = self.clone().into_context();
        match self.timeout {
            Some(timeout) if !timeout.is_zero() => context.at_most(timeout),
            _ => context,
        }
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancels.iter().any(Cancel::is_fired)
    }
}

/// Leaves out the interrupt, which is code of the program.
impl std::fmt::Debug for CallOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CallOptions")
            .field("timeout", &self.timeout)
            .field("cancels", &self.cancels)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_no_time_limit_until_one_is_set() {
        let mut options = CallOptions::new();
        assert_eq!(options.timeout(), None);
        options.set_timeout(Duration::from_secs(5));
        assert_eq!(options.timeout(), Some(Duration::from_secs(5)));
        let mut outer = CallOptions::new();
        outer.add(&options);
        outer.add(&CallOptions::new());
        assert_eq!(outer.timeout(), Some(Duration::from_secs(5)), "the latest that has one");
    }
}
