//! Arguments as the library takes them. A wrong type is a `TypeError`, an impossible value `InvalidArgumentError`.

use std::path::PathBuf;
use std::time::Duration;

use pyo3::prelude::*;

use crate::errors::bad_value;

/// Text that is not secret.
pub(crate) struct Text(pub(crate) String);

impl FromPyObject<'_, '_> for Text {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        object.extract().map(Self).map_err(|failure| {
            bad_value(
                object.py(),
                failure,
                "A text holds half a surrogate pair, which no encoding can express.",
            )
        })
    }
}

/// A path: `str` or an `os.PathLike` of it.
pub(crate) struct FilePath(pub(crate) PathBuf);

impl FromPyObject<'_, '_> for FilePath {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        object.extract().map(Self).map_err(|failure| {
            bad_value(object.py(), failure, "The path holds a character that the file system cannot express.")
        })
    }
}

/// A limit in seconds, of any type that `float()` takes without parsing.
pub(crate) struct Seconds(pub(crate) Duration);

impl Seconds {
    /// Nothing as `None`, zero included: both mean that there is no limit.
    pub(crate) const NO_LIMIT: Self = Self(Duration::ZERO);
}

impl FromPyObject<'_, '_> for Seconds {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        const REFUSED: &str =
            "The timeout is not a number of seconds: it is negative, not finite or too large.";
        let py = object.py();
        let seconds: f64 = object.extract().map_err(|failure| bad_value(py, failure, REFUSED))?;
        let limit = Duration::try_from_secs_f64(seconds)
            .map_err(|_| crate::errors::exception(py, &justcall_auth::Error::invalid_argument(REFUSED)))?;
        // Rounding to zero would turn the shortest limit into none at all.
        Ok(Self(if seconds > 0.0 { limit.max(Duration::from_nanos(1)) } else { limit }))
    }
}

/// A count.
pub(crate) struct Count(pub(crate) u32);

impl FromPyObject<'_, '_> for Count {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        object.extract().map(Self).map_err(|failure| {
            bad_value(object.py(), failure, "The number of retries is not between 0 and 4294967295.")
        })
    }
}
