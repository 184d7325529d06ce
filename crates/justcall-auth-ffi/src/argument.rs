//! The arguments that C programs pass, checked. Every failure is `invalid_argument` and names the argument, never its
//! value.

use std::ffi::{CStr, c_char};
use std::{slice, str};

use justcall_auth::Error;

/// More headers than any response has.
const MAX_HEADERS: usize = 1000;

/// The longest text, in bytes: longer than any path, URL or header that a system or a server accepts.
const MAX_TEXT: usize = 128 * 1024;

/// An argument that keeps the header's demands, and the name that errors call it by. Each method converts one kind of
/// argument. What a method takes besides are the arguments that belong to this one, such as its length.
#[derive(Clone, Copy)]
pub(crate) struct Argument<T> {
    // Behind a reference, so that an argument fits into two registers.
    name: &'static &'static str,
    value: T,
}

impl<T: Copy> Argument<T> {
    /// # Safety
    /// `value` is what the header says of it, until the call returns: see the top of `function.rs`.
    pub unsafe fn new(name: &'static &'static str, value: T) -> Self {
        Self { name, value }
    }

    pub fn value(self) -> T {
        self.value
    }

    /// The error of an argument that is NULL and must not be.
    pub fn null_error(self) -> Error {
        Error::invalid_argument(format!("The argument {} is NULL.", self.name))
    }

    /// The longest that memory can be is half of what a `size_t` can say: more is an underflow, or -1.
    pub fn check_length(self, length: usize) -> Result<(), Error> {
        if isize::try_from(length).is_err() {
            return Err(Error::invalid_argument(format!(
                "The length of the argument {} is too large.",
                self.name
            )));
        }
        Ok(())
    }
}

/// Handles.
impl<T> Argument<*const T> {
    /// A handle to read.
    pub fn handle<'a>(self) -> Result<&'a T, Error> {
        self.optional_handle().ok_or_else(|| self.null_error())
    }

    /// A handle to read, or NULL.
    pub fn optional_handle<'a>(self) -> Option<&'a T> {
        // SAFETY: it is NULL or a live handle, which nothing changes during the call.
        unsafe { self.value.as_ref() }
    }
}

impl<T> Argument<*mut T> {
    /// A handle to change.
    pub fn handle_mut<'a>(self) -> Result<&'a mut T, Error> {
        // SAFETY: it is NULL or a live handle, which no other thread uses during the call.
        unsafe { self.value.as_mut() }.ok_or_else(|| self.null_error())
    }

    /// A handle to read, where the prototype has no `const`.
    pub fn handle<'a>(self) -> Result<&'a T, Error> {
        Argument { name: self.name, value: self.value.cast_const() }.handle()
    }

    /// A handle that its owner gives up, or NULL.
    pub fn owned(self) -> Option<Box<T>> {
        // SAFETY: if it is not NULL, `into_raw` made it, and it comes back once.
        (!self.value.is_null()).then(|| unsafe { Box::from_raw(self.value) })
    }
}

/// Text.
impl Argument<*const c_char> {
    /// NUL-terminated UTF-8.
    pub fn text<'a>(self) -> Result<&'a str, Error> {
        let text = self.string().ok_or_else(|| self.null_error())?;
        if text.len() > MAX_TEXT {
            let message = format!("The argument {} is longer than 128 KiB.", self.name);
            return Err(Error::invalid_argument(message));
        }
        str::from_utf8(text)
            .map_err(|_| Error::invalid_argument(format!("The argument {} is not UTF-8.", self.name)))
    }

    /// A NUL-terminated string of any bytes, as they come from a network, or NULL.
    pub fn string<'a>(self) -> Option<&'a [u8]> {
        // SAFETY: if it is not NULL, it points to a NUL-terminated string, which stays as it is during the call.
        (!self.value.is_null()).then(|| unsafe { CStr::from_ptr(self.value) }.to_bytes())
    }
}

/// Arrays.
impl<T> Argument<*const T> {
    /// Bytes, `length` of them. `T` is a byte, signed or not, or anything (`void`).
    pub fn bytes<'a>(self, length: usize) -> Result<&'a [u8], Error> {
        const { assert!(size_of::<T>() == 1, "the length counts bytes") }
        self.check_length(length)?;
        Argument { name: self.name, value: self.value.cast() }.items(length)
    }

    /// Bytes, or NULL with a length of 0.
    pub fn optional_bytes<'a>(self, length: usize) -> Result<Option<&'a [u8]>, Error> {
        match (self.value.is_null(), length) {
            (true, 0) => Ok(None),
            (true, _) => {
                let message = format!("The argument {} is NULL, but its length is not 0.", self.name);
                Err(Error::invalid_argument(message))
            }
            (false, _) => self.bytes(length).map(Some),
        }
    }

    /// `count` items. Callers check that the count is possible.
    fn items<'a>(self, count: usize) -> Result<&'a [T], Error> {
        if self.value.is_null() {
            return Err(self.null_error());
        }
        // SAFETY: it is not NULL, and points to `count` items, which stay as they are during the call.
        Ok(unsafe { slice::from_raw_parts(self.value, count) })
    }
}

/// What makes a response.
impl Argument<*const *const c_char> {
    /// The names or the values of `count` headers: bytes as a server sent them.
    pub fn headers<'a>(self, count: usize) -> Result<Vec<&'a [u8]>, Error> {
        if count > MAX_HEADERS {
            let message = format!("The argument header_count is more than {MAX_HEADERS}.");
            return Err(Error::invalid_argument(message));
        }
        if count == 0 {
            return Ok(Vec::new());
        }
        let text = |&value: &*const c_char| {
            Argument { name: self.name, value }
                .string()
                .ok_or_else(|| Error::invalid_argument(format!("The array {} contains a NULL.", self.name)))
        };
        self.items(count)?.iter().map(text).collect()
    }
}

impl Argument<i32> {
    /// The HTTP status.
    pub fn http_status(self) -> Result<u16, Error> {
        u16::try_from(self.value).ok().filter(|status| (100..=999).contains(status)).ok_or_else(|| {
            Error::invalid_argument("The argument http_status is not an HTTP status from 100 to 999.").with_hint(
                "Pass only responses. If there was no response, report the failure of the connection instead of a status.",
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::CString;

    use super::*;

    fn argument<T: Copy>(value: T) -> Argument<T> {
        Argument { name: &"argument", value }
    }

    #[test]
    fn it_limits_the_length_of_a_text() {
        for (length, is_accepted) in [(MAX_TEXT, true), (MAX_TEXT + 1, false)] {
            let text = CString::new(vec![b'a'; length]).expect("no NUL");
            let read = argument(text.as_ptr()).text().map(str::len).ok();
            assert_eq!(read, is_accepted.then_some(length));
        }
        assert_eq!(MAX_TEXT, 131_072, "128 KiB, as the message says");
    }

    #[test]
    fn it_limits_the_number_of_headers() {
        let names = vec![c"name".as_ptr(); MAX_HEADERS + 1];
        for (count, is_accepted) in [(0, true), (1, true), (MAX_HEADERS, true), (MAX_HEADERS + 1, false)] {
            let read = argument(names.as_ptr()).headers(count).ok();
            assert_eq!(read, is_accepted.then(|| vec![&b"name"[..]; count]), "{count}");
        }
    }
}
