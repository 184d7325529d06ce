//! `WebhookEvent`: a verified delivery. It is a native class, because the creation of a Python object took a tenth of
//! the time of a verification.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use justcall_auth::webhook;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyTuple, PyType};

use crate::arguments::{Timestamp, text};
use crate::capi;
use crate::errors::exception;
use crate::lazy::{Lazy, interned};

/// A verified delivery. Only its `url`, `type` and `timestamp` are verified.
///
/// **The body is not signed.** Anyone who has one genuine delivery can send it with another body.
/// Before you act on the body, fetch the object through the API, with `confirm`.
///
/// `repr` leaves out the body, which is the customer's data, and the URL, which may contain a token. A
/// pickle contains both.
///
/// Immutable, hashable and picklable. Two events are equal if all their parts are. Tests of programs
/// can create events.
///
/// Args:
///     url: The URL that the delivery was signed for.
///     type: The event's type, such as `call.completed`.
///     timestamp: The time of the signature, in seconds since the epoch.
///     body: The body.
///     secret_index: The index of the secret that signed the delivery.
///     signature: The signature, 64 hexadecimal digits. None means zeros.
///
/// Raises `InvalidArgumentError` if the signature is not 64 hexadecimal digits.
#[pyclass(frozen, module = "justcall_auth")]
pub(crate) struct WebhookEvent {
    event: justcall_auth::WebhookEvent,
    body: Py<PyBytes>,
}

impl WebhookEvent {
    /// Creates an event with the body of its delivery.
    pub(crate) fn new(event: justcall_auth::WebhookEvent, body: Bound<'_, PyBytes>) -> Self {
        Self { event, body: body.unbind() }
    }
}

#[pymethods]
impl WebhookEvent {
    #[new]
    #[pyo3(
        signature = (url, r#type, timestamp, body, *, secret_index = 0, signature = None),
        text_signature = "(url, type, timestamp, body, *, secret_index=0, signature=None)"
    )]
    fn make(
        py: Python<'_>,
        url: &Bound<'_, PyAny>,
        r#type: &Bound<'_, PyAny>,
        timestamp: Timestamp,
        body: Py<PyBytes>,
        secret_index: usize,
        signature: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let signature = signature.map_or_else(|| Ok("0".repeat(64)), |digits| text("signature", digits))?;
        let (url, event_type) = (text("url", url)?, text("type", r#type)?);
        justcall_auth::WebhookEvent::unverified(url, event_type, timestamp.0, secret_index, &signature)
            .map(|event| Self { event, body })
            .map_err(|error| exception(py, &error))
    }

    /// The URL that the delivery was signed for: one of the URLs that the verifier expects.
    #[getter]
    fn url(&self) -> &str {
        self.event.url()
    }

    /// The event's type, such as `call.completed`.
    #[getter]
    fn r#type(&self) -> &str {
        self.event.event_type()
    }

    /// The time of the signature, in whole seconds since the epoch, as in `time.time`.
    #[getter]
    #[expect(clippy::cast_precision_loss, reason = "the time of a signature is far below 2^53 seconds")]
    fn timestamp(&self) -> f64 {
        self.event.timestamp() as f64
    }

    /// The body as received. It is not signed.
    #[getter]
    fn body<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        self.body.bind(py).clone()
    }

    /// The index of the secret that signed the delivery, from 0 in the order of the secrets.
    ///
    /// With a client, 0 is the current secret.
    #[getter]
    fn secret_index(&self) -> usize {
        self.event.secret_index()
    }

    /// The signature, 64 lower-case hexadecimal digits.
    ///
    /// Every repetition of a delivery has the same signature. Another event of the same type in the same
    /// second has it too.
    #[getter]
    fn signature(&self) -> &str {
        self.event.signature()
    }

    /// Returns the body, decoded from JSON: a `dict`. It is not signed: its `data` may be forged.
    ///
    /// Raises `ValueError` if a number has more digits than Python accepts.
    fn json<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        static LOADS: Lazy<PyAny> = Lazy::new();
        capi::call_package(capi::imported(py, &LOADS, "json", "loads")?, (self.body.bind(py),), None)
    }

    /// Returns the API path of the object that the event is about, such as `/v2.1/calls/100042`.
    ///
    /// Raises `WebhookMalformedError` if the body names no object, and `InvalidArgumentError` if the path
    /// for this type of event is not known.
    fn object_path(&self, py: Python<'_>) -> PyResult<String> {
        webhook::object_path(self.event.event_type(), self.body.as_bytes(py))
            .map_err(|error| exception(py, &error))
    }

    /// Fetches the object of the event through the API. Returns the result of `client.get(object_path())`.
    ///
    /// The response can be trusted, unlike the body.
    ///
    /// Args:
    ///     client: A `Client`, or any object with such a method `get`. With an `AsyncClient` the result is
    ///         awaited.
    ///
    /// Raises `NotFoundError` if the account has no such object, and the other exceptions of `client.get`
    /// and `object_path`.
    fn confirm<'py>(&self, client: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let get = capi::getattr(client, interned!(client.py(), "get"))?;
        capi::call(&get, (self.object_path(client.py())?,))
    }

    fn __repr__(&self) -> String {
        format!("<WebhookEvent {:?} at {}>", self.event.event_type(), self.event.timestamp())
    }

    fn __eq__(&self, py: Python<'_>, other: &Self) -> bool {
        self.event == other.event && self.body.as_bytes(py) == other.body.as_bytes(py)
    }

    fn __hash__(&self, py: Python<'_>) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.event.hash(&mut hasher);
        self.body.as_bytes(py).hash(&mut hasher);
        hasher.finish()
    }

    /// Pickles every part, with every protocol.
    #[expect(clippy::type_complexity, reason = "the pickle protocol requires it")]
    fn __reduce__<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyType>, Bound<'py, PyTuple>, Bound<'py, PyDict>))> {
        static MAKE: Lazy<PyAny> = Lazy::new();
        let arguments = (self.url(), self.r#type(), self.timestamp(), self.body(py)).into_pyobject(py)?;
        let named = PyDict::new(py);
        named.set_item("secret_index", self.secret_index())?;
        named.set_item("signature", self.signature())?;
        let make = capi::imported(py, &MAKE, "copyreg", "__newobj_ex__")?;
        Ok((make.clone(), (py.get_type::<Self>(), arguments, named)))
    }
}
