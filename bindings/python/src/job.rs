//! A call of an `AsyncClient`: started on the thread of an event loop, run by a thread of the pool, and completed on the
//! thread of the event loop, which a byte in a socket wakes.

use std::io::{Read as _, Write as _};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use justcall_auth::{
    Account, CallOptions, Cancel, Credentials, Error, ErrorKind, ProtectionReport, Request, Response,
};
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::account::account;
use crate::client::Client;
use crate::client::observed::Observation;
use crate::errors::{exception, received};
use crate::protection::protection;
use crate::response::response;
use crate::running::{self, CallOutcome};

#[cfg(unix)]
type Socket = std::os::unix::net::UnixStream;
#[cfg(not(unix))]
type Socket = std::net::TcpStream;

/// What a call does.
pub(crate) enum Work {
    Verify,
    Replace(Credentials),
    Reload,
    Authorization,
    Protection,
    Request(Request),
}

/// The result of a call.
pub(crate) enum CallOutput {
    Account(Account),
    IsNewPair(bool),
    Credentials(Credentials),
    Protection(ProtectionReport),
    Response(Response),
}

/// A call.
pub(crate) struct Job {
    number: u64,
    client: justcall_auth::Client,
    options: CallOptions,
    cancel: Cancel,
    work: Mutex<Option<Work>>,
    outcome: Mutex<Option<CallOutcome<CallOutput>>>,
    done: Arc<Done>,
}

impl Job {
    /// Runs the call, on a thread without the GIL.
    pub(crate) fn run(&self) {
        let work = lock(&self.work).take();
        if let Some(work) = work {
            let outcome = running::run_detached(self.options.clone(), || self.perform(work));
            self.complete(outcome);
        }
    }

    /// Completes the call with a failure, because no thread can run it.
    pub(crate) fn fail_to_start(&self) {
        self.complete(CallOutcome::failure(Error::new(ErrorKind::OutOfMemory)));
    }

    fn perform(&self, work: Work) -> Result<CallOutput, Error> {
        let call = running::call_of(&self.client);
        match work {
            Work::Verify => call.verify().map(CallOutput::Account),
            Work::Replace(pair) => call.replace(&pair).map(CallOutput::Account),
            Work::Reload => call.reload().map(CallOutput::IsNewPair),
            Work::Authorization => call.credentials().map(CallOutput::Credentials),
            Work::Protection => call.protection().map(CallOutput::Protection),
            Work::Request(request) => call.request(request).map(CallOutput::Response),
        }
    }

    fn complete(&self, outcome: CallOutcome<CallOutput>) {
        *lock(&self.outcome) = Some(outcome);
        self.done.push(self.number);
    }
}

/// A call that was started.
#[pyclass(frozen, module = "justcall_auth")]
pub(crate) struct StartedCall {
    job: Arc<Job>,
    client: Py<Client>,
    /// `None` if nothing observes the call, and after its end.
    observation: Mutex<Option<Observation>>,
}

impl StartedCall {
    /// Creates a call of `client`, which the pool is to run.
    pub(crate) fn new(
        client: &Bound<'_, Client>,
        completions: &Completions,
        mut options: CallOptions,
        work: Work,
        observation: Option<Observation>,
    ) -> PyResult<Self> {
        static LAST: AtomicU64 = AtomicU64::new(0);
        let cancel = Cancel::new();
        options.add_cancel(cancel.clone());
        let job = Job {
            number: LAST.fetch_add(1, Ordering::Relaxed),
            client: client.get().client(client.py())?,
            options,
            cancel,
            work: Mutex::new(Some(work)),
            outcome: Mutex::new(None),
            done: completions.done.clone(),
        };
        let observation = Mutex::new(observation);
        Ok(Self { job: Arc::new(job), client: client.clone().unbind(), observation })
    }

    /// Returns what the pool runs.
    pub(crate) fn job(&self) -> Arc<Job> {
        self.job.clone()
    }
}

