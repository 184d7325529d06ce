//! Python's C interface where it may run Python code: the one file of the module with `unsafe`.
//!
//! Two things go wrong with such calls, and pyo3 prevents neither:
//!
//! - Python before 3.14 ends a daemon thread with `pthread_exit()` when the thread asks for the GIL after the
//!   interpreter began to shut down. On Linux that unwinds the thread's stack, and the process aborts when the unwinding
//!   reaches Rust code. [`parked`] stops the thread before that. Attaching and detaching need nothing: pyo3 stops the
//!   thread there.
//! - Greenlets switch stacks within a thread. pyo3 counts how often a thread is attached, and a count that another
//!   greenlet left behind is wrong. [`outside`] makes the count 0 wherever the program's code runs, so that all
//!   greenlets find and leave the same count.
//!
//! So the module calls Python code only through this file. What runs no Python code (types, exact `dict`, `str` and
//! numbers, attributes of the package's own modules) is left to pyo3.

use std::ffi::c_int;
use std::{mem, ptr, thread};

use pyo3::exceptions::PyAttributeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};

type Object = *mut ffi::PyObject;

/// Stops the thread for ever when it is dropped, which only unwinding does.
struct Parked;

impl Drop for Parked {
    fn drop(&mut self) {
        loop {
            thread::park();
        }
    }
}

/// Makes a call of Python's that may run Python code. A thread that Python ends in it stays there: the process ends
/// without it, and the unwinding reaches no other frame of Rust.
///
/// Nothing in `call` may have a destructor: its frame is unwound before the thread stops.
fn parked<T: Copy>(call: impl FnOnce() -> T + Copy) -> T {
    let guard = Parked;
    let result = call();
    mem::forget(guard);
    result
}

/// As [`parked`], where the code is the program's and may switch to another greenlet.
fn outside<T: Copy>(py: Python<'_>, call: impl FnOnce() -> T + Copy) -> T {
    let call = Carried(call);
    let run = move || {
        // SAFETY: The interpreter is initialized: `py` shows it. pyo3 stops a thread that is ended here.
        let state = unsafe { ffi::PyGILState_Ensure() };
        let result = parked(call.into_inner());
        // SAFETY: It undoes the call above, on the same thread.
        unsafe { ffi::PyGILState_Release(state) };
        Carried(result)
    };
    py.detach(run).into_inner()
}

/// What goes into and out of `detach`, which refuses pointers to Python's objects.
#[derive(Clone, Copy)]
struct Carried<T>(T);

// SAFETY: `detach` runs its closure on the same thread. It asks for `Send` to keep objects away from code that does not
// hold the GIL; `outside` takes the GIL before it touches them.
unsafe impl<T> Send for Carried<T> {}

impl<T> Carried<T> {
    fn into_inner(self) -> T {
        self.0
    }
}

/// Calls a function of Python's C interface that may run Python code, by way of [`parked`] or [`outside`], and lets it
/// unwind. The callers hold the GIL.
///
/// The pointer is read where the compiler cannot follow: pyo3 declares the same functions as `extern "C"`, and a call
/// that is seen to reach such a declaration is compiled without its landing pad, which is what stops the thread.
macro_rules! python {
    ($by:ident($($py:ident)?), $function:path: fn($($type:ty),*) $(-> $result:ty)?, $($argument:expr),*) => {{
        type Declared = unsafe extern "C" fn($($type),*) $(-> $result)?;
        type Unwinding = unsafe extern "C-unwind" fn($($type),*) $(-> $result)?;
        static FUNCTION: Declared = $function;
        // SAFETY: It reads an initialized static. Both types are called alike; they differ in what may be assumed
        // about unwinding, and `Unwinding` assumes less.
        let entry = unsafe { mem::transmute::<Declared, Unwinding>(ptr::read_volatile(&raw const FUNCTION)) };
        // SAFETY: Each argument is an object of the type that the function takes, or NULL if it takes that. The caller
        // borrows it until the call returns, or gives its reference away with the call. The GIL is held.
        $by($($py,)? || unsafe { entry($($argument),*) })
    }};
}

/// The object that a call gave, or the exception that it raised.
fn object(py: Python<'_>, object: Object) -> PyResult<Bound<'_, PyAny>> {
    // SAFETY: Python gave a new reference, or NULL and an exception; `py` shows that the GIL is held.
    unsafe { Bound::from_owned_ptr_or_err(py, object) }
}

/// Calls a function of the program's.
pub(crate) fn call<'py>(
    function: &Bound<'py, PyAny>,
    arguments: impl IntoPyObject<'py, Target = PyTuple, Output = Bound<'py, PyTuple>, Error: Into<PyErr>>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = function.py();
    let arguments = arguments.into_pyobject(py).map_err(Into::into)?;
    let (function, arguments, named) = (function.as_ptr(), arguments.as_ptr(), ptr::null_mut());
    let call = python!(outside(py), ffi::PyObject_Call: fn(Object, Object, Object) -> Object, function, arguments, named);
    object(py, call)
}

/// Calls a function or class of this package or of Python's library.
pub(crate) fn call_package<'py>(
    function: &Bound<'py, PyAny>,
    arguments: impl IntoPyObject<'py, Target = PyTuple, Output = Bound<'py, PyTuple>, Error: Into<PyErr>>,
    named: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = function.py();
    let arguments = arguments.into_pyobject(py).map_err(Into::into)?;
    let (function, arguments) = (function.as_ptr(), arguments.as_ptr());
    let named = named.map_or(ptr::null_mut(), Bound::as_ptr);
    let call = python!(parked(), ffi::PyObject_Call: fn(Object, Object, Object) -> Object, function, arguments, named);
    object(py, call)
}

