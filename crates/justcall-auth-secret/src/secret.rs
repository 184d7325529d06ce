//! A secret that rests in memory between calls.

use std::fmt;

use zeroize::{Zeroize, Zeroizing};

use crate::REDACTED;

/// Bytes that must not leak: wiped on drop, redacted in `Debug`.
///
/// There is no `Clone`, `Display` or serialisation: share one with `Arc`, and read it inside [`Secret::expose`].
///
/// ```compile_fail
/// let secret = justcall_auth_secret::Secret::from(b"x".to_vec());
/// let copy = secret.clone();
/// ```
/// ```compile_fail
/// println!("{}", justcall_auth_secret::Secret::from(b"x".to_vec()));
/// ```
pub struct Secret {
    bytes: Box<[u8]>,
}

impl Secret {
    /// Copies `bytes` into memory of its own. The caller's copy stays the caller's to wipe.
    pub fn copy_from(bytes: &[u8]) -> Self {
        Self { bytes: Box::from(bytes) }
    }

    /// Gives `read` the bytes. Do not let them outlive the closure.
    pub fn expose<R>(&self, read: impl FnOnce(&[u8]) -> R) -> R {
        read(&self.bytes)
    }

    /// The number of bytes.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// True when there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

/// Takes ownership and wipes the whole of what it took, spare capacity included.
impl From<Vec<u8>> for Secret {
    fn from(bytes: Vec<u8>) -> Self {
        let bytes = Zeroizing::new(bytes);
        Self::copy_from(&bytes)
    }
}

/// Takes ownership and wipes the whole of what it took, spare capacity included.
impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::from(text.into_bytes())
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_gives_back_the_bytes_it_took() {
        let secret = Secret::from(String::from("sec789xyz000"));
        assert_eq!(secret.len(), 12);
        assert!(!secret.is_empty());
        assert!(secret.expose(|bytes| bytes == b"sec789xyz000"));
    }

    #[test]
    fn it_shows_nothing_in_debug() {
        let secret = Secret::copy_from(b"sec789xyz000");
        assert_eq!(format!("{secret:?} {secret:#?}"), "[redacted] [redacted]");
        assert!(format!("{:?}", Some(&secret)).contains(REDACTED));
    }
}
