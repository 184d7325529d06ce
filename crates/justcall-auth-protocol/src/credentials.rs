//! A pair of API key and secret that has passed the local check.

use std::fmt;
use std::sync::Arc;

use justcall_auth_secret::{Level, Protection, Refused, Secret, WipedBuffer};

use crate::diagnose::{self, Finding, Severity};
use crate::error::{Error, ErrorKind};

/// An API key and its secret that have passed the local check.
///
/// Stored as `key:secret`, the value of the `Authorization` header: the service expects the raw value, without scheme
/// word and encoding. Clones share one protected copy, which is wiped with the last clone. `Debug` shows only the key
/// hint.
#[derive(Clone)]
pub struct Credentials(Arc<StoredPair>);

struct StoredPair {
    header: Secret,
    key_len: usize,
    hint: String,
}

/// The longest message about a pair, in bytes, without the sentence that counts further findings.
const MAX_MESSAGE: usize = 200;

impl Credentials {
    /// Checks a pair and copies it into protected memory. The caller must wipe its own copies.
    ///
    /// # Errors
    /// Fails with `credentials_malformed` if the check finds an error. The message names the half and the fault, but
    /// never the value.
    pub fn new(key: &[u8], secret: &[u8]) -> Result<Self, Error> {
        let findings = diagnose::pair(key, secret);
        refuse_errors(findings)?;
        let mut header = WipedBuffer::with_capacity(key.len() + 1 + secret.len());
        header.push(key);
        header.push(b":");
        header.push(secret);
        let header = Secret::copy_from(header.as_ref());
        Ok(Self(Arc::new(StoredPair { header, key_len: key.len(), hint: key_hint(key) })))
    }

    /// Returns the same pair in memory with the protection that `level` requests. Returns a clone if the pair already
    /// has that protection.
    ///
    /// # Errors
    /// Fails with `memory_protection` if the system refuses the memory. The message contains the reason.
    pub fn with_protection(&self, level: Level) -> Result<Self, Error> {
        let suffices = match level {
            Level::Auto => true,
            Level::Strict => self.protection() == Protection::Locked,
            Level::SecretMem => self.protection() == Protection::SecretMem,
            // A pair that is on the heap because better protection was refused does not suffice: its report would
            // differ.
            Level::Heap => self.protection() == Protection::Heap && self.protection_refused().is_none(),
        };
        if suffices {
            return Ok(self.clone());
        }
        let header = self.0.header.expose(|header| Secret::keep(header, level)).map_err(|refused| {
            let message =
                format!("The memory protection {} was refused: {}.", refused.asked.name(), refused.why);
            Error::with_message(ErrorKind::MemoryProtection, message)
        })?;
        Ok(Self(Arc::new(StoredPair { header, key_len: self.0.key_len, hint: self.0.hint.clone() })))
    }

    /// Returns the protection of the pair's memory.
    pub fn protection(&self) -> Protection {
        self.0.header.protection()
    }

    /// Returns why the protection is lower than requested, or `None` if it is not.
    pub fn protection_refused(&self) -> Option<Refused> {
        self.0.header.refused()
    }

    /// Checks a pair in the form `key:secret`, split at the first colon.
    ///
    /// # Errors
    /// Fails with `credentials_malformed`, as [`Credentials::new`]. A text without a colon has an empty secret.
    pub fn parse(pair: &[u8]) -> Result<Self, Error> {
        let colon = pair.iter().position(|byte| *byte == b':').unwrap_or(pair.len());
        let secret = pair.get(colon + 1..).unwrap_or_default();
        Self::new(&pair[..colon], secret)
    }

    /// Returns the ends of the key, such as `abc1…f456`, to identify a pair. It never contains the secret. The hint of
    /// a key shorter than 12 bytes contains only its first character.
    pub fn key_hint(&self) -> &str {
        &self.0.hint
    }

    /// Calls `read` with the value of the `Authorization` header. Do not copy the value out of the closure.
    pub fn expose_authorization<R>(&self, read: impl FnOnce(&[u8]) -> R) -> R {
        self.0.header.expose(read)
    }

    /// Returns the length of the `Authorization` header's value, in bytes: at most 1025.
    pub fn authorization_len(&self) -> usize {
        self.0.header.len()
    }

    /// Returns the offset of the secret in the header's value.
    pub fn secret_at(&self) -> usize {
        self.0.key_len + 1
    }

    /// Returns the findings of the local check about this pair, none of which is an error.
    pub fn findings(&self) -> Vec<Finding> {
        self.expose_halves(diagnose::pair)
    }

