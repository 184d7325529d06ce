//! The argument `source` of a client.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::arguments::{callback, invalid, path, text};
use crate::callable::Callable;
use crate::capi;
use crate::credentials::Credentials;
use crate::lazy::interned;

/// The argument `source`: a text or a path, a callable that returns the pair, or the pair.
pub(crate) enum Source {
    Spelling(String),
    Callable(Arc<Callable>),
    Credentials(justcall_auth::Credentials),
}

impl Source {
    /// Returns the default.
    pub(crate) fn usual() -> Self {
        Self::Spelling("default:".to_owned())
    }
}

impl FromPyObject<'_, '_> for Source {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        if object.is_instance_of::<PyString>() {
            return text("source", &object).map(Self::Spelling);
        }
        if let Ok(credentials) = object.cast::<Credentials>() {
            return Ok(Self::Credentials(credentials.get().0.clone()));
        }
        if capi::getattr_opt(object.get_type().as_any(), interned!(object.py(), "__fspath__"))?.is_some() {
            return place(object).map(Self::Spelling);
        }
        callback("source", &object, "str, os.PathLike, Credentials or a callable that returns Credentials")?;
        Ok(Self::Callable(Arc::new(Callable::new(object.to_owned()))))
    }
}

/// Returns the source text of a path: that of a file, or of a folder.
fn place(object: Borrowed<'_, '_, PyAny>) -> PyResult<String> {
    let found = path("source", object)?;
    let kind = if found.is_dir() { "dir" } else { "file" };
    let Some(text) = found.to_str() else {
        return Err(invalid(object.py(), "source", "contains a character that is not Unicode"));
    };
    Ok(format!("{kind}:{text}"))
}
