//! What C programs pass in, checked: every failure is `invalid_argument` and names the argument,
//! never its value.

use std::ffi::{CStr, c_char};
use std::slice;

use justcall_auth::{Error, copy};

/// More headers than any answer has.
const MAX_HEADERS: usize = 1000;

/// The longest text, in bytes: longer than any path, URL or header that a system or a server accepts.
const MAX_TEXT: usize = 128 * 1024;

/// The argument `name` is NULL and must not be.
pub(crate) fn is_null(name: &str) -> Error {
    Error::invalid_argument(format!("The argument {name} is NULL."))
}

/// A handle to read.
///
/// # Safety
/// `handle` is NULL or a live handle that nobody changes during `'a`.
pub(crate) unsafe fn handle<'a, T>(name: &str, handle: *const T) -> Result<&'a T, Error> {
    // SAFETY: as the caller promises.
    unsafe { handle.as_ref() }.ok_or_else(|| is_null(name))
}

/// A handle to change.
///
/// # Safety
/// `handle` is NULL or a live handle that nobody else uses during `'a`.
pub(crate) unsafe fn handle_mut<'a, T>(name: &str, handle: *mut T) -> Result<&'a mut T, Error> {
    // SAFETY: as the caller promises.
    unsafe { handle.as_mut() }.ok_or_else(|| is_null(name))
}

/// Where an output goes.
pub(crate) fn place<T>(name: &str, place: *mut T) -> Result<*mut T, Error> {
    if place.is_null() { Err(is_null(name)) } else { Ok(place) }
}

/// Text: NUL-terminated UTF-8.
///
/// # Safety
/// `text` is NULL or points to a NUL-terminated string that stays unchanged during `'a`.
pub(crate) unsafe fn text<'a>(name: &str, text: *const c_char) -> Result<&'a str, Error> {
    if text.is_null() {
        return Err(is_null(name));
    }
    // SAFETY: it is not NULL, and the rest is the caller's promise.
    let text = unsafe { CStr::from_ptr(text) };
    if text.count_bytes() > MAX_TEXT {
        return Err(Error::invalid_argument(format!("The argument {name} is longer than 128 KiB.")));
    }
    text.to_str().map_err(|_| Error::invalid_argument(format!("The argument {name} is not UTF-8.")))
}

/// A NUL-terminated string of any bytes, as they come from a network; NULL is none.
///
/// # Safety
/// As [`text()`].
pub(crate) unsafe fn optional_string<'a>(string: *const c_char) -> Option<&'a [u8]> {
    // SAFETY: it is not NULL, and the rest is the caller's promise.
    (!string.is_null()).then(|| unsafe { CStr::from_ptr(string) }.to_bytes())
}

/// Bytes: a pointer, which must not be NULL, and a length. `T` is a byte, signed or not.
///
/// # Safety
/// `bytes` is NULL or points to `length` bytes that stay unchanged during `'a`, unless `length` is
/// impossible.
pub(crate) unsafe fn bytes<'a, T>(name: &str, bytes: *const T, length: usize) -> Result<&'a [u8], Error> {
    const { assert!(size_of::<T>() == 1, "the length counts bytes") }
    if bytes.is_null() {
        return Err(is_null(name));
    }
    check_length(name, length)?;
    // SAFETY: neither NULL nor too long, and the rest is the caller's promise.
    Ok(unsafe { slice::from_raw_parts(bytes.cast(), length) })
}

/// Bytes that may be absent: then the pointer may be NULL, and the length is 0.
///
/// # Safety
/// As [`bytes()`].
pub(crate) unsafe fn optional_bytes<'a, T>(
    name: &str,
    start: *const T,
    length: usize,
) -> Result<&'a [u8], Error> {
    match (start.is_null(), length) {
        (true, 0) => Ok(&[]),
        (true, _) => {
            Err(Error::invalid_argument(format!("The argument {name} is NULL, but its length is not 0.")))
        }
        // SAFETY: as the caller promises.
        (false, _) => unsafe { bytes(name, start, length) },
    }
}

/// The longest that memory can be is half of what a `size_t` can say: more is an underflow, or -1.
pub(crate) fn check_length(name: &str, length: usize) -> Result<(), Error> {
    if isize::try_from(length).is_err() {
        return Err(Error::invalid_argument(format!("The length of {name} is impossible.")));
    }
    Ok(())
}

/// The status of an answer.
pub(crate) fn http_status(http_status: i32) -> Result<u16, Error> {
    u16::try_from(http_status).ok().filter(|status| (100..=999).contains(status)).ok_or_else(|| {
        Error::invalid_argument("The argument http_status is no HTTP status: 100 to 999.")
            .hint_is("Pass answers only. HTTP libraries give 0 when none came: that is a failed connection.")
    })
}

/// Headers: two arrays of `count` strings. Bytes that are not UTF-8, which a server may send,
/// become U+FFFD.
///
/// # Safety
/// The arrays are NULL or hold `count` pointers, each NULL or to a NUL-terminated string.
pub(crate) unsafe fn headers(
    names: *const *const c_char,
    values: *const *const c_char,
    count: usize,
) -> Result<Vec<(String, String)>, Error> {
    if count > MAX_HEADERS {
        return Err(Error::invalid_argument(format!(
            "The argument header_count is more than {MAX_HEADERS}."
        )));
    }
    // SAFETY: as the caller promises.
    let (names, values) =
        unsafe { (strings("header_names", names, count)?, strings("header_values", values, count)?) };
    Ok(names.into_iter().zip(values).collect())
}

/// # Safety
/// `array` is NULL or holds `count` pointers, each NULL or to a NUL-terminated string.
unsafe fn strings(name: &str, array: *const *const c_char, count: usize) -> Result<Vec<String>, Error> {
    if count == 0 {
        return Ok(Vec::new());
    }
    if array.is_null() {
        return Err(is_null(name));
    }
    // SAFETY: not NULL; `count` was checked, and the rest is the caller's promise.
    let pointers = unsafe { slice::from_raw_parts(array, count) };
    let text = |string: &*const c_char| {
        if string.is_null() {
            return Err(Error::invalid_argument(format!("The array {name} has a NULL in it.")));
        }
        // SAFETY: it is not NULL, and the rest is the caller's promise.
        copy::lossy_text(unsafe { CStr::from_ptr(*string) }.to_bytes())
    };
    pointers.iter().map(text).collect()
}
