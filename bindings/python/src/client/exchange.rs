//! `Exchange`: one call over the program's own HTTP client. Forwards to the library's exchange.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use justcall_auth::exchange::{Action, Cause};
use justcall_auth::{CallOptions, Cancel, Error, ErrorKind, Request, Response};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::pyclass::{PyTraverseError, PyVisit};
use pyo3::types::{PyBytes, PyDict, PyString, PyTuple, PyType};

use super::Client;
use super::observed::Observation;
use crate::arguments::{HttpStatus, invalid, text};
use crate::body::bytes;
use crate::capi;
use crate::classify::headers_of;
use crate::errors::{exception, received, with_request_sent};
use crate::lazy::{Lazy, interned};
use crate::response::response;
use crate::running::{self, Signals};
use crate::value;

/// One call with the program's own HTTP client, such as `http.client`, `httpx` or an event loop.
///
/// An exchange follows the rules of `Client.request`: headers, retries, resets of the pair, the meaning
/// of a response. `Client.exchange` creates it. The client's timeout starts then.
///
/// Call `next` in a loop. It returns what to do: send the request within `remaining` and report the
/// result with `answered` or `failed`, wait, or call `load`. Only `load` blocks, because it may read a
/// file or run a program: an event loop calls it on another thread. The HTTP client must not follow
/// redirects, which would send the pair to another host. The client's `ca_file`, `ca_pem`, `proxy` and
/// `local_address` do not apply to it.
///
/// ::
///
///     with client.exchange("GET", "/v2.1/calls") as exchange:
///         while (action := exchange.next()) is not Action.DONE:
///             if action is Action.SEND:
///                 send(exchange)
///             elif action is Action.LOAD:
///                 exchange.load()
///             else:
///                 time.sleep(action.seconds)
///         response = exchange.response()
///
/// Other calls of the process may wait for an exchange whose action is to load or to send. They stop
/// waiting when it is closed, at its deadline, or after 60 seconds if it has none. The end of a `with`
/// block closes it. Use an exchange on one thread at a time, in the process that created it. If another
/// thread uses it, or in a child of `fork()`, its methods raise `InvalidArgumentError`.
///
/// The `on_request` of the client is called when the exchange is created, and `on_response` when `next`
/// returns `Action.DONE` or raises the failure, or when the exchange is closed before.
#[pyclass(frozen, dict, weakref, module = "justcall_auth")]
pub(crate) struct Exchange {
    client: Py<Client>,
    /// `None` if the exchange is closed. Locked only with `try_lock`.
    open: Mutex<Option<justcall_auth::Exchange>>,
    closed: Cancel,
    /// `None` if nothing observes the call, and after its end.
    observation: Mutex<Option<Observation>>,
    retries: AtomicU32,
}