#[pymethods]
impl StartedCall {
    /// The number of the call, which `Completions.take` returns.
    #[getter]
    fn number(&self) -> u64 {
        self.job.number
    }

    /// Ends the call, whose result is not needed.
    fn cancel(&self, py: Python<'_>) -> PyResult<()> {
        self.job.cancel.fire();
        // Taken before the hook runs, which may be code that ends the task.
        let observation = lock(&self.observation).take();
        let Some(observation) = observation else { return Ok(()) };
        observation.end(py, exception(py, &Error::new(ErrorKind::Cancelled)).value(py).as_any(), 0)
    }

    /// Returns the result of the call, which is complete, or raises its failure.
    fn result<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let outcome = lock(&self.job.outcome).take();
        let outcome = outcome.ok_or_else(|| exception(py, &Error::new(ErrorKind::Internal)))?;
        let retries = outcome.retries();
        let result = self.convert(py, outcome);
        let observation = lock(&self.observation).take();
        match observation {
            Some(observation) => observation.end_with(py, &result, retries).and(result),
            None => result,
        }
    }
}

impl StartedCall {
    /// Returns the outcome of the call for Python.
    fn convert<'py>(&self, py: Python<'py>, outcome: CallOutcome<CallOutput>) -> PyResult<Bound<'py, PyAny>> {
        let client = self.client.get();
        if let Some(response) = outcome.failed_with() {
            client.record_rate_limit(response);
        }
        match outcome.into_result(py)? {
            CallOutput::Account(found) => received(py, || account(py, &found)),
            CallOutput::IsNewPair(is_new) => Ok(is_new.into_pyobject(py)?.to_owned().into_any()),
            CallOutput::Credentials(pair) => {
                Ok(pair.expose_authorization(|header| PyString::from_bytes(py, header))?.into_any())
            }
            CallOutput::Protection(report) => protection(py, &report),
            CallOutput::Response(answer) => {
                let limit = client.record_rate_limit(&answer);
                received(py, || response(py, &answer, &limit))
            }
        }
    }
}

/// The completed calls of an event loop. `fileno` is readable if there are any.
#[pyclass(frozen, module = "justcall_auth")]
pub(crate) struct Completions {
    done: Arc<Done>,
    woken: Socket,
}

struct Done {
    numbers: Mutex<Vec<u64>>,
    /// Whether a byte that was not read yet is in the socket.
    is_signalled: AtomicBool,
    wake: Socket,
}

impl Done {
    fn push(&self, number: u64) {
        lock(&self.numbers).push(number);
        if !self.is_signalled.swap(true, Ordering::AcqRel) {
            // It fails only if the event loop is gone.
            let _is_gone = (&self.wake).write(&[0]);
        }
    }
}

#[pymethods]
impl Completions {
    #[new]
    fn new() -> PyResult<Self> {
        let (woken, wake) = pair()?;
        woken.set_nonblocking(true)?;
        wake.set_nonblocking(true)?;
        let done = Done { numbers: Mutex::default(), is_signalled: AtomicBool::new(false), wake };
        Ok(Self { done: Arc::new(done), woken })
    }

    /// Returns the number of the file that becomes readable.
    #[cfg(unix)]
    fn fileno(&self) -> i32 {
        std::os::fd::AsRawFd::as_raw_fd(&self.woken)
    }

    /// Returns the numbers of the calls that were completed since the last call.
    fn take(&self) -> Vec<u64> {
        let _nothing_to_read = (&self.woken).read(&mut [0; 8]);
        // A call that completes from here on writes another byte.
        self.done.is_signalled.store(false, Ordering::Release);
        std::mem::take(&mut *lock(&self.done.numbers))
    }
}

#[cfg(unix)]
fn pair() -> std::io::Result<(Socket, Socket)> {
    Socket::pair()
}

#[cfg(not(unix))]
fn pair() -> std::io::Result<(Socket, Socket)> {
    Err(std::io::ErrorKind::Unsupported.into())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
