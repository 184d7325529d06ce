//! Converts events to the package's `Event`, which is written in Python, and passes them to logging and to the handler.

use justcall_auth::{Event, EventKind, Observe};
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::pyclass::{PyTraverseError, PyVisit};
use pyo3::types::PyType;

use crate::arguments::callback;
use crate::capi;
use crate::held::Held;
use crate::lazy::{Lazy, interned};
use crate::running::{self, Running};
use crate::value::value;

/// The argument `on_event`: a callable.
pub(crate) struct OnEvent(Held);

/// The argument `on_request` or `on_response`: a callable.
pub(crate) struct OnCall(pub(super) Held);

impl FromPyObject<'_, '_> for OnCall {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        callback("on_request and on_response", &object, "a callable that takes a CallRecord, or None")?;
        Ok(Self(Held::new(object.to_owned())))
    }
}

impl FromPyObject<'_, '_> for OnEvent {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        callback("on_event", &object, "a callable that takes an Event, or None")?;
        Ok(Self(Held::new(object.to_owned())))
    }
}

/// Passes events to Python's `logging`, and to the client's handlers if it has any.
pub(crate) struct Observer {
    events: Option<Held>,
    /// Called before each call.
    pub(crate) before: Option<Held>,
    /// Called after each call.
    pub(crate) after: Option<Held>,
}

impl Observer {
    pub(crate) fn new(
        on_event: Option<OnEvent>,
        on_request: Option<OnCall>,
        on_response: Option<OnCall>,
    ) -> Self {
        Self {
            events: on_event.map(|handler| handler.0),
            before: on_request.map(|handler| handler.0),
            after: on_response.map(|handler| handler.0),
        }
    }

    /// Visits the handlers for the garbage collector.
    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        let handlers = [&self.events, &self.before, &self.after];
        handlers.into_iter().flatten().try_for_each(|handler| handler.traverse(visit))
    }
}

impl Observe for Observer {
    fn happened(&self, happened: &Event) {
        // Events are dropped while the interpreter shuts down.
        running::in_python(|py, call| match event(py, happened) {
            Ok(event) => {
                if let (EventKind::Retrying, Some(call)) = (happened.kind(), call) {
                    call.count_retry();
                }
                log(&event).unwrap_or_else(|failure| survive(py, call, failure, None));
                if let Some(handler) = &self.events {
                    let handler = handler.bind(py);
                    match capi::call(handler, (event,)) {
                        Ok(returned) => capi::release(py, returned.unbind()),
                        Err(failure) => survive(py, call, failure, Some(handler)),
                    }
                }
            }
            Err(failure) => survive(py, call, failure, None),
        });
    }
}

fn log(event: &Bound<'_, PyAny>) -> PyResult<()> {
    static LOG: Lazy<PyAny> = Lazy::new();
    // Handlers of `logging` are code of the program.
    capi::call(capi::imported(event.py(), &LOG, "justcall_auth._event", "log")?, (event,)).map(drop)
}

/// Handles an exception of a handler. It is passed to `sys.unraisablehook`, and the call continues. An exception that ends
/// programs or tasks, such as Ctrl-C while the handler runs, ends the call.
fn survive(py: Python<'_>, call: Option<&Running>, raised: PyErr, who: Option<&Bound<'_, PyAny>>) {
    match call {
        Some(call) if !raised.is_instance_of::<PyException>(py) => call.end_with(raised),
        _ => capi::write_unraisable(py, raised, who),
    }
}

/// Returns the Python object for `event`.
fn event<'py>(py: Python<'py>, event: &Event) -> PyResult<Bound<'py, PyAny>> {
    static EVENT: Lazy<PyType> = Lazy::new();
    let class = capi::imported(py, &EVENT, "justcall_auth._event", "Event")?;
    let fields = [
        (interned!(py, "name"), event.kind().name().into_pyobject(py)?.into_any()),
        (interned!(py, "message"), event.message().into_pyobject(py)?.into_any()),
        (interned!(py, "generation"), event.generation().into_pyobject(py)?.into_any()),
        (interned!(py, "http_status"), event.http_status().into_pyobject(py)?.into_any()),
        (interned!(py, "wait"), event.wait().map(|wait| wait.as_secs_f64()).into_pyobject(py)?),
    ];
    value(class, fields)
}

/// Returns the names of all events.
#[pyfunction]
pub(crate) fn event_names() -> Vec<&'static str> {
    EventKind::ALL.iter().map(|kind| kind.name()).collect()
}
