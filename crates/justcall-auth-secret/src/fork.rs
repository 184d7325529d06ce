//! Values that belong to the process that made them.
//!
//! A child of `fork()` inherits a copy of each value and must not change it: a thread that does not exist in the child
//! may hold its lock, and shared resources are the parent's to release. The child makes its own value at its first use.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use arc_swap::{ArcSwapOption, Guard};

use crate::process::process_id;

/// A value that belongs to the process that made it. A child of that process may read the value if that takes no lock,
/// and must check [`ForkOwned::is_own`] before it changes anything.
pub struct ForkOwned<T> {
    process: u32,
    /// `None` after `into_inner` or `drop` has taken the value.
    value: Option<T>,
    leave: fn(T),
}

const PRESENT: &str = "only into_inner and drop take the value";

impl<T> ForkOwned<T> {
    /// Wraps `value`, made by the current process.
    pub fn new(value: T) -> Self {
        Self::with_leave(value, drop)
    }

    /// Wraps `value`. A child of this process calls `leave` with its copy instead of dropping it.
    pub fn with_leave(value: T, leave: fn(T)) -> Self {
        Self { process: process_id(), value: Some(value), leave }
    }

    /// Returns true if the current process made the value.
    pub fn is_own(&self) -> bool {
        self.process == process_id()
    }

    /// Unwraps the value.
    pub fn into_inner(mut self) -> T {
        self.value.take().expect(PRESENT)
    }
}

impl<T> Deref for ForkOwned<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.as_ref().expect(PRESENT)
    }
}

impl<T> DerefMut for ForkOwned<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.value.as_mut().expect(PRESENT)
    }
}

/// Shows the process of the value, but not the value, which may be secret or locked.
impl<T> fmt::Debug for ForkOwned<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForkOwned").field("process", &self.process).finish_non_exhaustive()
    }
}

impl<T> Drop for ForkOwned<T> {
    fn drop(&mut self) {
        if !self.is_own() {
            if let Some(inherited) = self.value.take() {
                (self.leave)(inherited);
            }
        }
    }
}

/// One value per process: made at the first use, shared by all threads, and made again in a child of `fork()`. Reading
/// takes no lock.
pub struct PerProcess<T>(ArcSwapOption<ForkOwned<T>>);

impl<T> PerProcess<T> {
    /// Creates a `PerProcess` without a value.
    pub const fn new() -> Self {
        Self(ArcSwapOption::const_empty())
    }

    /// Returns the value of the current process. Makes it with `make` if there is none. If several threads race to make
    /// the first value, each may call `make`; all get the same result.
    pub fn get_or_make(&self, make: impl Fn() -> T) -> Arc<ForkOwned<T>> {
        loop {
            let known = self.0.load();
            if known.as_ref().is_some_and(|known| known.is_own()) {
                return Guard::into_inner(known).expect("checked by the condition");
            }
            let new = Arc::new(ForkOwned::new(make()));
            drop(self.0.compare_and_swap(&known, Some(new)));
        }
    }
}

impl<T> PerProcess<T> {
    /// Calls `read` with the value that [`PerProcess::get_or_make`] returns. Avoids its reference count if the value
    /// exists.
    pub fn with<R>(&self, make: impl Fn() -> T, read: impl FnOnce(&T) -> R) -> R {
        let known = self.0.load();
        match known.as_deref() {
            Some(known) if known.is_own() => read(known),
            _ => read(&self.get_or_make(make)),
        }
    }
}

impl<T> fmt::Debug for PerProcess<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PerProcess").field(&self.0.load().as_deref()).finish()
    }
}

impl<T> Default for PerProcess<T> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::memory::tests::signal_that_kills;
    use crate::process::tests::demand;

    #[test]
    fn it_makes_one_value_each_for_a_process_its_child_and_its_grandchild() {
        let value = PerProcess::new();
        let get = || value.get_or_make(std::process::id);
        let of_parent = get();
        let in_child = || {
            demand(!of_parent.is_own() && **of_parent != std::process::id());
            demand(value.with(std::process::id, |process| *process) == std::process::id());
            let of_child = get();
            demand(of_child.is_own() && **of_child == std::process::id() && Arc::ptr_eq(&of_child, &get()));
            let in_grandchild = || demand(!of_child.is_own() && **get() == std::process::id());
            demand(signal_that_kills(in_grandchild) == 0);
        };
        assert_eq!(signal_that_kills(in_child), 0);
        assert!(Arc::ptr_eq(&of_parent, &get()) && of_parent.is_own());
        assert_eq!(signal_that_kills(|| demand(of_parent.is_own())), libc::SIGABRT, "the control");
    }

    #[test]
    fn it_shows_the_process_and_not_the_value() {
        let value = PerProcess::new();
        assert_eq!(format!("{value:?}"), "PerProcess(None)");
        let owned = value.get_or_make(|| "sec789xyz000");
        let expected = format!("ForkOwned {{ process: {}, .. }}", std::process::id());
        assert_eq!(format!("{owned:?}"), expected);
        assert_eq!(format!("{value:?}"), format!("PerProcess(Some({expected}))"));
    }

    #[test]
    fn it_keeps_one_value_if_many_threads_race_to_make_it() {
        let (value, made, start) = (PerProcess::new(), AtomicUsize::new(0), Barrier::new(8));
        let get = || value.get_or_make(|| made.fetch_add(1, Ordering::Relaxed));
        std::thread::scope(|scope| {
            let first = || {
                start.wait();
                get()
            };
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(first)).collect();
            for thread in threads {
                assert!(Arc::ptr_eq(&thread.join().expect("it does not panic"), &get()));
            }
        });
        assert!(made.load(Ordering::Relaxed) >= 1);
    }

    #[test]
    fn it_drops_a_value_in_its_own_process_and_leaves_it_in_a_child() {
        static DROPPED: AtomicUsize = AtomicUsize::new(0);
        static LEFT: AtomicUsize = AtomicUsize::new(0);
        struct Resource;
        impl Drop for Resource {
            fn drop(&mut self) {
                DROPPED.fetch_add(1, Ordering::Relaxed);
            }
        }
        fn leave(resource: Resource) {
            std::mem::forget(resource);
            LEFT.fetch_add(1, Ordering::Relaxed);
        }
        let counts = || (DROPPED.load(Ordering::Relaxed), LEFT.load(Ordering::Relaxed));
        let owned = std::cell::Cell::new(Some(ForkOwned::with_leave(Resource, leave)));
        let in_child = || {
            drop(owned.take());
            demand(counts() == (0, 1));
        };
        assert_eq!(signal_that_kills(in_child), 0);
        drop(owned.take());
        assert_eq!(counts(), (1, 0));
        drop(ForkOwned::with_leave(Resource, leave).into_inner());
        assert_eq!(counts(), (2, 0));
    }
}
