//! `Credentials`: a pair, from text or from a source.

use justcall_auth::source::{ProcessEnvironment, Source};
use justcall_auth::{WipedBuffer, Zeroizing};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyString};

use crate::arguments::{CallTimeout, SourceSpelling, Timeout, wrong_type};
use crate::body::snapshot;
use crate::capi;
use crate::errors::exception;
use crate::exception::out_of_memory;
use crate::options::{CancelArgument, options};
use crate::running;

/// The number of characters that are read of a key or secret that is a `str`: far more than the longest valid one.
pub(crate) const MAX_TEXT: usize = 64 * 1024;

/// A pair: an API key and its secret, checked to be valid in a header.
///
/// Both are copied into memory that is wiped after the last use. A `bytearray` is filled with zeros
/// after the copy, even if the pair is refused. A `str` or `bytes` cannot be wiped: it stays in the
/// memory of the process until Python overwrites it, so prefer `Credentials.load` or a `bytearray`.
///
/// Immutable, and safe to share between threads. `repr` shows the ends of the key and never the secret.
/// A pair cannot be pickled or copied, and it equals only itself.
///
/// Args:
///     key: The key, `str`, `bytes` or `bytearray`, 1 to 512 printable ASCII characters.
///     secret: The secret, with the same types and characters.
///
/// Raises `CredentialsMalformedError` if the texts cannot be a pair. The message states which half is
/// wrong and why, and `reason` is one word for programs. Neither contains the value.
#[pyclass(frozen, weakref, module = "justcall_auth")]
pub(crate) struct Credentials(pub(crate) justcall_auth::Credentials);

#[pymethods]
impl Credentials {
    #[new]
    fn new(py: Python<'_>, key: &Bound<'_, PyAny>, secret: &Bound<'_, PyAny>) -> PyResult<Self> {
        // Both are copied before either is wiped, because they may be one object. Both are wiped even if one is invalid.
        let copies = (copy("key", key, MAX_TEXT), copy("secret", secret, MAX_TEXT));
        wipe(key);
        wipe(secret);
        let (key, secret) = (copies.0?, copies.1?);
        justcall_auth::Credentials::new(key.as_ref(), secret.as_ref())
            .map(Self)
            .map_err(|error| exception(py, &error))
    }

    /// Returns the pair that `source` has now.
    ///
    /// Reads the source once. Blocks without the GIL; a signal such as Ctrl-C ends it. The secret never
    /// becomes a Python object.
    ///
    /// Args:
    ///     source: A source, as for `Client`, which lists the sources.
    ///     timeout: The limit of the read, in seconds. None or 0 means no limit.
    ///     cancel: A `Cancel` that can end the read.
    ///
    /// Raises `InvalidArgumentError` if `source` is not valid, `CredentialsMissingError` with every place
    /// that was checked, `CredentialsMalformedError` with the place and the fault, and
    /// `SourceUnavailableError` if the source cannot be read.
    #[staticmethod]
    #[pyo3(signature = (source, *, timeout = None, cancel = None))]
    fn load(
        py: Python<'_>,
        source: SourceSpelling,
        timeout: Option<Timeout>,
        cancel: Option<CancelArgument>,
    ) -> PyResult<Self> {
        let options = options(CallTimeout(timeout.map(|limit| limit.0)), cancel);
        let load = move || Source::parse(&source.0)?.load_with(&ProcessEnvironment, &running::options());
        running::run(py, options, load).into_result(py).map(|loaded| Self(loaded.pair.credentials))
    }

    /// The ends of the key, to distinguish pairs, such as `abc1…f456`.
    ///
    /// For a key shorter than 12 characters it is the first character only.
    #[getter]
    fn key_hint(&self) -> &str {
        self.0.key_hint()
    }

    fn __repr__(&self) -> String {
        format!("<Credentials {}>", self.0.key_hint())
    }

    /// Raises `TypeError`: a pickle would be a plain copy of the secret.
    #[expect(clippy::unused_self, reason = "a method in Python")]
    fn __reduce__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err(
            "Credentials cannot be pickled or copied, because a pickle would contain the secret in plain text. Load the pair from its source in the other process.",
        ))
    }
}

/// Copies the argument `name` to memory that is wiped: at most its first `limit` bytes, or characters of a `str`.
pub(crate) fn copy(name: &str, half: &Bound<'_, PyAny>, limit: usize) -> PyResult<WipedBuffer> {
    if let Ok(text) = half.cast::<PyString>() {
        return copy_text(text, limit);
    }
    if let Ok(bytes) = half.cast::<PyBytes>() {
        return copy_bytes(half.py(), bytes.as_bytes(), limit);
    }
    if let Ok(bytes) = half.cast::<PyByteArray>() {
        if bytes.len() > MAX_TEXT {
            // No secret is so long, so an unwiped copy is harmless. This copy returns an error if memory is low.
            let start = snapshot(bytes, limit)?;
            return copy_bytes(half.py(), start.as_bytes(), limit);
        }
        return copy_bytes(half.py(), &Zeroizing::new(bytes.to_vec()), limit);
    }
    Err(wrong_type(half, name, "str, bytes or bytearray"))
}

fn copy_bytes(py: Python<'_>, bytes: &[u8], limit: usize) -> PyResult<WipedBuffer> {
    let bytes = &bytes[..bytes.len().min(limit)];
    let mut buffer = WipedBuffer::try_with_capacity(bytes.len()).map_err(|_| out_of_memory(py))?;
    buffer.push(bytes);
    Ok(buffer)
}

/// Copies character by character. An encoding of the whole text would leave an unwiped copy in Python's memory.
fn copy_text(text: &Bound<'_, PyString>, limit: usize) -> PyResult<WipedBuffer> {
    let length = capi::length(text).min(limit);
    // UTF-8 needs at most four bytes for a character.
    let buffer = WipedBuffer::try_with_capacity(length.saturating_mul(4));
    let mut buffer = buffer.map_err(|_| out_of_memory(text.py()))?;
    for character in capi::characters(text).take(length) {
        // A lone surrogate has no encoding. It becomes a byte that is not ASCII, which the check refuses.
        match character {
            Some(character) => buffer.push(character.encode_utf8(&mut [0; 4]).as_bytes()),
            None => buffer.push(b"\xFF"),
        }
    }
    Ok(buffer)
}

/// Fills a `bytearray` with zeros.
pub(crate) fn wipe(half: &Bound<'_, PyAny>) {
    if let Ok(bytes) = half.cast::<PyByteArray>() {
        capi::wipe(bytes);
    }
}
