//! A buffer for a secret during a call.

use std::collections::TryReserveError;
use std::fmt;

use crate::REDACTED;
use crate::allocator::wipe;

/// A byte buffer of fixed capacity that is wiped on drop.
///
/// It never grows, because growing would leave an unwiped copy in the old block.
pub struct WipedBuffer {
    bytes: Box<[u8]>,
    used: usize,
}

impl WipedBuffer {
    /// Creates an empty buffer with room for `capacity` bytes.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { bytes: vec![0; capacity].into_boxed_slice(), used: 0 }
    }

    /// Creates an empty buffer with room for `capacity` bytes, for a capacity that comes from input or is large.
    ///
    /// # Errors
    /// Fails if there is not enough memory.
    pub fn try_with_capacity(capacity: usize) -> Result<Self, TryReserveError> {
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(capacity)?;
        bytes.resize(capacity, 0);
        Ok(Self { bytes: bytes.into_boxed_slice(), used: 0 })
    }

    /// Appends `bytes`.
    ///
    /// # Panics
    /// Panics if they do not fit. The caller chose the capacity.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes[self.used..self.used + bytes.len()].copy_from_slice(bytes);
        self.used += bytes.len();
    }

    /// Returns the unused room. After writing to it, call [`WipedBuffer::advance`] with the number of bytes written.
    pub fn spare(&mut self) -> &mut [u8] {
        &mut self.bytes[self.used..]
    }

    /// Counts the first `count` bytes of [`WipedBuffer::spare`] as used.
    ///
    /// # Panics
    /// Panics if `count` exceeds the unused room.
    pub fn advance(&mut self, count: usize) {
        assert!(count <= self.bytes.len() - self.used, "more bytes than the buffer holds");
        self.used += count;
    }

    /// Shortens the content to its first `length` bytes. The rest stays in the buffer until drop wipes it.
    pub fn truncate(&mut self, length: usize) {
        self.used = self.used.min(length);
    }
}

impl AsMut<[u8]> for WipedBuffer {
    fn as_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[..self.used]
    }
}

impl AsRef<[u8]> for WipedBuffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.used]
    }
}

impl Drop for WipedBuffer {
    fn drop(&mut self) {
        wipe(&mut self.bytes);
    }
}

impl fmt::Debug for WipedBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_os = "linux")]
    use crate::memory::tests::View;

    #[test]
    fn it_holds_the_bytes_that_were_pushed_and_advanced_over() {
        assert!(WipedBuffer::try_with_capacity(usize::MAX).is_err());
        let mut buffer = WipedBuffer::try_with_capacity(8).expect("memory");
        buffer.push(b"key:");
        buffer.spare()[..3].copy_from_slice(b"sec");
        buffer.advance(3);
        assert_eq!(buffer.as_ref(), b"key:sec");
        assert_eq!(buffer.spare().len(), 1);
        assert_eq!(format!("{buffer:?}"), REDACTED);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn it_wipes_its_whole_capacity_after_truncation() {
        let mut buffer = WipedBuffer::with_capacity(1024);
        buffer.push(&[7; 1024]);
        buffer.truncate(8);
        let address = buffer.as_ref().as_ptr().addr();
        let mut view = View::of(1024);
        assert_eq!(view.count(address, 7), 128, "the control");
        drop(buffer);
        assert_eq!(view.count(address, 7), 0);
    }

    #[test]
    fn it_shows_and_changes_what_is_left_after_truncation() {
        let mut buffer = WipedBuffer::with_capacity(8);
        buffer.push(b"key:sec");
        buffer.truncate(9);
        assert_eq!(buffer.as_mut(), b"key:sec");
        buffer.truncate(3);
        buffer.as_mut()[0] = b'K';
        assert_eq!((buffer.as_mut().len(), buffer.as_ref()), (3, &b"Key"[..]));
        buffer.push(b"s");
        assert_eq!(buffer.as_ref(), b"Keys");
    }

    #[test]
    #[should_panic(expected = "more bytes than the buffer holds")]
    fn it_refuses_to_count_more_than_it_holds() {
        let mut buffer = WipedBuffer::with_capacity(4);
        buffer.push(b"abc");
        buffer.advance(1);
        buffer.advance(1);
    }

    #[test]
    #[should_panic(expected = "range end index")]
    fn it_refuses_to_grow() {
        WipedBuffer::with_capacity(2).push(b"abc");
    }
}
