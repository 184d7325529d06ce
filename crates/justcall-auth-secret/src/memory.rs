//! Every primitive of memory, and all the unsafe code that they need: pages between guard pages that are locked, kept
//! out of core dumps, or hidden from everybody else; and slots within them.
//!
//! One `#if` of the platform a helper: what Linux does and others do not says so there.

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

/// How the pages of a region are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Never written to swap, nor to a core dump.
    Locked,
    /// Seen by nobody but the processes that map them: not by the kernel, not through `/proc`.
    SecretMem,
}

/// Pages between two guard pages, which nobody may touch. They are handed out in [`Slot`]s of one size.
pub(crate) struct Region {
    /// Of the first page that may be used.
    start: NonNull<u8>,
    length: usize,
    page: usize,
    slot_size: usize,
    /// The offsets of the slots that nobody has. No other process hands slots out, takes them back or wipes them.
    free: ForkOwned<Mutex<Vec<usize>>>,
}

// SAFETY: a region is memory; each part of it is touched through the one slot that has it.
unsafe impl Send for Region {}
// SAFETY: likewise; the region itself gives no access to its bytes.
unsafe impl Sync for Region {}

impl Region {
    /// Maps `length` bytes, rounded up to whole pages, all zero, to be handed out `slot_size` at a time.
    ///
    /// # Errors
    /// What the system refuses: locking beyond the limit, or the kind of memory.
    pub fn map(kind: Kind, length: usize, slot_size: usize) -> io::Result<Arc<Self>> {
        let page = page_size();
        let length = length.div_ceil(page) * page;
        let guarded = reserve(length + 2 * page)?;
        // SAFETY: one page further is within what was reserved.
        let start = unsafe { guarded.add(page) };
        let free = (0..length / slot_size).rev().map(|slot| slot * slot_size).collect();
        let free = ForkOwned::new(Mutex::new(free));
        let region = Self { start, length, page, slot_size, free };
        match kind {
            Kind::Locked => region.lock_pages()?,
            Kind::SecretMem => region.hide_pages()?,
        }
        region.keep_out_of_dumps();
        Ok(Arc::new(region))
    }

    /// A slot that nobody has, all zero; `None` when there is none left.
    pub fn take(self: &Arc<Self>) -> Option<Slot> {
        debug_assert!(self.free.is_own(), "a child of fork() makes regions of its own");
        let offset = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop()?;
        Some(Slot { region: self.clone(), offset })
    }

    /// Makes the reserved pages usable and keeps them out of swap.
    #[cfg(unix)]
    fn lock_pages(&self) -> io::Result<()> {
        // SAFETY: the pages are this region's own, and nothing refers to them yet.
        check(unsafe { libc::mprotect(self.address(), self.length, libc::PROT_READ | libc::PROT_WRITE) })?;
        // SAFETY: locking changes no byte of the region.
        check(unsafe { libc::mlock(self.address(), self.length) })
    }

    /// Makes the reserved pages usable and keeps them out of the page file.
    #[cfg(windows)]
    fn lock_pages(&self) -> io::Result<()> {
        let mut before = 0;
        // SAFETY: the pages are reserved for this region alone, and `before` may be written to.
        check(unsafe { VirtualProtect(self.address(), self.length, PAGE_READWRITE, &raw mut before) })?;
        // SAFETY: the pages were made usable; locking them changes no byte.
        check(unsafe { VirtualLock(self.address(), self.length) })
    }

