//! What a verified delivery tells as the package's `WebhookEvent`, which is written in Python.

use justcall_auth::WebhookEvent;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyType};

use crate::arguments::text;
use crate::body::bytes;
use crate::errors::exception;
use crate::value::value;

/// The `WebhookEvent` that `event` is in Python, with the body that it came in.
#[expect(clippy::cast_precision_loss, reason = "no time of a signature comes near 2^53 seconds")]
pub(crate) fn webhook_event<'py>(
    event: &WebhookEvent,
    body: &Bound<'py, PyBytes>,
) -> PyResult<Bound<'py, PyAny>> {
    static EVENT: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let py = body.py();
    let fields = [
        (intern!(py, "url"), event.url().into_pyobject(py)?.into_any()),
        (intern!(py, "type"), event.event_type().into_pyobject(py)?.into_any()),
        (intern!(py, "timestamp"), (event.timestamp() as f64).into_pyobject(py)?.into_any()),
        (intern!(py, "body"), body.clone().into_any()),
        (intern!(py, "secret_index"), event.secret_index().into_pyobject(py)?.into_any()),
        (intern!(py, "signature"), event.signature().into_pyobject(py)?.into_any()),
    ];
    value(EVENT.import(py, "justcall_auth._webhook", "WebhookEvent")?, fields)
}

/// Where the API has the object that an event of type `event_type` is about, by what its `body` says.
#[pyfunction]
pub(crate) fn webhook_object_path(
    py: Python<'_>,
    event_type: &Bound<'_, PyAny>,
    body: &Bound<'_, PyAny>,
) -> PyResult<String> {
    justcall_auth::webhook::object_path(&text("event_type", event_type)?, &bytes("body", body)?)
        .map_err(|error| exception(py, &error))
}
