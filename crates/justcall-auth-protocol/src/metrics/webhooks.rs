//! The results of webhook deliveries: how many were genuine, and why the others were refused.

use justcall_auth_secret::PerProcess;

use super::{Counters, OUTCOMES, outcome};
use crate::error::ErrorKind;

/// One counter for each result of a verification. `None` is a delivery that is genuine.
#[derive(Default)]
pub(crate) struct WebhookResults(pub(super) Counters<OUTCOMES>);

impl WebhookResults {
    /// A verification ended, with `failure` if the delivery was refused.
    pub fn add(&self, failure: Option<ErrorKind>) {
        self.0.add(failure.map_or(0, outcome));
    }

    /// How many verifications ended so.
    pub fn read(&self, failure: Option<ErrorKind>) -> u64 {
        self.0.read(failure.map_or(0, outcome))
    }
}

/// The results of one verifier in this process. A child of `fork()` starts at zero, as it does for the usage of a client.
#[derive(Default)]
pub(crate) struct ResultsOfProcess(PerProcess<WebhookResults>);

impl ResultsOfProcess {
    /// A verification ended, with `failure` if the delivery was refused.
    pub fn add(&self, failure: Option<ErrorKind>) {
        self.with(|results| results.add(failure));
    }

    /// Calls `read` with the results of this process.
    pub fn with<R>(&self, read: impl FnOnce(&WebhookResults) -> R) -> R {
        self.0.with(WebhookResults::default, read)
    }

    #[cfg(test)]
    fn read(&self, failure: Option<ErrorKind>) -> u64 {
        self.with(|results| results.read(failure))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::thread;

    use super::*;

    #[test]
    fn it_has_one_counter_for_each_result() {
        let results = WebhookResults::default();
        results.add(None);
        for kind in ErrorKind::ALL {
            results.add(Some(*kind));
        }
        assert_eq!(results.read(None), 1);
        for kind in ErrorKind::ALL {
            assert_eq!(results.read(Some(*kind)), 1, "{kind:?}");
        }
    }

    #[test]
    fn it_loses_no_count_where_many_threads_are_first() {
        const THREADS: u64 = 4;
        for _ in 0..200 {
            let counted = ResultsOfProcess::default();
            let start = Barrier::new(4);
            thread::scope(|scope| {
                for _ in 0..THREADS {
                    scope.spawn(|| {
                        start.wait();
                        counted.add(None);
                    });
                }
            });
            let read = [None, Some(ErrorKind::WebhookStale)].map(|failure| counted.read(failure));
            assert_eq!(read, [THREADS, 0]);
        }
    }

    #[test]
    fn it_goes_on_counting_in_its_own_process() {
        let counted = ResultsOfProcess::default();
        counted.add(None);
        counted.add(None);
        assert_eq!(counted.read(None), 2);
    }
}
