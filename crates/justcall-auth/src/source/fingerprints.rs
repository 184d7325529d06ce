//! Fingerprints of pairs, to compare pairs without a copy.

use std::hash::{BuildHasher as _, RandomState};

use justcall_auth_protocol::credentials::Credentials;

/// Keyed hashes of pairs, which cannot be reversed. They show which pair the environment holds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fingerprints(RandomState);

impl Fingerprints {
    /// Returns the fingerprint of two texts, even if they are not a valid pair.
    pub fn of_halves(&self, key: &[u8], secret: &[u8]) -> u64 {
        self.0.hash_one((key, secret))
    }

    /// Returns the fingerprint of a pair.
    pub fn of(&self, pair: &Credentials) -> u64 {
        let at = pair.secret_at();
        pair.expose_authorization(|header| self.of_halves(&header[..at - 1], &header[at..]))
    }
}
