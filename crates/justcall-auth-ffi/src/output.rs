//! What goes out to C programs: text that they borrow from a handle, outputs, and text and secrets into a buffer of theirs.

use std::ffi::{CString, c_char};
use std::ptr;

use justcall_auth::{Error, ErrorKind};

use crate::argument::Argument;

/// Text that C programs borrow from a handle. A NUL inside, which would cut it short, becomes
/// U+FFFD.
pub(crate) fn text(text: &str) -> CString {
    CString::new(text).unwrap_or_else(|_| CString::new(text.replace('\0', "\u{FFFD}")).unwrap_or_default())
}

/// The same of text that has the length that the caller or the service chose.
///
/// # Errors
/// `out_of_memory`.
pub(crate) fn long_text(text: &str) -> Result<CString, Error> {
    // Nearly all texts have none, and `contains` is far faster than `split`.
    let nuls = if text.contains('\0') { text.matches('\0').count() } else { 0 };
    let mut bytes = Vec::new();
    // One more byte for the NUL at the end, which `CString` then adds without another allocation.
    bytes.try_reserve_exact(text.len() + nuls * ('\u{FFFD}'.len_utf8() - 1) + 1)?;
    if nuls == 0 {
        bytes.extend_from_slice(text.as_bytes());
        return Ok(CString::new(bytes).unwrap_or_default());
    }
    for (index, part) in text.split('\0').enumerate() {
        if index > 0 {
            bytes.extend_from_slice("\u{FFFD}".as_bytes());
        }
        bytes.extend_from_slice(part.as_bytes());
    }
    Ok(CString::new(bytes).unwrap_or_default())
}

/// Where an output goes; NULL if the caller does not want it.
#[derive(Clone, Copy)]
pub(crate) struct Output<T>(*mut T);

impl<T: Copy> Output<T> {
    pub fn is_null(self) -> bool {
        self.0.is_null()
    }

    /// Writes the output, unless it is not wanted.
    pub fn set(self, value: T) {
        if !self.is_null() {
            // SAFETY: it is not NULL, and an argument that may be written to during the call.
            unsafe { self.0.write(value) };
        }
    }
}

impl<T: Copy> Argument<*mut T> {
    /// Where an output goes.
    pub fn output(self) -> Result<Output<T>, Error> {
        if self.value().is_null() { Err(self.null_error()) } else { Ok(self.optional_output()) }
    }

    /// Where an output goes, or NULL.
    pub fn optional_output(self) -> Output<T> {
        Output(self.value())
    }
}

impl<T> Argument<*mut *mut T> {
    /// Where a new handle goes. Holds NULL from now on.
    pub fn out(self) -> Result<Output<*mut T>, Error> {
        let out = self.output()?;
        out.set(ptr::null_mut());
        Ok(out)
    }
}

/// A C program's buffer, and where to say how much of it is used.
pub(crate) struct Buffer {
    start: *mut c_char,
    capacity: usize,
    length: Output<usize>,
}

impl Argument<*mut c_char> {
    /// A buffer, with its capacity and where its length goes. Without capacity it may be NULL, and so may `length`.
    pub fn buffer(self, capacity: usize, length: *mut usize) -> Result<Buffer, Error> {
        self.check_length(capacity)?;
        if self.value().is_null() && capacity > 0 {
            return Err(self.null_error());
        }
        Ok(Buffer { start: self.value(), capacity, length: Output(length) })
    }
}

impl Buffer {
    /// Copies `text` and a NUL into the buffer, or fails with `buffer_too_small` and leaves it as
    /// it was. Says the length in both cases.
    pub fn fill(&self, text: &[u8]) -> Result<(), Error> {
        self.length.set(text.len());
        if text.len() >= self.capacity {
            return Err(too_small(text.len() + 1));
        }
        // SAFETY: `text` and the NUL fit into the buffer, which the library does not own: they
        // cannot overlap.
        unsafe {
            ptr::copy_nonoverlapping(text.as_ptr().cast(), self.start, text.len());
            self.start.add(text.len()).write(0);
        }
        Ok(())
    }
}

fn too_small(needed: usize) -> Error {
    let message = format!("The buffer is too small for the result, which needs a capacity of {needed}.");
    Error::with_message(ErrorKind::BufferTooSmall, message)
        .with_hint("Call again with a larger buffer. The required capacity is the length parameter plus one, for the NUL.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::function::argument;

    #[test]
    fn it_keeps_a_nul_from_cutting_text_short() {
        assert_eq!(text("before\0after").to_str(), Ok("before\u{FFFD}after"));
        for sample in ["", "plain", "\0", "\0\0a\0", "before\0after"] {
            assert_eq!(long_text(sample).expect("memory"), text(sample));
        }
    }

    #[test]
    fn it_fills_a_buffer_that_is_large_enough_and_names_the_needed_size() {
        for (capacity, needed) in [(0, Some("4")), (3, Some("4")), (4, None), (5, None)] {
            let (mut buffer, mut length) = (vec![c_char::MAX; 5], 0);
            let start = buffer.as_mut_ptr();
            let place = argument!(start).buffer(capacity, &raw mut length).expect("a place");
            let filled = place.fill(b"abc");
            assert_eq!(length, 3, "the length is always returned");
            match needed {
                None => {
                    filled.expect("it fits");
                    assert_eq!(&buffer[..4], b"abc\0".map(c_char::try_from).map(|byte| byte.expect("ASCII")));
                    assert_eq!(buffer[4], c_char::MAX, "nothing after the NUL");
                }
                Some(needed) => {
                    let error = filled.expect_err("it does not fit");
                    assert!(format!("{} {}", error.message(), error.hint()).contains(needed), "{error}");
                    assert_eq!(buffer, [c_char::MAX; 5]);
                }
            }
        }
    }
}
