//! Converts arguments for the library. A wrong type raises `TypeError`, an invalid value `InvalidArgumentError`. Both
//! messages name the argument.

use std::num::NonZeroU16;
use std::path::PathBuf;
use std::time::Duration;

use justcall_auth::webhook::DEFAULT_TOLERANCE;
use justcall_auth::{Error, Level, Policy, copy};
use pyo3::exceptions::{PyMemoryError, PyOverflowError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyEllipsis, PyString};

use crate::capi;
use crate::errors::exception;
use crate::exception::out_of_memory;
use crate::lazy::{Lazy, interned};

/// Converts the argument `name` to text. Not for secrets, because the copies are not wiped.
pub(crate) fn text(name: &str, object: &Bound<'_, PyAny>) -> PyResult<String> {
    let encode = || object.cast::<PyString>()?.encode_utf8();
    let encoded = encode().map_err(|failure| {
        refusal(object, &failure, name, "str", "contains a lone surrogate, which cannot be encoded")
    })?;
    let text = std::str::from_utf8(encoded.as_bytes()).expect("Python encodes valid UTF-8");
    copy::text(text).map_err(|error| exception(object.py(), &error))
}

/// Returns the exception for the argument `name` after `failure`. If the type is wrong, the message asks for `wanted`.
/// If the value is invalid, the message has the reason `why`.
///
/// The built-in exceptions are not used: not all name the argument, and a `UnicodeEncodeError` contains the whole text.
pub(crate) fn refusal(
    object: &Bound<'_, PyAny>,
    failure: &PyErr,
    name: &str,
    wanted: &str,
    why: &str,
) -> PyErr {
    let py = object.py();
    if failure.is_instance_of::<PyValueError>(py) || failure.is_instance_of::<PyOverflowError>(py) {
        return invalid(py, name, why);
    }
    if failure.is_instance_of::<PyTypeError>(py) {
        return wrong_type(object, name, wanted);
    }
    if failure.is_instance_of::<PyMemoryError>(py) {
        return out_of_memory(py);
    }
    // An exception of the object's own code.
    failure.clone_ref(py)
}

/// Returns `InvalidArgumentError` for the value of the argument `name`, with the reason `why`.
pub(crate) fn invalid(py: Python<'_>, name: &str, why: &str) -> PyErr {
    exception(py, &Error::invalid_argument(format!("The argument {name} {why}.")))
}

/// Returns `TypeError` for the argument `name`, which must be `wanted`. It names the actual type, never the value.
pub(crate) fn wrong_type(object: &Bound<'_, PyAny>, name: &str, wanted: &str) -> PyErr {
    match type_name(object) {
        Ok(given) => PyTypeError::new_err(format!("{name} must be {wanted}, not {given}")),
        Err(failure) => failure,
    }
}

/// Returns the name of the object's type.
pub(crate) fn type_name(object: &Bound<'_, PyAny>) -> PyResult<String> {
    let name = capi::getattr(object.get_type().as_any(), interned!(object.py(), "__qualname__"))?;
    Ok(name.cast::<PyString>()?.to_string_lossy().into_owned())
}

/// Defines a type for each text argument, so that the signature can contain a default.
macro_rules! text_arguments {
    ($($type:ident, $name:literal;)*) => {
        $(#[doc = concat!("The argument `", $name, "`.")]
        pub(crate) struct $type(pub(crate) String);

        impl FromPyObject<'_, '_> for $type {
            type Error = PyErr;

            fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
                text($name, &object).map(Self)
            }
        })*
    };
}

text_arguments! {
    SourceSpelling, "source";
    BaseUrl, "base_url";
    VerifyPath, "verify_path";
    Proxy, "proxy";
    LocalAddress, "local_address";
    Method, "method";
    Path, "path";
}

