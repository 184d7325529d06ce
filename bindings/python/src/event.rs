//! Converts events to the package's `Event`, which is written in Python, and passes them to logging and to the handler.

use justcall_auth::{Event, EventKind, Observe};
use pyo3::exceptions::PyException;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::pyclass::{PyTraverseError, PyVisit};
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

use crate::arguments::callback;
use crate::capi;
use crate::held::Held;
use crate::running::{self, Running};
use crate::value::value;

/// The argument `on_event`: a callable.
pub(crate) struct OnEvent(pub(crate) Held);

impl FromPyObject<'_, '_> for OnEvent {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        callback("on_event", &object, "a callable that takes an Event, or None")?;
        Ok(Self(Held::new(object.to_owned())))
    }
}

/// Passes events to Python's `logging`, and to the client's handler if it has one.
pub(crate) struct Observer(pub(crate) Option<Held>);

impl Observer {
    /// Visits the handler for the garbage collector.
    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.0.as_ref().map_or(Ok(()), |handler| handler.traverse(visit))
    }
}

impl Observe for Observer {
    fn happened(&self, happened: &Event) {
        // Events are dropped while the interpreter shuts down.
        running::in_python(|py, call| match event(py, happened) {
            Ok(event) => {
                log(&event).unwrap_or_else(|failure| survive(py, call, failure, None));
                if let Some(handler) = &self.0 {
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
    static LOG: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
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
    static EVENT: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let class = capi::imported(py, &EVENT, "justcall_auth._event", "Event")?;
    let fields = [
        (intern!(py, "name"), event.kind().name().into_pyobject(py)?.into_any()),
        (intern!(py, "message"), event.message().into_pyobject(py)?.into_any()),
        (intern!(py, "generation"), event.generation().into_pyobject(py)?.into_any()),
        (intern!(py, "http_status"), event.http_status().into_pyobject(py)?.into_any()),
        (intern!(py, "wait"), event.wait().map(|wait| wait.as_secs_f64()).into_pyobject(py)?),
    ];
    value(class, fields)
}

/// Returns the names of all events.
#[pyfunction]
pub(crate) fn event_names() -> Vec<&'static str> {
    EventKind::ALL.iter().map(|kind| kind.name()).collect()
}
