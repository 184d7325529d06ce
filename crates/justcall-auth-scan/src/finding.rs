//! Findings, which do not hold the secret itself.

use std::fmt;

use justcall_auth::Zeroizing;
use justcall_auth::encoding::hex;

use crate::code::ScanCode;

/// A match in one text, with the secret. A [`ScanFinding`] is made from it.
pub(crate) struct Hit {
    pub code: ScanCode,
    /// The offset in the text, in bytes.
    pub at: usize,
    /// The form of the secret.
    pub form: &'static str,
    pub key_hint: Option<String>,
    pub secret: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for Hit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hit").field("code", &self.code).field("at", &self.at).finish_non_exhaustive()
    }
}

/// A secret that was found, and its location.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ScanFinding {
    /// The text that holds it.
    pub location: Location,
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
    /// The kind of the finding.
    pub code: ScanCode,
    /// The form of the secret: `as it is`, `in base64`, …
    pub form: &'static str,
    /// The [hint](justcall_auth::key_hint) of the key, if a key stands near the secret.
    pub key_hint: Option<String>,
    /// Identifies the secret without revealing it.
    pub fingerprint: Fingerprint,
    /// Whether the text ships to browsers.
    pub is_shipped: bool,
}

impl ScanFinding {
    /// Returns `severe` for the user's own pair and for texts that ship to browsers, `high` for the rest.
    pub fn severity(&self) -> &'static str {
        if self.code == ScanCode::OwnSecret || self.is_shipped { "severe" } else { "high" }
    }
}

/// A text that was scanned.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Location {
    /// The path of the file. In history, its path in the commit, or `message` or `headers` of a commit.
    pub path: String,
    /// In history, the commit or tag that added the text.
    pub commit: Option<String>,
}

/// Identifies a secret without revealing it: 64 bits of a SHA-256.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// Returns the fingerprint of a decoded secret.
    pub(crate) fn of(secret: &[u8]) -> Self {
        let mut context = ring::digest::Context::new(&ring::digest::SHA256);
        // With the prefix, no table of hashes that was computed for another purpose contains the fingerprint.
        context.update(b"justcall-auth scan\0");
        context.update(secret);
        Self(hex(&context.finish().as_ref()[..8]))
    }

    /// Reads 16 hexadecimal digits. Returns `None` if `text` is anything else.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let is_valid = text.len() == 16 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        is_valid.then(|| Self(text.to_owned()))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
