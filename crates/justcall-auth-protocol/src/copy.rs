//! Copies of what has the length that a caller or the service chooses. Where there is no memory for one, the call fails
//! with `out_of_memory`, where the usual copies end the process.

use std::borrow::Cow;
use std::collections::TryReserveError;

use crate::error::{Error, ErrorKind};

impl From<TryReserveError> for Error {
    fn from(_: TryReserveError) -> Self {
        Self::new(ErrorKind::OutOfMemory)
    }
}

/// A copy of `bytes`.
///
/// # Errors
/// `out_of_memory`.
pub fn bytes(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let mut copy = Vec::new();
    copy.try_reserve_exact(bytes.len())?;
    copy.extend_from_slice(bytes);
    Ok(copy)
}

/// A copy of `text`.
///
/// # Errors
/// `out_of_memory`.
pub fn text(text: &str) -> Result<String, Error> {
    let mut copy = String::new();
    copy.try_reserve_exact(text.len())?;
    copy.push_str(text);
    Ok(copy)
}

/// Fails where there is no memory for `bytes` more at this moment: asked before work whose copies cannot fail one by one.
///
/// # Errors
/// `out_of_memory`.
pub fn check_room(bytes: usize) -> Result<(), Error> {
    Ok(Vec::<u8>::new().try_reserve_exact(bytes)?)
}

/// `borrowed`, copied unless it is a copy already.
///
/// # Errors
/// `out_of_memory`.
pub fn owned(borrowed: Cow<'_, str>) -> Result<String, Error> {
    match borrowed {
        Cow::Owned(owned) => Ok(owned),
        Cow::Borrowed(borrowed) => text(borrowed),
    }
}

/// `bytes` as text; each that is not UTF-8 becomes U+FFFD, as `String::from_utf8_lossy` does it.
///
/// # Errors
/// `out_of_memory`.
pub fn lossy_text(bytes: &[u8]) -> Result<String, Error> {
    if let Ok(valid) = std::str::from_utf8(bytes) {
        return text(valid);
    }
    let replacement = |chunk: &std::str::Utf8Chunk<'_>| match chunk.invalid() {
        [] => "",
        _ => "\u{FFFD}",
    };
    let chunks = || bytes.utf8_chunks().flat_map(|chunk| [chunk.valid(), replacement(&chunk)]);
    let mut copy = String::new();
    copy.try_reserve_exact(chunks().map(str::len).sum())?;
    chunks().for_each(|part| copy.push_str(part));
    Ok(copy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_replaces_what_is_no_utf8_as_the_standard_library_does() {
        for sample in [&b""[..], b"plain", b"\xff", b"a\xe2\x82b\xc3\xa9\xf0\x9f", "é\u{FFFD}".as_bytes()] {
            assert_eq!(lossy_text(sample).expect("memory"), String::from_utf8_lossy(sample));
        }
    }

    #[test]
    fn it_copies_without_room_to_spare() {
        assert_eq!(bytes(&[7; 1000]).expect("memory").capacity(), 1000);
        assert_eq!(text("abc").expect("memory"), "abc");
    }

    #[test]
    fn it_makes_a_failed_reservation_the_error_of_the_table() {
        let failed = Vec::<u8>::new().try_reserve(usize::MAX).expect_err("more than an address can say");
        assert_eq!(Error::from(failed).kind(), ErrorKind::OutOfMemory);
    }
}
