//! The calls of a client's methods.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwapOption;
use justcall_auth::service::{self, RateLimit};
use justcall_auth::webhook::SigningSecrets as _;
use justcall_auth::{Call, CallOptions, Config, Error, ErrorKind, Response};
use pyo3::prelude::*;
use pyo3::pyclass::{PyTraverseError, PyVisit};

use super::{Client, Open, Visited};
use crate::arguments::{CallTimeout, MaxRetries, Method, Path, RotationWait};
use crate::callable::Callable;
use crate::errors::{detached, exception, fitting, received};
use crate::job::{Completions, StartedCall, Work};
use crate::pool::Pool;
use crate::request::Contents;
use crate::response::response;
use crate::running::{self, call_of};
use crate::settings::Settings;

impl Open {
    /// Visits the Python objects of the client for the garbage collector.
    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match &self.visited {
            Visited::Own => {
                self.source.as_ref().map_or(Ok(()), |source| source.traverse(visit))?;
                self.observer.traverse(visit)
            }
            Visited::Origin(client) => visit.call(client),
        }
    }
}

impl Client {
    pub(super) fn open(
        py: Python<'_>,
        mut config: Config,
        source: Option<Arc<Callable>>,
        settings: &Settings,
    ) -> PyResult<Self> {
        let client = detached(py, || {
            settings.apply(&mut config)?;
            justcall_auth::Client::new(&config)
        })?;
        Ok(Self::opened(Open { client, source, observer: settings.observer.clone(), visited: Visited::Own }))
    }

    fn opened(open: Open) -> Self {
        Self { open: ArcSwapOption::from_pointee(open), rate_limit: Mutex::default() }
    }

    /// Returns a client with other settings that shares the pair and the connections with `origin`.
    pub(super) fn derive(
        origin: &Bound<'_, Self>,
        timeout: CallTimeout,
        max_retries: Option<MaxRetries>,
        rotation_wait: Option<RotationWait>,
    ) -> PyResult<Self> {
        let open = origin.get().open_client().and_then(|_| origin.get().opened_as());
        let open = open.map_err(|error| exception(origin.py(), &error))?;
        let client = open.client.with_options(
            timeout.0,
            max_retries.map(|retries| retries.0),
            rotation_wait.map(|wait| wait.0),
        );
        let (source, observer) = (open.source.clone(), open.observer.clone());
        let visited = Visited::Origin(origin.clone().unbind());
        Ok(Self::opened(Open { client, source, observer, visited }))
    }

    /// Returns the client, kept alive for one call.
    pub(crate) fn client(&self, py: Python<'_>) -> PyResult<justcall_auth::Client> {
        self.open_client().map_err(|error| exception(py, &error))
    }

    /// Returns the client, kept alive for one use. Fails with `cancelled` if it is closed.
    pub(crate) fn open_client(&self) -> Result<justcall_auth::Client, Error> {
        self.refuse_in_its_source()?;
        self.opened_as().map(|open| open.client.clone())
    }

    /// Returns what the client was opened with. Fails with `cancelled` if it is closed.
    fn opened_as(&self) -> Result<Arc<Open>, Error> {
        self.open.load_full().ok_or_else(|| {
            let error = Error::with_message(ErrorKind::Cancelled, "The client is closed.");
            error.with_hint("Create a new client, or close a client only after its last call.")
        })
    }

    /// Counts a delivery that was verified with the secrets of this client. Does nothing if the client is closed.
    pub(crate) fn delivered(&self, failure: Option<ErrorKind>) {
        if let Some(open) = self.open.load_full() {
            open.client.delivered(failure);
        }
    }

    /// Fails if the calling code runs in the client's source callable, for which calls of the client would wait.
    pub(crate) fn refuse_in_its_source(&self) -> Result<(), Error> {
        let source = self.open.load().as_ref().and_then(|open| open.source.clone());
        if source.is_some_and(|source| source.is_running()) {
            let message = "A source callable cannot use its own client, because calls of the client wait for the callable.";
            return Err(Error::invalid_argument(message));
        }
        Ok(())
    }

    /// Reads from the client, without the GIL.
    pub(super) fn read<T: Send>(
        &self,
        py: Python<'_>,
        read: impl FnOnce(&justcall_auth::Client) -> T + Send,
    ) -> PyResult<T> {
        let client = self.client(py)?;
        detached(py, || Ok(read(&client)))
    }

    /// Makes one call without the GIL. An exception of a signal handler replaces its result.
    pub(super) fn call<T: Send>(
        &self,
        py: Python<'_>,
        options: CallOptions,
        make: impl FnOnce(Call<'_>) -> Result<T, Error> + Send,
    ) -> PyResult<T> {
        self.call_counting(py, options, &mut 0, make)
    }

    /// Makes one call as [`Client::call`] does, and sets `retries` to the number of its retries.
    pub(super) fn call_counting<T: Send>(
        &self,
        py: Python<'_>,
        options: CallOptions,
        retries: &mut u32,
        make: impl FnOnce(Call<'_>) -> Result<T, Error> + Send,
    ) -> PyResult<T> {
        let client = self.client(py)?;
        let outcome = running::run(py, options, || make(call_of(&client)));
        *retries = outcome.retries();
        if let Some(response) = outcome.failed_with() {
            self.record_rate_limit(response);
        }
        outcome.into_result(py)
    }

    /// Starts a call on a thread of `pool`.
    pub(super) fn start<'py>(
        client: &Bound<'py, Self>,
        pool: &Pool,
        completions: &Completions,
        options: CallOptions,
        work: Work,
    ) -> PyResult<Bound<'py, StartedCall>> {
        let (py, this) = (client.py(), client.get());
        let observation = match &work {
            Work::Verify => this.observe(py, "GET", service::ACCOUNT_PATH)?,
            Work::Request(request) => this.observe(py, request.method(), request.path())?,
            _ => None,
        };
        // The object comes first: a call whose number the program never gets could not be cancelled.
        let started = StartedCall::new(client, completions, options, work, observation)?;
        let started = Bound::new(py, started)?;
        pool.start(started.get().job());
        Ok(started)
    }

    pub(super) fn send<'py>(
        &self,
        py: Python<'py>,
        method: Method,
        path: Path,
        contents: Contents<'py>,
        options: CallOptions,
    ) -> PyResult<Bound<'py, PyAny>> {
        let request = fitting(|| contents.request(py, method, path, &self.client(py)?))?;
        let (method, path) = (request.method().to_owned(), request.path().to_owned());
        self.observed(py, &method, &path, |retries| {
            let answer = self.call_counting(py, options, retries, |call| call.request(request))?;
            let limit = self.record_rate_limit(&answer);
            received(py, || response(py, &answer, &limit))
        })
    }

    /// Records the rate limit of a response and returns it.
    pub(crate) fn record_rate_limit(&self, response: &Response) -> RateLimit {
        let limit = service::rate_limit(response);
        *self.last_rate_limit() = Some(limit);
        limit
    }

    pub(super) fn last_rate_limit(&self) -> MutexGuard<'_, Option<RateLimit>> {
        self.rate_limit.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
