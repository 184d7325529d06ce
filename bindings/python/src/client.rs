//! `Client`: forwards to the library's client, without the GIL. Signals and `close()` end a call.

mod calls;
pub(crate) mod exchange;
pub(crate) mod observed;
mod pair;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use justcall_auth::service::{ACCOUNT_PATH, RateLimit};
use justcall_auth::{CallOptions, Config, Level};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::pyclass::{PyTraverseError, PyVisit};
use pyo3::types::{PyDict, PyString, PyTuple, PyType};

use crate::account::account;
use crate::arguments::{
    BaseUrl, CaFile, CallTimeout, ExpectedAccount, LocalAddress, MaxResponseLength, MaxRetries,
    MemoryProtection, Method, Path, Proxy, RotationWait, StateFile, Timeout, VerifyPath,
};
use crate::callable::Callable;
use crate::capi;
use crate::credentials::Credentials;
use crate::errors::{exception, fitting, received};
use crate::event::{Observer, OnCall, OnEvent};
use crate::job::{Completions, StartedCall, Work};
use crate::lazy::Lazy;
use crate::options::{CancelArgument, options};
use crate::pool::Pool;
use crate::protection::protection;
use crate::request::Contents;
use crate::response::rate_limit;
use crate::settings::{CaPem, Settings};
use crate::source::Source;
use exchange::Exchange;

#[doc = include_str!("client/help.txt")]
#[pyclass(frozen, dict, weakref, module = "justcall_auth")]
pub(crate) struct Client {
    /// `None` if the client is closed. The last call in progress then releases the pair and the connections. A read takes
    /// no lock: webhooks are verified without the GIL, and in a child of `fork()` a lock could stay locked forever.
    open: ArcSwapOption<Open>,
    /// The rate limit of the last response. Locked only with the GIL, so that it is unlocked in a child of `fork()`.
    rate_limit: Mutex<Option<RateLimit>>,
}

struct Open {
    client: justcall_auth::Client,
    source: Option<Arc<Callable>>,
    observer: Arc<Observer>,
    visited: Visited,
}

/// What the garbage collector visits. It must visit each reference to a Python object once, so a derived client visits
/// only the client that it was derived from.
enum Visited {
    /// The source callable and the observer of the client.
    Own,
    /// The client that this one was derived from.
    Origin(Py<Client>),
}

