//! Creates a request from the arguments of Python's methods.

use justcall_auth::{Client, Error, Request};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyFloat, PyInt, PyList, PyString, PyTuple};

use crate::arguments::{Method, Path, invalid, refusal, text, wrong_type};
use crate::body::{bytes, json};
use crate::capi;
use crate::errors::exception;
use crate::lazy::Lazy;
use crate::pairs::{is_text, pairs};

/// The contents of a request, apart from its method and path.
pub(crate) struct Contents<'py> {
    pub(crate) params: Option<Bound<'py, PyAny>>,
    pub(crate) json: Option<Bound<'py, PyAny>>,
    pub(crate) data: Option<Bound<'py, PyAny>>,
    pub(crate) headers: Option<Bound<'py, PyAny>>,
}

impl Contents<'_> {
    /// Creates a request of `client` with this method, this path and these contents.
    pub(crate) fn request(
        self,
        py: Python<'_>,
        Method(method): Method,
        Path(path): Path,
        client: &Client,
    ) -> PyResult<Request> {
        let refused = |error: Error| exception(py, &error);
        let mut request = client.new_request(&method, &path).map_err(refused)?;
        if let Some(params) = self.params {
            add_params(&mut request, &params)?;
        }
        if let Some(headers) = self.headers {
            for (name, value) in pairs("headers", &headers)? {
                let (name, value) = (text("headers", &name)?, text("headers", &value)?);
                request.set_header(&name, &value).map_err(refused)?;
            }
        }
        match (self.json, self.data) {
            (Some(_), Some(_)) => {
                return Err(invalid(py, "data", "cannot be combined with json: a request has one body"));
            }
            (Some(value), None) => drop(request.set_body(json(&value)?)),
            (None, Some(data)) => drop(request.set_body(bytes("data", &data)?)),
            (None, None) => {}
        }
        Ok(request)
    }
}

fn add_params(request: &mut Request, params: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = params.py();
    for (name, value) in pairs("params", params)? {
        let name = text("params", &name)?;
        for value in values(&value)? {
            if let Some(value) = query_text(&value)? {
                request.add_query(&name, &value).map_err(|error| exception(py, &error))?;
            }
        }
    }
    Ok(())
}

/// Returns the value, or the values of a sequence, for each of which the name is repeated.
fn values<'py>(value: &Bound<'py, PyAny>) -> PyResult<Vec<Bound<'py, PyAny>>> {
    // Nearly every value has one of these types, and the check for a sequence is slow.
    if value.is_exact_instance_of::<PyString>() || value.is_exact_instance_of::<PyInt>() {
        return Ok(vec![value.clone()]);
    }
    if is_text(value) || !is_sequence(value)? {
        return Ok(vec![value.clone()]);
    }
    Ok(capi::list(value)?.iter().collect())
}

fn is_sequence(value: &Bound<'_, PyAny>) -> PyResult<bool> {
    static SEQUENCE: Lazy<PyAny> = Lazy::new();
    if value.is_instance_of::<PyList>() || value.is_instance_of::<PyTuple>() {
        return Ok(true);
    }
    capi::is_instance(value, capi::imported(value.py(), &SEQUENCE, "collections.abc", "Sequence")?)
}

/// Returns the text of the value in the query; `None` for Python's None.
fn query_text(value: &Bound<'_, PyAny>) -> PyResult<Option<String>> {
    if value.is_none() {
        return Ok(None);
    }
    if value.is_instance_of::<PyString>() {
        return text("params", value).map(Some);
    }
    if let Ok(truth) = value.cast::<PyBool>() {
        return Ok(Some(truth.is_true().to_string()));
    }
    let wanted = "of str, int, float, bool, None or sequences of those";
    let why = "contains a number that is not finite or has too many digits";
    let class = if value.is_instance_of::<PyInt>() {
        value.py().get_type::<PyInt>()
    } else if let Ok(number) = value.cast::<PyFloat>() {
        if !number.value().is_finite() {
            return Err(invalid(value.py(), "params", why));
        }
        value.py().get_type::<PyFloat>()
    } else {
        return Err(wrong_type(value, "params", wanted));
    };
    // The digits, even if the class has another text, such as the name of an `IntEnum` member.
    let digits = class.call_method1("__repr__", (value,));
    digits.map_err(|failure| refusal(value, &failure, "params", wanted, why))?.extract().map(Some)
}
