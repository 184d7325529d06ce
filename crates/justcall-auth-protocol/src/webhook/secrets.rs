//! The secrets that may have signed a delivery.

use justcall_auth_secret::Secret;

use crate::credentials;
use crate::diagnose;
use crate::error::{Error, ErrorKind};

/// Secrets that may have signed a delivery. Implemented by types whose pairs change.
pub trait SigningSecrets: Send + Sync {
    /// Calls `is_signer` with each secret, the most likely first, until it returns true. Returns the index of that
    /// secret, starting at 0, or `None`. An index must keep its meaning for as long as a caller may use it.
    ///
    /// # Errors
    /// Fails if there are no secrets, with the reason.
    fn find(&self, is_signer: &mut dyn FnMut(&[u8]) -> bool) -> Result<Option<usize>, Error>;

    /// Counts a completed verification, including one that needed no secret. `failure` is `None` if the delivery is
    /// genuine. The default implementation counts nothing; the verifier has its own counters.
    fn delivered(&self, failure: Option<ErrorKind>) {
        let _ = failure;
    }
}

/// Secrets that were added one at a time.
#[derive(Default)]
pub(super) struct FixedSecrets(Vec<Secret>);

impl FixedSecrets {
    /// Checks a secret and copies it into protected memory.
    ///
    /// # Errors
    /// Fails with `credentials_malformed` if it cannot be the secret of a pair.
    pub fn add(&mut self, secret: &[u8]) -> Result<(), Error> {
        credentials::refuse_errors(diagnose::secret(secret))?;
        self.0.push(Secret::copy_from(secret));
        Ok(())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl SigningSecrets for FixedSecrets {
    fn find(&self, is_signer: &mut dyn FnMut(&[u8]) -> bool) -> Result<Option<usize>, Error> {
        Ok(self.0.iter().position(|secret| secret.expose(&mut *is_signer)))
    }
}