#[pymethods]
impl Exchange {
    /// Returns what to do now: `Action.SEND`, `Action.LOAD`, `Action.DONE`, or a `Wait`.
    ///
    /// Returns the same action again until a result is reported.
    ///
    /// Raises the final failure of the call, as `Client.request` would, now and at every later call of
    /// `next`.
    fn next<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.advance(py, None)
    }

    /// As `next`, for the adapters. If the call is done, its record has `failure` if there is one.
    fn _next<'py>(&self, py: Python<'py>, failure: Option<Bound<'py, PyAny>>) -> PyResult<Bound<'py, PyAny>> {
        self.advance(py, failure)
    }

    /// Reads the source if the action is `Action.LOAD`; otherwise does nothing.
    ///
    /// May block, without the GIL. `next` returns the action that follows, or raises the failure. A signal
    /// such as Ctrl-C ends the read and the exchange.
    fn load(&self, py: Python<'_>) -> PyResult<()> {
        self.drive(py, |exchange| {
            exchange.load();
            Ok(())
        })
    }

    /// The method of the request to send.
    #[getter]
    fn method<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        self.read(py, |exchange| Ok(PyString::new(py, exchange.method())))
    }

    /// The full URL of the request to send.
    #[getter]
    fn url<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        self.read(py, |exchange| Ok(PyString::new(py, &exchange.url())))
    }

    /// The headers of the request to send, names in lower case; a new `dict`.
    ///
    /// Does not include `Authorization`, or the headers that HTTP itself needs, such as `Host`.
    #[getter]
    fn headers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        self.read(py, |exchange| {
            let headers = PyDict::new(py);
            for (name, value) in exchange.headers() {
                headers.set_item(name, value)?;
            }
            Ok(headers)
        })
    }

    /// The body of the request to send; None if it has no body.
    #[getter]
    fn body<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        self.read(py, |exchange| exchange.outgoing().body().map(|body| value::bytes(py, body)).transpose())
    }

    /// The time until the call's deadline, in seconds; None if the call has no limit.
    ///
    /// It is the timeout for the HTTP client. After the deadline it is 0.0.
    #[getter]
    fn remaining(&self, py: Python<'_>) -> PyResult<Option<f64>> {
        self.read(py, |exchange| Ok(exchange.remaining().map(|left| left.as_secs_f64())))
    }

    /// Whether the request to send verifies the pair.
    ///
    /// Such a request comes before the call's own request if the client has an `expected_account`, and
    /// after it if `/v2/account` responded with 401. Method, URL, headers and body are then those of the
    /// verification.
    #[getter]
    fn is_verifying(&self, py: Python<'_>) -> PyResult<bool> {
        self.read(py, |exchange| Ok(exchange.is_verifying()))
    }

    /// The largest response body that the exchange needs, in bytes after decompression.
    #[getter]
    fn max_body(&self, py: Python<'_>) -> PyResult<usize> {
        self.read(py, |exchange| Ok(exchange.max_body()))
    }

    /// Returns the value of the `Authorization` header of the request to send: a plain copy of the secret.
    ///
    /// The result that is reported next counts for this pair, so call this method immediately before each
    /// request. Do not store, log or print the value.
    ///
    /// Raises `InvalidArgumentError` if the action is not `Action.SEND`.
    fn authorization<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        let pair = self.drive(py, justcall_auth::Exchange::authorization)?;
        pair.expose_authorization(|header| PyString::from_bytes(py, header))
    }

    /// Reports the response to the request. `next` returns what follows.
    ///
    /// Does nothing if the action is not `Action.SEND`.
    ///
    /// Args:
    ///     http_status: The HTTP status.
    ///     headers: A mapping, or an iterable of pairs, of names and values, each `str` or `bytes`.
    ///     body: The whole body, decompressed: `bytes`, `bytearray`, `memoryview` or `str`.
    ///
    /// Raises `InvalidArgumentError` if the status is not from 0 to 65535; the exchange is then unchanged.
    fn answered(
        &self,
        py: Python<'_>,
        http_status: HttpStatus,
        headers: &Bound<'_, PyAny>,
        body: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let answer =
            received(py, || Ok(Response::new(http_status.0, headers_of(headers)?, bytes("body", body)?)))?;
        self.drive(py, |exchange| {
            exchange.answered(answer.clone());
            Ok(())
        })?;
        self.client.get().record_rate_limit(&answer);
        Ok(())
    }

    /// Reports that the HTTP client got no response. `next` returns what follows.
    ///
    /// Does nothing if the action is not `Action.SEND`. If the call is not retried, it fails as with the
    /// built-in HTTP client: with `ConnectionFailedError`, `TlsFailedError`, `RequestTimeoutError` or
    /// `CallCancelledError`.
    ///
    /// Args:
    ///     cause: `resolve` (the address was not found), `connect` (no connection was made), `tls` (the
    ///         handshake failed, for example because the certificate is not trusted), `timeout` (the HTTP
    ///         client ran out of time), `closed` (the connection was closed or reset before the response
    ///         was complete) or `cancelled` (the program ended the request).
    ///     request_sent: Whether any byte of the request may have been sent. With False even a `POST` may
    ///         be sent again. If in doubt, pass True.
    ///
    /// Raises `InvalidArgumentError` if the cause is another word; the exchange is then unchanged.
    fn failed(&self, py: Python<'_>, cause: &Bound<'_, PyAny>, request_sent: bool) -> PyResult<()> {
        let named = text("cause", cause).map_err(|failure| with_request_sent(py, failure, request_sent))?;
        let cause = Cause::ALL.iter().copied().find(|cause| cause.name() == named).ok_or_else(|| {
            let all: Vec<_> = Cause::ALL.iter().map(|cause| cause.name()).collect();
            invalid(py, "cause", &format!("is not one of {}", all.join(", ")))
        })?;
        self.drive(py, |exchange| {
            exchange.failed(cause, request_sent);
            Ok(())
        })
    }

    /// Returns the response, whose status is from 200 to 299, after `Action.DONE`. May be called again.
    ///
    /// Raises the exceptions of `next`, and `InvalidArgumentError` if the call is not complete.
    fn response<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let answer = self.drive(py, |exchange| exchange.response().cloned())?;
        received(py, || response(py, &answer, &justcall_auth::service::rate_limit(&answer)))
    }

    /// Cancels the call, from any thread. Later calls of its methods raise `CallCancelledError`.
    ///
    /// Does not stop a request of the program's HTTP client. A second call does nothing.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        self.closed.fire();
        self.release();
        self.end_record(py, || Ok(closed(py).into_value(py).into_bound(py).into_any()))
    }

    fn __enter__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, Self>> {
        slf.get().read(slf.py(), |_| Ok(slf.clone()))
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, PyTuple>) -> PyResult<()> {
        self.close(py)
    }

    fn __repr__(&self) -> &'static str {
        if self.closed.is_fired() { "<Exchange closed>" } else { "<Exchange open>" }
    }

    /// Raises `TypeError`: an exchange belongs to its process.
    #[expect(clippy::unused_self, reason = "a method in Python")]
    fn __reduce__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err(
            "An Exchange cannot be pickled or copied, because it belongs to its process.",
        ))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.client)
    }
}

