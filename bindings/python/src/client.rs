//! `Client`: forwards to the library's client, without the GIL, and lets signals and `close()` end a call.

mod calls;
pub(crate) mod exchange;
mod pair;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use justcall_auth::service::RateLimit;
use justcall_auth::{Config, Level};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::pyclass::{PyTraverseError, PyVisit};
use pyo3::types::{PyDict, PyString, PyTuple, PyType};

use crate::account::account;
use crate::arguments::{
    BaseUrl, CaFile, CallTimeout, ExpectedAccount, MaxRetries, MemoryProtection, Method, Path, Proxy,
    RotationWait, StateFile, Timeout, VerifyPath,
};
use crate::callable::Callable;
use crate::credentials::Credentials;
use crate::errors::{detached, exception};
use crate::event::{Observer, OnEvent};
use crate::protection::protection;
use crate::request::Contents;
use crate::response::rate_limit;
use crate::settings::Settings;
use crate::source::Source;
use exchange::Exchange;

#[doc = include_str!("client/help.txt")]
#[pyclass(frozen, dict, weakref, module = "justcall_auth")]
pub(crate) struct Client {
    /// Nothing once it is closed: pair and connections go with the last call under way. Reading it takes no lock, because
    /// webhooks are verified without the GIL, and a child of `fork()` would find a lock locked for ever.
    open: ArcSwapOption<Open>,
    /// What the last answer told. Never locked without the GIL, so a child of `fork()` finds it unlocked.
    rate_limit: Mutex<Option<RateLimit>>,
}

struct Open {
    client: justcall_auth::Client,
    /// What of the program's own the client holds: the garbage collector asks for it.
    source: Option<Arc<Callable>>,
    observer: Arc<Observer>,
}

