//! A secret in memory between calls.

use std::fmt;
use std::io;
use std::sync::Arc;

use zeroize::{Zeroize, Zeroizing};

use crate::REDACTED;
use crate::arena::{Allocation, Arena};
use crate::fork::{ForkOwned, PerProcess};
use crate::level::{Level, Protection, Refused};
use crate::memory::RegionKind;
use crate::registers::RegisterWipe;

/// Bytes that must not leak: stored in protected memory, wiped on drop, redacted in `Debug`.
///
/// There is no `Clone`, `Display` or serialisation. Share a secret with `Arc`, and read it inside [`Secret::expose`].
/// Any thread may read it. A child of `fork()` may also read it, and copies it into its own memory at the first use.
///
/// ```compile_fail
/// let secret = justcall_auth_secret::Secret::from(b"x".to_vec());
/// let copy = secret.clone();
/// ```
/// ```compile_fail
/// println!("{}", justcall_auth_secret::Secret::from(b"x".to_vec()));
/// ```
pub struct Secret {
    length: usize,
    storage: Storage,
    refused: Option<Refused>,
}

enum Storage {
    Heap(Box<[u8]>),
    Arena {
        allocation: Allocation,
        /// The copy that a child of `fork()` makes at its first use.
        child_copy: PerProcess<Secret>,
    },
}

impl Secret {
    /// Copies `bytes` into memory with the best protection that [`Level::Auto`] obtains. The caller must wipe its own
    /// copy.
    pub fn copy_from(bytes: &[u8]) -> Self {
        Self::keep(bytes, Level::Auto).expect("the heap is never refused")
    }

    /// Copies `bytes` into memory with the protection that `level` requests. The caller must wipe its own copy.
    ///
    /// # Errors
    /// Fails if the system refuses the memory and `level` is not [`Level::Auto`].
    pub fn keep(bytes: &[u8], level: Level) -> Result<Self, Refused> {
        let _last = RegisterWipe;
        let length = bytes.len();
        let kind = match level {
            Level::Heap => {
                return Ok(Self { length, storage: Storage::Heap(Box::from(bytes)), refused: None });
            }
            Level::Auto | Level::Strict => RegionKind::Locked,
            Level::SecretMem => RegionKind::SecretMem,
        };
        match Arena::keep(kind, bytes) {
            Ok(allocation) => Ok(Self {
                length,
                storage: Storage::Arena { allocation, child_copy: PerProcess::new() },
                refused: None,
            }),
            Err(error) => {
                let refused = refusal(kind, &error);
                if level != Level::Auto {
                    return Err(refused);
                }
                Ok(Self { length, storage: Storage::Heap(Box::from(bytes)), refused: Some(refused) })
            }
        }
    }

    /// Calls `read` with the bytes and returns its result. Do not copy the bytes out of the closure. The vector
    /// registers are wiped afterwards, because the next call of a lazily bound function would write them to the stack.
    ///
    /// # Panics
    /// Panics in a child of `fork()` if the memory is shared and the parent freed the secret before the child first
    /// used it.
    pub fn expose<R>(&self, read: impl FnOnce(&[u8]) -> R) -> R {
        let _last = RegisterWipe;
        match &self.storage {
            Storage::Heap(bytes) => read(bytes),
            Storage::Arena { allocation, .. } if allocation.is_own() => {
                allocation.expose(read).expect("the shield opens what it sealed")
            }
            Storage::Arena { allocation, child_copy } => copy_of_child(allocation, child_copy).expose(read),
        }
    }

    /// Returns the number of bytes.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Returns true if there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Returns the protection of the secret. In a child of `fork()`, this is the protection of the child's copy,
    /// because locks are not inherited.
    ///
    /// # Panics
    /// Panics as [`Secret::expose`] does.
    pub fn protection(&self) -> Protection {
        match &self.storage {
            Storage::Heap(_) => Protection::Heap,
            Storage::Arena { allocation, .. } if allocation.is_own() => obtained(allocation.kind()),
            Storage::Arena { allocation, child_copy } => copy_of_child(allocation, child_copy).protection(),
        }
    }

    /// Returns why the protection is lower than requested, or `None` if it is not. In a child of `fork()`, returns why
    /// the child's copy has a lower protection than the parent's.
    ///
    /// # Panics
    /// Panics as [`Secret::expose`] does.
    pub fn refused(&self) -> Option<Refused> {
        match &self.storage {
            Storage::Arena { allocation, child_copy } if !allocation.is_own() => {
                copy_of_child(allocation, child_copy).refused()
            }
            _ => self.refused.clone(),
        }
    }
}

/// Returns the copy of the current process, a child of the process that made `allocation`. Makes it at the first use,
/// because the parent may wipe its own at any time.
fn copy_of_child(allocation: &Allocation, child_copy: &PerProcess<Secret>) -> Arc<ForkOwned<Secret>> {
    child_copy.get_or_make(|| copy_to_child(allocation))
}

fn copy_to_child(allocation: &Allocation) -> Secret {
    let plain = allocation.copy().expect("the parent freed this secret before its child used it");
    let level = match allocation.kind() {
        RegionKind::Locked => Level::Strict,
        RegionKind::SecretMem => Level::SecretMem,
    };
    // A child that may not lock memory must still be able to authenticate.
    Secret::keep(plain.as_ref(), level)
        .unwrap_or_else(|refused| Secret { refused: Some(refused), ..Secret::copy_from(plain.as_ref()) })
}