impl Exchange {
    /// Creates an exchange for `request`, within the limits of `options`.
    pub(crate) fn begin(
        client: &Bound<'_, Client>,
        request: Request,
        mut options: CallOptions,
    ) -> PyResult<Self> {
        let closed = Cancel::new();
        let library = client.get().client(client.py())?;
        options.add_cancel(closed.clone()).set_interrupt(Arc::new(Signals));
        let observation = client.get().observe(client.py(), request.method(), request.path())?;
        let exchange = library.call().with_options(&options).exchange(request);
        Ok(Self {
            client: client.clone().unbind(),
            open: Mutex::new(Some(exchange)),
            closed,
            observation: Mutex::new(observation),
            retries: AtomicU32::new(0),
        })
    }

    /// Returns the next action. Ends the record of the call if the call is over, with `failure` if there is one.
    fn advance<'py>(
        &self,
        py: Python<'py>,
        failure: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let next = |exchange: &mut justcall_auth::Exchange| {
            let action = exchange.next();
            let status = exchange.response().map_or(0, Response::http_status);
            Ok((action, status))
        };
        let (action, status) = self.drive(py, next)?;
        let action = match action {
            Ok(action) => action,
            Err(error) => {
                let raised = exception(py, &error);
                self.end_record(py, || Ok(raised.value(py).clone().into_any()))?;
                return Err(raised);
            }
        };
        if matches!(action, Action::Done) {
            let status = || Ok(status.into_pyobject(py)?.into_any());
            self.end_record(py, || failure.map_or_else(status, Ok))?;
        }
        match action {
            Action::Send { .. } => member(py, interned!(py, "SEND")),
            Action::Load => member(py, interned!(py, "LOAD")),
            Action::Done => member(py, interned!(py, "DONE")),
            Action::Wait(wait) => {
                static WAIT: Lazy<PyType> = Lazy::new();
                let class = capi::imported(py, &WAIT, "justcall_auth._exchange", "Wait")?;
                capi::call_package(class, (wait.as_secs_f64(),), None)
            }
        }
    }

    /// Ends the record of the call, if nothing ended it before. `result` returns the status or the failure.
    fn end_record<'py>(
        &self,
        py: Python<'py>,
        result: impl FnOnce() -> PyResult<Bound<'py, PyAny>>,
    ) -> PyResult<()> {
        // Taken before the hook runs, which may use the exchange.
        let observation = self.observation.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(observation) = observation else { return Ok(()) };
        observation.end(py, &result()?, self.retries.load(Ordering::Relaxed))
    }

    /// Reads from the exchange, with the GIL.
    fn read<T>(
        &self,
        py: Python<'_>,
        read: impl FnOnce(&justcall_auth::Exchange) -> PyResult<T>,
    ) -> PyResult<T> {
        let held = self.take(py)?;
        read(held.as_ref().ok_or_else(|| closed(py))?)
    }

    /// Runs one step of the exchange, without the GIL.
    fn drive<T: Send>(
        &self,
        py: Python<'_>,
        step: impl FnOnce(&mut justcall_auth::Exchange) -> Result<T, Error> + Send,
    ) -> PyResult<T> {
        self.client.get().refuse_in_its_source().map_err(|error| exception(py, &error))?;
        let mut held = self.take(py)?;
        let exchange = held.as_mut().ok_or_else(|| closed(py))?;
        let outcome = running::run(py, CallOptions::new(), || step(exchange));
        self.retries.fetch_add(outcome.retries(), Ordering::Relaxed);
        drop(held);
        if self.closed.is_fired() {
            self.release();
        }
        outcome.into_result(py)
    }

    fn take(&self, py: Python<'_>) -> PyResult<MutexGuard<'_, Option<justcall_auth::Exchange>>> {
        match self.open.try_lock() {
            Ok(held) => Ok(held),
            Err(TryLockError::Poisoned(held)) => Ok(held.into_inner()),
            Err(TryLockError::WouldBlock) => Err(exception(
                py,
                &Error::invalid_argument(
                    "The exchange is already in use by another thread, or by the step that reports the current event.",
                ),
            )),
        }
    }

    /// Releases the exchange, for which other calls may wait. If a step is running, it releases the exchange at its end.
    fn release(&self) {
        if let Ok(mut held) = self.open.try_lock() {
            let exchange = held.take();
            drop(held);
            drop(exchange);
        }
    }
}

/// Returns the member of `Action` with this name.
fn member<'py>(py: Python<'py>, name: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>> {
    static ACTION: Lazy<PyType> = Lazy::new();
    capi::getattr(capi::imported(py, &ACTION, "justcall_auth._exchange", "Action")?, name)
}

fn closed(py: Python<'_>) -> PyErr {
    exception(py, &Error::with_message(ErrorKind::Cancelled, "The exchange is closed."))
}
