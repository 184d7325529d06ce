//! The times at which a client records the use of its pair.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use justcall_auth_protocol::keyring::Keyring;

use super::{INTERVAL, StateFile};

/// Records from time to time that a client's pair is used.
#[derive(Debug)]
pub(crate) struct Recorder {
    file: StateFile,
    /// The next time to record a use, in seconds since the epoch, and the generation of the last record.
    next: AtomicU64,
    generation: AtomicU64,
}

impl Recorder {
    pub fn new(file: StateFile) -> Self {
        Self { file, next: AtomicU64::new(0), generation: AtomicU64::new(0) }
    }

    /// Records that a response came for a pair of `keyring`. Errors are ignored, so that a call never fails because of
    /// the state file.
    pub fn answered(&self, keyring: &Keyring, monotonic: Duration, unix: Duration) {
        let Some(version) = keyring.current() else { return };
        let now = unix.as_secs();
        let is_new = self.generation.load(Ordering::Relaxed) != version.generation();
        let next = self.next.load(Ordering::Relaxed);
        // A time in the far future means that the clock was set back; the record must not wait for it.
        let is_due = now >= next || next - now > INTERVAL.as_secs();
        if !(is_new || is_due) || keyring.rejected_for(monotonic).is_some() {
            return;
        }
        self.generation.store(version.generation(), Ordering::Relaxed);
        // Only one thread writes.
        let is_first =
            self.next.compare_exchange(next, now + INTERVAL.as_secs(), Ordering::Relaxed, Ordering::Relaxed);
        if is_first.is_ok() {
            let _ = self.file.used(version.credentials(), unix);
        }
    }
}
