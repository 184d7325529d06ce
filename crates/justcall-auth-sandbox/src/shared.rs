//! What all connections of a sandbox share.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::Dialect;
use crate::state::State;

/// What all connections of a sandbox share.
pub(crate) struct Shared {
    pub(crate) dialect: Dialect,
    /// True if it serves HTTPS, false for plain HTTP.
    pub(crate) https: bool,
    /// The URL of the API, without a slash at the end.
    pub(crate) url: String,
    /// The token that a control call's path must contain.
    pub(crate) token: String,
    /// The file of the authority that clients must trust; `None` with plain HTTP.
    pub(crate) ca_file: Option<PathBuf>,
    started: Instant,
    connections: AtomicU64,
    open: AtomicU64,
    state: Mutex<State>,
}

/// An open connection to the API.
pub(crate) struct OpenConnection<'a>(&'a AtomicU64);

impl Drop for OpenConnection<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Shared {
    pub(crate) fn new(dialect: Dialect, url: String, token: String, ca_file: Option<PathBuf>) -> Self {
        Self {
            dialect,
            https: ca_file.is_some(),
            url,
            token,
            ca_file,
            started: Instant::now(),
            connections: AtomicU64::new(0),
            open: AtomicU64::new(0),
            state: Mutex::new(State::new(dialect)),
        }
    }

    /// Locks the state. The guard must not be held across an await.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the number of a new connection to the API, from 1. It counts as open until the guard is dropped.
    pub(crate) fn next_connection(&self) -> (u64, OpenConnection<'_>) {
        self.open.fetch_add(1, Ordering::Relaxed);
        (self.connections.fetch_add(1, Ordering::Relaxed) + 1, OpenConnection(&self.open))
    }

    /// Returns how many connections the API has accepted, and how many are open.
    pub(crate) fn connections(&self) -> (u64, u64) {
        (self.connections.load(Ordering::Relaxed), self.open.load(Ordering::Relaxed))
    }

    /// Returns the milliseconds since the sandbox started.
    pub(crate) fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}
