//! The memory of secrets: slots of a few sizes in shared pages, so that ten thousand pairs lock little more memory than
//! they fill.
//!
//! An arena belongs to one process. A child of `fork()` creates its own, because the inherited arena is not locked in
//! the child, a thread that does not exist in the child may hold its mutex, and shared pages are the parent's to wipe.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ring::rand::{SecureRandom, SystemRandom};

use crate::buffer::WipedBuffer;
use crate::fork::{ForkOwned, PerProcess};
use crate::memory::{Region, RegionKind, Slot};
use crate::shield::{OVERHEAD, PREKEY, Shield};

/// The number of bytes mapped at a time: small enough for the smallest usual limit on locked memory.
const CHUNK: usize = 16 * 1024;
/// The sizes of slots. Most pairs fit the first; the longest possible pair fits the last.
const SIZES: [usize; 4] = [128, 256, 512, 2048];
/// The length of the largest slot.
pub(crate) const LONGEST: usize = SIZES[SIZES.len() - 1];
const CANARY: usize = 8;
const LENGTH: usize = 2;

/// The secrets of one process.
pub(crate) struct Arena {
    canary: [u8; CANARY],
    locked: SizeClasses,
    hidden: SizeClasses,
    shield: Mutex<Option<Arc<Shield>>>,
}

/// Pages of one kind, by slot size.
struct SizeClasses {
    kind: RegionKind,
    regions: Mutex<[Vec<Arc<Region>>; SIZES.len()]>,
}

static CURRENT: PerProcess<Arena> = PerProcess::new();

impl Arena {
    /// Returns the arena of the current process.
    pub fn current() -> Arc<ForkOwned<Self>> {
        CURRENT.get_or_make(Self::new)
    }

    fn new() -> Self {
        let mut canary = [0; CANARY];
        // A canary without randomness can be guessed, but still detects overruns.
        let _guessable = SystemRandom::new().fill(&mut canary);
        Self {
            canary,
            locked: SizeClasses::new(RegionKind::Locked),
            hidden: SizeClasses::new(RegionKind::SecretMem),
            shield: Mutex::new(None),
        }
    }

    /// Stores a copy of `plain`. The copy is encrypted if the memory is not hidden.
    ///
    /// # Errors
    /// Fails if the system refuses the memory or gives no randomness, or if `plain` is too long for a slot.
    pub fn keep(kind: RegionKind, plain: &[u8]) -> io::Result<Allocation> {
        let arena = Self::current();
        let stored = plain.len() + if kind == RegionKind::Locked { OVERHEAD } else { 0 };
        let length = u16::try_from(stored).map_err(|_| io::Error::other("the secret is too long"))?;
        let mut slot = arena.size_classes(kind).take(2 * CANARY + LENGTH + stored)?;
        let bytes = slot.bytes_mut();
        let (head, rest) = bytes.split_at_mut(CANARY);
        let (rest, tail) = rest.split_at_mut(rest.len() - CANARY);
        head.copy_from_slice(&arena.canary);
        tail.copy_from_slice(&arena.canary);
        let (size, body) = rest.split_at_mut(LENGTH);
        size.copy_from_slice(&length.to_ne_bytes());
        let shield = match kind {
            RegionKind::Locked => Some(arena.shield()?),
            RegionKind::SecretMem => None,
        };
        match &shield {
            Some(shield) if !shield.seal(plain, &mut body[..stored]) => return Err(no_randomness()),
            Some(_) => {}
            None => body[..stored].copy_from_slice(plain),
        }
        Ok(Allocation { slot, shield, arena })
    }

    /// Returns the shield. Creates it with the first secret, because it needs a locked page.
    fn shield(&self) -> io::Result<Arc<Shield>> {
        let mut shield = lock(&self.shield);
        if let Some(shield) = &*shield {
            return Ok(shield.clone());
        }
        let slot = self.locked.take(PREKEY)?;
        let new = Arc::new(Shield::new(slot).ok_or_else(no_randomness)?);
        Ok(shield.insert(new).clone())
    }

    fn size_classes(&self, kind: RegionKind) -> &SizeClasses {
        match kind {
            RegionKind::Locked => &self.locked,
            RegionKind::SecretMem => &self.hidden,
        }
    }
}

/// A secret in an arena. The process that made it wipes it on drop; a child of `fork()` leaves it as it is.
pub(crate) struct Allocation {
    slot: Slot,
    /// Encrypts the secret; `None` if its memory is hidden.
    shield: Option<Arc<Shield>>,
    arena: Arc<ForkOwned<Arena>>,
}

impl Allocation {
    /// Returns the kind of memory that holds the secret.
    pub fn kind(&self) -> RegionKind {
        if self.shield.is_some() { RegionKind::Locked } else { RegionKind::SecretMem }
    }

    /// Returns true if the current process made the allocation.
    pub fn is_own(&self) -> bool {
        self.arena.is_own()
    }

    /// Calls `read` with the plain bytes. Returns `None` if the parent of this process has wiped them.
    pub fn expose<R>(&self, read: impl FnOnce(&[u8]) -> R) -> Option<R> {
        let body = self.body()?;
        match &self.shield {
            None => Some(read(body)),
            Some(shield) => shield.open(body, read),
        }
    }

    /// Returns a plain copy in a buffer that is wiped on drop. Returns `None` if the parent of this process has wiped
    /// the secret.
    pub fn copy(&self) -> Option<WipedBuffer> {
        self.expose(|plain| {
            let mut copy = WipedBuffer::with_capacity(plain.len());
            copy.push(plain);
            copy
        })
    }

