//! `WebhookVerifier`: forwards to the library's verifier.

use std::sync::{Arc, Mutex, PoisonError};

use justcall_auth::webhook::{ReplayCheck, SigningSecrets};
use justcall_auth::{Error, ErrorKind, WebhookHeaders};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::pyclass::{PyTraverseError, PyVisit};
use pyo3::types::{PyBool, PyBytes};

use crate::arguments::{CallTimeout, Now, Tolerance, callback, invalid, text, wrong_type};
use crate::body;
use crate::capi;
use crate::client::Client;
use crate::credentials::{MAX_TEXT, copy, wipe};
use crate::errors::{detached, exception, fitting};
use crate::exception::kind_of;
use crate::held::Held;
use crate::lazy::Lazy;
use crate::options::{CancelArgument, options};
use crate::pairs::is_text;
use crate::running::{self, call_of};
use crate::value;
use crate::webhook_event::WebhookEvent;
use crate::webhook_headers::signing_headers;

/// Verifies that a webhook delivery is from JustCall, is fresh, and is for this receiver.
///
/// **The body is not signed.** The signature covers only the URL, the event's type and the time. Anyone
/// who has one genuine delivery can send it with other `data`. A verified delivery proves only that
/// *an* event of this type happened now. Before you act on its `data`, fetch the object through the
/// API, with `WebhookEvent.confirm`.
///
/// Immutable, safe to share between threads, and usable on both sides of a fork.
///
/// Args:
///     secret: The API secret, which signs webhooks (there is no separate webhook secret), as `str`,
///         `bytes` or `bytearray`. It may be a list of secrets: the current one first, then recently
///         replaced ones. It may be a `Client`, whose pair is used; after a reset its previous pair is
///         accepted for 15 minutes. Secrets are copied as by `Credentials`: a `bytearray` is filled
///         with zeros, and a `str` or `bytes` stays in memory. With a `Client`, a delivery before its
///         first call waits until the pair is read, at most for the client's timeout: call `verify` or
///         `reload` when the receiver starts. If the source cannot be read, deliveries fail with that
///         error. Deliveries then run the source's program or callable at most once a second.
///     url: The URL that the receiver is registered with in JustCall, character for character, or a
///         list of URLs. A delivery that was signed for another URL is refused. Otherwise the operator
///         of another endpoint of the account could forward its deliveries to this one. `ANY_URL`
///         accepts every URL: check the event's `url` then.
///     tolerance: How far the time of a delivery may be from now, in the past and in the future, in
///         seconds. Fractions are rounded up. The service retries for up to an hour, perhaps with the
///         same signature.
///     replay_check: A callable that records the `WebhookEvent` and returns a `bool`: whether it was
///         seen before. It is called last. Two genuine events of one type in one second have the same
///         signature, so compare more than the signature.
///
/// Raises `CredentialsMalformedError` if a secret is malformed, and `InvalidArgumentError` if another
/// argument is invalid.
#[pyclass(frozen, dict, weakref, module = "justcall_auth")]
pub(crate) struct WebhookVerifier {
    verifier: justcall_auth::WebhookVerifier,
    client: Option<Arc<Py<Client>>>,
    replay_check: Option<Held>,
}

