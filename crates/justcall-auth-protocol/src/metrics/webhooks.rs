//! The results of webhook deliveries: how many were genuine, and why the others were refused.

use std::sync::atomic::{AtomicU32, Ordering};

use justcall_auth_secret::process_id;

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
pub(crate) struct ResultsOfProcess {
    /// The process that the counts belong to; 0 before the first.
    process: AtomicU32,
    results: WebhookResults,
}

impl ResultsOfProcess {
    /// The counters of this process.
    pub fn current(&self) -> &WebhookResults {
        self.forget_another_process(process_id());
        &self.results
    }

    /// Takes away what the parent counted before it forked. No lock: a child could inherit it closed.
    fn forget_another_process(&self, process: u32) {
        let owner = self.process.load(Ordering::Acquire);
        if owner == process {
            return;
        }
        // No thread of this process adds before one has taken the counters over, so that one has read only what its parent
        // counted.
        let inherited = self.results.0.values();
        let taken = self.process.compare_exchange(owner, process, Ordering::AcqRel, Ordering::Acquire);
        if taken.is_ok() {
            self.results.0.subtract(&inherited);
        }
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
    fn it_starts_at_zero_in_a_child_and_loses_no_count_of_its_threads() {
        const THREADS: u64 = 4;
        for child in 2..200 {
            let counted = ResultsOfProcess::default();
            counted.forget_another_process(1);
            counted.results.add(None);
            counted.results.add(Some(ErrorKind::WebhookStale));
            let start = Barrier::new(4);
            thread::scope(|scope| {
                for _ in 0..THREADS {
                    scope.spawn(|| {
                        start.wait();
                        counted.forget_another_process(child);
                        counted.results.add(None);
                    });
                }
            });
            let read = [None, Some(ErrorKind::WebhookStale)].map(|failure| counted.results.read(failure));
            assert_eq!(read, [THREADS, 0]);
        }
    }

    #[test]
    fn it_goes_on_counting_in_its_own_process() {
        let counted = ResultsOfProcess::default();
        counted.current().add(None);
        counted.current().add(None);
        assert_eq!(counted.current().read(None), 2);
    }
}
