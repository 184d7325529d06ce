//! What the calls of one source share.

use std::sync::Arc;

use crate::keyring::{Keyring, Rejections};
use crate::metrics::Metrics;

/// What the calls of one source share: its pairs, and what is counted of the calls. Cloning shares both.
#[derive(Debug, Clone)]
pub struct Shared {
    /// The pairs.
    pub keyring: Arc<Keyring>,
    /// What is counted and reported.
    pub metrics: Arc<Metrics>,
}

impl Shared {
    /// Creates what the calls of a new source share: a [`Keyring::new`] and nothing counted yet.
    pub fn new(scope: impl Into<String>, rejections: Arc<Rejections>) -> Self {
        Self { keyring: Arc::new(Keyring::new(scope, rejections)), metrics: Arc::default() }
    }
}
