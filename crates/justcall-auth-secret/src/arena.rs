//! Where secrets rest: slots of a few sizes in shared pages, so that ten thousand pairs lock little more memory than
//! they fill.
//!
//! An arena belongs to a process. After `fork()` the child makes its own: what it inherited is not locked there, may be
//! guarded by a lock that no thread of the child holds, and, where pages are shared, is the parent's to wipe.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ring::rand::{SecureRandom, SystemRandom};

use crate::buffer::WipedBuffer;
use crate::fork::{ForkOwned, PerProcess};
use crate::memory::{Kind, Region, Slot};
use crate::shield::{OVERHEAD, PREKEY, Shield};

/// How many bytes are mapped at a time: little enough for the smallest usual limit of locked memory.
const CHUNK: usize = 16 * 1024;
/// The sizes of slots: most pairs fit the first, the longest possible pair the last.
const SIZES: [usize; 4] = [128, 256, 512, 2048];
const CANARY: usize = 8;
const LENGTH: usize = 2;

/// What keeps the secrets of one process.
pub(crate) struct Arena {
    canary: [u8; CANARY],
    locked: SizeClasses,
    hidden: SizeClasses,
    shield: Mutex<Option<Arc<Shield>>>,
}

/// Pages of one kind, by the size of their slots.
struct SizeClasses {
    kind: Kind,
    regions: Mutex<[Vec<Arc<Region>>; SIZES.len()]>,
}

static CURRENT: PerProcess<Arena> = PerProcess::new();

impl Arena {
    /// The arena of the process that asks.
    pub fn current() -> Arc<ForkOwned<Self>> {
        CURRENT.get_or_make(Self::new)
    }

    fn new() -> Self {
        let mut canary = [0; CANARY];
        // Without randomness it is still a canary, only one that could be guessed.
        let _guessable = SystemRandom::new().fill(&mut canary);
        Self {
            canary,
            locked: SizeClasses::new(Kind::Locked),
            hidden: SizeClasses::new(Kind::SecretMem),
            shield: Mutex::new(None),
        }
    }

    /// Keeps a copy of `plain`, encrypted where the memory is not hidden.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn keep(kind: Kind, plain: &[u8]) -> io::Result<Allocation> {
        let arena = Self::current();
        let stored = plain.len() + if kind == Kind::Locked { OVERHEAD } else { 0 };
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
            Kind::Locked => Some(arena.shield()?),
            Kind::SecretMem => None,
        };
        match &shield {
            Some(shield) if !shield.seal(plain, &mut body[..stored]) => return Err(no_randomness()),
            Some(_) => {}
            None => body[..stored].copy_from_slice(plain),
        }
        Ok(Allocation { slot, shield, arena })
    }

    /// Made with the first secret, as it needs a locked page of its own.
    fn shield(&self) -> io::Result<Arc<Shield>> {
        let mut shield = lock(&self.shield);
        if let Some(shield) = &*shield {
            return Ok(shield.clone());
        }
        let slot = self.locked.take(PREKEY)?;
        let made = Arc::new(Shield::new(slot).ok_or_else(no_randomness)?);
        Ok(shield.insert(made).clone())
    }

    fn size_classes(&self, kind: Kind) -> &SizeClasses {
        match kind {
            Kind::Locked => &self.locked,
            Kind::SecretMem => &self.hidden,
        }
    }
}

/// A secret in an arena. Wiped when dropped by the process that made it; a child leaves it as it is.
pub(crate) struct Allocation {
    slot: Slot,
    /// What encrypts it, unless it is hidden.
    shield: Option<Arc<Shield>>,
    arena: Arc<ForkOwned<Arena>>,
}

impl Allocation {
    /// What it is kept in.
    pub fn kind(&self) -> Kind {
        if self.shield.is_some() { Kind::Locked } else { Kind::SecretMem }
    }

    /// Whether the process that asks is the one that made it.
    pub fn is_own(&self) -> bool {
        self.arena.is_own()
    }

