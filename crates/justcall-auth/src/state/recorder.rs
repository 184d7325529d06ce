//! When a client writes down that its pair is used.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use justcall_auth_protocol::keyring::Keyring;

use super::{INTERVAL, StateFile};

/// Writes down that a client's pair is used, now and then.
#[derive(Debug)]
pub(crate) struct Recorder {
    file: StateFile,
    /// When it is written down again, in seconds since the epoch, and the generation it was written down for.
    next: AtomicU64,
    generation: AtomicU64,
}

impl Recorder {
    pub fn new(file: StateFile) -> Self {
        Self { file, next: AtomicU64::new(0), generation: AtomicU64::new(0) }
    }

    /// An answer came for a pair of `keyring`. A call never fails because it cannot be written down.
    pub fn answered(&self, keyring: &Keyring, monotonic: Duration, unix: Duration) {
        let Some(held) = keyring.current() else { return };
        let now = unix.as_secs();
        let is_new = self.generation.load(Ordering::Relaxed) != held.generation();
        let next = self.next.load(Ordering::Relaxed);
        // A clock that was set back does not make it wait until it is where it was.
        let is_due = now >= next || next - now > INTERVAL.as_secs();
        if !(is_new || is_due) || keyring.rejected_for(monotonic).is_some() {
            return;
        }
        self.generation.store(held.generation(), Ordering::Relaxed);
        // One thread does it.
        let is_first =
            self.next.compare_exchange(next, now + INTERVAL.as_secs(), Ordering::Relaxed, Ordering::Relaxed);
        if is_first.is_ok() {
            let _ = self.file.used(held.credentials(), unix);
        }
    }
}
