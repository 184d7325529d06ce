//! Cancellation of calls from outside.

use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, Thread};

use justcall_auth_secret::ForkOwned;

/// Cancels the calls that it was passed to, from any thread. Clones share one state.
///
/// A fired handle stays fired: calls in progress end with `cancelled` within about 50 ms, and so do later calls. A call
/// that is running a load callback or an event handler ends after that function returns.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<State>);

#[derive(Debug, Default)]
struct State {
    is_fired: AtomicBool,
    /// The threads to wake.
    sleepers: Mutex<Vec<ForkOwned<Sleeper>>>,
}

/// A thread that waits for long, and what ends its wait.
#[derive(Debug, Clone)]
pub(crate) enum Sleeper {
    /// The thread waits for data. Shutting the socket down ends the wait, and the connection.
    Socket(Arc<TcpStream>),
    /// The thread is parked.
    Thread(Thread),
}

impl Sleeper {
    /// Returns the current thread, which will park.
    pub fn current_thread() -> Self {
        Self::Thread(thread::current())
    }

    /// A signal handler may be running this.
    fn wake(&self) {
        match self {
            Self::Socket(stream) => {
                // It fails if the other end closed the connection first, which ends the wait too.
                let _already_ended = stream.shutdown(Shutdown::Both);
            }
            Self::Thread(thread) => thread.unpark(),
        }
    }

    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Socket(own), Self::Socket(other)) => Arc::ptr_eq(own, other),
            (Self::Thread(own), Self::Thread(other)) => own.id() == other.id(),
            _ => false,
        }
    }
}

impl Cancel {
    /// Creates a cancel handle that has not fired.
    pub fn new() -> Self {
        Self::default()
    }

    /// Cancels the calls.
    ///
    /// A signal handler may be running this, in a thread that holds the lock of the sleepers. So this function never
    /// waits for the lock: the thread that holds it wakes the sleepers afterwards.
    pub fn fire(&self) {
        self.0.is_fired.store(true, Ordering::Release);
        fence(Ordering::SeqCst);
        self.wake_sleepers();
    }

    /// Returns true if the handle has fired.
    pub fn is_fired(&self) -> bool {
        self.0.is_fired.load(Ordering::Acquire)
    }

    /// Lets [`Cancel::fire`] wake `sleeper` until [`Cancel::remove_sleeper`]. Returns false if another thread, or a
    /// thread of a parent process, holds the lock at this moment.
    pub(crate) fn add_sleeper(&self, sleeper: Sleeper) -> bool {
        let Ok(mut sleepers) = self.0.sleepers.try_lock() else { return false };
        // Sleepers of a parent process do not exist in this one.
        sleepers.retain(ForkOwned::is_own);
        sleepers.push(ForkOwned::new(sleeper));
        drop(sleepers);
        self.wake_if_fired_meanwhile();
        true
    }

    /// Reverts [`Cancel::add_sleeper`] of the same process.
    pub(crate) fn remove_sleeper(&self, sleeper: &Sleeper) {
        let mut sleepers = self.0.sleepers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(index) = sleepers.iter().position(|one| one.is(sleeper)) {
            // Dropping it may close a socket, which must not happen under the lock.
            let removed = sleepers.swap_remove(index);
            drop(sleepers);
            drop(removed);
        }
        self.wake_if_fired_meanwhile();
    }

    /// Call it after releasing the lock: `fire` wakes no thread while the lock is held.
    fn wake_if_fired_meanwhile(&self) {
        fence(Ordering::SeqCst);
        if self.is_fired() {
            self.wake_sleepers();
        }
    }

    fn wake_sleepers(&self) {
        if let Ok(sleepers) = self.0.sleepers.try_lock() {
            // A child of fork() shares the sockets of its parent, and must not shut them down.
            sleepers.iter().filter(|one| one.is_own()).for_each(|one| one.wake());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_wakes_a_sleeper_that_comes_after_it_has_fired() {
        const LIMIT: std::time::Duration = std::time::Duration::from_secs(10);
        let begun = std::time::Instant::now();
        let cancel = Cancel::new();
        cancel.fire();
        assert!(cancel.add_sleeper(Sleeper::current_thread()));
        thread::park_timeout(LIMIT);
        assert!(begun.elapsed() < LIMIT, "nothing has woken this thread");
    }
}
