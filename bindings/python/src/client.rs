//! `Client`: forwards to the library's client, without the GIL, and lets signals and `close()` end a call.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use justcall_auth::{Config, Error, ErrorKind};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyType};

use crate::account::account;
use crate::arguments::{BaseUrl, CaFile, MaxRetries, SourceSpelling, Timeout, VerifyPath};
use crate::credentials::Credentials;
use crate::errors::{detached, exception};
use crate::interrupt::Watch;

/// A client of the JustCall API. Thread-safe: make one for each pair and share it between threads.
///
/// `source` says where the pair is read from, at the first call:
///
/// - `env:` or `env:KEY_VARIABLE,SECRET_VARIABLE`: two environment variables, by default
///   `JUSTCALL_API_KEY` and `JUSTCALL_API_SECRET`
/// - `file:PATH`: a file with JSON (`api_key`, `api_secret`), dotenv lines, or one line `key:secret`
/// - `default:`: the same as `env:`
///
/// `base_url` is the service, `https://host[:port][/prefix]`; None is `https://api.justcall.io`.
/// `http://` is accepted for loopback addresses only.
/// `verify_path` is what `verify` asks in place of `/v2/account` and its stand-in.
/// `timeout` limits a whole call, retries and waits included, in seconds; None or 0 means no limit.
/// `max_retries` is how many second attempts a call may make, of every kind together.
/// `ca_file` is a PEM file of the certificate authorities to trust in place of the system's; it is
/// read at once.
///
/// Calls wait without the GIL. A signal such as Ctrl-C ends a waiting call of the main thread within
/// a fraction of a second, with what its handler raises.
///
/// Raises `InvalidArgumentError` when an argument cannot be right or the CA file cannot be read.
#[pyclass(frozen, module = "justcall_auth")]
pub(crate) struct Client {
    /// Nothing once it is closed: pair and connections go with the last call under way.
    open: Mutex<Option<justcall_auth::Client>>,
    closed: Arc<AtomicBool>,
}

