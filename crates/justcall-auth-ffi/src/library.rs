//! The library itself: its version, wiping memory, and what tests need of it.

use std::ffi::{CStr, c_char, c_void};
use std::mem::MaybeUninit;
use std::slice;

use justcall_auth::{Zeroize, testing};

use crate::function::guarded;

/// The ABI version that this header describes. The ABI version increases with every change that
/// breaks programs built with an earlier header. justcall_abi_version() returns the ABI version of
/// the library in use.
pub const JUSTCALL_ABI_VERSION: u32 = 0;

const VERSION: &CStr = match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
    Ok(version) => version,
    Err(_) => panic!("a version has no NUL inside"),
};

/// Returns the version of the library in use, such as `"0.1.0"`. Never returns NULL. The text is
/// static: do not free it. This function is thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn justcall_version() -> *const c_char {
    VERSION.as_ptr()
}

/// Returns the ABI version of the library in use. A program that loads the library at run time must
/// compare this number with JUSTCALL_ABI_VERSION. The program must not use the library if the two
/// numbers differ. This function is thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn justcall_abi_version() -> u32 {
    JUSTCALL_ABI_VERSION
}

/// Overwrites `length` bytes at `buffer` with zeros. Use this function to wipe your own copies of
/// secrets. A compiler may optimize memset() away, but not this function. Does nothing if `buffer`
/// is NULL, if `length` is 0, or if `length` is over SIZE_MAX / 2. This function is thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_wipe(buffer: *mut c_void, length: usize) {
    if buffer.is_null() || isize::try_from(length).is_err() {
        return;
    }
    // SAFETY: not NULL and not too long; that the bytes are the caller's to write is the caller's
    // promise. They need not have been written before.
    unsafe { slice::from_raw_parts_mut(buffer.cast::<MaybeUninit<u8>>(), length) }.zeroize();
}

/// Forgets which pairs the service rejected. Every client of this process may then send a rejected
/// pair again at once, instead of after 30 seconds. This function is for tests in which a pair is
/// rejected first and valid later. Other programs do not need this function.
///
/// A call that is waiting for another pair continues with the rejected pair. If the service answers
/// a later request with 401, that counts as a new rejection.
///
/// This function never fails, reads no source and sends nothing. Does not block. This function is
/// thread-safe. After fork(), it affects only the process that calls it.
#[unsafe(no_mangle)]
pub extern "C" fn justcall_forget_rejections() {
    guarded((), testing::forget_rejections);
}