    fn body(&self) -> Option<&[u8]> {
        let bytes = self.slot.bytes();
        let (head, rest) = bytes.split_at(CANARY);
        let (size, body) = rest.split_at(LENGTH);
        let length = u16::from_ne_bytes(size.try_into().expect("split at LENGTH"));
        (head == self.arena.canary).then(|| body.get(..length.into())).flatten()
    }
}

impl Drop for Allocation {
    fn drop(&mut self) {
        let bytes = self.slot.bytes();
        let intact = bytes.starts_with(&self.arena.canary) && bytes.ends_with(&self.arena.canary);
        if self.is_own() && !intact {
            // A write outside any allocation hit this slot. Other memory may be corrupt too, so the program must not
            // continue.
            std::process::abort();
        }
    }
}

impl SizeClasses {
    fn new(kind: RegionKind) -> Self {
        Self { kind, regions: Mutex::default() }
    }

    /// Returns a slot of at least `size` bytes, all zero.
    fn take(&self, size: usize) -> io::Result<Slot> {
        let class =
            SIZES.iter().position(|slot| *slot >= size).ok_or_else(|| io::Error::other("it is too long"))?;
        let mut regions = lock(&self.regions);
        let regions = &mut regions[class];
        if let Some(slot) = regions.iter().rev().find_map(Region::take) {
            if slot.bytes().iter().any(|byte| *byte != 0) {
                // The slot was wiped when it was freed, so a later write was a write to freed memory.
                std::process::abort();
            }
            return Ok(slot);
        }
        regions.push(Region::map(self.kind, CHUNK, SIZES[class])?);
        Ok(regions[regions.len() - 1].take().expect("a new region has a free slot"))
    }
}

fn no_randomness() -> io::Error {
    io::Error::other("the system gives no randomness")
}

/// The guarded values are valid at every moment, so a poisoned lock is safe to use.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(all(test, target_os = "linux"))]
#[allow(unsafe_code)]
mod tests {
    use super::*;
    use crate::memory::tests::{kinds, signal_that_kills};

    /// Inverts one byte, as a memory error of a program would.
    fn corrupt(at: *const u8) {
        // SAFETY: runs in a child only, on mapped pages. The damage is the purpose of the test.
        unsafe { at.cast_mut().write_volatile(at.read_volatile() ^ 0xFF) };
    }

    #[test]
    fn it_keeps_secrets_of_every_length_up_to_the_longest() {
        for kind in kinds() {
            let overhead = if kind == RegionKind::Locked { OVERHEAD } else { 0 };
            let longest = LONGEST - 2 * CANARY - LENGTH - overhead;
            let plain: Vec<u8> = (0..=longest).map(|number| number.to_le_bytes()[0]).collect();
            for length in 0..=longest {
                let kept = Arena::keep(kind, &plain[..length]).expect("memory");
                assert!(
                    kept.copy().is_some_and(|copy| copy.as_ref() == &plain[..length]),
                    "{kind:?} {length}"
                );
            }
            let refused = Arena::keep(kind, &plain).err().map(|error| error.to_string());
            assert_eq!(refused.as_deref(), Some("it is too long"), "{kind:?}");
        }
    }

    #[test]
    fn it_kills_programs_that_wrote_past_a_secret() {
        for kind in kinds() {
            let damage = |offset: usize| {
                // The child creates its own arena; dropping an inherited allocation checks no canary.
                let allocation = Arena::keep(kind, b"sec789xyz000").expect("memory");
                let bytes = allocation.slot.bytes();
                corrupt(&raw const bytes[offset]);
                drop(allocation);
            };
            assert_eq!(
                signal_that_kills(|| damage(0)),
                libc::SIGABRT,
                "{kind:?}: the canary before the secret"
            );
            assert_eq!(
                signal_that_kills(|| damage(SIZES[0] - 1)),
                libc::SIGABRT,
                "{kind:?}: the canary after the secret"
            );
            assert_eq!(
                signal_that_kills(|| damage(CANARY + LENGTH)),
                0,
                "{kind:?}: the control, within the secret"
            );
        }
    }

    #[test]
    fn it_kills_programs_that_wrote_to_a_freed_secret() {
        for kind in kinds() {
            let use_after_free = |write: bool| {
                let allocation = Arena::keep(kind, b"sec789xyz000").expect("memory");
                let freed = &raw const allocation.slot.bytes()[20];
                drop(allocation);
                if write {
                    corrupt(freed);
                }
                let _next = Arena::keep(kind, b"sec789xyz000").expect("memory");
            };
            assert_eq!(signal_that_kills(|| use_after_free(true)), libc::SIGABRT, "{kind:?}");
            assert_eq!(signal_that_kills(|| use_after_free(false)), 0, "{kind:?}: the control");
        }
    }

    #[test]
    fn it_keeps_no_plain_copy_in_a_locked_slot() {
        let allocation = Arena::keep(RegionKind::Locked, b"sec789xyz000sec789xyz000").expect("memory");
        assert!(!allocation.slot.bytes().windows(8).any(|window| window == b"sec789xy"));
        assert_eq!(allocation.copy().expect("made by this process").as_ref(), b"sec789xyz000sec789xyz000");
        let contains_plain = |bytes: &[u8]| bytes.windows(8).any(|window| window == b"sec789xy");
        assert!(allocation.expose(contains_plain).expect("made by this process"), "the control");
    }

    #[test]
    fn it_maps_16_kib_at_a_time() {
        let classes = SizeClasses::new(RegionKind::Locked);
        let mut slots: Vec<Slot> = (0..128).map(|_| classes.take(128).expect("memory")).collect();
        assert_eq!(lock(&classes.regions)[0].len(), 1);
        slots.push(classes.take(128).expect("memory"));
        assert_eq!(lock(&classes.regions)[0].len(), 2);
    }
}
