//! The place that a pair is written to: a file or a folder, or a secret of Vault.

use justcall_auth::source::{Content, VaultSecret};
use justcall_auth::{Error, ErrorKind, Source};

use crate::store::Target;

/// A place that can be written.
#[derive(Debug)]
pub(crate) enum Destination {
    /// A file, or a folder whose files are replaced together.
    Disk(Target),
    /// A secret of Vault. Its version is checked when it is written.
    Vault(Box<VaultSecret>),
}

impl Destination {
    /// Returns the place of the pair of `source`, or `None` if the source cannot be written. Fails now if
    /// [`Destination::write`] would fail later, so that the user is not asked for a pair in vain.
    ///
    /// # Errors
    /// Fails with `source_unavailable`, the reason and a hint.
    pub fn of(source: &Source) -> Option<Result<Self, Error>> {
        let secret = source.vault_secret().map(|secret| Ok(Self::Vault(Box::new(secret?))));
        secret.or_else(|| Target::of(source).map(|target| target.map(Self::Disk)))
    }

    /// Returns the place for a first pair, which must not contain one yet.
    ///
    /// # Errors
    /// Fails as [`Destination::of`] does.
    pub fn first(source: &Source) -> Option<Result<Self, Error>> {
        let Some(secret) = source.vault_secret() else {
            return Target::first(source).map(|target| target.map(Self::Disk));
        };
        Some(match secret {
            Ok(secret) if secret.has_pair() => Err(present(secret.place())),
            secret => secret.map(|secret| Self::Vault(Box::new(secret))),
        })
    }

    /// Returns the description of the place.
    pub fn place(&self) -> &str {
        match self {
            Self::Disk(target) => target.place(),
            Self::Vault(secret) => secret.place(),
        }
    }

    /// Returns what a write leaves unchanged.
    pub fn unchanged(&self) -> &'static str {
        match self {
            Self::Disk(_) => "Owner, group, mode and ACL are unchanged.",
            Self::Vault(_) => "The other fields of the secret are unchanged.",
        }
    }

    /// Returns who can read a new place, as a predicate.
    pub fn readers(&self) -> &'static str {
        match self {
            Self::Disk(_) => "only its owner can read it",
            Self::Vault(_) => "the policies of Vault decide who can read it",
        }
    }

    /// Writes `content` atomically.
    ///
    /// # Errors
    /// Fails as [`Destination::of`] does; then the old content stays.
    pub fn write(&self, content: &Content) -> Result<(), Error> {
        match self {
            Self::Disk(target) => target.write(content),
            Self::Vault(secret) => secret.write(content),
        }
    }
}

fn present(place: &str) -> Error {
    let message = format!("{place} cannot be written: it already contains a pair. Nothing was changed.");
    Error::with_message(ErrorKind::SourceUnavailable, message)
        .with_hint("Use `justcall-auth rotate` to replace the pair, or use another place.")
}