#[pymethods]
impl WebhookVerifier {
    #[new]
    #[pyo3(
        signature = (secret, *, url, tolerance = Tolerance::usual(), replay_check = None),
        text_signature = "(secret, *, url, tolerance=600.0, replay_check=None)"
    )]
    fn new(
        py: Python<'_>,
        secret: &Bound<'_, PyAny>,
        url: &Bound<'_, PyAny>,
        tolerance: Tolerance,
        replay_check: Option<Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let mut verifier = for_urls(py, url)?;
        verifier.set_tolerance(tolerance.0);
        let client = secret.cast::<Client>().ok().map(|client| Arc::new(client.clone().unbind()));
        if let Some(client) = &client {
            let secrets = Arc::new(SecretsOf(client.clone()));
            verifier.use_secrets_of(secrets).map_err(|error| exception(py, &error))?;
        } else {
            add_secrets(&mut verifier, secret)?;
        }
        if let Some(check) = &replay_check {
            callback("replay_check", check, "a callable or None")?;
        }
        Ok(Self { verifier, client, replay_check: replay_check.map(Held::new) })
    }

    /// Verifies one delivery. Returns its event.
    ///
    /// Args:
    ///     headers: The headers of the request, with names in any case: a mapping, or pairs, of `str` or
    ///         `bytes`. A WSGI `environ` is accepted too.
    ///     body: The request's body as received, `bytes`, `bytearray`, `memoryview` or `str`, at most 1
    ///         MiB.
    ///     now: The current time in seconds since the epoch. None means the clock of this machine.
    ///     timeout: How long a delivery waits until the pair of a client is read, in seconds. None or 0
    ///         means no limit. The default is the client's timeout.
    ///     cancel: A `Cancel` that can end this wait.
    ///
    /// Raises the first that applies: `WebhookUnsignedError` (the probe that JustCall sends when a URL is
    /// saved is unsigned: respond with 200 and do nothing else), `WebhookVersionError`,
    /// `WebhookMalformedError`, `WebhookMismatchError`, `WebhookStaleError`, `WebhookWrongUrlError`,
    /// `WebhookReplayedError`. With a client it also raises the exceptions of `Client.authorization`. An
    /// exception of `replay_check` is raised unchanged.
    #[pyo3(signature = (headers, body, now = None, *, timeout = CallTimeout(None), cancel = None))]
    fn verify<'py>(
        &self,
        py: Python<'py>,
        headers: &Bound<'py, PyAny>,
        body: &Bound<'py, PyAny>,
        now: Option<Now>,
        timeout: CallTimeout,
        cancel: Option<CancelArgument>,
    ) -> PyResult<WebhookEvent> {
        let found = fitting(|| signing_headers(headers))?;
        let headers =
            WebhookHeaders::find(found.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())));
        let body = match body.cast_exact::<PyBytes>() {
            Ok(bytes) => bytes.clone(),
            Err(_) => value::bytes(py, &body::bytes("body", body)?)?,
        };
        let now = now.map_or_else(unix_seconds, |now| now.0);

        let replay = self.replay_check.as_ref().map(|check| ReplayCheckCall {
            check,
            body: body.as_unbound(),
            raised: Mutex::new(None),
        });
        let bytes = body.as_bytes();
        let work = || match &replay {
            Some(replay) => self.verifier.verify_asking(&headers, bytes, now, replay),
            None => self.verifier.verify(&headers, bytes, now),
        };
        // With secrets, verification does not block. With a client, its source may have to be read.
        let result = if self.client.is_some() {
            running::run(py, options(timeout, cancel), work).into_result(py)
        } else {
            work().map_err(|error| exception(py, &error))
        };
        match replay.and_then(ReplayCheckCall::raised) {
            Some(raised) => Err(raised),
            None => Ok(WebhookEvent::new(result?, body)),
        }
    }

    /// The results of the deliveries of this verifier in this process, as OpenMetrics 1.0 text.
    ///
    /// The counter is `justcall_auth_webhooks_total`. Its label `result` is `ok` or the name of the error.
    /// An exception of `replay_check` counts as `invalid_argument`, unless it is an error of this package.
    /// Arguments of a wrong type are not counted. The text contains no secret, URL or content of a
    /// delivery.
    ///
    /// `Client.usage` has the results of all verifiers that use its pair. Serve one of the two texts to a
    /// monitor: the sum of both counts each delivery twice. A child of a fork starts at zero.
    #[getter]
    fn usage(&self, py: Python<'_>) -> PyResult<String> {
        detached(py, || Ok(self.verifier.usage()))
    }

    #[expect(clippy::unused_self, reason = "a method in Python")]
    fn __repr__(&self) -> &'static str {
        "<WebhookVerifier>"
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        if let Some(client) = &self.client {
            visit.call(&**client)?;
        }
        self.replay_check.as_ref().map_or(Ok(()), |check| check.traverse(&visit))
    }
}

/// The secrets of a Python client: those of its pair at the time of each delivery.
struct SecretsOf(Arc<Py<Client>>);