    /// Gives `read` the plain bytes; `None` when they were destroyed, by the parent of this process.
    pub fn expose<R>(&self, read: impl FnOnce(&[u8]) -> R) -> Option<R> {
        let body = self.body()?;
        match &self.shield {
            None => Some(read(body)),
            Some(shield) => Some(read(shield.open(body)?.as_ref())),
        }
    }

    /// A plain copy, in memory that is wiped.
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
        let length = u16::from_ne_bytes(size.try_into().expect("as long as a length is"));
        (head == self.arena.canary).then(|| body.get(..length.into())).flatten()
    }
}

impl Drop for Allocation {
    fn drop(&mut self) {
        let bytes = self.slot.bytes();
        let intact = bytes.starts_with(&self.arena.canary) && bytes.ends_with(&self.arena.canary);
        if self.is_own() && !intact {
            // Somebody wrote where no part of a program may write: what else it wrote, nobody knows.
            std::process::abort();
        }
    }
}

impl SizeClasses {
    fn new(kind: Kind) -> Self {
        Self { kind, regions: Mutex::default() }
    }

    /// A slot of at least `size` bytes, all zero.
    fn take(&self, size: usize) -> io::Result<Slot> {
        let class =
            SIZES.iter().position(|slot| *slot >= size).ok_or_else(|| io::Error::other("it is too long"))?;
        let mut regions = lock(&self.regions);
        let regions = &mut regions[class];
        if let Some(slot) = regions.iter().rev().find_map(Region::take) {
            if slot.bytes().iter().any(|byte| *byte != 0) {
                // It was wiped when it was given back: whoever wrote to it since wrote to freed memory.
                std::process::abort();
            }
            return Ok(slot);
        }
        regions.push(Region::map(self.kind, CHUNK, SIZES[class])?);
        Ok(regions[regions.len() - 1].take().expect("a new region has room"))
    }
}

fn no_randomness() -> io::Error {
    io::Error::other("the system gives no randomness")
}

/// What these locks guard is whole at every moment, so a panic elsewhere does not spoil it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(all(test, target_os = "linux"))]
#[allow(unsafe_code)]
mod tests {
    use super::*;
    use crate::memory::tests::{kinds, signal_that_kills};

    /// Writes one byte, as a bug elsewhere in a program would.
    fn corrupt(at: *const u8) {
        // SAFETY: of a child alone, into pages that are mapped: what it breaks is what is tested.
        unsafe { at.cast_mut().write_volatile(at.read_volatile() ^ 0xFF) };
    }

    #[test]
    fn it_kills_programs_that_wrote_past_a_secret() {
        for kind in kinds() {
            let damage = |offset: usize| {
                // The child's arena is a new one: what it inherits it would leave as it is.
                let kept = Arena::keep(kind, b"sec789xyz000").expect("memory");
                let bytes = kept.slot.bytes();
                corrupt(&raw const bytes[offset]);
                drop(kept);
            };
            assert_eq!(signal_that_kills(|| damage(0)), libc::SIGABRT, "{kind:?}: the canary before it");
            assert_eq!(
                signal_that_kills(|| damage(SIZES[0] - 1)),
                libc::SIGABRT,
                "{kind:?}: the canary after it"
            );
            assert_eq!(signal_that_kills(|| damage(CANARY + LENGTH)), 0, "{kind:?}: the control, within it");
        }
    }

    #[test]
    fn it_kills_programs_that_wrote_to_a_freed_secret() {
        for kind in kinds() {
            let use_after_free = |write: bool| {
                let kept = Arena::keep(kind, b"sec789xyz000").expect("memory");
                let freed = &raw const kept.slot.bytes()[20];
                drop(kept);
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
        let kept = Arena::keep(Kind::Locked, b"sec789xyz000sec789xyz000").expect("memory");
        assert!(!kept.slot.bytes().windows(8).any(|window| window == b"sec789xy"));
        assert_eq!(kept.copy().expect("its own").as_ref(), b"sec789xyz000sec789xyz000");
        let heads = |bytes: &[u8]| bytes.windows(8).any(|window| window == b"sec789xy");
        assert!(kept.expose(heads).expect("its own"), "the control");
    }
}
