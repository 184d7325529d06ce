//! The library itself: its version, wiping memory, and what tests need of it.

use std::ffi::{CStr, c_char, c_void};
use std::mem::MaybeUninit;
use std::slice;

use justcall_auth::{Zeroize, testing};

use crate::function::guarded;

/// The ABI that this header describes. It grows with every change that programs built before cannot
/// work with. justcall_abi_version() returns that of the library in use.
pub const JUSTCALL_ABI_VERSION: u32 = 0;

const VERSION: &CStr = match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
    Ok(version) => version,
    Err(_) => panic!("a version has no NUL inside"),
};

/// Returns the version of the library in use, such as `"0.1.0"`. Never NULL. The text lives as long
/// as the program. Any thread may call this.
#[unsafe(no_mangle)]
pub extern "C" fn justcall_version() -> *const c_char {
    VERSION.as_ptr()
}

/// Returns the ABI of the library in use. A program that loads the library at run time compares it
/// with JUSTCALL_ABI_VERSION and goes on only if they are equal. Any thread may call this.
#[unsafe(no_mangle)]
pub extern "C" fn justcall_abi_version() -> u32 {
    JUSTCALL_ABI_VERSION
}

/// Overwrites `length` bytes at `buffer` with zeros, in a way that compilers do not leave out as
/// they do with memset(): for your own copies of secrets. Does nothing if `buffer` is NULL or
/// `length` is 0, or impossible (over SIZE_MAX / 2). Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_wipe(buffer: *mut c_void, length: usize) {
    if buffer.is_null() || isize::try_from(length).is_err() {
        return;
    }
    // SAFETY: not NULL and not too long; that the bytes are the caller's to write is the caller's
    // promise. They need not have been written before.
    unsafe { slice::from_raw_parts_mut(buffer.cast::<MaybeUninit<u8>>(), length) }.zeroize();
}

/// Forgets which pairs the service rejected: every client of this process may send them again at
/// once, in place of 30 seconds later. For tests in which a pair is rejected and then made good;
/// other programs do not need it.
///
/// A call that waits for another pair goes on with the one that was rejected. A request that is
/// answered with 401 after this function returned counts as another rejection. Never fails, does
/// not block, reads no source and sends nothing. Any thread may call this. After fork() it affects
/// the process that calls it.
#[unsafe(no_mangle)]
pub extern "C" fn justcall_forget_rejections() {
    guarded((), testing::forget_rejections);
}