/// Fails if `object` cannot be called, or if its result must be awaited, because no call of a client runs an event
/// loop.
pub(crate) fn callback(name: &str, object: &Bound<'_, PyAny>, wanted: &str) -> PyResult<()> {
    static IS_COROUTINE_FUNCTION: Lazy<PyAny> = Lazy::new();
    if !object.is_callable() {
        return Err(wrong_type(object, name, wanted));
    }
    let check = capi::imported(
        object.py(),
        &IS_COROUTINE_FUNCTION,
        "justcall_auth._callback",
        "is_coroutine_function",
    )?;
    if capi::call_package(check, (object,), None)?.is_truthy()? {
        return Err(PyTypeError::new_err(format!(
            "{name} must not be a coroutine function: its result would not be awaited"
        )));
    }
    Ok(())
}

/// The argument `ca_file`: a path.
pub(crate) struct CaFile(pub(crate) PathBuf);

impl FromPyObject<'_, '_> for CaFile {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        path("ca_file", object).map(Self)
    }
}

/// The argument `state_file`: a path.
pub(crate) struct StateFile(pub(crate) PathBuf);

impl FromPyObject<'_, '_> for StateFile {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        path("state_file", object).map(Self)
    }
}

/// Converts the argument `name` to a path.
pub(crate) fn path(name: &str, object: Borrowed<'_, '_, PyAny>) -> PyResult<PathBuf> {
    capi::fspath(&object).and_then(|path| path.extract()).map_err(|failure| {
        let why = "contains a character that the file system cannot encode";
        refusal(&object, &failure, name, "str, os.PathLike or None", why)
    })
}

/// Converts the argument `name`, a number of seconds, of any type that `float()` accepts except text.
fn seconds(name: &str, object: &Bound<'_, PyAny>, wanted: &str) -> PyResult<Duration> {
    let why = "is negative, not finite or too large for a number of seconds";
    let refuse = |failure: PyErr| refusal(object, &failure, name, wanted, why);
    let seconds = capi::float(object).map_err(refuse)?;
    let duration = Duration::try_from_secs_f64(seconds)
        .map_err(|failure| refuse(PyValueError::new_err(failure.to_string())))?;
    // Zero means no limit, so a very short time must not be rounded to zero.
    Ok(if seconds > 0.0 { duration.max(Duration::from_nanos(1)) } else { duration })
}

/// The argument `timeout`. Zero means no limit.
pub(crate) struct Timeout(pub(crate) Duration);

impl FromPyObject<'_, '_> for Timeout {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        seconds("timeout", &object, "a real number or None").map(Self)
    }
}

/// The argument `timeout` of a call. `None` if it was omitted, and the client's timeout applies. Python's None or zero
/// means no limit.
#[derive(Clone, Copy)]
pub(crate) struct CallTimeout(pub(crate) Option<Duration>);

impl FromPyObject<'_, '_> for CallTimeout {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        if object.is(PyEllipsis::get(object.py())) {
            // The default in the signature.
            return Ok(Self(None));
        }
        if object.is_none() {
            return Ok(Self(Some(Duration::ZERO)));
        }
        seconds("timeout", &object, "a real number or None").map(|limit| Self(Some(limit)))
    }
}

/// The argument `rotation_wait`. Zero means no wait.
pub(crate) struct RotationWait(pub(crate) Duration);

impl FromPyObject<'_, '_> for RotationWait {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        seconds("rotation_wait", &object, "a real number").map(Self)
    }
}

/// The argument `tolerance`, in seconds. A fraction is rounded up.
#[derive(Clone, Copy)]
pub(crate) struct Tolerance(pub(crate) u64);

impl Tolerance {
    /// Returns the default.
    pub(crate) fn usual() -> Self {
        Self(DEFAULT_TOLERANCE.as_secs())
    }
}

impl FromPyObject<'_, '_> for Tolerance {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        let tolerance = seconds("tolerance", &object, "a real number")?;
        let part = u64::from(tolerance.subsec_nanos() > 0);
        Ok(Self(tolerance.as_secs().saturating_add(part)))
    }
}

