//! What goes out to C programs other than handles: text that they borrow, and secrets into a buffer
//! of theirs.

use std::ffi::{CString, c_char};
use std::ptr;

use justcall_auth::{Error, ErrorKind};

use crate::input;

/// Text that C programs borrow from a handle. A NUL inside, which would cut it short, becomes
/// U+FFFD.
pub(crate) fn text(text: &str) -> CString {
    CString::new(text.replace('\0', "\u{FFFD}")).unwrap_or_default()
}

/// The same of text that has the length that the caller or the service chose.
///
/// # Errors
/// `out_of_memory`.
pub(crate) fn long_text(text: &str) -> Result<CString, Error> {
    let mut bytes = Vec::new();
    let nuls = text.matches('\0').count();
    // With room for the NUL at the end, which `CString` adds without another allocation then.
    bytes.try_reserve_exact(text.len() + nuls * ('\u{FFFD}'.len_utf8() - 1) + 1)?;
    for (index, part) in text.split('\0').enumerate() {
        if index > 0 {
            bytes.extend_from_slice("\u{FFFD}".as_bytes());
        }
        bytes.extend_from_slice(part.as_bytes());
    }
    Ok(CString::new(bytes).unwrap_or_default())
}

/// The pointer to text that may be absent.
pub(crate) fn pointer(text: Option<&CString>) -> *const c_char {
    text.map_or(ptr::null(), |text| text.as_ptr())
}

/// A C program's buffer, and where to say how much of it is used.
pub(crate) struct Buffer {
    start: *mut c_char,
    capacity: usize,
    length: *mut usize,
}

impl Buffer {
    /// Takes the parameters `buffer`, `capacity` and `length`. A buffer without capacity may be
    /// NULL, and so may `length`.
    ///
    /// # Safety
    /// `start` is NULL or points to `capacity` bytes, and `length` is NULL or may be written to,
    /// until this value is used up.
    pub(crate) unsafe fn new(start: *mut c_char, capacity: usize, length: *mut usize) -> Result<Self, Error> {
        input::check_length("buffer", capacity)?;
        if start.is_null() && capacity > 0 {
            return Err(input::is_null("buffer"));
        }
        Ok(Self { start, capacity, length })
    }

    /// Copies `text` and a NUL into the buffer, or fails with `buffer_too_small` and leaves it as
    /// it was. Says the length in both cases.
    pub(crate) fn fill(self, text: &[u8]) -> Result<(), Error> {
        if !self.length.is_null() {
            // SAFETY: not NULL, and promised when this value was made.
            unsafe { self.length.write(text.len()) };
        }
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
    let message = format!("The buffer given cannot hold the result: a capacity of {needed} is needed.");
    Error::with_message(ErrorKind::BufferTooSmall, message).hint_is(
        "Call again with a buffer of that capacity: one more than the length parameter says, for the NUL.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_keeps_a_nul_from_cutting_text_short() {
        assert_eq!(text("before\0after").to_str(), Ok("before\u{FFFD}after"));
        for sample in ["", "plain", "\0", "\0\0a\0", "before\0after"] {
            assert_eq!(long_text(sample).expect("memory"), text(sample));
        }
    }
}