    /// Returns the address of the shared copy. Clones have the same address; all other pairs that exist have another.
    pub fn address(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }

    /// Returns true if both contain the same pair.
    pub fn same_pair(&self, other: &Self) -> bool {
        self.0.key_len == other.0.key_len
            && self.expose_authorization(|mine| other.expose_authorization(|theirs| mine == theirs))
    }

    /// Returns `text` with the secret masked. The key is masked only if it has at least 8 bytes, so that no other word
    /// is masked.
    pub fn mask(&self, text: &str) -> String {
        self.expose_halves(|key, secret| {
            let halves = [Some(secret), Some(key).filter(|key| key.len() >= 8)];
            halves
                .into_iter()
                .flatten()
                .filter_map(|half| std::str::from_utf8(half).ok())
                .fold(text.to_owned(), |masked, half| masked.replace(half, justcall_auth_secret::REDACTED))
        })
    }

    fn expose_halves<R>(&self, read: impl FnOnce(&[u8], &[u8]) -> R) -> R {
        self.0.header.expose(|header| read(&header[..self.0.key_len], &header[self.0.key_len + 1..]))
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("key_hint", &self.0.hint).finish_non_exhaustive()
    }
}

/// Fails with `credentials_malformed` if the worst of `findings` is an error.
pub(crate) fn refuse_errors(findings: Vec<Finding>) -> Result<(), Error> {
    match findings.first() {
        Some(worst) if worst.severity() == Severity::Error => Err(malformed(findings)),
        _ => Ok(()),
    }
}

fn malformed(findings: Vec<Finding>) -> Error {
    let worst: Vec<Finding> =
        findings.into_iter().filter(|finding| finding.severity() == Severity::Error).collect();
    let message = brief(&worst);
    let mut remedies: Vec<_> = Vec::new();
    for finding in &worst {
        // Both halves may have the same fault, and thus the same remedy.
        if !remedies.contains(&finding.remedy()) {
            remedies.push(finding.remedy());
        }
    }
    let remedy = remedies.join(" ");
    Error::with_message(ErrorKind::CredentialsMalformed, message)
        .with_reason(worst[0].code().name())
        .with_findings(worst)
        .with_hint(format!("{remedy} Nothing was sent."))
}

/// Joins the messages of the worst findings and counts the rest. A file that contains no pair has nearly every fault.
fn brief(findings: &[Finding]) -> String {
    let mut length = 0;
    let fits = |finding: &&Finding| {
        length += finding.message().len() + 1;
        length <= MAX_MESSAGE
    };
    let shown: Vec<&str> = findings.iter().take_while(fits).map(Finding::message).collect();
    let message = shown.join(" ");
    match findings.len() - shown.len() {
        0 => message,
        more => format!("{message} The pair has {more} more problems."),
    }
}