/// Defines a type for each argument that is a time in seconds since the epoch. A fraction is rounded down.
macro_rules! time_arguments {
    ($($type:ident, $name:literal, $wanted:literal;)*) => {
        $(#[doc = concat!("The argument `", $name, "`.")]
        #[derive(Clone, Copy)]
        pub(crate) struct $type(pub(crate) i64);

        impl FromPyObject<'_, '_> for $type {
            type Error = PyErr;

            fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
                time($name, $wanted, &object).map(Self)
            }
        })*
    };
}

time_arguments! {
    Now, "now", "a real number or None";
    Timestamp, "timestamp", "a real number";
}

#[expect(clippy::cast_possible_truncation, reason = "it is a whole number in the range of i64")]
fn time(name: &str, wanted: &str, object: &Bound<'_, PyAny>) -> PyResult<i64> {
    /// The largest number up to which a float represents every whole number.
    const MOST: f64 = 9_007_199_254_740_992.0;
    let why = "is not finite, or too large for a number of seconds since the epoch";
    let seconds = capi::float(object).map_err(|failure| refusal(object, &failure, name, wanted, why))?;
    if seconds.abs() <= MOST { Ok(seconds.floor() as i64) } else { Err(invalid(object.py(), name, why)) }
}

/// Converts a whole number of any type that has `__index__`.
fn whole<'py, T: for<'a> FromPyObject<'a, 'py, Error = PyErr>>(object: &Bound<'py, PyAny>) -> PyResult<T> {
    capi::index(object)?.extract()
}

/// The argument `max_retries`.
pub(crate) struct MaxRetries(pub(crate) u32);

impl FromPyObject<'_, '_> for MaxRetries {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        whole(&object).map(Self).map_err(|failure| {
            refusal(&object, &failure, "max_retries", "int", "is not between 0 and 4294967295")
        })
    }
}

/// The argument `max_concurrency`.
#[derive(Clone, Copy)]
pub(crate) struct MaxConcurrency(pub(crate) NonZeroU16);

impl FromPyObject<'_, '_> for MaxConcurrency {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        whole(&object).map(Self).map_err(|failure| {
            refusal(&object, &failure, "max_concurrency", "int", "is not between 1 and 65535")
        })
    }
}

/// The argument `max_response_length`, in bytes. Zero means no limit.
pub(crate) struct MaxResponseLength(pub(crate) usize);

impl MaxResponseLength {
    /// Returns the default.
    pub(crate) fn usual() -> Self {
        Self(Policy::default().max_response_length)
    }
}

impl FromPyObject<'_, '_> for MaxResponseLength {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        whole(&object).map(Self).map_err(|failure| {
            let why = "is negative, or too large for a number of bytes";
            refusal(&object, &failure, "max_response_length", "int", why)
        })
    }
}

/// The argument `http_status`.
#[derive(Clone, Copy)]
pub(crate) struct HttpStatus(pub(crate) u16);

impl FromPyObject<'_, '_> for HttpStatus {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        whole(&object)
            .map(Self)
            .map_err(|failure| refusal(&object, &failure, "http_status", "int", "is not between 0 and 65535"))
    }
}

/// The argument `expected_account`.
pub(crate) struct ExpectedAccount(pub(crate) u64);

impl FromPyObject<'_, '_> for ExpectedAccount {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        whole(&object).map(Self).map_err(|failure| {
            let why = "is not between 1 and 18446744073709551615";
            refusal(&object, &failure, "expected_account", "int or None", why)
        })
    }
}

/// The argument `memory_protection`: the name of a level.
pub(crate) struct MemoryProtection(pub(crate) Level);

impl FromPyObject<'_, '_> for MemoryProtection {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        let name = text("memory_protection", &object)?;
        Level::from_name(&name).map(Self).ok_or_else(|| {
            let why = format!("is not one of {}", Level::ALL.map(Level::name).join(", "));
            invalid(object.py(), "memory_protection", &why)
        })
    }
}