    /// Puts memory in the place of the reserved pages that only processes which map it can see.
    #[cfg(target_os = "linux")]
    fn hide_pages(&self) -> io::Result<()> {
        use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
        // SAFETY: the call takes flags alone and gives a new descriptor.
        let number = unsafe { libc::syscall(libc::SYS_memfd_secret, libc::O_CLOEXEC) };
        let number =
            i32::try_from(number).ok().filter(|number| *number >= 0).ok_or_else(io::Error::last_os_error)?;
        // SAFETY: the descriptor was just made and is nobody else's.
        let file = unsafe { OwnedFd::from_raw_fd(number) };
        let size = libc::off_t::try_from(self.length).map_err(io::Error::other)?;
        // SAFETY: the descriptor is open.
        check(unsafe { libc::ftruncate(file.as_raw_fd(), size) })?;
        let (access, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED | libc::MAP_FIXED);
        // SAFETY: it takes the place of pages that are this region's own and that nothing refers to yet.
        let mapped = unsafe { libc::mmap(self.address(), self.length, access, flags, file.as_raw_fd(), 0) };
        if mapped == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    /// There is no such memory elsewhere.
    #[cfg(not(target_os = "linux"))]
    fn hide_pages(&self) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Leaves the pages out of core dumps. Where a kernel cannot, they are still locked and shielded.
    #[cfg(target_os = "linux")]
    fn keep_out_of_dumps(&self) {
        // SAFETY: the pages are this region's own; the advice changes no byte.
        let _as_far_as_it_can = unsafe { libc::madvise(self.address(), self.length, libc::MADV_DONTDUMP) };
    }

    /// There is no such advice elsewhere.
    #[cfg(not(target_os = "linux"))]
    fn keep_out_of_dumps(&self) {}

    fn address(&self) -> *mut c_void {
        self.start.as_ptr().cast()
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        // SAFETY: with its guard pages the region is what `reserve` gave, and no slot keeps a region alive longer than it
        // needs it: the last one is gone. Unmapping unlocks, and touches no byte: a child of `fork()` destroys nothing.
        unsafe { release(self.start.as_ptr().sub(self.page).cast(), self.length + 2 * self.page) };
    }
}

/// Address space that may not be touched yet.
#[cfg(unix)]
fn reserve(length: usize) -> io::Result<NonNull<u8>> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANON;
    // SAFETY: without MAP_FIXED the system chooses addresses that nothing uses.
    let mapped = unsafe { libc::mmap(ptr::null_mut(), length, libc::PROT_NONE, flags, -1, 0) };
    if mapped == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    Ok(NonNull::new(mapped.cast()).expect("a mapping that did not fail is not at 0"))
}

/// Address space that may not be touched yet.
#[cfg(windows)]
fn reserve(length: usize) -> io::Result<NonNull<u8>> {
    // SAFETY: without an address the system chooses one that nothing uses.
    let mapped = unsafe { VirtualAlloc(ptr::null(), length, MEM_RESERVE | MEM_COMMIT, PAGE_NOACCESS) };
    NonNull::new(mapped.cast()).ok_or_else(io::Error::last_os_error)
}

/// Gives back what [`reserve`] gave.
///
/// # Safety
/// Nothing refers to it.
#[cfg(unix)]
unsafe fn release(start: *mut c_void, length: usize) {
    // SAFETY: the caller promises that nothing refers to the mapping.
    unsafe { libc::munmap(start, length) };
}

/// Gives back what [`reserve`] gave, all of it.
///
/// # Safety
/// Nothing refers to it.
#[cfg(windows)]
unsafe fn release(start: *mut c_void, _: usize) {
    // SAFETY: `reserve` gave all of it in one piece, and the caller promises that nothing refers to it.
    unsafe { VirtualFree(start, 0, MEM_RELEASE) };
}

#[cfg(windows)]
fn page_size() -> usize {
    let mut system = SYSTEM_INFO::default();
    // SAFETY: the call writes what it is given room for.
    unsafe { GetSystemInfo(&raw mut system) };
    usize::try_from(system.dwPageSize).unwrap_or(4096)
}

#[cfg(unix)]
fn page_size() -> usize {
    // SAFETY: the call reads a constant of the system.
    usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096)
}

