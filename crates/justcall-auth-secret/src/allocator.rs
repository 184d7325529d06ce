//! An allocator that wipes memory before it frees it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::arch::asm;

/// The system's allocator, with memory wiped before it is freed. An HTTP or TLS library copies a secret while it
/// handles it, and frees the copy unwiped. This allocator wipes such copies.
///
/// The C library and the Python module use it for their own memory. A Rust program opts in with
///
/// ```
/// #[global_allocator]
/// static ALLOCATOR: justcall_auth_secret::WipingAllocator = justcall_auth_secret::WipingAllocator;
/// # fn main() {}
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct WipingAllocator;

// SAFETY: every block comes from the system's allocator and returns to it with its layout. Only a block that its owner
// is freeing is written to.
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
        // SAFETY: the block has this size and is no longer in use; the layout is the one it was allocated with.
        unsafe {
            wipe_block(block, layout.size());
            System.dealloc(block, layout);
        }
    }

    /// Allocates a new block, copies, and frees the old block. The system's `realloc` could move the data and leave the
    /// old block unwiped.
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller promises that the size is valid for a layout.
        let new_layout = unsafe { Layout::from_size_align_unchecked(new_size, layout.align()) };
        // SAFETY: the caller promises a size that is not 0.
        let new_block = unsafe { System.alloc(new_layout) };
        if !new_block.is_null() {
            // SAFETY: the two blocks do not overlap, and both are at least as long as what is copied.
            unsafe { std::ptr::copy_nonoverlapping(block, new_block, layout.size().min(new_size)) };
            // SAFETY: the caller owns the block, and passed its layout.
            unsafe { self.dealloc(block, layout) };
        }
        new_block
    }
}

/// Writes zeros, as [`wipe_block`] does.
pub(crate) fn wipe(bytes: &mut [u8]) {
    // SAFETY: the slice may be written to.
    unsafe { wipe_block(bytes.as_mut_ptr(), bytes.len()) };
}

/// Writes zeros. The compiler cannot remove the writes, although nothing reads the zeros.
///
/// # Safety
/// `block` may be written to for `size` bytes.
unsafe fn wipe_block(block: *mut u8, size: usize) {
    // SAFETY: the caller promises that these bytes may be written to.
    unsafe { std::ptr::write_bytes(block, 0, size) };
    // SAFETY: the assembly holds no instruction. The compiler must assume that it reads all memory.
    unsafe { asm!("/* {0} */", in(reg) block, options(nostack, preserves_flags)) };
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_os = "linux")]
    use crate::memory::tests::View;

    #[test]
    fn it_keeps_the_content_of_a_block_that_grows_or_shrinks() {
        let layout = Layout::from_size_align(16, 8).expect("a layout");
        // SAFETY: each layout is the one of its block, and each block is used within its size.
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

    /// Allocates a block that is filled with 7, calls `free` with it, and counts the runs of eight bytes that are still
    /// 7 (of 128).
    #[cfg(target_os = "linux")]
    fn runs_left_after(free: impl FnOnce(*mut u8, Layout)) -> usize {
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
    fn it_wipes_blocks_that_are_freed_moved_or_made_smaller() {
        // SAFETY: the block is freed with its layout, and not used afterwards.
        let without_wiping = runs_left_after(|block, layout| unsafe { System.dealloc(block, layout) });
        assert!(without_wiping > 100, "the control");
        // SAFETY: the block came from this allocator, and is not used after it is freed.
        assert_eq!(runs_left_after(|block, layout| unsafe { WipingAllocator.dealloc(block, layout) }), 0);
        for new_size in [64, 1 << 20] {
            // SAFETY: the new block is used within its new size, and freed with its new layout.
            let in_old_block = runs_left_after(|block, layout| unsafe {
                let moved = WipingAllocator.realloc(block, layout, new_size);
                assert_eq!(*moved, 7, "the content is kept");
                let layout = Layout::from_size_align(new_size, 8).expect("a layout");
                WipingAllocator.dealloc(moved, layout);
            });
            assert_eq!(in_old_block, 0, "to {new_size} bytes");
        }
    }
}
