//! `WebhookEvent`: what a verified delivery tells. A native class: making one of Python's own took a tenth of the time of a
//! verification.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use justcall_auth::webhook;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict, PyTuple, PyType};

use crate::arguments::{Timestamp, text};
use crate::capi;
use crate::errors::exception;

/// A verified delivery. Certain are its `url`, its `type` and its `timestamp`, and nothing else.
///
/// The body is not signed: whoever has one genuine delivery can send it with another body. So before you act
/// on what the body says, fetch the object again through the API, with `confirm`.
///
/// `repr` leaves out the body, which is the customer's data, and the URL, which may hold a token; a pickle
/// holds both.
///
/// Programs that test how they handle events may make their own, with `InvalidArgumentError` for a signature
/// that is not 64 hexadecimal digits. Immutable, hashable, picklable; equal when
/// every part is.
#[pyclass(frozen, module = "justcall_auth")]
pub(crate) struct WebhookEvent {
    event: justcall_auth::WebhookEvent,
    body: Py<PyBytes>,
}

impl WebhookEvent {
    /// The event with the body that it came in.
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

    /// The URL that the delivery was signed for: one of those that the verifier expects.
    #[getter]
    fn url(&self) -> &str {
        self.event.url()
    }

    /// The event's type, such as `call.completed`.
    #[getter]
    fn r#type(&self) -> &str {
        self.event.event_type()
    }

    /// When it was signed, in whole seconds since the epoch, as `time.time` counts them.
    #[getter]
    #[expect(clippy::cast_precision_loss, reason = "no time of a signature comes near 2^53 seconds")]
    fn timestamp(&self) -> f64 {
        self.event.timestamp() as f64
    }

    /// The body as it came. It is not signed.
    #[getter]
    fn body<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        self.body.bind(py).clone()
    }

    /// Which secret signed it, from 0 in the order they were given; of a client, 0 is the current one.
    #[getter]
    fn secret_index(&self) -> usize {
        self.event.secret_index()
    }

    /// The signature, 64 lower-case hexadecimal digits.
    ///
    /// The same for every repetition of a delivery, but also for another event of the type in that second.
    #[getter]
    fn signature(&self) -> &str {
        self.event.signature()
    }

    /// The body as JSON, which is a `dict`. It is not signed: what its `data` says may be forged.
    ///
    /// Raises `ValueError` for a number that Python does not read, of thousands of digits.
    fn json<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        static LOADS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        capi::call_package(LOADS.import(py, "json", "loads")?, (self.body.bind(py),), None)
    }

    /// Where the API has the object that the event is about, such as `/v2.1/calls/100042`.
    ///
    /// Raises `WebhookMalformedError` when the body names no object, and `InvalidArgumentError` when it is
    /// not known where the API has the objects of this type of event.
    fn object_path(&self, py: Python<'_>) -> PyResult<String> {
        webhook::object_path(self.event.event_type(), self.body.as_bytes(py))
            .map_err(|error| exception(py, &error))
    }

    /// Fetches the object that the event is about again, through the API: `client.get(object_path())`.
    ///
    /// What the answer says is true, where the body may lie.
    ///
    /// Raises `NotFoundError` when the account has no such object, and what else `client.get` and
    /// `object_path` raise.
    fn confirm<'py>(&self, client: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let get = capi::getattr(client, intern!(client.py(), "get"))?;
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

    /// Pickles every part, by every protocol.
    #[expect(clippy::type_complexity, reason = "it is what the protocol of pickle asks for")]
    fn __reduce__<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyType>, Bound<'py, PyTuple>, Bound<'py, PyDict>))> {
        let arguments = (self.url(), self.r#type(), self.timestamp(), self.body(py)).into_pyobject(py)?;
        let named = PyDict::new(py);
        named.set_item("secret_index", self.secret_index())?;
        named.set_item("signature", self.signature())?;
        let make = py.import("copyreg")?.getattr("__newobj_ex__")?;
        Ok((make, (py.get_type::<Self>(), arguments, named)))
    }
}
