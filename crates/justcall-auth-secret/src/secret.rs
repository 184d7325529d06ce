//! A secret that rests in memory between calls.

use std::fmt;
use std::io;
use std::sync::Arc;

use zeroize::{Zeroize, Zeroizing};

use crate::REDACTED;
use crate::arena::{Allocation, Arena};
use crate::fork::{ForkOwned, PerProcess};
use crate::level::{Level, Protection, Refused};
use crate::memory::Kind;
use crate::registers::RegisterWipe;

/// Bytes that must not leak: kept in protected memory, wiped on drop, redacted in `Debug`.
///
/// There is no `Clone`, `Display` or serialisation: share one with `Arc`, and read it inside [`Secret::expose`]. Any
/// thread may; so may a child of `fork()`, which makes a copy of its own at its first use.
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
    home: Home,
    refused: Option<Refused>,
}

enum Home {
    Heap(Box<[u8]>),
    Arena {
        kept: Allocation,
        /// The copy that a child of `fork()` made.
        childs: PerProcess<Secret>,
    },
}

impl Secret {
    /// Copies `bytes` into memory of its own, as well protected as [`Level::Auto`] obtains. The caller's copy stays the
    /// caller's to wipe.
    pub fn copy_from(bytes: &[u8]) -> Self {
        Self::keep(bytes, Level::Auto).expect("the heap is never refused")
    }

    /// Copies `bytes` into memory of the protection that `level` asks for.
    ///
    /// # Errors
    /// When the system refuses it, and `level` takes no other.
    pub fn keep(bytes: &[u8], level: Level) -> Result<Self, Refused> {
        let _last = RegisterWipe;
        let length = bytes.len();
        let kind = match level {
            Level::Heap => return Ok(Self { length, home: Home::Heap(Box::from(bytes)), refused: None }),
            Level::Auto | Level::Strict => Kind::Locked,
            Level::SecretMem => Kind::SecretMem,
        };
        match Arena::keep(kind, bytes) {
            Ok(kept) => {
                Ok(Self { length, home: Home::Arena { kept, childs: PerProcess::new() }, refused: None })
            }
            Err(error) => {
                let refused = refuse(kind, &error);
                if level != Level::Auto {
                    return Err(refused);
                }
                Ok(Self { length, home: Home::Heap(Box::from(bytes)), refused: Some(refused) })
            }
        }
    }

    /// Gives `read` the bytes. Do not let them outlive the closure. What reading them leaves in vector registers is wiped:
    /// the next call of a lazily bound function would write it to the stack.
    ///
    /// # Panics
    /// In a child of `fork()` whose parent freed the secret before the child used it, where pages are shared.
    pub fn expose<R>(&self, read: impl FnOnce(&[u8]) -> R) -> R {
        let _last = RegisterWipe;
        match &self.home {
            Home::Heap(bytes) => read(bytes),
            Home::Arena { kept, .. } if kept.is_own() => {
                kept.expose(read).expect("the shield opens what it closed")
            }
            Home::Arena { kept, childs } => adopt(kept, childs).expose(read),
        }
    }

    /// The number of bytes.
    pub fn len(&self) -> usize {
        self.length
    }

    /// True when there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// What keeps it: in a child of `fork()` the child's own copy, for locks are not inherited.
    ///
    /// # Panics
    /// As [`Secret::expose`].
    pub fn protection(&self) -> Protection {
        match &self.home {
            Home::Heap(_) => Protection::Heap,
            Home::Arena { kept, .. } if kept.is_own() => obtained(kept.kind()),
            Home::Arena { kept, childs } => adopt(kept, childs).protection(),
        }
    }

    /// Why it is not kept as it was asked for, where it is not; in a child of `fork()` why the child's own copy is not
    /// kept as its parent's.
    ///
    /// # Panics
    /// As [`Secret::expose`].
    pub fn refused(&self) -> Option<Refused> {
        match &self.home {
            Home::Arena { kept, childs } if !kept.is_own() => adopt(kept, childs).refused(),
            _ => self.refused.clone(),
        }
    }
}