/// Returns the hint of a key: four characters at each end of a key of 12 bytes or more, the first character of a
/// shorter one. See [`Credentials::key_hint`].
pub fn key_hint(key: &[u8]) -> String {
    let (first, last) = if key.len() < 12 { (1, 0) } else { (4, 4) };
    let first = String::from_utf8_lossy(&key[..first.min(key.len())]);
    let last = String::from_utf8_lossy(&key[key.len() - last..]);
    format!("{first}…{last}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn it_moves_a_pair_only_if_its_protection_does_not_suffice() {
        let wanted = [
            (Level::Strict, Protection::Locked),
            (Level::SecretMem, Protection::SecretMem),
            (Level::Heap, Protection::Heap),
        ];
        for (from, before) in wanted {
            let pair = Credentials::new(b"abc123def456", b"sec789xyz000").expect("good");
            let pair = pair.with_protection(from).expect("this kernel has every kind");
            assert_eq!(pair.protection(), before);
            assert_eq!(
                pair.with_protection(Level::Auto).expect("any protection suffices").address(),
                pair.address()
            );
            for (to, after) in wanted {
                let moved_pair = pair.with_protection(to).expect("this kernel has every kind");
                assert_eq!(
                    (moved_pair.protection(), moved_pair.protection_refused()),
                    (after, None),
                    "{from:?} to {to:?}"
                );
                assert_eq!(moved_pair.address() == pair.address(), to == from, "{from:?} to {to:?}");
                assert!(moved_pair.same_pair(&pair) && moved_pair.key_hint() == pair.key_hint());
            }
        }
    }

    #[test]
    fn it_shows_the_ends_of_the_key_and_never_the_secret() {
        let pair = Credentials::new(b"abc123def456", b"sec789xyz000").expect("the document's pair is good");
        assert_eq!(pair.key_hint(), "abc1…f456");
        assert_eq!(format!("{pair:?}"), "Credentials { key_hint: \"abc1…f456\", .. }");
        assert!(pair.expose_authorization(|header| header == b"abc123def456:sec789xyz000"));
        assert_eq!(pair.authorization_len(), 25);
        assert_eq!(Credentials::new(b"short", b"sec789xyz000").expect("short is legal").key_hint(), "s…");
    }

    #[test]
    fn it_shortens_any_key_to_a_hint() {
        for (key, hint) in [
            (&b""[..], "…"),
            (b"a", "a…"),
            (b"abc123def45", "a…"),
            (b"abc123def456", "abc1…f456"),
            (b"\xff bytes of no text", "\u{fffd} by…text"),
        ] {
            assert_eq!(key_hint(key), hint, "{key:?}");
        }
    }

    #[test]
    fn it_splits_at_the_first_colon() {
        let split = Credentials::parse(b"abc123def456:sec:789").expect("a colon in the secret is legal");
        let expected = Credentials::new(b"abc123def456", b"sec:789").expect("a colon in the secret is legal");
        assert!(split.same_pair(&expected));
        let moved = Credentials::new(b"abc123def456x", b"ec:789").expect("another pair");
        assert!(!split.same_pair(&moved));
    }

    #[test]
    fn it_refuses_a_key_with_a_colon() {
        let error = Credentials::new(b"abc:123", b"sec789xyz000").expect_err("no colon in a key");
        assert_eq!(error.kind(), ErrorKind::CredentialsMalformed);
        assert_eq!(error.reason(), Some("colon_in_key"));
    }

    #[test]
    fn it_gives_one_remedy_for_a_fault_of_both_halves() {
        let error = Credentials::new(b"", b"").expect_err("both are empty");
        assert_eq!(error.hint(), "Write both the key and the secret, as key:secret. Nothing was sent.");
        assert!(error.message().contains("key is empty") && error.message().contains("secret is empty"));
    }

    #[test]
    fn it_limits_the_message_however_many_findings_there_are() {
        let half = "' \u{feff}\u{200b}\u{a0}“canary\u{1}ä ";
        let error = Credentials::new(half.as_bytes(), half.as_bytes()).expect_err("nearly every fault");
        assert!(error.findings().len() > 10, "{error:?}");
        assert!(error.message().len() < 250 && error.message().ends_with("more problems."), "{error}");
        assert_eq!(error.reason(), Some(error.findings()[0].code().name()));

        let messages: Vec<&str> = error.findings().iter().map(Finding::message).collect();
        let with = |shown: usize| messages[..shown].join(" ");
        let shown = (0..messages.len()).rfind(|shown| with(*shown).len() < MAX_MESSAGE).expect("one fits");
        let more = messages.len() - shown;
        assert_eq!(error.message(), format!("{} The pair has {more} more problems.", with(shown)));
    }

    #[test]
    fn it_accepts_exactly_one_to_512_bytes() {
        let half = |length: usize, byte: u8| vec![byte; length];
        assert!(Credentials::new(&half(512, b'k'), &half(512, b's')).is_ok());
        assert_eq!(
            Credentials::new(&half(513, b'k'), b"s1").expect_err("too long").reason(),
            Some("too_long")
        );
        assert!(Credentials::new(b"k", b"s").is_ok());
        assert_eq!(Credentials::parse(b"abc123def456").expect_err("one half").reason(), Some("empty_half"));
    }

    #[test]
    fn it_accepts_every_printable_byte_in_the_secret() {
        for byte in 0_u8..=255 {
            let secret = [b'a', b'b', byte, b'c'];
            assert_eq!(
                Credentials::new(b"abc123def456", &secret).is_ok(),
                (0x21..=0x7E).contains(&byte),
                "{byte:#x}"
            );
        }
    }

    #[test]
    fn it_masks_an_echoed_pair() {
        let pair = Credentials::new(b"abc123def456", b"sec789xyz000").expect("the document's pair is good");
        let masked = pair.mask("You sent abc123def456:sec789xyz000, not sec789xyz000!");
        assert_eq!(masked, "You sent [redacted]:[redacted], not [redacted]!");
        assert_eq!(pair.mask("nothing here"), "nothing here");
    }
}
