//! The process id, cached. Every use of a value that belongs to a process checks the id, and a system call would be
//! most of the cost of such a use.

use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

#[cfg(target_os = "linux")]
use crate::memory::{READ_WRITE, map_private};

/// Returns the result of [`std::process::id`], mostly without a system call: the id is cached in a page that Linux
/// zeroes in a child of `fork()`. Without such a page, each call is a system call.
pub(crate) fn process_id() -> u32 {
    let Some(cached_id) = cached_id() else { return std::process::id() };
    match cached_id.load(Ordering::Relaxed) {
        0 => {
            let id = std::process::id();
            cached_id.store(id, Ordering::Relaxed);
            id
        }
        id => id,
    }
}

/// Returns the cached id, 0 in a new process, or `None` if the system has no page that is zeroed by `fork()`.
fn cached_id() -> Option<&'static AtomicU32> {
    /// An atomic and not a lock, because a child of `fork()` could inherit a locked lock.
    static CACHE: AtomicPtr<AtomicU32> = AtomicPtr::new(ptr::null_mut());
    static UNSUPPORTED: AtomicU32 = AtomicU32::new(0);
    let unsupported = (&raw const UNSUPPORTED).cast_mut();
    let mut cached_id = CACHE.load(Ordering::Acquire);
    if cached_id.is_null() {
        let page = page_zeroed_by_fork().unwrap_or(unsupported);
        cached_id = match CACHE.compare_exchange(cached_id, page, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => page,
            // Another thread was faster. This page stays unused.
            Err(first) => first,
        };
    }
    // SAFETY: the page stays mapped until the process ends. It is aligned, large enough and initially zero.
    (cached_id != unsupported).then(|| unsafe { &*cached_id })
}

#[cfg(target_os = "linux")]
fn page_zeroed_by_fork() -> Option<*mut AtomicU32> {
    let size = size_of::<AtomicU32>();
    let page = map_private(size, READ_WRITE).ok()?.as_ptr().cast();
    // SAFETY: the page belongs to this function and is empty.
    if unsafe { libc::madvise(page, size, libc::MADV_WIPEONFORK) } != 0 {
        // SAFETY: nothing refers to it.
        unsafe { libc::munmap(page, size) };
        return None;
    }
    Some(page.cast())
}

#[cfg(not(target_os = "linux"))]
fn page_zeroed_by_fork() -> Option<*mut AtomicU32> {
    None
}

#[cfg(all(test, target_os = "linux"))]
pub(crate) mod tests {
    use super::*;
    use crate::memory::tests::signal_that_kills;

    /// Aborts if `holds` is false. A panic in a child would not fail the test.
    pub(crate) fn demand(holds: bool) {
        if !holds {
            std::process::abort();
        }
    }

    #[test]
    fn it_returns_a_new_id_in_a_child_and_in_a_grandchild() {
        assert_eq!(process_id(), std::process::id());
        let parent = process_id();
        let in_child = || {
            demand(process_id() == std::process::id() && process_id() != parent);
            let child = process_id();
            let in_grandchild = || demand(process_id() == std::process::id() && process_id() != child);
            demand(signal_that_kills(in_grandchild) == 0);
        };
        assert_eq!(signal_that_kills(in_child), 0);
        assert_eq!(process_id(), parent);
    }

    #[test]
    fn it_caches_the_id() {
        let cached_id = cached_id().expect("Linux 4.14 or newer");
        assert_eq!(
            (process_id(), cached_id.load(Ordering::Relaxed)),
            (std::process::id(), std::process::id())
        );
    }
}
