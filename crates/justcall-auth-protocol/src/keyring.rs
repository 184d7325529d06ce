//! The pair in use and its generation.

use std::fmt;
use std::sync::{PoisonError, RwLock};

use crate::credentials::Credentials;

/// A pair as the keyring holds it: the number tells one pair from the next.
#[derive(Debug, Clone)]
pub struct Held {
    generation: u64,
    credentials: Credentials,
}

impl Held {
    /// Which pair this is; the first is 1.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The pair.
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }
}

/// Holds the pair that calls are made with. Thread-safe.
#[derive(Default)]
pub struct Keyring {
    current: RwLock<Option<Held>>,
}

impl Keyring {
    /// A keyring that holds nothing yet: the first call loads the source.
    pub fn new() -> Self {
        Self::default()
    }

    /// The pair to send, once there is one.
    pub fn current(&self) -> Option<Held> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes the first pair; where another caller was faster, the pair that is there stays.
    pub fn install_first(&self, credentials: Credentials) -> Held {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        current.get_or_insert(Held { generation: 1, credentials }).clone()
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring").field("current", &self.current()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_keeps_the_first_of_two_pairs_loaded_at_once() {
        let keyring = Keyring::new();
        assert!(keyring.current().is_none());
        let first = Credentials::new(b"abc123def456", b"sec789xyz000").expect("good");
        let second = Credentials::new(b"abc123def457", b"sec789xyz001").expect("good");
        keyring.install_first(first.clone());
        let held = keyring.install_first(second);
        assert!(held.credentials().same_pair(&first));
        assert_eq!(held.generation(), 1);
    }
}
