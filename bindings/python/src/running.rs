//! A call that runs without the GIL, and the exceptions of Python code that runs in it: signal handlers, event handlers
//! and source callables.
//!
//! The library's errors contain no exception, so exceptions are stored here until the call returns.
//!
//! A call is the current call of its thread only while no Python code runs. Greenlets switch in Python code, and another
//! greenlet may make calls on the same thread before the first one continues.

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use justcall_auth::{Call, CallOptions, Cancel, Client, Error, ErrorKind, Interrupt, Response};
use pyo3::exceptions::PyException;
use pyo3::prelude::*;

use crate::capi;
use crate::errors::{caught, exception, guarded};
use crate::gil::Attached;
use crate::lazy::Lazy;

thread_local! {
    /// The call that this thread makes; `None` while Python code runs.
    static CURRENT: RefCell<Option<Arc<Running>>> = const { RefCell::new(None) };
    /// How many calls of this thread are in Python code now. A call that is not below the current one on the stack
    /// belongs to a greenlet that waits to run.
    static IN_PYTHON: Cell<usize> = const { Cell::new(0) };
}

/// A call.
pub(crate) struct Running {
    /// The program's options, with the other ways to end the call.
    options: CallOptions,
    /// Ends the call.
    end: Cancel,
    raised: Mutex<Raised>,
    retries: AtomicU32,
}

/// The exceptions that were raised during one call.
#[derive(Default)]
struct Raised {
    /// The exception that ended the call; the first one if there were several.
    ending: Option<PyErr>,
    /// The exception of the last call of the source callable, and its kind of failure.
    by_source: Option<(ErrorKind, PyErr)>,
}

impl Running {
    fn new(mut options: CallOptions) -> Self {
        let end = Cancel::new();
        options.add_cancel(end.clone());
        Self { options, end, raised: Mutex::default(), retries: AtomicU32::new(0) }
    }

    fn raised(&self) -> MutexGuard<'_, Raised> {
        self.raised.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a retry of the call.
    pub(crate) fn count_retry(&self) {
        self.retries.fetch_add(1, Ordering::Relaxed);
    }

    /// Ends the call with `raised`.
    pub(crate) fn end_with(&self, raised: PyErr) {
        self.raised().ending.get_or_insert(raised);
        self.end.fire();
    }

    /// Records the result of a call of the source callable. An exception that ends programs or tasks, such as
    /// `KeyboardInterrupt`, ends the call even if the call could continue with another pair.
    pub(crate) fn source_raised(&self, py: Python<'_>, raised: Option<(ErrorKind, PyErr)>) {
        match raised {
            Some((_, raised)) if !raised.is_instance_of::<PyException>(py) => self.end_with(raised),
            raised => self.raised().by_source = raised,
        }
    }
}

/// The result of a call.
pub(crate) struct CallOutcome<T> {
    result: Result<T, Error>,
    raised: Raised,
    retries: u32,
}

/// Runs `work` without the GIL, within the limits of `options`. `work` makes its calls with [`call_of`].
pub(crate) fn run<T: Send>(
    py: Python<'_>,
    mut options: CallOptions,
    work: impl FnOnce() -> Result<T, Error> + Send,
) -> CallOutcome<T> {
    options.set_interrupt(Arc::new(Signals));
    tracked(options, || guarded(py, work))
}

/// Runs `work` as [`run`] does, on a thread that never has the GIL, except in Python code of the call.
pub(crate) fn run_detached<T>(
    options: CallOptions,
    work: impl FnOnce() -> Result<T, Error>,
) -> CallOutcome<T> {
    tracked(options, || caught(work))
}

fn tracked<T>(options: CallOptions, work: impl FnOnce() -> Result<T, Error>) -> CallOutcome<T> {
    let running = Arc::new(Running::new(options));
    let outer = CURRENT.replace(Some(running.clone()));
    let result = work();
    CURRENT.set(outer);
    let raised = std::mem::take(&mut *running.raised());
    CallOutcome { result, raised, retries: running.retries.load(Ordering::Relaxed) }
}

impl<T> CallOutcome<T> {
    /// Creates the outcome of a call that did not start.
    pub(crate) fn failure(error: Error) -> Self {
        Self { result: Err(error), raised: Raised::default(), retries: 0 }
    }

    /// Returns how many retries the call made.
    pub(crate) fn retries(&self) -> u32 {
        self.retries
    }

    /// Returns the response of the failure, if there is one.
    pub(crate) fn failed_with(&self) -> Option<&Response> {
        self.result.as_ref().err().and_then(Error::response)
    }

    /// Returns the result for Python. An exception that ended the call replaces the result. An exception of the source
    /// replaces the failure that it caused.
    pub(crate) fn into_result(self, py: Python<'_>) -> PyResult<T> {
        match (self.result, self.raised) {
            (_, Raised { ending: Some(raised), .. }) => Err(raised),
            (Err(error), Raised { by_source: Some((kind, raised)), .. }) if error.kind() == kind => {
                Err(raised)
            }
            (result, _) => result.map_err(|error| exception(py, &error)),
        }
    }
}

/// Returns the options of the work that runs on this thread, including its cancellation by signals.
pub(crate) fn options() -> CallOptions {
    let options = CURRENT.with_borrow(|running| running.as_ref().map(|running| running.options.clone()));
    options.expect("it is called in the work of `run`, where no Python code runs")
}

/// Returns a call of `client` in the work that runs on this thread.
pub(crate) fn call_of(client: &Client) -> Call<'_> {
    client.call().with_options(&options())
}

/// Runs Python code in the call that this thread makes, if it makes one. Returns `None` if the interpreter is shutting
/// down.
pub(crate) fn in_python<T>(code: impl FnOnce(Python<'_>, Option<&Running>) -> T) -> Option<T> {
    let back = Back { current: CURRENT.take(), _gil: Attached::new() };
    IN_PYTHON.set(IN_PYTHON.get() + 1);
    Python::try_attach(|py| code(py, back.current.as_deref()))
}

/// Restores the current call when its Python code ends.
struct Back {
    current: Option<Arc<Running>>,
    _gil: Attached,
}

impl Drop for Back {
    fn drop(&mut self) {
        IN_PYTHON.set(IN_PYTHON.get() - 1);
        CURRENT.set(self.current.take());
    }
}

/// Checks for Python's signals while a call waits.
pub(crate) struct Signals;

impl Interrupt for Signals {
    fn interrupted(&self) -> bool {
        let may_wait_for_a_greenlet = IN_PYTHON.get() > 0;
        let ended = in_python(|py, running| {
            // Runs Python's signal handlers on the main thread; does nothing on other threads.
            let mut result = capi::check_signals(py);
            if result.is_ok() && may_wait_for_a_greenlet {
                result = let_greenlets_run(py);
            }
            match (result, running) {
                (Ok(()), _) => false,
                (Err(raised), Some(running)) => {
                    running.end_with(raised);
                    true
                }
                (Err(_), None) => true,
            }
        });
        // `None`: the interpreter is shutting down.
        ended.unwrap_or(true)
    }
}

/// Runs the other greenlets of this thread for a moment: the call may wait for a call of one of them.
fn let_greenlets_run(py: Python<'_>) -> PyResult<()> {
    static RUN: Lazy<PyAny> = Lazy::new();
    capi::call(capi::imported(py, &RUN, "justcall_auth._callback", "let_greenlets_run")?, ()).map(drop)
}