#[pymethods]
#[expect(clippy::too_many_arguments, reason = "the methods in Python have these arguments")]
#[expect(clippy::redundant_closure_for_method_calls, reason = "paths of methods are not general enough")]
impl Client {
    #[new]
    #[pyo3(
        signature = (source = Source::usual(), *more, base_url = None, verify_path = None,
            timeout = Some(Timeout(Duration::from_secs(30))), max_retries = MaxRetries(2),
            rotation_wait = RotationWait(Duration::ZERO), ca_file = None, ca_pem = None, proxy = None,
            local_address = None, max_response_length = MaxResponseLength::usual(), expected_account = None,
            memory_protection = MemoryProtection(Level::Auto), state_file = None, on_event = None, on_request = None,
            on_response = None, **unknown),
        text_signature = "(source='default:', *, base_url=None, verify_path=None, timeout=30.0, max_retries=2, rotation_wait=0.0, ca_file=None, ca_pem=None, proxy=None, local_address=None, max_response_length=33554432, expected_account=None, memory_protection='auto', state_file=None, on_event=None, on_request=None, on_response=None)"
    )]
    fn new(
        py: Python<'_>,
        source: Source,
        more: &Bound<'_, PyTuple>,
        base_url: Option<BaseUrl>,
        verify_path: Option<VerifyPath>,
        timeout: Option<Timeout>,
        max_retries: MaxRetries,
        rotation_wait: RotationWait,
        ca_file: Option<CaFile>,
        ca_pem: Option<CaPem>,
        proxy: Option<Proxy>,
        local_address: Option<LocalAddress>,
        max_response_length: MaxResponseLength,
        expected_account: Option<ExpectedAccount>,
        memory_protection: MemoryProtection,
        state_file: Option<StateFile>,
        on_event: Option<OnEvent>,
        on_request: Option<OnCall>,
        on_response: Option<OnCall>,
        unknown: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        pair::refuse_halves(more, unknown)?;
        let mut config = Config::new();
        let callable = match source {
            Source::Spelling(spelling) => {
                config.set_source(&spelling).map_err(|error| exception(py, &pair::explained(error)))?;
                None
            }
            Source::Callable(callable) => {
                config.set_source_callback(callable.clone());
                Some(callable)
            }
            Source::Credentials(credentials) => {
                config.set_credentials(credentials);
                None
            }
        };
        let settings = Settings {
            base_url,
            verify_path,
            timeout,
            max_retries,
            rotation_wait,
            ca_file,
            ca_pem,
            proxy,
            local_address,
            max_response_length,
            expected_account,
            memory_protection,
            state_file,
            observer: Arc::new(Observer::new(on_event, on_request, on_response)),
        };
        Self::open(py, config, callable, &settings)
    }

    /// Creates a client with a pair that the program already has, instead of a source.
    ///
    /// Args:
    ///     credentials: The pair.
    ///     base_url: As for `Client`, like the arguments that follow.
    ///     verify_path: The path that `verify` requests.
    ///     timeout: The limit of a call, in seconds.
    ///     max_retries: How many retries a call may make.
    ///     rotation_wait: How long calls wait for another pair after a rejection, in seconds.
    ///     ca_file: A PEM file of certificate authorities.
    ///     ca_pem: The content of such a file.
    ///     proxy: The proxy.
    ///     local_address: The local IP address of connections.
    ///     max_response_length: The largest response body, in bytes.
    ///     expected_account: The number of the account that the pair must belong to.
    ///     memory_protection: How the pair is protected between calls.
    ///     state_file: The file in which the use of the pair is recorded.
    ///     on_event: A callable that takes an `Event`.
    ///     on_request: A callable that takes a `CallRecord`, before a call.
    ///     on_response: A callable that takes the same `CallRecord`, after the call.
    ///
    /// Raises the exceptions of `Client`.
    #[classmethod]
    #[pyo3(
        signature = (credentials, **settings),
        text_signature = "(credentials, *, base_url=None, verify_path=None, timeout=30.0, max_retries=2, rotation_wait=0.0, ca_file=None, ca_pem=None, proxy=None, local_address=None, max_response_length=33554432, expected_account=None, memory_protection='auto', state_file=None, on_event=None, on_request=None, on_response=None)"
    )]
    fn from_credentials<'py>(
        class: &Bound<'py, PyType>,
        credentials: &Bound<'py, Credentials>,
        settings: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        capi::call_package(class, (credentials,), settings)
    }

    #[doc = include_str!("client/with_options.txt")]
    #[pyo3(signature = (*, timeout = CallTimeout(None), max_retries = None, rotation_wait = None))]
    fn with_options(
        slf: &Bound<'_, Self>,
        timeout: CallTimeout,
        max_retries: Option<MaxRetries>,
        rotation_wait: Option<RotationWait>,
    ) -> PyResult<Self> {
        Self::derive(slf, timeout, max_retries, rotation_wait)
    }

    #[doc = include_str!("client/verify.txt")]
    #[pyo3(signature = (*, timeout = CallTimeout(None), cancel = None))]
    fn verify<'py>(
        &self,
        py: Python<'py>,
        timeout: CallTimeout,
        cancel: Option<CancelArgument>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.observed(py, "GET", ACCOUNT_PATH, |retries| {
            let found = self.call_counting(py, options(timeout, cancel), retries, |call| call.verify())?;
            received(py, || account(py, &found))
        })
    }

    #[doc = include_str!("client/replace.txt")]
    #[pyo3(signature = (credentials, *, timeout = CallTimeout(None), cancel = None))]
    fn replace<'py>(
        &self,
        py: Python<'py>,
        credentials: &Bound<'py, Credentials>,
        timeout: CallTimeout,
        cancel: Option<CancelArgument>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let pair = &credentials.get().0;
        let found = self.call(py, options(timeout, cancel), |call| call.replace(pair))?;
        received(py, || account(py, &found))
    }

    /// Reads the source now and sends nothing. Returns True if the source has another pair.
    ///
    /// The next call proves the new pair, which is in use from then on.
    ///
    /// Args:
    ///     timeout: The limit of this call, in seconds, instead of the client's timeout. None or 0 means no
    ///         limit.
    ///     cancel: A `Cancel` that can end the call.
    ///
    /// Raises the exceptions of `authorization` if the source supplies no pair; the pair in use stays.
    #[pyo3(signature = (*, timeout = CallTimeout(None), cancel = None))]
    fn reload(&self, py: Python<'_>, timeout: CallTimeout, cancel: Option<CancelArgument>) -> PyResult<bool> {
        self.call(py, options(timeout, cancel), |call| call.reload())
    }

    #[doc = include_str!("client/request.txt")]
    #[pyo3(signature = (method, path, *, params = None, json = None, data = None, headers = None, timeout = CallTimeout(None), cancel = None))]
    fn request<'py>(
        &self,
        py: Python<'py>,
        method: Method,
        path: Path,
        params: Option<Bound<'py, PyAny>>,
        json: Option<Bound<'py, PyAny>>,
        data: Option<Bound<'py, PyAny>>,
        headers: Option<Bound<'py, PyAny>>,
        timeout: CallTimeout,
        cancel: Option<CancelArgument>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.send(py, method, path, Contents { params, json, data, headers }, options(timeout, cancel))
    }

    /// Sends a `GET` request.
    ///
    #[doc = include_str!("client/short_form.txt")]
    #[pyo3(signature = (path, *, params = None, json = None, data = None, headers = None, timeout = CallTimeout(None), cancel = None))]
    fn get<'py>(
        &self,
        py: Python<'py>,
        path: Path,
        params: Option<Bound<'py, PyAny>>,
        json: Option<Bound<'py, PyAny>>,
        data: Option<Bound<'py, PyAny>>,
        headers: Option<Bound<'py, PyAny>>,
        timeout: CallTimeout,
        cancel: Option<CancelArgument>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.send(
            py,
            Method("GET".to_owned()),
            path,
            Contents { params, json, data, headers },
            options(timeout, cancel),
        )
    }

    /// Sends a `HEAD` request, which is a `GET` request for the headers alone: the body is empty.
    ///
    #[doc = include_str!("client/short_form.txt")]
    #[pyo3(signature = (path, *, params = None, json = None, data = None, headers = None, timeout = CallTimeout(None), cancel = None))]
    fn head<'py>(
        &self,
        py: Python<'py>,
        path: Path,
        params: Option<Bound<'py, PyAny>>,
        json: Option<Bound<'py, PyAny>>,
        data: Option<Bound<'py, PyAny>>,
        headers: Option<Bound<'py, PyAny>>,
        timeout: CallTimeout,
        cancel: Option<CancelArgument>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.send(
            py,
            Method("HEAD".to_owned()),
            path,
            Contents { params, json, data, headers },
            options(timeout, cancel),
        )
    }

    /// Sends a `POST` request.
    ///
    #[doc = include_str!("client/short_form.txt")]
    #[pyo3(signature = (path, *, params = None, json = None, data = None, headers = None, timeout = CallTimeout(None), cancel = None))]
    fn post<'py>(
        &self,
        py: Python<'py>,
        path: Path,
        params: Option<Bound<'py, PyAny>>,
        json: Option<Bound<'py, PyAny>>,
        data: Option<Bound<'py, PyAny>>,
        headers: Option<Bound<'py, PyAny>>,
        timeout: CallTimeout,
        cancel: Option<CancelArgument>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.send(
            py,
            Method("POST".to_owned()),
            path,
            Contents { params, json, data, headers },
            options(timeout, cancel),
        )
    }

    /// Sends a `PUT` request.
    ///
    #[doc = include_str!("client/short_form.txt")]
    #[pyo3(signature = (path, *, params = None, json = None, data = None, headers = None, timeout = CallTimeout(None), cancel = None))]
    fn put<'py>(
        &self,
        py: Python<'py>,
        path: Path,
        params: Option<Bound<'py, PyAny>>,
        json: Option<Bound<'py, PyAny>>,
        data: Option<Bound<'py, PyAny>>,
        headers: Option<Bound<'py, PyAny>>,
        timeout: CallTimeout,
        cancel: Option<CancelArgument>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.send(
            py,
            Method("PUT".to_owned()),
            path,
            Contents { params, json, data, headers },
            options(timeout, cancel),
        )
    }

    /// Sends a `PATCH` request.
    ///
    #[doc = include_str!("client/short_form.txt")]
    #[pyo3(signature = (path, *, params = None, json = None, data = None, headers = None, timeout = CallTimeout(None), cancel = None))]
    fn patch<'py>(
        &self,
        py: Python<'py>,
        path: Path,
        params: Option<Bound<'py, PyAny>>,
        json: Option<Bound<'py, PyAny>>,
        data: Option<Bound<'py, PyAny>>,
        headers: Option<Bound<'py, PyAny>>,
        timeout: CallTimeout,
        cancel: Option<CancelArgument>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.send(
            py,
            Method("PATCH".to_owned()),
            path,
            Contents { params, json, data, headers },
            options(timeout, cancel),
        )
    }

    /// Sends a `DELETE` request.
    ///
    #[doc = include_str!("client/short_form.txt")]
    #[pyo3(signature = (path, *, params = None, json = None, data = None, headers = None, timeout = CallTimeout(None), cancel = None))]
    fn delete<'py>(
        &self,
        py: Python<'py>,
        path: Path,
        params: Option<Bound<'py, PyAny>>,
        json: Option<Bound<'py, PyAny>>,
        data: Option<Bound<'py, PyAny>>,
        headers: Option<Bound<'py, PyAny>>,
        timeout: CallTimeout,
        cancel: Option<CancelArgument>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.send(
            py,
            Method("DELETE".to_owned()),
            path,
            Contents { params, json, data, headers },
            options(timeout, cancel),
        )
    }

    #[doc = include_str!("client/pages.txt")]
    #[pyo3(
        signature = (path, **options),
        text_signature = "($self, path, *, params=None, headers=None, timeout=..., cancel=None)"
    )]
    fn pages<'py>(
        slf: &Bound<'py, Self>,
        path: &Bound<'py, PyAny>,
        options: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        static PAGES: Lazy<PyAny> = Lazy::new();
        let pages = capi::imported(slf.py(), &PAGES, "justcall_auth._pages", "pages")?;
        capi::call_package(pages, (slf, path), options)
    }

    /// Starts a request for `AsyncClient`. The arguments are those of `request`.
    #[pyo3(signature = (pool, completions, method, path, *, params = None, json = None, data = None, headers = None, timeout = CallTimeout(None), cancel = None))]
    fn _start_request<'py>(
        slf: &Bound<'py, Self>,
        pool: &Pool,
        completions: &Completions,
        method: Method,
        path: Path,
        params: Option<Bound<'py, PyAny>>,
        json: Option<Bound<'py, PyAny>>,
        data: Option<Bound<'py, PyAny>>,
        headers: Option<Bound<'py, PyAny>>,
        timeout: CallTimeout,
        cancel: Option<CancelArgument>,
    ) -> PyResult<Bound<'py, StartedCall>> {
        let client = slf.get().client(slf.py())?;
        let contents = Contents { params, json, data, headers };
        let request = fitting(|| contents.request(slf.py(), method, path, &client))?;
        Self::start(slf, pool, completions, options(timeout, cancel), Work::Request(request))
    }

    /// Starts another call for `AsyncClient`: the method `name`, whose arguments are the others.
    #[pyo3(signature = (pool, completions, name, credentials = None, *, timeout = CallTimeout(None), cancel = None))]
    fn _start<'py>(
        slf: &Bound<'py, Self>,
        pool: &Pool,
        completions: &Completions,
        name: &str,
        credentials: Option<&Bound<'_, Credentials>>,
        timeout: CallTimeout,
        cancel: Option<CancelArgument>,
    ) -> PyResult<Bound<'py, StartedCall>> {
        let work = match (name, credentials) {
            ("verify", None) => Work::Verify,
            ("replace", Some(pair)) => Work::Replace(pair.get().0.clone()),
            ("reload", None) => Work::Reload,
            ("authorization", None) => Work::Authorization,
            ("protection", None) => Work::Protection,
            _ => return Err(PyTypeError::new_err("no such call")),
        };
        Self::start(slf, pool, completions, options(timeout, cancel), work)
    }

    /// Waits, for `pages`.
    #[pyo3(signature = (seconds, *, cancel = None))]
    fn _wait(&self, py: Python<'_>, seconds: f64, cancel: Option<CancelArgument>) -> PyResult<()> {
        let wait = Duration::try_from_secs_f64(seconds).unwrap_or_default();
        self.call(py, options(CallTimeout(None), cancel), |call| call.wait(wait))
    }

    /// Creates an exchange: a call over the program's own HTTP client. Sends and reads nothing.
    ///
    /// Args:
    ///     method: The method in capitals, as for `request`, like the arguments that follow.
    ///     path: A path, or a URL under the base URL.
    ///     params: What is added to the query.
    ///     json: A value to send as JSON.
    ///     data: A body to send unchanged.
    ///     headers: The headers, a mapping or pairs.
    ///     timeout: The limit of the call, in seconds, instead of the client's timeout. It starts now.
    ///     cancel: A `Cancel` that can end the call.
    ///
    /// Raises `InvalidArgumentError` if an argument is invalid.
    #[pyo3(signature = (method, path, *, params = None, json = None, data = None, headers = None, timeout = CallTimeout(None), cancel = None))]
    fn exchange<'py>(
        slf: &Bound<'py, Self>,
        method: Method,
        path: Path,
        params: Option<Bound<'py, PyAny>>,
        json: Option<Bound<'py, PyAny>>,
        data: Option<Bound<'py, PyAny>>,
        headers: Option<Bound<'py, PyAny>>,
        timeout: CallTimeout,
        cancel: Option<CancelArgument>,
    ) -> PyResult<Exchange> {
        let client = slf.get().client(slf.py())?;
        let request = Contents { params, json, data, headers }.request(slf.py(), method, path, &client)?;
        Exchange::begin(slf, request, options(timeout, cancel))
    }

    /// The account's rate limit in the last response to this client; None before the first response.
    ///
    /// Responses to `verify` count only if they are errors.
    #[getter]
    fn rate_limit<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let limit = *self.last_rate_limit();
        limit.map(|limit| rate_limit(py, &limit)).transpose()
    }

    /// The generation of the pair in use: 1 for the first pair, one more for each later one.
    ///
    /// Clients that share a pair share its generation. It is 0 if no call has read a pair yet. Reads no
    /// source. Raises `CallCancelledError` if the client is closed.
    #[getter]
    fn generation(&self, py: Python<'_>) -> PyResult<u64> {
        self.read(py, justcall_auth::Client::generation)
    }

    /// The ends of the key in use, as in `Credentials.key_hint`; None if no call has read a pair yet.
    ///
    /// Reads no source. Raises `CallCancelledError` if the client is closed.
    #[getter]
    fn key_hint(&self, py: Python<'_>) -> PyResult<Option<String>> {
        self.read(py, justcall_auth::Client::key_hint)
    }

    /// How the pair is protected between calls, and why not better.
    ///
    /// Reads the source if no call has done so yet, and then raises the exceptions of `authorization`.
    #[getter]
    fn protection<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let report = self.call(py, CallOptions::new(), |call| call.protection())?;
        protection(py, &report)
    }

    /// The usage of the clients that share the pair, and the pair's state, as OpenMetrics 1.0 text.
    ///
    /// Serve it with the type `application/openmetrics-text; version=1.0.0; charset=utf-8`: Prometheus and
    /// most monitors read it. It includes the results of webhooks that are verified with the pair. It
    /// contains no secret and nothing that identifies the pair. Sends nothing and reads no source. Raises
    /// `CallCancelledError` if the client is closed.
    #[getter]
    fn usage(&self, py: Python<'_>) -> PyResult<String> {
        self.read(py, justcall_auth::Client::usage)
    }

    #[doc = include_str!("client/authorization.txt")]
    #[pyo3(signature = (*, timeout = CallTimeout(None), cancel = None))]
    fn authorization<'py>(
        &self,
        py: Python<'py>,
        timeout: CallTimeout,
        cancel: Option<CancelArgument>,
    ) -> PyResult<Bound<'py, PyString>> {
        let credentials = self.call(py, options(timeout, cancel), |call| call.credentials())?;
        credentials.expose_authorization(|header| PyString::from_bytes(py, header))
    }

    /// Closes the client. Its calls, in progress and later, raise `CallCancelledError`.
    ///
    /// May be called from any thread. The pair and the connections of the client are released when no call
    /// is in progress. A second call does nothing. The end of a `with` block closes the client too.
    fn close(&self) {
        if let Some(open) = self.open.swap(None) {
            open.client.shutdown();
        }
    }

    fn __enter__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, Self>> {
        slf.get().client(slf.py())?;
        Ok(slf.clone())
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, _exception: &Bound<'_, PyTuple>) {
        self.close();
    }

    fn __repr__(&self) -> &'static str {
        if self.open.load().is_some() { "<Client open>" } else { "<Client closed>" }
    }

    /// Raises `TypeError`: a pickle would contain the secret.
    #[expect(clippy::unused_self, reason = "a method in Python")]
    fn __reduce__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err(
            "A Client cannot be pickled or copied, because it contains the secret and open connections. Create a client in the other process.",
        ))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        let open = self.open.load();
        open.as_ref().map_or(Ok(()), |open| open.traverse(&visit))
    }

    fn __clear__(&self) {
        self.close();
    }
}
