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
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller promises.
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
    // SAFETY: as the caller promises.
    unsafe { std::ptr::write_bytes(block, 0, size) };
    // SAFETY: no instruction at all; to the compiler, one that may read all memory.
    unsafe { asm!("/* {0} */", in(reg) block, options(nostack, preserves_flags)) };
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn it_wipes_before_it_frees() {
        let mut block = [7_u8; 64];
        // SAFETY: the array is of this size.
        unsafe { wipe(block.as_mut_ptr(), block.len()) };
        assert_eq!(block, [0; 64]);
    }
}
