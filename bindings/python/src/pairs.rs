//! Names with values: a mapping, or an iterable of tuples.

use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyDict, PyMemoryView, PyString, PyTuple};

use crate::arguments::wrong_type;
use crate::capi;
use crate::lazy::interned;

/// Returns the names and values of the argument `name`. Calls `items` if the object has it, otherwise iterates over it.
pub(crate) fn pairs<'py>(
    name: &str,
    object: &Bound<'py, PyAny>,
) -> PyResult<Vec<(Bound<'py, PyAny>, Bound<'py, PyAny>)>> {
    let wanted = "a mapping or an iterable of pairs";
    if is_text(object) {
        return Err(wrong_type(object, name, wanted));
    }
    let py = object.py();
    if let Ok(dictionary) = object.cast_exact::<PyDict>() {
        return Ok(dictionary.iter().collect());
    }
    let items = match capi::getattr_opt(object, interned!(py, "items"))? {
        Some(items) => capi::call(&items, ())?,
        None if capi::getattr_opt(object, interned!(py, "__iter__"))?.is_some() => object.clone(),
        None => return Err(wrong_type(object, name, wanted)),
    };
    let as_pair = |item: Bound<'py, PyAny>| {
        let pair = item.cast::<PyTuple>().ok().and_then(|tuple| tuple.extract().ok());
        pair.ok_or_else(|| wrong_type(&item, name, "of tuples of a name and a value"))
    };
    capi::list(&items)?.iter().map(as_pair).collect()
}

/// Returns whether the object is text or bytes, which are iterable but never a list of values.
pub(crate) fn is_text(object: &Bound<'_, PyAny>) -> bool {
    object.is_instance_of::<PyString>()
        || object.is_instance_of::<PyBytes>()
        || object.is_instance_of::<PyByteArray>()
        || object.is_instance_of::<PyMemoryView>()
}
