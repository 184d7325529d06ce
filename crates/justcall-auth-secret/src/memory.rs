//! The memory primitives, with all the unsafe code that they need: pages between guard pages that are locked, excluded
//! from core dumps or hidden from other processes, and slots within these pages.
//!
//! A function that differs by platform has one version per platform side by side.

use std::ffi::c_void;
use std::io;
use std::ptr::{self, NonNull};
use std::sync::{Arc, Mutex, PoisonError};

#[cfg(windows)]
use windows_sys::Win32::System::{
    Memory::{
        MEM_COMMIT, MEM_RELEASE, MEM_RESERVE, PAGE_NOACCESS, PAGE_READWRITE, VirtualAlloc, VirtualFree,
        VirtualLock, VirtualProtect,
    },
    SystemInformation::{GetSystemInfo, SYSTEM_INFO},
};
use zeroize::Zeroize;

use crate::fork::ForkOwned;

/// How the pages of a region are protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RegionKind {
    /// Never written to swap or to a core dump.
    Locked,
    /// Readable only by the processes that map them; neither by the kernel nor through `/proc`.
    SecretMem,
}

/// Pages between two guard pages, divided into [`Slot`]s of one size. Any access to a guard page ends the process.
pub(crate) struct Region {
    /// The address of the first usable page.
    start: NonNull<u8>,
    length: usize,
    page: usize,
    slot_size: usize,
    /// The offsets of the unused slots. Only the process that made the region changes this list or wipes slots.
    free: ForkOwned<Mutex<Vec<usize>>>,
}

// SAFETY: a region is plain memory; only the one slot of each part accesses it.
unsafe impl Send for Region {}
// SAFETY: as above; the region itself gives no access to its bytes.
unsafe impl Sync for Region {}

impl Region {
    /// Maps `length` bytes, rounded up to whole pages, all zero, for slots of `slot_size` bytes.
    ///
    /// # Errors
    /// Fails if the system refuses the kind of memory, or if locking exceeds the limit.
    pub fn map(kind: RegionKind, length: usize, slot_size: usize) -> io::Result<Arc<Self>> {
        let page = page_size();
        let length = length.div_ceil(page) * page;
        let guarded = reserve(page + length + page)?;
        // SAFETY: the reservation is longer than one page.
        let start = unsafe { guarded.add(page) };
        let free = (0..length / slot_size).rev().map(|slot| slot * slot_size).collect();
        let free = ForkOwned::new(Mutex::new(free));
        let region = Self { start, length, page, slot_size, free };
        match kind {
            RegionKind::Locked => region.lock_pages()?,
            RegionKind::SecretMem => region.hide_pages()?,
        }
        region.keep_out_of_dumps();
        Ok(Arc::new(region))
    }

    /// Returns an unused slot, all zero, or `None` if the region is full.
    pub fn take(self: &Arc<Self>) -> Option<Slot> {
        debug_assert!(self.free.is_own(), "a child of fork() creates its own regions");
        let offset = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop()?;
        Some(Slot { region: self.clone(), offset })
    }

    /// Makes the reserved pages usable and keeps them out of swap.
    #[cfg(unix)]
    fn lock_pages(&self) -> io::Result<()> {
        // SAFETY: the pages belong to this region, and nothing refers to them yet.
        check(unsafe { libc::mprotect(self.address(), self.length, READ_WRITE) })?;
        // SAFETY: locking changes no byte of the region.
        check(unsafe { libc::mlock(self.address(), self.length) })
    }

    /// Makes the reserved pages usable and keeps them out of the page file.
    #[cfg(windows)]
    fn lock_pages(&self) -> io::Result<()> {
        let mut before = 0;
        // SAFETY: the pages are reserved for this region only, and `before` is writable.
        check(unsafe { VirtualProtect(self.address(), self.length, PAGE_READWRITE, &raw mut before) })?;
        // SAFETY: the pages were made usable; locking them changes no byte.
        check(unsafe { VirtualLock(self.address(), self.length) })
    }

