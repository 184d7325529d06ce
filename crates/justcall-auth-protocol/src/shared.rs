//! The shared state of the calls of one source.

use std::sync::Arc;

use crate::keyring::{Keyring, Rejections};
use crate::metrics::Metrics;

/// The shared state of the calls of one source. Clones share the same state.
#[derive(Debug, Clone)]
pub struct Shared {
    /// The pairs.
    pub keyring: Arc<Keyring>,
    /// The counters of calls and events.
    pub metrics: Arc<Metrics>,
}

impl Shared {
    /// Creates the shared state of a new source. See [`Keyring::new`] for the arguments.
    pub fn new(scope: impl Into<String>, rejections: Arc<Rejections>) -> Self {
        Self { keyring: Arc::new(Keyring::new(scope, rejections)), metrics: Arc::default() }
    }
}