#[pymethods]
#[expect(clippy::too_many_arguments, reason = "they are those of Python's methods")]
impl Client {
    #[new]
    #[pyo3(
        signature = (source = Source::usual(), *more, base_url = None, verify_path = None,
            timeout = Some(Timeout(Duration::from_secs(30))), max_retries = MaxRetries(2),
            rotation_wait = RotationWait(Duration::ZERO), ca_file = None, proxy = None, expected_account = None,
            memory_protection = MemoryProtection(Level::Auto), state_file = None, on_event = None, **unknown),
        text_signature = "(source='default:', *, base_url=None, verify_path=None, timeout=30.0, max_retries=2, rotation_wait=0.0, ca_file=None, proxy=None, expected_account=None, memory_protection='auto', state_file=None, on_event=None)"
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
        proxy: Option<Proxy>,
        expected_account: Option<ExpectedAccount>,
        memory_protection: MemoryProtection,
        state_file: Option<StateFile>,
        on_event: Option<OnEvent>,
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
            proxy,
            expected_account,
            memory_protection,
            state_file,
            observer: Arc::new(Observer(on_event.map(|handler| handler.0))),
        };
        Self::open(py, config, callable, &settings)
    }

    /// A client with a pair that the program already holds, in place of a source.
    ///
    /// The other arguments and what is raised are those of `Client`.
    #[classmethod]
    #[pyo3(
        signature = (credentials, *, base_url = None, verify_path = None,
            timeout = Some(Timeout(Duration::from_secs(30))), max_retries = MaxRetries(2),
            rotation_wait = RotationWait(Duration::ZERO), ca_file = None, proxy = None, expected_account = None,
            memory_protection = MemoryProtection(Level::Auto), state_file = None, on_event = None),
        text_signature = "(credentials, *, base_url=None, verify_path=None, timeout=30.0, max_retries=2, rotation_wait=0.0, ca_file=None, proxy=None, expected_account=None, memory_protection='auto', state_file=None, on_event=None)"
    )]
    fn from_credentials(
        class: &Bound<'_, PyType>,
        credentials: &Bound<'_, Credentials>,
        base_url: Option<BaseUrl>,
        verify_path: Option<VerifyPath>,
        timeout: Option<Timeout>,
        max_retries: MaxRetries,
        rotation_wait: RotationWait,
        ca_file: Option<CaFile>,
        proxy: Option<Proxy>,
        expected_account: Option<ExpectedAccount>,
        memory_protection: MemoryProtection,
        state_file: Option<StateFile>,
        on_event: Option<OnEvent>,
    ) -> PyResult<Self> {
        let mut config = Config::new();
        config.set_credentials(credentials.get().0.clone());
        let settings = Settings {
            base_url,
            verify_path,
            timeout,
            max_retries,
            rotation_wait,
            ca_file,
            proxy,
            expected_account,
            memory_protection,
            state_file,
            observer: Arc::new(Observer(on_event.map(|handler| handler.0))),
        };
        Self::open(class.py(), config, None, &settings)
    }

    /// Asks the service whether the pair is good, and whose it is.
    ///
    /// Asks `/v2/account` and, where the service has no such page, `/v2.1/users?per_page=1`, which
    /// proves the pair without telling the account's details.
    ///
    /// If the service names the account, a pair that the source gives later must belong to it: the pair
    /// proves that before anything else is sent with it, else the call raises `WrongAccountError`. If the
    /// account is not known, because nothing was verified or the service does not name it, a pair of another
    /// account is used without notice. Set `expected_account` to rule that out.
    ///
    /// Raises `InvalidCredentialsError` when the service rejects the pair, `ForbiddenError` when the
    /// pair is good but its plan or role may not do this, and another `JustCallError` for whatever
    /// else goes wrong. Raises what a signal handler raises.
    fn verify<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        #[expect(clippy::redundant_closure_for_method_calls, reason = "the method is not general enough")]
        let found = self.call(py, |call| call.verify())?;
        account(py, &found)
    }

    /// Proves `credentials` as `verify` does and, where they are good, uses them from here on.
    ///
    /// So do all clients of the process that have the same source, base URL and expected account. Gives the
    /// account of the pair. The source is not written: see to it that it gives the same pair. Whatever comes
    /// of it, the pair in use loses nothing; webhooks signed with it are good for another quarter of an hour.
    ///
    /// Raises what `verify` raises, about `credentials`.
    fn replace<'py>(
        &self,
        py: Python<'py>,
        credentials: &Bound<'py, Credentials>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let pair = &credentials.get().0;
        let found = self.call(py, |call| call.replace(pair))?;
        account(py, &found)
    }

    /// Looks at the source now, and asks nothing of the service. True when it gives another pair.
    ///
    /// The next call proves that pair, and it is in use from then on.
    ///
    /// Raises what `authorization` raises, because of the source; the pair in use stays.
    fn reload(&self, py: Python<'_>) -> PyResult<bool> {
        #[expect(clippy::redundant_closure_for_method_calls, reason = "the method is not general enough")]
        self.call(py, |call| call.reload())
    }

    #[doc = include_str!("client/request.txt")]
    #[pyo3(signature = (method, path, *, params = None, json = None, data = None, headers = None, timeout = CallTimeout(None)))]
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
    ) -> PyResult<Bound<'py, PyAny>> {
        self.send(py, method, path, Contents { params, json, data, headers, timeout })
    }

    /// `request` with the method `GET`; the arguments and what is raised are those of `request`.
    #[pyo3(signature = (path, *, params = None, json = None, data = None, headers = None, timeout = CallTimeout(None)))]
    fn get<'py>(
        &self,
        py: Python<'py>,
        path: Path,
        params: Option<Bound<'py, PyAny>>,
        json: Option<Bound<'py, PyAny>>,
        data: Option<Bound<'py, PyAny>>,
        headers: Option<Bound<'py, PyAny>>,
        timeout: CallTimeout,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.send(py, Method("GET".to_owned()), path, Contents { params, json, data, headers, timeout })
    }

    /// `request` with the method `POST`; the arguments and what is raised are those of `request`.
    #[pyo3(signature = (path, *, params = None, json = None, data = None, headers = None, timeout = CallTimeout(None)))]
    fn post<'py>(
        &self,
        py: Python<'py>,
        path: Path,
        params: Option<Bound<'py, PyAny>>,
        json: Option<Bound<'py, PyAny>>,
        data: Option<Bound<'py, PyAny>>,
        headers: Option<Bound<'py, PyAny>>,
        timeout: CallTimeout,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.send(py, Method("POST".to_owned()), path, Contents { params, json, data, headers, timeout })
    }

    /// `request` with the method `PUT`; the arguments and what is raised are those of `request`.
    #[pyo3(signature = (path, *, params = None, json = None, data = None, headers = None, timeout = CallTimeout(None)))]
    fn put<'py>(
        &self,
        py: Python<'py>,
        path: Path,
        params: Option<Bound<'py, PyAny>>,
        json: Option<Bound<'py, PyAny>>,
        data: Option<Bound<'py, PyAny>>,
        headers: Option<Bound<'py, PyAny>>,
        timeout: CallTimeout,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.send(py, Method("PUT".to_owned()), path, Contents { params, json, data, headers, timeout })
    }

    /// `request` with the method `DELETE`; the arguments and what is raised are those of `request`.
    #[pyo3(signature = (path, *, params = None, json = None, data = None, headers = None, timeout = CallTimeout(None)))]
    fn delete<'py>(
        &self,
        py: Python<'py>,
        path: Path,
        params: Option<Bound<'py, PyAny>>,
        json: Option<Bound<'py, PyAny>>,
        data: Option<Bound<'py, PyAny>>,
        headers: Option<Bound<'py, PyAny>>,
        timeout: CallTimeout,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.send(py, Method("DELETE".to_owned()), path, Contents { params, json, data, headers, timeout })
    }

    /// Begins a call that the program sends over HTTP of its own; asks and reads nothing yet.
    ///
    /// The arguments and what is raised about them are those of `request`.
    #[pyo3(signature = (method, path, *, params = None, json = None, data = None, headers = None, timeout = CallTimeout(None)))]
    fn exchange<'py>(
        slf: &Bound<'py, Self>,
        method: Method,
        path: Path,
        params: Option<Bound<'py, PyAny>>,
        json: Option<Bound<'py, PyAny>>,
        data: Option<Bound<'py, PyAny>>,
        headers: Option<Bound<'py, PyAny>>,
        timeout: CallTimeout,
    ) -> PyResult<Exchange> {
        let contents = Contents { params, json, data, headers, timeout };
        let client = slf.get().client(slf.py())?;
        Exchange::begin(slf, contents.request(slf.py(), method, path, &client)?)
    }

    /// The account's rate limit as the last answer to this client told it; None before the first.
    ///
    /// Answers to `verify` count where they are errors.
    #[getter]
    fn rate_limit<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let told = *self.last_rate_limit();
        told.map(|told| rate_limit(py, &told)).transpose()
    }

    /// How the pair is protected while it rests, and why not better.
    ///
    /// Reads the source, if no call has done so yet, and then raises what `authorization` raises.
    #[getter]
    fn protection<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        #[expect(clippy::redundant_closure_for_method_calls, reason = "the method is not general enough")]
        let report = self.call(py, |call| call.protection())?;
        protection(py, &report)
    }

    /// What the clients that share the pair did so far, and how the pair is, as OpenMetrics 1.0 text.
    ///
    /// Serve it with the type `application/openmetrics-text; version=1.0.0; charset=utf-8`: Prometheus and
    /// most monitors read it. The results of webhooks that are verified with the pair are in it.
    /// It holds no secret and nothing that identifies the pair. Asks nothing and
    /// reads no source. Raises `CallCancelledError` once the client is closed.
    #[getter]
    fn usage(&self, py: Python<'_>) -> PyResult<String> {
        let client = self.client(py)?;
        detached(py, || Ok(client.usage()))
    }

    /// The value of the `Authorization` header, for a request that the program sends by other means.
    ///
    /// It is `key:secret`, raw, as JustCall takes it. This `str` is a plain copy of the secret that
    /// nothing wipes: do not store, log or print it, and let go of it once the request is made. Reads
    /// the source, if no call has done so yet.
    ///
    /// Raises `CredentialsMissingError`, `CredentialsMalformedError` or `SourceUnavailableError` when
    /// the source gives no pair, `MemoryProtectionError` when the system refuses the `memory_protection`,
    /// and `CallCancelledError` once the client is closed.
    fn authorization<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        #[expect(clippy::redundant_closure_for_method_calls, reason = "the method is not general enough")]
        let credentials = self.call(py, |call| call.credentials())?;
        credentials.expose_authorization(|header| PyString::from_bytes(py, header))
    }

    /// Closes the client, from any thread: its calls, under way and later, raise `CallCancelledError`.
    ///
    /// The client's hold on the pair and its connections end once no call is under way. Closing again
    /// does nothing. Leaving a `with` block closes the client too.
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

    /// Refuses, with `TypeError`: a pickle would hold the secret.
    #[expect(clippy::unused_self, reason = "a method in Python")]
    fn __reduce__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err(
            "A Client cannot be pickled or copied: it holds the secret and open connections. \
             Let the other process make its own.",
        ))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        let open = self.open.load();
        let Some(open) = open.as_ref() else { return Ok(()) };
        open.source.as_ref().map_or(Ok(()), |source| source.traverse(&visit))?;
        open.observer.traverse(&visit)
    }

    fn __clear__(&self) {
        self.close();
    }
}