    /// Replaces the reserved pages by memory that is visible only to processes that map it.
    #[cfg(target_os = "linux")]
    fn hide_pages(&self) -> io::Result<()> {
        use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
        // SAFETY: the call takes only flags and returns a new descriptor.
        let number = unsafe { libc::syscall(libc::SYS_memfd_secret, libc::O_CLOEXEC) };
        let number =
            i32::try_from(number).ok().filter(|number| *number >= 0).ok_or_else(io::Error::last_os_error)?;
        // SAFETY: the descriptor is new and has no other owner.
        let file = unsafe { OwnedFd::from_raw_fd(number) };
        let size = libc::off_t::try_from(self.length).map_err(io::Error::other)?;
        // SAFETY: the descriptor is open.
        check(unsafe { libc::ftruncate(file.as_raw_fd(), size) })?;
        let flags = libc::MAP_SHARED | libc::MAP_FIXED;
        // SAFETY: the mapping replaces pages that belong to this region, and nothing refers to them yet.
        let mapped =
            unsafe { libc::mmap(self.address(), self.length, READ_WRITE, flags, file.as_raw_fd(), 0) };
        if mapped == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    /// Only Linux has such memory.
    #[cfg(not(target_os = "linux"))]
    fn hide_pages(&self) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Excludes the pages from core dumps. If the kernel does not support that, they are still locked and encrypted.
    #[cfg(target_os = "linux")]
    fn keep_out_of_dumps(&self) {
        // SAFETY: the pages belong to this region; the advice changes no byte.
        let _best_effort = unsafe { libc::madvise(self.address(), self.length, libc::MADV_DONTDUMP) };
    }

    /// Only Linux has such advice.
    #[cfg(not(target_os = "linux"))]
    fn keep_out_of_dumps(&self) {}

    fn address(&self) -> *mut c_void {
        self.start.as_ptr().cast()
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        // SAFETY: the region with its guard pages is what `reserve` returned. Each slot keeps its region alive, so no
        // slot is left. Unmapping unlocks the pages and changes no byte, so a child of `fork()` destroys nothing.
        unsafe { release(self.start.as_ptr().sub(self.page).cast(), self.page + self.length + self.page) };
    }
}

/// Reserves address space that must not be accessed yet.
#[cfg(unix)]
fn reserve(length: usize) -> io::Result<NonNull<u8>> {
    map_private(length, libc::PROT_NONE)
}

/// The access to pages in use.
#[cfg(unix)]
pub(crate) const READ_WRITE: libc::c_int = libc::PROT_READ | libc::PROT_WRITE;

/// Maps `length` bytes, rounded up to whole pages, all zero, which no file and no other process shares.
///
/// # Errors
/// Fails if the system has not enough memory or addresses.
#[cfg(unix)]
pub(crate) fn map_private(length: usize, access: libc::c_int) -> io::Result<NonNull<u8>> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANON;
    // SAFETY: without MAP_FIXED, the system chooses addresses that nothing uses.
    let mapped = unsafe { libc::mmap(ptr::null_mut(), length, access, flags, -1, 0) };
    if mapped == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    Ok(NonNull::new(mapped.cast()).expect("a mapping that did not fail is not at 0"))
}

/// Reserves address space that must not be accessed yet.
#[cfg(windows)]
fn reserve(length: usize) -> io::Result<NonNull<u8>> {
    // SAFETY: without an address, the system chooses one that nothing uses.
    let mapped = unsafe { VirtualAlloc(ptr::null(), length, MEM_RESERVE | MEM_COMMIT, PAGE_NOACCESS) };
    NonNull::new(mapped.cast()).ok_or_else(io::Error::last_os_error)
}

/// Releases address space that [`reserve`] returned.
///
/// # Safety
/// Nothing refers to the address space.
#[cfg(unix)]
unsafe fn release(start: *mut c_void, length: usize) {
    // SAFETY: the caller promises that nothing refers to the mapping.
    unsafe { libc::munmap(start, length) };
}

/// Releases address space that [`reserve`] returned, as a whole.
///
/// # Safety
/// Nothing refers to the address space.
#[cfg(windows)]
unsafe fn release(start: *mut c_void, _: usize) {
    // SAFETY: `reserve` gave all of it in one piece, and the caller promises that nothing refers to it.
    unsafe { VirtualFree(start, 0, MEM_RELEASE) };
}

#[cfg(windows)]
fn page_size() -> usize {
    let mut system = SYSTEM_INFO::default();
    // SAFETY: the call writes one `SYSTEM_INFO`.
    unsafe { GetSystemInfo(&raw mut system) };
    usize::try_from(system.dwPageSize).unwrap_or(4096)
}

#[cfg(unix)]
fn page_size() -> usize {
    // SAFETY: the call only reads a constant of the system.
    usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096)
}

