//! Distinguishes pairs without a copy of them.

use std::hash::{BuildHasher as _, RandomState};

use justcall_auth_protocol::credentials::Credentials;

/// Distinguishes pairs by keyed hashes, which cannot be reversed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fingerprints(RandomState);

impl Fingerprints {
    /// Returns the fingerprint of two texts, be they a pair or not.
    pub fn of_halves(&self, key: &[u8], secret: &[u8]) -> u64 {
        self.0.hash_one((key, secret))
    }

    /// Returns the fingerprint of a pair that was read.
    pub fn of(&self, pair: &Credentials) -> u64 {
        let at = pair.secret_at();
        pair.expose_authorization(|header| self.of_halves(&header[..at - 1], &header[at..]))
    }
}