fn obtained(kind: RegionKind) -> Protection {
    match kind {
        RegionKind::Locked => Protection::Locked,
        RegionKind::SecretMem => Protection::SecretMem,
    }
}

fn refusal(kind: RegionKind, error: &io::Error) -> Refused {
    let why = match kind {
        RegionKind::Locked => {
            format!(
                "the system did not lock the memory ({error}), so check the limit on locked memory (ulimit -l)"
            )
        }
        RegionKind::SecretMem => {
            format!(
                "the system refused memfd_secret ({error}), which needs Linux 5.14 or newer, must be enabled, and counts towards the limit on locked memory (ulimit -l)"
            )
        }
    };
    Refused { asked: obtained(kind), why }
}

/// Takes ownership of the bytes, copies them, and wipes the whole vector with its spare capacity.
impl From<Vec<u8>> for Secret {
    fn from(bytes: Vec<u8>) -> Self {
        let bytes = Zeroizing::new(bytes);
        Self::copy_from(&bytes)
    }
}

/// Takes ownership of the text, copies it, and wipes the whole string with its spare capacity.
impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::from(text.into_bytes())
    }
}

impl Drop for Storage {
    fn drop(&mut self) {
        if let Self::Heap(bytes) = self {
            bytes.zeroize();
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_os = "linux")]
    use crate::memory::tests::View;
    use crate::memory::tests::kinds;

    #[test]
    fn it_exposes_the_same_bytes_at_every_level() {
        for level in [Level::Auto, Level::Strict, Level::Heap, Level::SecretMem] {
            for length in [0, 1, 81, 128, 500, 1025] {
                let bytes: Vec<u8> =
                    (0..length).map(|at| u8::try_from(at % 251).expect("below 251")).collect();
                match Secret::keep(&bytes, level) {
                    Ok(secret) => {
                        assert!(secret.expose(|kept| kept == bytes), "{level:?}, {length}");
                        assert_eq!((secret.len(), secret.is_empty()), (length, length == 0));
                    }
                    Err(refused) => assert_eq!(level, Level::SecretMem, "{refused:?}"),
                }
            }
        }
    }

    #[test]
    fn it_reports_its_protection() {
        let protection = |level| Secret::keep(b"sec789xyz000", level).map(|secret| secret.protection());
        assert_eq!(protection(Level::Heap), Ok(Protection::Heap));
        assert_eq!(protection(Level::Strict), Ok(Protection::Locked));
        match protection(Level::SecretMem) {
            Ok(got) => assert_eq!(got, Protection::SecretMem),
            Err(refused) => {
                assert_eq!(refused.asked, Protection::SecretMem);
                assert!(!kinds().any(|kind| kind == RegionKind::SecretMem), "{refused:?}");
            }
        }
    }

    #[test]
    fn it_refuses_secrets_longer_than_a_slot_unless_the_heap_is_allowed() {
        let long = vec![7; 4000];
        for level in [Level::Strict, Level::SecretMem] {
            assert!(Secret::keep(&long, level).is_err(), "{level:?}");
        }
        let secret = Secret::copy_from(&long);
        assert_eq!(secret.protection(), Protection::Heap);
        assert!(secret.refused().is_some() && secret.expose(|kept| kept == long));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn it_wipes_its_source_and_its_heap_memory() {
        const LENGTH: usize = 1024;
        let mut view = View::of(LENGTH);
        let at = |bytes: &[u8]| bytes.as_ptr().addr();
        let plain = vec![7; LENGTH];
        let address = at(&plain);
        drop(plain);
        assert!(view.count(address, 7) > 100, "the control: plain freed memory is not wiped");
        let taken = vec![7; LENGTH];
        let address = at(&taken);
        let secret = Secret::from(taken);
        assert!(view.count(address, 7) == 0 && secret.len() == LENGTH);
        let secret = Secret::keep(&[7; LENGTH], Level::Heap).expect("never refused");
        let address = secret.expose(at);
        assert_eq!(view.count(address, 7), LENGTH / 8, "before the drop");
        drop(secret);
        assert_eq!(view.count(address, 7), 0);
    }

    #[test]
    fn it_shows_nothing_in_debug() {
        let secret = Secret::from(String::from("sec789xyz000"));
        assert_eq!(format!("{secret:?} {secret:#?}"), "[redacted] [redacted]");
        assert!(format!("{:?}", Some(&secret)).contains(REDACTED));
    }

    #[test]
    fn it_serves_many_threads_at_once() {
        std::thread::scope(|scope| {
            for thread in 0_u8..8 {
                scope.spawn(move || {
                    for round in 0_u8..200 {
                        let bytes = [thread, round, thread ^ round];
                        let secret = Secret::copy_from(&bytes);
                        assert!(secret.expose(|kept| kept == bytes));
                    }
                });
            }
        });
    }

    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    #[test]
    fn it_leaves_no_part_of_a_secret_in_registers_after_keep_or_expose() {
        use std::sync::LazyLock;

        use crate::registers::tests::{PLANTED, registers_after};

        extern "C" fn keep() {
            drop(Secret::copy_from(&PLANTED));
        }
        extern "C" fn read() {
            SECRET.expose(|plain| assert_eq!(plain, PLANTED));
        }
        static SECRET: LazyLock<Secret> = LazyLock::new(|| Secret::copy_from(&PLANTED));
        LazyLock::force(&SECRET);
        for run in [keep as extern "C" fn(), read] {
            for (name, seen) in registers_after(run) {
                assert!(!seen.windows(8).any(|part| part == &PLANTED[..8]), "{name} {seen:?}");
            }
        }
    }
}
