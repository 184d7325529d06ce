//! Where the secrets come from that may have signed.

use justcall_auth_secret::Secret;

use crate::credentials;
use crate::diagnose;
use crate::error::{Error, ErrorKind};

/// Secrets that may have signed a delivery. What holds pairs that change implements it.
pub trait SigningSecrets: Send + Sync {
    /// Gives `is_signer` one secret after the other, the likeliest first, until one has signed. Its place, from 0; `None`
    /// when none has. A place means the same secret for as long as a caller may care.
    ///
    /// # Errors
    /// There are no secrets, and why.
    fn find(&self, is_signer: &mut dyn FnMut(&[u8]) -> bool) -> Result<Option<usize>, Error>;

    /// Counts a verification that is over, also one that needed no secret: it ended with `failure`, or the delivery is
    /// genuine. Counts nothing unless it is implemented; the verifier has its own counters.
    fn delivered(&self, failure: Option<ErrorKind>) {
        let _ = failure;
    }
}

/// Secrets that were given one by one.
#[derive(Default)]
pub(super) struct Fixed(Vec<Secret>);

impl Fixed {
    /// Checks a secret and copies it into protected memory.
    ///
    /// # Errors
    /// `credentials_malformed` when it cannot be the secret of a pair.
    pub fn add(&mut self, secret: &[u8]) -> Result<(), Error> {
        credentials::refuse_errors(diagnose::secret(secret))?;
        self.0.push(Secret::copy_from(secret));
        Ok(())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl SigningSecrets for Fixed {
    fn find(&self, is_signer: &mut dyn FnMut(&[u8]) -> bool) -> Result<Option<usize>, Error> {
        Ok(self.0.iter().position(|secret| secret.expose(&mut *is_signer)))
    }
}
