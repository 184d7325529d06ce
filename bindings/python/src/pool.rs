//! The native threads that run the calls of an `AsyncClient`, without the GIL.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use justcall_auth::{PerProcess, spawn_without_signals};
use pyo3::prelude::*;

use crate::arguments::MaxConcurrency;
use crate::gil;
use crate::job::Job;

/// How long a thread without work waits for more before it ends.
const IDLE: Duration = Duration::from_secs(10);

/// The threads of an `AsyncClient` and of the clients derived from it.
///
/// They start with the first calls of the process, and in a child of `fork()` with its first calls.
#[pyclass(frozen, module = "justcall_auth")]
pub(crate) struct Pool {
    most: usize,
    threads: PerProcess<Arc<Threads>>,
}

#[pymethods]
impl Pool {
    #[new]
    fn new(max_concurrency: MaxConcurrency) -> Self {
        Self { most: usize::from(max_concurrency.0.get()), threads: PerProcess::new() }
    }
}

impl Pool {
    /// Runs `job` on a thread of the pool. It waits while all threads are busy.
    pub(crate) fn start(&self, job: Arc<Job>) {
        self.threads.get_or_make(Arc::default).start(job, self.most);
    }
}

#[derive(Default)]
struct Threads {
    state: Mutex<PoolState>,
    work: Condvar,
}

#[derive(Default)]
struct PoolState {
    waiting: VecDeque<Arc<Job>>,
    count: usize,
    idle: usize,
}

impl Threads {
    fn state(&self) -> MutexGuard<'_, PoolState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(self: &Arc<Self>, job: Arc<Job>, most: usize) {
        let mut state = self.state();
        state.waiting.push_back(job);
        if state.waiting.len() <= state.idle || state.count >= most {
            self.work.notify_one();
            return;
        }
        state.count += 1;
        let threads = self.clone();
        if spawn_without_signals("justcall-call", move || gil::without(|| threads.run())).is_ok() {
            return;
        }
        // The system has no more threads. Those that run do the work; without any, the job fails.
        state.count -= 1;
        let stranded = if state.count == 0 { state.waiting.pop_back() } else { None };
        drop(state);
        if let Some(job) = stranded {
            job.fail_to_start();
        }
    }

    fn run(&self) {
        let mut state = self.state();
        loop {
            if let Some(job) = state.waiting.pop_front() {
                drop(state);
                job.run();
                drop(job);
                state = self.state();
                continue;
            }
            state.idle += 1;
            let (woken, timeout) =
                self.work.wait_timeout(state, IDLE).unwrap_or_else(PoisonError::into_inner);
            state = woken;
            state.idle -= 1;
            if timeout.timed_out() && state.waiting.is_empty() {
                state.count -= 1;
                return;
            }
        }
    }
}
