//! Which process this is. Whatever belongs to a process asks at every use, and a system call each time would be most of
//! what such a use costs.

use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

/// As [`std::process::id`], mostly without a system call: the number stands in a page that Linux empties in a child of
/// `fork()`. Elsewhere, and where the system cannot do that, it asks each time.
pub(crate) fn process_id() -> u32 {
    let Some(note) = note() else { return std::process::id() };
    match note.load(Ordering::Relaxed) {
        0 => {
            let id = std::process::id();
            note.store(id, Ordering::Relaxed);
            id
        }
        id => id,
    }
}

/// Where the number stands, 0 in a new process; `None` where there is no such page.
fn note() -> Option<&'static AtomicU32> {
    /// No lock: a child of `fork()` could inherit it closed.
    static NOTE: AtomicPtr<AtomicU32> = AtomicPtr::new(ptr::null_mut());
    static NONE: AtomicU32 = AtomicU32::new(0);
    let absent = (&raw const NONE).cast_mut();
    let mut note = NOTE.load(Ordering::Acquire);
    if note.is_null() {
        let made = page_that_forks_empty().unwrap_or(absent);
        note = match NOTE.compare_exchange(note, made, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => made,
            // Another thread was first; a page is all that this one wastes.
            Err(first) => first,
        };
    }
    // SAFETY: the page is mapped for as long as the process lives, as large as a number and aligned, all zero at first.
    (note != absent).then(|| unsafe { &*note })
}

#[cfg(target_os = "linux")]
fn page_that_forks_empty() -> Option<*mut AtomicU32> {
    let (access, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANON);
    // The system rounds it up to a page.
    let size = size_of::<AtomicU32>();
    // SAFETY: a new mapping, at an address that the system chooses: it touches no other memory.
    let page = unsafe { libc::mmap(ptr::null_mut(), size, access, flags, -1, 0) };
    if page == libc::MAP_FAILED {
        return None;
    }
    // SAFETY: the page is ours alone, and nothing is in it yet.
    if unsafe { libc::madvise(page, size, libc::MADV_WIPEONFORK) } != 0 {
        // SAFETY: nothing refers to it.
        unsafe { libc::munmap(page, size) };
        return None;
    }
    Some(page.cast())
}

#[cfg(not(target_os = "linux"))]
fn page_that_forks_empty() -> Option<*mut AtomicU32> {
    None
}

#[cfg(all(test, target_os = "linux"))]
pub(crate) mod tests {
    use super::*;
    use crate::memory::tests::signal_that_kills;

    /// A panic in a child would come out as a test that passes.
    pub(crate) fn demand(holds: bool) {
        if !holds {
            std::process::abort();
        }
    }

    #[test]
    fn it_knows_a_child_from_its_parent_and_a_grandchild_from_both() {
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
    fn it_asks_the_system_once() {
        let note = note().expect("Linux 4.14 or newer");
        assert_eq!((process_id(), note.load(Ordering::Relaxed)), (std::process::id(), std::process::id()));
    }
}
