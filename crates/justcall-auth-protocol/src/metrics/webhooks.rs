//! Counters of webhook results: genuine ones, and refused ones by error.

use justcall_auth_secret::PerProcess;

use super::{Counters, OUTCOMES, outcome};
use crate::error::ErrorKind;

/// One counter for each result of a verification. `None` is a genuine delivery.
#[derive(Default)]
pub(crate) struct WebhookResults(pub(super) Counters<OUTCOMES>);

impl WebhookResults {
    /// Counts a verification. `failure` is `None` if the delivery is genuine.
    pub fn add(&self, failure: Option<ErrorKind>) {
        self.0.add(failure.map_or(0, outcome));
    }

    /// Returns the number of verifications with this result.
    pub fn read(&self, failure: Option<ErrorKind>) -> u64 {
        self.0.read(failure.map_or(0, outcome))
    }
}

/// The results of one verifier in this process. A child of `fork()` starts at zero, as the metrics of a client do.
#[derive(Default)]
pub(crate) struct ProcessResults(PerProcess<WebhookResults>);

impl ProcessResults {
    /// Counts a verification. `failure` is `None` if the delivery is genuine.
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
    fn it_loses_no_count_if_many_threads_race_to_be_first() {
        const THREADS: u64 = 4;
        for _ in 0..200 {
            let counted = ProcessResults::default();
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
    fn it_keeps_counting_in_one_process() {
        let counted = ProcessResults::default();
        counted.add(None);
        counted.add(None);
        assert_eq!(counted.read(None), 2);
    }
}
