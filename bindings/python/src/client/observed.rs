//! The record of a call, for the logger and for the hooks of the client.

use std::sync::Arc;

use pyo3::exceptions::{PyException, PyMemoryError};
use pyo3::prelude::*;

use super::Client;
use crate::capi;
use crate::errors::{fitting, received};
use crate::event::Observer;
use crate::held::Held;
use crate::lazy::Lazy;

/// A call that is observed, from its begin to its end.
pub(crate) struct Observation {
    observer: Arc<Observer>,
    record: Py<PyAny>,
}

impl Client {
    /// Makes a call, and records it if the client has a hook or the logger is enabled for it. `make` sets its argument
    /// to the number of retries.
    pub(super) fn observed<'py>(
        &self,
        py: Python<'py>,
        method: &str,
        path: &str,
        make: impl FnOnce(&mut u32) -> PyResult<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let observation = self.observe(py, method, path)?;
        let mut retries = 0;
        let result = make(&mut retries);
        match observation {
            Some(observation) => observation.end_with(py, &result, retries).and(result),
            None => result,
        }
    }

    /// Begins to observe a call. Returns `None` if the client has no hook and the logger is not enabled for it.
    pub(super) fn observe(&self, py: Python<'_>, method: &str, path: &str) -> PyResult<Option<Observation>> {
        let Some(observer) = self.open.load().as_ref().map(|open| open.observer.clone()) else {
            return Ok(None);
        };
        let record = fitting(|| begin(py, &observer, method, path))?;
        Ok(record.map(|record| Observation { observer, record: record.unbind() }))
    }
}

impl Observation {
    /// Completes the record, logs it, and calls the hook with it. `result` is the response, the account, the HTTP status or
    /// the exception of the call.
    pub(crate) fn end(self, py: Python<'_>, result: &Bound<'_, PyAny>, retries: u32) -> PyResult<()> {
        static END: Lazy<PyAny> = Lazy::new();
        fitting(|| {
            let end = capi::imported(py, &END, "justcall_auth._call_record", "end")?;
            let record = self.record.bind(py);
            // Handlers of `logging` are code of the program.
            survive(py, capi::call(end, (record, result, retries)), None)?;
            run(py, self.observer.after.as_ref(), record)
        })
    }

    /// Completes the record as [`Observation::end`] does, with the result of a function.
    pub(crate) fn end_with(
        self,
        py: Python<'_>,
        result: &PyResult<Bound<'_, PyAny>>,
        retries: u32,
    ) -> PyResult<()> {
        match result {
            Ok(result) => received(py, || self.end(py, result, retries)),
            Err(failure) => match self.end(py, failure.value(py).as_any(), retries) {
                // The failure of the call states more.
                Err(no_memory) if no_memory.is_instance_of::<PyMemoryError>(py) => Ok(()),
                ended => ended,
            },
        }
    }
}

/// Returns the record of a call that begins, after the hook was called with it; `None` if nothing observes the call.
fn begin<'py>(
    py: Python<'py>,
    observer: &Arc<Observer>,
    method: &str,
    path: &str,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    static BEGIN: Lazy<PyAny> = Lazy::new();
    let has_hook = observer.before.is_some() || observer.after.is_some();
    let begin = capi::imported(py, &BEGIN, "justcall_auth._call_record", "begin")?;
    let record = capi::call(begin, (method, path, has_hook))?;
    if record.is_none() {
        return Ok(None);
    }
    run(py, observer.before.as_ref(), &record)?;
    Ok(Some(record))
}

/// Calls a hook.
fn run(py: Python<'_>, hook: Option<&Held>, record: &Bound<'_, PyAny>) -> PyResult<()> {
    let Some(hook) = hook.map(|hook| hook.bind(py)) else { return Ok(()) };
    survive(py, capi::call(hook, (record,)), Some(hook))
}

/// Passes an exception to `sys.unraisablehook`, and the call continues. Returns an exception that ends programs or tasks,
/// such as Ctrl-C while a hook runs.
fn survive(
    py: Python<'_>,
    result: PyResult<Bound<'_, PyAny>>,
    who: Option<&Bound<'_, PyAny>>,
) -> PyResult<()> {
    match result {
        Ok(returned) => capi::release(py, returned.unbind()),
        Err(failure) if failure.is_instance_of::<PyException>(py) => {
            capi::write_unraisable(py, failure, who);
        }
        Err(failure) => return Err(failure),
    }
    Ok(())
}
