//! An allocator that leaves nothing behind: what is freed is wiped first.

use std::alloc::{GlobalAlloc, Layout, System};
use std::arch::asm;

/// The system's allocator, wiping what is freed. Other libraries copy a secret on its way (an HTTP library, a TLS
/// library) and free the copy as it is; under this allocator nothing of it stays.
///
/// This library imposes it on nobody: its C library and Python module use it for their own memory, and a Rust program
/// may do so with
///
/// ```
/// #[global_allocator]
/// static ALLOCATOR: justcall_auth_secret::WipingAllocator = justcall_auth_secret::WipingAllocator;
/// # fn main() {}
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct WipingAllocator;

// SAFETY: every block comes from the system's allocator and goes back to it with its layout; in between only bytes of
// a block that its owner gives up are written.
unsafe impl GlobalAlloc for WipingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller promises a layout whose size is not 0, which is all that the system wants.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the system wants of the layout what the caller of `alloc` promises too.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block is of this size and nobody uses it any more; it goes back as it came.
        unsafe {
            wipe(block, layout.size());
            System.dealloc(block, layout);
        }
    }

    /// Allocates, copies, wipes: the system's own could move the block and leave the old one as it was.
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller promises a size that a layout can have.
        let new_layout = unsafe { Layout::from_size_align_unchecked(new_size, layout.align()) };
        // SAFETY: the caller promises a size that is not 0.
        let new_block = unsafe { System.alloc(new_layout) };
        if !new_block.is_null() {
            // SAFETY: two blocks that do not overlap, both at least as long as what is copied.
            unsafe { std::ptr::copy_nonoverlapping(block, new_block, layout.size().min(new_size)) };
            // SAFETY: the block is the caller's to give up.
            unsafe { self.dealloc(block, layout) };
        }
        new_block
    }
}

/// Writes zeros that the compiler cannot leave out, though nobody reads them.
///
/// # Safety
/// `block` may be written to for `size` bytes.
unsafe fn wipe(block: *mut u8, size: usize) {
    // SAFETY: the caller promises that these bytes may be written to.
    unsafe { std::ptr::write_bytes(block, 0, size) };
    // SAFETY: no instruction at all; to the compiler, one that may read all memory.
    unsafe { asm!("/* {0} */", in(reg) block, options(nostack, preserves_flags)) };
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_os = "linux")]
    use crate::memory::tests::View;

    #[test]
    fn it_keeps_what_a_block_holds_when_it_grows_and_shrinks() {
        let layout = Layout::from_size_align(16, 8).expect("a layout");
        // SAFETY: the layouts are those of the blocks, and each block is used within its size.
        unsafe {
            let block = WipingAllocator.alloc(layout);
            block.write_bytes(7, 16);
            let larger = WipingAllocator.realloc(block, layout, 4096);
            assert!(std::slice::from_raw_parts(larger, 16).iter().all(|byte| *byte == 7));
            let layout = Layout::from_size_align(4096, 8).expect("a layout");
            let smaller = WipingAllocator.realloc(larger, layout, 8);
            assert!(std::slice::from_raw_parts(smaller, 8).iter().all(|byte| *byte == 7));
            WipingAllocator.dealloc(smaller, Layout::from_size_align(8, 8).expect("a layout"));
        }
    }

    /// How many runs of eight bytes that were 7 are so still, once `free` has done with a block of 128 of them.
    #[cfg(target_os = "linux")]
    fn left(free: impl FnOnce(*mut u8, Layout)) -> usize {
        let layout = Layout::from_size_align(1024, 8).expect("a layout");
        let mut view = View::of(layout.size());
        // SAFETY: the layout has a size, and the block is used within it.
        let block = unsafe {
            let block = WipingAllocator.alloc(layout);
            block.write_bytes(7, layout.size());
            block
        };
        free(block, layout);
        view.count(block.addr(), 7)
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn it_leaves_nothing_in_a_block_that_is_freed_or_moved_or_made_smaller() {
        // SAFETY: the block is given back with its layout, and not used afterwards.
        assert!(left(|block, layout| unsafe { System.dealloc(block, layout) }) > 100, "the control");
        // SAFETY: the block came from this allocator, and is not used once it is given back.
        assert_eq!(left(|block, layout| unsafe { WipingAllocator.dealloc(block, layout) }), 0);
        for new_size in [64, 1 << 20] {
            // SAFETY: what comes back is used within its new size, and given back with the layout that it has then.
            let of_old = left(|block, layout| unsafe {
                let moved = WipingAllocator.realloc(block, layout, new_size);
                assert_eq!(*moved, 7, "what it holds is kept");
                let layout = Layout::from_size_align(new_size, 8).expect("a layout");
                WipingAllocator.dealloc(moved, layout);
            });
            assert_eq!(of_old, 0, "to {new_size} bytes");
        }
    }
}
