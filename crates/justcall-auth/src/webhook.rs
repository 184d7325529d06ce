//! Webhooks: checks that a delivery comes from JustCall, is fresh, and is meant for this receiver.
//!
//! **The body is not signed**, except for `webhook_url` and `type`: fetch the object through the API before you act on
//! the content of `data`. [The rules](justcall_auth_protocol::webhook) show how. This module adds the secrets of a
//! [`Client`].
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! let client = justcall_auth::Client::from_environment()?;
//! let mut verifier = justcall_auth::WebhookVerifier::for_url("https://example.com/hooks/justcall")?;
//! verifier.use_secrets_of(Arc::new(client))?;
//! # Ok::<(), justcall_auth::Error>(())
//! ```

use justcall_auth_protocol::error::{Error, ErrorKind};
pub use justcall_auth_protocol::webhook::{
    ANY_URL, DEFAULT_TOLERANCE, MAX_BODY, ReplayCheck, SigningSecrets, WebhookEvent, WebhookHeaders,
    WebhookVerifier, object_path,
};

use crate::client::{Call, Client};
use crate::clock;

/// Uses the secret of the client's current pair when a delivery arrives. Reads the source if no call has read it yet.
/// After a reset, also accepts the new pair before a call has proven it, and the previous pair for 15 minutes, unless
/// the source states that it was compromised. If none of these pairs signed the delivery, the source is refreshed, at
/// most once a second.
///
/// A delivery that arrives before any call has read the pair waits for the source, at most for the timeout of the
/// client: call [`Client::credentials`] when the receiver starts. If reading fails, the delivery fails with the same
/// error, and for one second further deliveries do not read the source, if it is a program or a callback.
impl SigningSecrets for Client {
    fn find(&self, is_signer: &mut dyn FnMut(&[u8]) -> bool) -> Result<Option<usize>, Error> {
        self.call().find_signer(is_signer)
    }

    /// Counts the delivery in [`Client::usage`].
    fn delivered(&self, failure: Option<ErrorKind>) {
        self.shared().0.metrics.delivered(failure);
    }
}

/// The client's secrets, found within the limits of this call.
impl SigningSecrets for Call<'_> {
    fn find(&self, is_signer: &mut dyn FnMut(&[u8]) -> bool) -> Result<Option<usize>, Error> {
        self.clone().find_signer(is_signer)
    }

    fn delivered(&self, failure: Option<ErrorKind>) {
        self.client().delivered(failure);
    }
}

impl Call<'_> {
    /// Finds the signing secret, see [`SigningSecrets::find`] of the client.
    ///
    /// # Errors
    /// Fails as [`Client::credentials`] does, or with `cancelled`.
    pub fn find_signer(self, is_signer: &mut dyn FnMut(&[u8]) -> bool) -> Result<Option<usize>, Error> {
        let client = self.client();
        let source = client.shared_source();
        if let Some(failure) = source.webhook_failure(clock::monotonic()) {
            return Err(failure);
        }
        let result = self.find();
        let now = clock::monotonic();
        let (shared, overlap) = result.inspect_err(|error| source.webhook_failed(now, error))?;
        let signer = shared.keyring.webhook_pairs(now).enumerate().find(|(_, version)| {
            let pair = version.credentials();
            pair.expose_authorization(|header| is_signer(&header[pair.secret_at()..]))
        });
        match &signer {
            Some((_, version)) => shared.keyring.confirm_by_webhook(version, overlap, now),
            // A forged delivery must not cause another read of the environment.
            None if client.reads_environment() => {}
            None => shared.keyring.request_refresh(),
        }
        Ok(signer.map(|(place, _)| place))
    }
}
