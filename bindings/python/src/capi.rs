//! Calls of Python's C API that may run Python code. The only file of the module with `unsafe`.
//!
//! Two things can go wrong with such calls, and pyo3 prevents neither:
//!
//! - Python before 3.14 ends a daemon thread with `pthread_exit()` when the thread asks for the GIL after the
//!   interpreter began to shut down. On Linux that unwinds the thread's stack, and the process aborts when the unwinding
//!   reaches Rust code. [`parked`] stops the thread before that. Attaching and detaching are safe, because pyo3 stops
//!   the thread there.
//! - Greenlets switch stacks within a thread. pyo3 counts how often a thread is attached, and the count of another
//!   greenlet is wrong for this one. [`outside`] makes the count 0 while the program's code runs, so that all greenlets
//!   find and leave the same count.
//!
//! So the module calls Python code only through this file. Operations that run no Python code (types, exact `dict`,
//! `str` and numbers, attributes of the package's own modules) use pyo3 directly.

use std::ffi::c_int;
use std::{mem, ptr, thread};

use pyo3::exceptions::PyAttributeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::type_object::PyTypeCheck;
use pyo3::types::{PyByteArray, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};

use crate::lazy::Lazy;

type Object = *mut ffi::PyObject;

/// Stops the thread forever when it is dropped, which happens only during unwinding.
struct Parked;

impl Drop for Parked {
    fn drop(&mut self) {
        loop {
            thread::park();
        }
    }
}

/// Calls a function of Python that may run Python code. If Python ends the thread in it, the thread stops there: the
/// process exits without it, and the unwinding reaches no other frame of Rust.
///
/// Nothing in `call` may have a destructor, because its frame is unwound before the thread stops.
fn parked<T: Copy>(call: impl FnOnce() -> T + Copy) -> T {
    let guard = Parked;
    let result = call();
    mem::forget(guard);
    result
}

/// Calls as [`parked`] does, for code of the program, which may switch to another greenlet.
fn outside<T: Copy>(py: Python<'_>, call: impl FnOnce() -> T + Copy) -> T {
    let call = Carried(call);
    let run = move || {
        // SAFETY: `py` proves that the interpreter is initialized. pyo3 stops a thread that is ended here.
        let state = unsafe { ffi::PyGILState_Ensure() };
        let result = parked(call.into_inner());
        // SAFETY: It undoes the call above, on the same thread.
        unsafe { ffi::PyGILState_Release(state) };
        Carried(result)
    };
    py.detach(run).into_inner()
}

/// A value that crosses `detach`, which refuses pointers to Python objects.
#[derive(Clone, Copy)]
struct Carried<T>(T);

// SAFETY: `detach` runs its closure on the same thread. It requires `Send` to keep objects away from code that does not
// hold the GIL; `outside` acquires the GIL before it uses them.
unsafe impl<T> Send for Carried<T> {}

impl<T> Carried<T> {
    fn into_inner(self) -> T {
        self.0
    }
}

/// Calls a function of Python's C API that may run Python code, through [`parked`] or [`outside`], and allows it to
/// unwind. The callers hold the GIL.
///
/// The pointer is read with `read_volatile` to hide the function from the compiler. pyo3 declares the functions as
/// `extern "C"`. A direct call of such a declaration is compiled without the landing pad that stops the thread.
macro_rules! python {
    ($by:ident($($py:ident)?), $function:path: fn($($type:ty),*) $(-> $result:ty)?, $($argument:expr),*) => {{
        type Declared = unsafe extern "C" fn($($type),*) $(-> $result)?;
        type Unwinding = unsafe extern "C-unwind" fn($($type),*) $(-> $result)?;
        static FUNCTION: Declared = $function;
        // SAFETY: It reads an initialized static. Both types have the same calling convention. They differ in the
        // assumptions about unwinding, and `Unwinding` assumes less.
        let entry = unsafe { mem::transmute::<Declared, Unwinding>(ptr::read_volatile(&raw const FUNCTION)) };
        // SAFETY: Each argument is an object of the type that the function takes, or NULL if it takes that. The caller
        // borrows it until the call returns, or transfers its reference with the call. The GIL is held.
        $by($($py,)? || unsafe { entry($($argument),*) })
    }};
}

/// Returns the object that a call returned, or the exception that it raised.
fn object(py: Python<'_>, object: Object) -> PyResult<Bound<'_, PyAny>> {
    // SAFETY: Python returned a new reference, or NULL and an exception. `py` proves that the GIL is held.
    unsafe { Bound::from_owned_ptr_or_err(py, object) }
}

/// Calls a function of the program.
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

/// Calls a function or class of this package or of Python's standard library.
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

/// Returns the attribute `name` of `module`. The first use imports the module, which runs Python code. It is imported in
/// the interpreter that calls: [`outside`] would enter the main interpreter.
pub(crate) fn imported<'a, 'py, T: PyTypeCheck>(
    py: Python<'py>,
    cell: &'a Lazy<T>,
    module: &str,
    name: &str,
) -> PyResult<&'a Bound<'py, T>> {
    cell.get_or_try_make(py, || {
        let module = PyString::new(py, module);
        let named = module.as_ptr();
        let module = object(py, python!(parked(), ffi::PyImport_Import: fn(Object) -> Object, named))?;
        Ok(module.getattr(name)?.cast_into::<T>()?.unbind())
    })
}

/// Returns the attribute `name` of an object of the program.
pub(crate) fn getattr<'py>(
    owner: &Bound<'py, PyAny>,
    name: &Bound<'py, PyString>,
) -> PyResult<Bound<'py, PyAny>> {
    let (owner, name, py) = (owner.as_ptr(), name.as_ptr(), owner.py());
    object(py, python!(outside(py), ffi::PyObject_GetAttr: fn(Object, Object) -> Object, owner, name))
}

