//! Copies whose length the caller or the service chooses. A copy fails with `out_of_memory` if memory is short; the
//! copies of the standard library would abort the process.

use std::borrow::Cow;
use std::collections::TryReserveError;

use crate::error::{Error, ErrorKind};

impl From<TryReserveError> for Error {
    fn from(_: TryReserveError) -> Self {
        Self::new(ErrorKind::OutOfMemory)
    }
}

/// Returns a copy of `bytes`.
///
/// # Errors
/// Fails with `out_of_memory` if memory is short.
pub fn bytes(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let mut copy = Vec::new();
    copy.try_reserve_exact(bytes.len())?;
    copy.extend_from_slice(bytes);
    Ok(copy)
}

/// Returns a copy of `text`.
///
/// # Errors
/// Fails with `out_of_memory` if memory is short.
pub fn text(text: &str) -> Result<String, Error> {
    let mut copy = String::new();
    copy.try_reserve_exact(text.len())?;
    copy.push_str(text);
    Ok(copy)
}

/// Fails if there is currently no memory for `bytes` more bytes. Called before work whose own copies cannot fail.
///
/// # Errors
/// Fails with `out_of_memory` if memory is short.
pub fn check_room(bytes: usize) -> Result<(), Error> {
    Ok(Vec::<u8>::new().try_reserve_exact(bytes)?)
}

/// Returns `borrowed` as an owned text. Copies it only if it is borrowed.
///
/// # Errors
/// Fails with `out_of_memory` if memory is short.
pub fn owned(borrowed: Cow<'_, str>) -> Result<String, Error> {
    match borrowed {
        Cow::Owned(owned) => Ok(owned),
        Cow::Borrowed(borrowed) => text(borrowed),
    }
}

/// Returns `bytes` as text. Invalid UTF-8 becomes U+FFFD, as in `String::from_utf8_lossy`.
///
/// # Errors
/// Fails with `out_of_memory` if memory is short.
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
    fn it_replaces_invalid_utf8_as_the_standard_library_does() {
        for sample in
            [&b""[..], b"plain", b"\xff", b"\xffa", b"a\xe2\x82b\xc3\xa9\xf0\x9f", "é\u{FFFD}".as_bytes()]
        {
            assert_eq!(lossy_text(sample).expect("memory"), String::from_utf8_lossy(sample));
        }
    }

    #[test]
    fn it_allocates_no_more_than_the_copy_needs() {
        assert_eq!(bytes(&[7; 1000]).expect("memory").capacity(), 1000);
        assert_eq!(text("abc").expect("memory"), "abc");
    }

    #[test]
    fn it_keeps_an_owned_text_and_copies_a_borrowed_one() {
        let kept = "abc".to_owned();
        let address = kept.as_ptr();
        let owned = owned(Cow::Owned(kept)).expect("memory");
        assert_eq!((owned.as_str(), owned.as_ptr()), ("abc", address));
        assert_eq!(super::owned(Cow::Borrowed("def")).expect("memory"), "def");
    }

    #[test]
    fn it_refuses_more_than_there_is_room_for() {
        assert!(check_room(1 << 16).is_ok());
        let refused = check_room(usize::MAX).expect_err("more than the address space");
        assert_eq!(refused.kind(), ErrorKind::OutOfMemory);
    }

    #[test]
    fn it_converts_a_failed_reservation_to_out_of_memory() {
        let failed = Vec::<u8>::new().try_reserve(usize::MAX).expect_err("more than the address space");
        assert_eq!(Error::from(failed).kind(), ErrorKind::OutOfMemory);
    }
}