/// The attribute `name` of an object of the program's.
pub(crate) fn getattr<'py>(
    owner: &Bound<'py, PyAny>,
    name: &Bound<'py, PyString>,
) -> PyResult<Bound<'py, PyAny>> {
    let (owner, name, py) = (owner.as_ptr(), name.as_ptr(), owner.py());
    object(py, python!(outside(py), ffi::PyObject_GetAttr: fn(Object, Object) -> Object, owner, name))
}

/// The attribute `name` of an object of the program's, if it has one.
pub(crate) fn getattr_opt<'py>(
    owner: &Bound<'py, PyAny>,
    name: &Bound<'py, PyString>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    match getattr(owner, name) {
        Ok(attribute) => Ok(Some(attribute)),
        Err(raised) if raised.is_instance_of::<PyAttributeError>(owner.py()) => Ok(None),
        Err(raised) => Err(raised),
    }
}

/// What an iterable of the program's gives.
pub(crate) fn list<'py>(iterable: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
    let (iterable, py) = (iterable.as_ptr(), iterable.py());
    let list = python!(outside(py), ffi::PySequence_List: fn(Object) -> Object, iterable);
    Ok(object(py, list)?.cast_into::<PyList>()?)
}

/// The number that an object of the program's is, as `float()` reads it.
pub(crate) fn float(number: &Bound<'_, PyAny>) -> PyResult<f64> {
    if number.is_exact_instance_of::<PyFloat>() || number.is_exact_instance_of::<PyInt>() {
        return number.extract();
    }
    let (number, py) = (number.as_ptr(), number.py());
    let float = python!(outside(py), ffi::PyFloat_AsDouble: fn(Object) -> f64, number);
    PyErr::take(py).map_or(Ok(float), Err)
}

/// The `int` that an object of the program's is.
pub(crate) fn index<'py>(number: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let (number, py) = (number.as_ptr(), number.py());
    object(py, python!(outside(py), ffi::PyNumber_Index: fn(Object) -> Object, number))
}

/// The `str` or `bytes` of a path of the program's.
pub(crate) fn fspath<'py>(path: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let (path, py) = (path.as_ptr(), path.py());
    object(py, python!(outside(py), ffi::PyOS_FSPath: fn(Object) -> Object, path))
}

/// Whether an object of the program's is an instance of `class`.
pub(crate) fn is_instance(instance: &Bound<'_, PyAny>, class: &Bound<'_, PyAny>) -> PyResult<bool> {
    let (instance, class, py) = (instance.as_ptr(), class.as_ptr(), instance.py());
    match python!(outside(py), ffi::PyObject_IsInstance: fn(Object, Object) -> c_int, instance, class) {
        -1 => Err(PyErr::fetch(py)),
        answer => Ok(answer == 1),
    }
}

/// Runs the handlers of signals that arrived, if this is the main thread.
pub(crate) fn check_signals(py: Python<'_>) -> PyResult<()> {
    let result = python!(outside(py), ffi::PyErr_CheckSignals: fn() -> c_int,);
    if result == -1 { Err(PyErr::fetch(py)) } else { Ok(()) }
}

/// Gives `raised` to `sys.unraisablehook`, as what was raised in `place`.
pub(crate) fn write_unraisable(py: Python<'_>, raised: PyErr, place: Option<&Bound<'_, PyAny>>) {
    let place = place.map_or(ptr::null_mut(), Bound::as_ptr);
    raised.restore(py);
    python!(outside(py), ffi::PyErr_WriteUnraisable: fn(Object), place);
}

/// Lets go of an object of the program's: where this was the last reference, its destructor runs.
pub(crate) fn release(_py: Python<'_>, object: Py<PyAny>) {
    let object = object.into_ptr();
    python!(parked(), ffi::Py_DecRef: fn(Object), object);
}

/// The interpreter's dictionary of modules, which no other interpreter of the process has.
pub(crate) fn modules(py: Python<'_>) -> Bound<'_, PyAny> {
    // SAFETY: The interpreter is initialized, and gives a borrowed reference to what lives as long as it does.
    unsafe { Bound::from_borrowed_ptr(py, ffi::PyImport_GetModuleDict()) }
}

/// How many characters `text` has, whatever a subclass makes of `len()`.
pub(crate) fn length(text: &Bound<'_, PyString>) -> usize {
    // SAFETY: It is a `str`, and the GIL is held.
    let length = unsafe { ffi::PyUnicode_GetLength(text.as_ptr()) };
    usize::try_from(length).expect("only what is no str has no length")
}

/// The characters of `text`, one by one; nothing for half a surrogate pair.
pub(crate) fn characters(text: &Bound<'_, PyString>) -> impl Iterator<Item = Option<char>> {
    let length = ffi::Py_ssize_t::try_from(length(text)).expect("it was one");
    // SAFETY: It is a `str`, which never changes, `at` is within it, and the GIL is held.
    (0..length).map(|at| char::from_u32(unsafe { ffi::PyUnicode_ReadChar(text.as_ptr(), at) }))
}

/// Fills `bytes` with zeros, whatever a subclass makes of assignments.
pub(crate) fn wipe(bytes: &Bound<'_, PyByteArray>) {
    // SAFETY: The GIL is held, and nothing here runs Python code while the slice is in use.
    unsafe { bytes.as_bytes_mut() }.fill(0);
}
