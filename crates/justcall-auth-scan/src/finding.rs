//! What a scan finds, without the value that it found.

use std::fmt;

use justcall_auth::Zeroizing;

use super::code::Code;

/// Something found in one text. It holds the secret only until it is told where the text came from.
pub(super) struct Hit {
    pub code: Code,
    /// Where it begins, in bytes.
    pub at: usize,
    /// How it is written there.
    pub form: &'static str,
    pub key_hint: Option<String>,
    pub secret: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for Hit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hit").field("code", &self.code).field("at", &self.at).finish_non_exhaustive()
    }
}

/// Something found, and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    pub place: Place,
    pub line: usize,
    /// In characters, the first being 1.
    pub column: usize,
    pub code: Code,
    /// How it is written there: `as it is`, `in base64`, …
    pub form: &'static str,
    /// The ends of the key, where the key stands beside the secret.
    pub key_hint: Option<String>,
    pub fingerprint: Fingerprint,
    /// Whether browsers get it.
    pub is_shipped: bool,
}

impl Finding {
    /// How bad it is: a live pair, or one that browsers get, is in others' hands as soon as they look.
    pub fn severity(&self) -> &'static str {
        if self.code == Code::OwnSecret || self.is_shipped { "severe" } else { "high" }
    }
}

/// Where something was found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// The file; in history the path that the file had, or what of the commit it is.
    pub path: String,
    /// The commit or tag that brought it, in history.
    pub commit: Option<String>,
}

/// What tells a secret from others without giving it away: 64 bits of a SHA-256.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Fingerprint(String);

impl Fingerprint {
    /// Of a secret as it is used, however it was written.
    pub fn of(secret: &[u8]) -> Self {
        let mut context = ring::digest::Context::new(&ring::digest::SHA256);
        // No other table of hashes has it, so none can be searched for it.
        context.update(b"justcall-auth scan\0");
        context.update(secret);
        let digest = context.finish();
        let first = digest.as_ref().first_chunk().expect("it has 32 bytes");
        Self(format!("{:016x}", u64::from_be_bytes(*first)))
    }

    /// One that was written down: 16 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let is_one = text.len() == 16 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        is_one.then(|| Self(text.to_owned()))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The ends of a key that may be shown, as the library shows them.
pub(super) fn key_hint(key: &[u8]) -> String {
    let text = String::from_utf8_lossy(key);
    match (text.get(..4), text.get(text.len().saturating_sub(4)..)) {
        (Some(first), Some(last)) if text.len() >= 12 => format!("{first}…{last}"),
        _ => "…".to_owned(),
    }
}