/// Unix returns 0 on success, Windows on failure.
fn check(result: i32) -> io::Result<()> {
    if (result == 0) == cfg!(unix) { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// A part of a region with one owner. The process that made the region wipes the slot on drop.
pub(crate) struct Slot {
    region: Arc<Region>,
    offset: usize,
}

impl Slot {
    /// Returns the bytes of the slot.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: the slot lies within mapped pages, which it keeps mapped. The region handed it out once, so a writer
        // borrows this slot mutably, which excludes this borrow.
        unsafe { std::slice::from_raw_parts(self.first(), self.region.slot_size) }
    }

    /// Returns the bytes of the slot for writing.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above, and this borrow of the slot is the only one.
        unsafe { std::slice::from_raw_parts_mut(self.first(), self.region.slot_size) }
    }

    fn first(&self) -> *mut u8 {
        // SAFETY: at each offset of the list, a whole slot lies within the region.
        unsafe { self.region.start.as_ptr().add(self.offset) }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        // In a child of `fork()`, the parent may share the pages, and a thread that does not exist may hold the lock.
        if self.region.free.is_own() {
            self.bytes_mut().zeroize();
            self.region.free.lock().unwrap_or_else(PoisonError::into_inner).push(self.offset);
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Returns the kinds that this system supports. Linux before 6.5 has hidden memory only if it is enabled at boot.
    pub(crate) fn kinds() -> impl Iterator<Item = RegionKind> {
        [RegionKind::Locked, RegionKind::SecretMem].into_iter().filter(|kind| {
            let is_supported = Region::map(*kind, 1, 1).is_ok();
            assert!(is_supported || *kind == RegionKind::SecretMem, "a page can be locked");
            is_supported
        })
    }

    /// Maps a region of one page.
    fn map(kind: RegionKind, slot_size: usize) -> Arc<Region> {
        Region::map(kind, 1, slot_size).expect("the kind is supported")
    }

    #[test]
    fn it_returns_zeroed_slots_that_are_writable_to_both_ends() {
        for region in kinds().map(|kind| map(kind, page_size())) {
            let mut slot = region.take().expect("a slot");
            assert_eq!(slot.bytes().len(), page_size());
            assert!(slot.bytes().iter().all(|byte| *byte == 0));
            slot.bytes_mut().fill(7);
            assert_eq!((slot.bytes()[0], slot.bytes()[page_size() - 1]), (7, 7));
        }
    }

    #[test]
    fn it_hands_out_each_slot_once_and_wiped() {
        for region in kinds().map(|kind| map(kind, page_size() / 4)) {
            let mut slots: Vec<Slot> = std::iter::from_fn(|| region.take()).collect();
            assert_eq!(slots.len(), 4);
            for (number, slot) in (1..).zip(&mut slots) {
                slot.bytes_mut().fill(number);
            }
            for (number, slot) in (1..).zip(&slots) {
                assert!(slot.bytes().iter().all(|byte| *byte == number), "slots overlap");
            }
            slots.remove(2);
            let reused = region.take().expect("the freed slot");
            assert!(reused.bytes().iter().all(|byte| *byte == 0));
            assert!(region.take().is_none());
        }
    }

    /// Returns the size of the address space of this process, in pages.
    #[cfg(target_os = "linux")]
    fn address_space() -> usize {
        let statm = std::fs::read_to_string("/proc/self/statm").expect("the kernel has this file");
        statm.split(' ').next().and_then(|pages| pages.parse().ok()).expect("a number")
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn it_returns_all_its_address_space_to_the_system() {
        use crate::process::tests::demand;
        for kind in kinds() {
            // In a child there is no other thread that maps memory.
            let in_child = || {
                let once = || {
                    let region = map(kind, 64);
                    drop(region.take());
                    address_space()
                };
                let (first, before) = (once(), address_space());
                demand(first == before + 3);
                demand(once() == first && address_space() == before);
            };
            assert_eq!(signal_that_kills(in_child), 0, "{kind:?}");
        }
    }

    /// Runs `body` in a child. Returns the signal that killed the child, or 0 if it exited.
    #[cfg(target_os = "linux")]
    pub(crate) fn signal_that_kills(body: impl FnOnce()) -> i32 {
        // SAFETY: the child only runs `body`, which waits for no other thread.
        match unsafe { libc::fork() } {
            0 => {
                body();
                // SAFETY: the child ends without running the parent's exit handlers.
                unsafe { libc::_exit(0) }
            }
            child => {
                let mut status = 0;
                // SAFETY: `child` was forked here and is awaited once; `status` is writable.
                assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
                if libc::WIFSIGNALED(status) { libc::WTERMSIG(status) } else { 0 }
            }
        }
    }

    /// Reads memory of this process through the kernel, because freed memory must not be read directly. Create it
    /// before the memory is freed: reading allocates nothing.
    #[cfg(target_os = "linux")]
    pub(crate) struct View {
        memory: std::fs::File,
        seen: Vec<u8>,
    }

    #[cfg(target_os = "linux")]
    impl View {
        pub fn of(length: usize) -> Self {
            let memory = std::fs::File::open("/proc/self/mem").expect("the kernel's view of this process");
            Self { memory, seen: vec![0; length] }
        }

        /// Counts the runs of eight bytes that are all `byte`. Single bytes do not count: the C library stores
        /// addresses in free memory, which can contain any byte.
        pub fn count(&mut self, address: usize, byte: u8) -> usize {
            use std::os::unix::fs::FileExt as _;
            self.memory.read_exact_at(&mut self.seen, address as u64).expect("it is still mapped");
            self.seen.chunks_exact(8).filter(|run| *run == [byte; 8]).count()
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn it_keeps_pages_out_of_swap_and_core_dumps() {
        let flags = |address: usize| {
            let maps =
                std::fs::read_to_string("/proc/self/smaps").expect("the kernel's view of this process");
            let prefix = format!("{address:x}-");
            let mut lines = maps.lines().skip_while(|line| !line.starts_with(&prefix));
            lines.find_map(|line| line.strip_prefix("VmFlags:")).unwrap_or_default().to_owned()
        };
        for region in kinds().map(|kind| map(kind, page_size())) {
            let flags = flags(region.start.addr().get());
            let has = |wanted: &str| flags.split_whitespace().any(|flag| flag == wanted);
            assert!(has("lo") && has("dd"), "neither locked nor left out of dumps: {flags}");
        }
        let plain = vec![7_u8; 64 * page_size()];
        let end = plain.as_ptr().addr() + plain.len();
        let is_in = |line: &&str| {
            let (from, to) =
                line.split_once(' ').and_then(|(range, _)| range.split_once('-')).unwrap_or_default();
            let number = |text| usize::from_str_radix(text, 16).unwrap_or_default();
            (number(from)..number(to)).contains(&(end - 1))
        };
        let maps = std::fs::read_to_string("/proc/self/maps").expect("the kernel's view of this process");
        let from = maps.lines().find(is_in).and_then(|line| line.split_once('-')).expect("it is mapped").0;
        let flags = flags(usize::from_str_radix(from, 16).expect("an address"));
        assert!(flags.contains("rd") && !flags.contains("dd"), "the control, on the heap: {flags}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn it_kills_a_process_that_accesses_a_guard_page() {
        for region in kinds().map(|kind| map(kind, page_size())) {
            let slot = region.take().expect("a slot");
            let first = slot.first();
            let size = isize::try_from(slot.bytes().len()).expect("a page is small");
            for (distance, signal) in [(-1, libc::SIGSEGV), (0, 0), (size - 1, 0), (size, libc::SIGSEGV)] {
                // SAFETY: runs in a child only. The test expects that the access kills the child.
                let access = || unsafe {
                    first.offset(distance).write_volatile(first.offset(distance).read_volatile());
                };
                assert_eq!(signal_that_kills(access), signal, "at {distance}");
            }
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn it_hides_secret_memory_from_the_kernel() {
        use std::os::unix::fs::FileExt as _;
        let memory = std::fs::File::open("/proc/self/mem").expect("the kernel's view of this process");
        for kind in kinds() {
            let region = map(kind, page_size());
            let mut slot = region.take().expect("a slot");
            slot.bytes_mut()[..6].copy_from_slice(b"canary");
            let mut seen = [0; 6];
            let read = memory.read_exact_at(&mut seen, slot.first().addr() as u64);
            match kind {
                RegionKind::Locked => assert!(read.is_ok() && &seen == b"canary", "the control: {read:?}"),
                RegionKind::SecretMem => {
                    assert_eq!(read.expect_err("hidden").raw_os_error(), Some(libc::EIO));
                    assert_eq!(seen, [0; 6]);
                }
            }
        }
    }
}