#[pymethods]
impl Client {
    #[new]
    #[pyo3(
        signature = (source = SourceSpelling("default:".to_owned()), *, base_url = None, verify_path = None,
            timeout = Some(Timeout(Duration::from_secs(30))), max_retries = MaxRetries(2), ca_file = None),
        text_signature = "(source='default:', *, base_url=None, verify_path=None, timeout=30.0, max_retries=2, ca_file=None)"
    )]
    fn new(
        py: Python<'_>,
        source: SourceSpelling,
        base_url: Option<BaseUrl>,
        verify_path: Option<VerifyPath>,
        timeout: Option<Timeout>,
        max_retries: MaxRetries,
        ca_file: Option<CaFile>,
    ) -> PyResult<Self> {
        let (SourceSpelling(source), mut config) = (source, Config::new());
        config.source(&source).map_err(|error| exception(py, &error))?;
        Self::open(py, config, &Settings { base_url, verify_path, timeout, max_retries, ca_file })
    }

    /// A client with a pair that the program already holds, in place of a source.
    ///
    /// The other arguments and what is raised are those of `Client`.
    #[classmethod]
    #[pyo3(
        signature = (credentials, *, base_url = None, verify_path = None,
            timeout = Some(Timeout(Duration::from_secs(30))), max_retries = MaxRetries(2), ca_file = None),
        text_signature = "(credentials, *, base_url=None, verify_path=None, timeout=30.0, max_retries=2, ca_file=None)"
    )]
    fn from_credentials(
        class: &Bound<'_, PyType>,
        credentials: &Bound<'_, Credentials>,
        base_url: Option<BaseUrl>,
        verify_path: Option<VerifyPath>,
        timeout: Option<Timeout>,
        max_retries: MaxRetries,
        ca_file: Option<CaFile>,
    ) -> PyResult<Self> {
        let mut config = Config::new();
        config.credentials(credentials.get().0.clone());
        Self::open(class.py(), config, &Settings { base_url, verify_path, timeout, max_retries, ca_file })
    }

    /// Asks the service whether the pair is good, and whose it is.
    ///
    /// Asks `/v2/account` and, where the service has no such page, `/v2.1/users?per_page=1`, which
    /// proves the pair without telling the account's details.
    ///
    /// Raises `InvalidCredentialsError` when the service rejects the pair, `ForbiddenError` when the
    /// pair is good but its plan or role may not do this, and another `JustCallError` for whatever
    /// else goes wrong. Raises what a signal handler raises.
    fn verify<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let client = self.client(py)?;
        let watch = Watch::new(self.closed.clone());
        let result = detached(py, || client.call().interrupted_by(watch.clone()).verify());
        match watch.raised() {
            Some(raised) => Err(raised),
            None => account(py, &result?),
        }
    }

    /// The value of the `Authorization` header, for a request that the program sends by other means.
    ///
    /// It is `key:secret`, raw, as JustCall takes it. This `str` is a plain copy of the secret that
    /// nothing wipes: do not store, log or print it, and let go of it once the request is made. Reads
    /// the source, if no call has done so yet.
    ///
    /// Raises `CredentialsMissingError`, `CredentialsMalformedError` or `SourceUnavailableError` when
    /// the source gives no pair, and `CallCancelledError` once the client is closed.
    fn authorization<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        let client = self.client(py)?;
        let credentials = detached(py, || client.credentials())?;
        credentials.expose_authorization(|header| PyString::from_bytes(py, header))
    }

    /// Closes the client, from any thread: its calls, under way and later, raise `CallCancelledError`.
    ///
    /// The client's hold on the pair and its connections end once no call is under way. Closing again
    /// does nothing. Leaving a `with` block closes the client too.
    fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.open.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    fn __enter__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, Self>> {
        slf.get().client(slf.py())?;
        Ok(slf.clone())
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, _exception: &Bound<'_, pyo3::types::PyTuple>) {
        self.close();
    }

    fn __repr__(&self) -> &'static str {
        if self.closed.load(Ordering::Acquire) { "<Client closed>" } else { "<Client open>" }
    }

    /// Refuses, with `TypeError`: a pickle would hold the secret.
    #[expect(clippy::unused_self, reason = "a method in Python")]
    fn __reduce__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err(
            "A Client cannot be pickled or copied: it holds the secret and open connections. \
             Let the other process make its own.",
        ))
    }
}

/// What both ways to make a client take.
struct Settings {
    base_url: Option<BaseUrl>,
    verify_path: Option<VerifyPath>,
    timeout: Option<Timeout>,
    max_retries: MaxRetries,
    ca_file: Option<CaFile>,
}

impl Settings {
    fn apply(&self, config: &mut Config) -> Result<(), Error> {
        if let Some(url) = &self.base_url {
            config.base_url(&url.0)?;
        }
        if let Some(path) = &self.verify_path {
            config.verify_path(&path.0)?;
        }
        if let Some(path) = &self.ca_file {
            config.ca_file(&path.0)?;
        }
        config.timeout(self.timeout.as_ref().map_or(Duration::ZERO, |timeout| timeout.0));
        config.max_retries(self.max_retries.0);
        Ok(())
    }
}

impl Client {
    fn open(py: Python<'_>, mut config: Config, settings: &Settings) -> PyResult<Self> {
        let client = detached(py, || {
            settings.apply(&mut config)?;
            justcall_auth::Client::new(&config)
        })?;
        Ok(Self { open: Mutex::new(Some(client)), closed: Arc::default() })
    }

    /// The client, kept alive for one call.
    fn client(&self, py: Python<'_>) -> PyResult<justcall_auth::Client> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.clone().ok_or_else(|| {
            let error = Error::with_message(ErrorKind::Cancelled, "The client is closed.");
            exception(py, &error.hint_is("Make a new client, or close this one after its last call."))
        })
    }
}