/// Unix says 0 for success, Windows for failure.
fn check(result: i32) -> io::Result<()> {
    if (result == 0) == cfg!(unix) { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// A part of a region that belongs to whoever holds this. Wiped when dropped, by the process that made it.
pub(crate) struct Slot {
    region: Arc<Region>,
    offset: usize,
}

impl Slot {
    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: the part lies within mapped pages, which the region keeps; the region handed it out once, so whoever
        // writes to it has this slot mutably, which excludes this borrow.
        unsafe { std::slice::from_raw_parts(self.first(), self.region.slot_size) }
    }

    /// Its bytes, to be changed.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above, and this borrow of the slot is the only one.
        unsafe { std::slice::from_raw_parts_mut(self.first(), self.region.slot_size) }
    }

    fn first(&self) -> *mut u8 {
        // SAFETY: the region hands out offsets at which a whole slot lies within it.
        unsafe { self.region.start.as_ptr().add(self.offset) }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        // In a child of `fork()` the pages may be the parent's too, and the lock held by a thread that is not there.
        if self.region.free.is_own() {
            self.bytes_mut().zeroize();
            self.region.free.lock().unwrap_or_else(PoisonError::into_inner).push(self.offset);
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The kinds that this system has: hidden memory is not everywhere (Linux before 6.5 has it when it is told to).
    pub(crate) fn kinds() -> impl Iterator<Item = Kind> {
        [Kind::Locked, Kind::SecretMem].into_iter().filter(|kind| {
            let is_had = Region::map(*kind, 1, 1).is_ok();
            assert!(is_had || *kind == Kind::SecretMem, "a page can be locked");
            is_had
        })
    }

    /// A region of one page.
    fn map(kind: Kind, slot_size: usize) -> Arc<Region> {
        Region::map(kind, 1, slot_size).expect("the system has it")
    }

    #[test]
    fn it_gives_zeroed_bytes_that_can_be_written_to_their_very_ends() {
        for region in kinds().map(|kind| map(kind, page_size())) {
            let mut slot = region.take().expect("a slot");
            assert_eq!(slot.bytes().len(), page_size());
            assert!(slot.bytes().iter().all(|byte| *byte == 0));
            slot.bytes_mut().fill(7);
            assert_eq!((slot.bytes()[0], slot.bytes()[page_size() - 1]), (7, 7));
        }
    }

    #[test]
    fn it_hands_each_part_out_once_and_wiped() {
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
            let again = region.take().expect("the one that was given back");
            assert!(again.bytes().iter().all(|byte| *byte == 0));
            assert!(region.take().is_none());
        }
    }

    /// Runs `body` in a child; the signal that killed it, 0 when it lived.
    #[cfg(target_os = "linux")]
    pub(crate) fn signal_that_kills(body: impl FnOnce()) -> i32 {
        // SAFETY: the child runs `body` alone, in which nothing waits for another thread.
        match unsafe { libc::fork() } {
            0 => {
                body();
                // SAFETY: the child ends without running the parent's exit handlers.
                unsafe { libc::_exit(0) }
            }
            child => {
                let mut status = 0;
                // SAFETY: `child` was forked here and is awaited once; `status` may be written to.
                assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
                if libc::WIFSIGNALED(status) { libc::WTERMSIG(status) } else { 0 }
            }
        }
    }

    /// What lies at `address` of this process, as the kernel sees it: freed memory may not be looked at otherwise. Make it
    /// before what is looked at is freed, for it allocates nothing afterwards.
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

        /// How many runs of eight bytes there are nothing but `byte`. The C library writes addresses into what is free, in
        /// which a byte may be anything.
        pub fn count(&mut self, address: usize, byte: u8) -> usize {
            use std::os::unix::fs::FileExt as _;
            self.memory.read_exact_at(&mut self.seen, address as u64).expect("it is still mapped");
            self.seen.chunks_exact(8).filter(|run| *run == [byte; 8]).count()
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn it_keeps_locked_pages_out_of_swap_and_of_core_dumps() {
        let flags = |address: usize| {
            let maps =
                std::fs::read_to_string("/proc/self/smaps").expect("the kernel's view of this process");
            let starts = format!("{address:x}-");
            let mut lines = maps.lines().skip_while(|line| !line.starts_with(&starts));
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
    fn it_kills_attempts_to_touch_what_lies_around_its_pages() {
        for region in kinds().map(|kind| map(kind, page_size())) {
            let slot = region.take().expect("a slot");
            let first = slot.first();
            let size = isize::try_from(slot.bytes().len()).expect("a page is small");
            for (distance, signal) in [(-1, libc::SIGSEGV), (0, 0), (size - 1, 0), (size, libc::SIGSEGV)] {
                // SAFETY: of the child alone, which may die of it: that is what is tested.
                let touch = || unsafe {
                    first.offset(distance).write_volatile(first.offset(distance).read_volatile());
                };
                assert_eq!(signal_that_kills(touch), signal, "at {distance}");
            }
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn it_hides_secret_memory_even_from_the_kernels_own_view() {
        use std::os::unix::fs::FileExt as _;
        let memory = std::fs::File::open("/proc/self/mem").expect("the kernel's view of this process");
        for kind in kinds() {
            let region = map(kind, page_size());
            let mut slot = region.take().expect("a slot");
            slot.bytes_mut()[..6].copy_from_slice(b"canary");
            let mut seen = [0; 6];
            let read = memory.read_exact_at(&mut seen, slot.first().addr() as u64);
            match kind {
                Kind::Locked => assert!(read.is_ok() && &seen == b"canary", "the control: {read:?}"),
                Kind::SecretMem => {
                    assert_eq!(read.expect_err("hidden").raw_os_error(), Some(libc::EIO));
                    assert_eq!(seen, [0; 6]);
                }
            }
        }
    }
}