/// Returns the attribute `name` of an object of the program, if it has one.
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

/// Returns the items of an iterable of the program.
pub(crate) fn list<'py>(iterable: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
    let (iterable, py) = (iterable.as_ptr(), iterable.py());
    let list = python!(outside(py), ffi::PySequence_List: fn(Object) -> Object, iterable);
    Ok(object(py, list)?.cast_into::<PyList>()?)
}

/// Converts an object of the program to a number, as `float()` does.
pub(crate) fn float(number: &Bound<'_, PyAny>) -> PyResult<f64> {
    if number.is_exact_instance_of::<PyFloat>() || number.is_exact_instance_of::<PyInt>() {
        return number.extract();
    }
    let (number, py) = (number.as_ptr(), number.py());
    let float = python!(outside(py), ffi::PyFloat_AsDouble: fn(Object) -> f64, number);
    PyErr::take(py).map_or(Ok(float), Err)
}

/// Converts an object of the program to an `int`, as `operator.index()` does.
pub(crate) fn index<'py>(number: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let (number, py) = (number.as_ptr(), number.py());
    object(py, python!(outside(py), ffi::PyNumber_Index: fn(Object) -> Object, number))
}

/// Converts a path of the program to `str` or `bytes`, as `os.fspath()` does.
pub(crate) fn fspath<'py>(path: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let (path, py) = (path.as_ptr(), path.py());
    object(py, python!(outside(py), ffi::PyOS_FSPath: fn(Object) -> Object, path))
}

/// Returns whether an object of the program is an instance of `class`.
pub(crate) fn is_instance(instance: &Bound<'_, PyAny>, class: &Bound<'_, PyAny>) -> PyResult<bool> {
    let (instance, class, py) = (instance.as_ptr(), class.as_ptr(), instance.py());
    match python!(outside(py), ffi::PyObject_IsInstance: fn(Object, Object) -> c_int, instance, class) {
        -1 => Err(PyErr::fetch(py)),
        answer => Ok(answer == 1),
    }
}

/// Runs the handlers of pending signals, if this is the main thread. Returns the exception of a handler.
pub(crate) fn check_signals(py: Python<'_>) -> PyResult<()> {
    let result = python!(outside(py), ffi::PyErr_CheckSignals: fn() -> c_int,);
    if result == -1 { Err(PyErr::fetch(py)) } else { Ok(()) }
}

/// Passes `raised` to `sys.unraisablehook`, with the object `place` in which it was raised.
pub(crate) fn write_unraisable(py: Python<'_>, raised: PyErr, place: Option<&Bound<'_, PyAny>>) {
    let place = place.map_or(ptr::null_mut(), Bound::as_ptr);
    raised.restore(py);
    python!(outside(py), ffi::PyErr_WriteUnraisable: fn(Object), place);
}

/// Releases a reference to an object of the program. If it was the last one, the object's destructor runs.
pub(crate) fn release(_py: Python<'_>, object: Py<PyAny>) {
    let object = object.into_ptr();
    python!(parked(), ffi::Py_DecRef: fn(Object), object);
}

/// Returns the dictionary of modules, which is different in each interpreter of the process.
pub(crate) fn modules(py: Python<'_>) -> Bound<'_, PyAny> {
    // SAFETY: The interpreter is initialized. It returns a borrowed reference to an object that lives as long as it.
    unsafe { Bound::from_borrowed_ptr(py, ffi::PyImport_GetModuleDict()) }
}

/// Returns how many characters `text` has, even if a subclass overrides `len()`.
pub(crate) fn length(text: &Bound<'_, PyString>) -> usize {
    // SAFETY: It is a `str`, and the GIL is held.
    let length = unsafe { ffi::PyUnicode_GetLength(text.as_ptr()) };
    usize::try_from(length).expect("every str has a length")
}

/// Iterates over the characters of `text`; `None` for a lone surrogate.
pub(crate) fn characters(text: &Bound<'_, PyString>) -> impl Iterator<Item = Option<char>> {
    let length = ffi::Py_ssize_t::try_from(length(text)).expect("it was converted from Py_ssize_t");
    // SAFETY: It is a `str`, which never changes, `at` is within it, and the GIL is held.
    (0..length).map(|at| char::from_u32(unsafe { ffi::PyUnicode_ReadChar(text.as_ptr(), at) }))
}

/// Fills `bytes` with zeros, even if a subclass overrides assignment.
pub(crate) fn wipe(bytes: &Bound<'_, PyByteArray>) {
    // SAFETY: The GIL is held, and nothing here runs Python code while the slice is in use.
    unsafe { bytes.as_bytes_mut() }.fill(0);
}
