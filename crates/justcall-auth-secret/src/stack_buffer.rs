//! A buffer on the stack for a secret during a call, so that the heap never holds it.

use std::fmt;
use std::mem::MaybeUninit;
use std::slice;

use crate::REDACTED;
use crate::allocator::wipe;

/// A byte buffer on the stack that is wiped on drop.
///
/// Use it where it is created. Moving it would leave an unwiped copy behind.
pub struct StackBuffer<const CAPACITY: usize> {
    /// The first `used` bytes are initialised. Initialising all of them would cost more than the rest of a short use.
    bytes: [MaybeUninit<u8>; CAPACITY],
    used: usize,
}

impl<const CAPACITY: usize> StackBuffer<CAPACITY> {
    /// Creates an empty buffer.
    #[expect(clippy::new_without_default, reason = "a default would be moved")]
    pub fn new() -> Self {
        Self { bytes: [MaybeUninit::uninit(); CAPACITY], used: 0 }
    }

    /// Appends `bytes`.
    ///
    /// # Panics
    /// Panics if they do not fit. The caller chose the capacity.
    pub fn push(&mut self, bytes: &[u8]) {
        let room = &mut self.bytes[self.used..self.used + bytes.len()];
        // SAFETY: the two slices have the same length, and a buffer that is borrowed mutably does not overlap another.
        unsafe { room.as_mut_ptr().cast::<u8>().copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
        self.used += bytes.len();
    }
}

impl<const CAPACITY: usize> AsMut<[u8]> for StackBuffer<CAPACITY> {
    fn as_mut(&mut self) -> &mut [u8] {
        // SAFETY: `push` has initialised the first `used` bytes, and `used` does not exceed the capacity.
        unsafe { slice::from_raw_parts_mut(self.bytes.as_mut_ptr().cast(), self.used) }
    }
}

impl<const CAPACITY: usize> AsRef<[u8]> for StackBuffer<CAPACITY> {
    fn as_ref(&self) -> &[u8] {
        // SAFETY: as in `as_mut`.
        unsafe { slice::from_raw_parts(self.bytes.as_ptr().cast(), self.used) }
    }
}

impl<const CAPACITY: usize> Drop for StackBuffer<CAPACITY> {
    fn drop(&mut self) {
        wipe(self.as_mut());
    }
}

impl<const CAPACITY: usize> fmt::Debug for StackBuffer<CAPACITY> {
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
    fn it_holds_what_was_pushed() {
        let mut buffer = StackBuffer::<8>::new();
        assert_eq!(buffer.as_ref(), b"");
        buffer.push(b"key:");
        buffer.push(b"secr");
        buffer.push(b"");
        buffer.as_mut()[0] = b'K';
        assert_eq!(buffer.as_ref(), b"Key:secr");
        assert_eq!(format!("{buffer:?}"), REDACTED);
    }

    #[test]
    #[should_panic(expected = "range end index 9 out of range")]
    fn it_refuses_more_than_it_holds() {
        let mut buffer = StackBuffer::<8>::new();
        buffer.push(b"12345678");
        buffer.push(b"9");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn it_wipes_itself_on_drop() {
        const LENGTH: usize = 1024;
        // On the heap, so that nothing overwrites it after the drop.
        let mut place = Box::new(MaybeUninit::<StackBuffer<LENGTH>>::uninit());
        let buffer = place.write(StackBuffer::new());
        buffer.push(&[7; LENGTH]);
        let address = buffer.as_ref().as_ptr().addr();
        let mut view = View::of(LENGTH);
        assert_eq!(view.count(address, 7), LENGTH / 8, "before the drop");
        // SAFETY: it was written above, and is not used afterwards.
        unsafe { place.assume_init_drop() };
        assert_eq!(view.count(address, 7), 0);
    }
}