/// The copy of this process, which did not make `kept`: made at the first use, for the parent may wipe its own at any time.
fn adopt(kept: &Allocation, childs: &PerProcess<Secret>) -> Arc<ForkOwned<Secret>> {
    childs.get_or_make(|| copy_of(kept))
}

fn copy_of(kept: &Allocation) -> Secret {
    let plain = kept.copy().expect("the parent freed this secret before its child used it");
    let level = match kept.kind() {
        Kind::Locked => Level::Strict,
        Kind::SecretMem => Level::SecretMem,
    };
    // A child that may not lock memory must authenticate all the same.
    Secret::keep(plain.as_ref(), level)
        .unwrap_or_else(|refused| Secret { refused: Some(refused), ..Secret::copy_from(plain.as_ref()) })
}

fn obtained(kind: Kind) -> Protection {
    match kind {
        Kind::Locked => Protection::Locked,
        Kind::SecretMem => Protection::SecretMem,
    }
}

fn refuse(kind: Kind, error: &io::Error) -> Refused {
    let why = match kind {
        Kind::Locked => {
            format!("the system refuses to lock memory ({error}); see the limit on locked memory, ulimit -l")
        }
        Kind::SecretMem => {
            format!(
                "the system refuses memfd_secret ({error}); it needs Linux 5.14 or newer, enabled, and counts against the limit on locked memory, ulimit -l"
            )
        }
    };
    Refused { asked: obtained(kind), why }
}

/// Takes ownership and wipes the whole of what it took, spare capacity included.
impl From<Vec<u8>> for Secret {
    fn from(bytes: Vec<u8>) -> Self {
        let bytes = Zeroizing::new(bytes);
        Self::copy_from(&bytes)
    }
}

/// Takes ownership and wipes the whole of what it took, spare capacity included.
impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::from(text.into_bytes())
    }
}

impl Drop for Home {
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
    fn it_gives_back_the_bytes_it_took_at_every_level() {
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
    fn it_says_what_keeps_it() {
        let protection = |level| Secret::keep(b"sec789xyz000", level).map(|secret| secret.protection());
        assert_eq!(protection(Level::Heap), Ok(Protection::Heap));
        assert_eq!(protection(Level::Strict), Ok(Protection::Locked));
        match protection(Level::SecretMem) {
            Ok(got) => assert_eq!(got, Protection::SecretMem),
            Err(refused) => {
                assert_eq!(refused.asked, Protection::SecretMem);
                assert!(!kinds().any(|kind| kind == Kind::SecretMem), "{refused:?}");
            }
        }
    }

    #[test]
    fn it_refuses_what_is_too_long_for_a_slot_and_keeps_it_on_the_heap_when_it_may() {
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
    fn it_wipes_what_it_took_and_what_it_had_on_the_heap() {
        const LENGTH: usize = 1024;
        let mut view = View::of(LENGTH);
        let at = |bytes: &[u8]| bytes.as_ptr().addr();
        let plain = vec![7; LENGTH];
        let address = at(&plain);
        drop(plain);
        assert!(view.count(address, 7) > 100, "the control: who frees does not wipe");
        let taken = vec![7; LENGTH];
        let address = at(&taken);
        let secret = Secret::from(taken);
        assert!(view.count(address, 7) == 0 && secret.len() == LENGTH);
        let secret = Secret::keep(&[7; LENGTH], Level::Heap).expect("never refused");
        let address = secret.expose(at);
        assert_eq!(view.count(address, 7), LENGTH / 8, "while it is there");
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
    fn it_is_used_by_many_threads_at_once() {
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
    fn it_leaves_nothing_in_any_vector_register_of_a_secret_that_was_kept_or_read() {
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