impl SigningSecrets for SecretsOf {
    fn find(&self, is_signer: &mut dyn FnMut(&[u8]) -> bool) -> Result<Option<usize>, Error> {
        call_of(&self.0.get().open_client()?).find_signer(is_signer)
    }

    fn delivered(&self, failure: Option<ErrorKind>) {
        self.0.get().delivered(failure);
    }
}

/// Creates a verifier for the argument `url`.
fn for_urls(py: Python<'_>, url: &Bound<'_, PyAny>) -> PyResult<justcall_auth::WebhookVerifier> {
    static ANY_URL: Lazy<PyAny> = Lazy::new();
    if !is_text(url) && url.is(capi::imported(py, &ANY_URL, "justcall_auth._webhook", "ANY_URL")?) {
        return Ok(justcall_auth::WebhookVerifier::for_any_url());
    }
    let refused = |error: Error| exception(py, &error);
    let mut verifier = None;
    for url in several("url", url, "str, a list of them or ANY_URL")? {
        let url = text("url", &url)?;
        match &mut verifier {
            None => verifier = Some(justcall_auth::WebhookVerifier::for_url(&url).map_err(refused)?),
            Some(verifier) => verifier.add_url(&url).map_err(refused)?,
        }
    }
    verifier.ok_or_else(|| invalid(py, "url", "is an empty list"))
}

/// Adds the secret or secrets of the argument `secret`.
fn add_secrets(verifier: &mut justcall_auth::WebhookVerifier, secret: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = secret.py();
    let secrets = several("secret", secret, "str, bytes, bytearray, a list of them or a Client")?;
    if secrets.is_empty() {
        return Err(invalid(py, "secret", "is an empty list"));
    }
    // All are copied before any is wiped, because they may be one object. All are wiped even if one is invalid.
    let copies: Vec<_> = secrets.iter().map(|secret| copy("secret", secret, MAX_TEXT)).collect();
    secrets.iter().for_each(wipe);
    for copy in copies {
        verifier.add_secret(copy?.as_ref()).map_err(|error| exception(py, &error))?;
    }
    Ok(())
}

/// Returns the items of the argument `name`: a single text, or an iterable.
fn several<'py>(name: &str, object: &Bound<'py, PyAny>, wanted: &str) -> PyResult<Vec<Bound<'py, PyAny>>> {
    if is_text(object) {
        return Ok(vec![object.clone()]);
    }
    let several = capi::list(object);
    several.map(|several| several.iter().collect()).map_err(|failure| {
        if failure.is_instance_of::<PyTypeError>(object.py()) {
            wrong_type(object, name, wanted)
        } else {
            failure
        }
    })
}

/// The program's `replay_check`, for one delivery.
struct ReplayCheckCall<'a> {
    check: &'a Held,
    body: &'a Py<PyBytes>,
    raised: Mutex<Option<PyErr>>,
}

impl ReplayCheckCall<'_> {
    fn raised(self) -> Option<PyErr> {
        self.raised.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn call(&self, py: Python<'_>, event: &justcall_auth::WebhookEvent) -> PyResult<bool> {
        let result =
            capi::call(self.check.bind(py), (WebhookEvent::new(event.clone(), self.body.bind(py).clone()),))?;
        // A result that is not a bool is probably a missing `return` or `await`.
        let seen = match result.cast::<PyBool>() {
            Ok(seen) => Ok(seen.is_true()),
            Err(_) => Err(wrong_type(&result, "the result of replay_check", "bool")),
        };
        capi::release(py, result.unbind());
        seen
    }
}

impl ReplayCheck for ReplayCheckCall<'_> {
    fn was_seen(&self, event: &justcall_auth::WebhookEvent) -> Result<bool, Error> {
        let seen = running::in_python(|py, _| {
            fitting(|| self.call(py, event)).map_err(|raised| {
                let error = Error::new(kind_of(py, &raised));
                *self.raised.lock().unwrap_or_else(PoisonError::into_inner) = Some(raised);
                error
            })
        });
        // `None`: the interpreter is shutting down.
        seen.unwrap_or_else(|| Err(Error::new(ErrorKind::Cancelled)))
    }
}

fn unix_seconds() -> i64 {
    i64::try_from(justcall_auth::unix_time().as_secs()).unwrap_or(i64::MAX)
}
