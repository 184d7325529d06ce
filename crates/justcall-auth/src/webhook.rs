//! Webhooks: whether a delivery is JustCall's, is fresh, and is for this receiver.
//!
//! **The body is not signed**, beyond `webhook_url` and `type`: fetch the object again through the API before you act on
//! what `data` says. [The rules](justcall_auth_protocol::webhook) show how. Here is what they lack: the secrets of a
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

/// The client's pair, whichever that is when a delivery comes; read from the source, if no call has done so yet. After a
/// reset also the new one, before a call has proven it, and for 15 minutes the one before, unless the source says that it
/// got into wrong hands. What none of them signed is a reason to look at the source again, at most once a second.
///
/// A delivery that comes before any call has read the pair waits until it is read, at most for the client's timeout: call
/// [`Client::credentials`] when the receiver starts. If that fails, deliveries fail in the same way, and a program or
/// callback is not asked again because of one of them for a second.
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
    /// As the client's own [`SigningSecrets::find`].
    ///
    /// # Errors
    /// As [`Client::credentials`], and `cancelled`.
    pub fn find_signer(self, is_signer: &mut dyn FnMut(&[u8]) -> bool) -> Result<Option<usize>, Error> {
        let client = self.client();
        let source = client.shared_source();
        if let Some(failure) = source.webhook_failure(clock::monotonic()) {
            return Err(failure);
        }
        let found = self.find();
        let now = clock::monotonic();
        let (shared, overlap) = found.inspect_err(|error| source.webhook_failed(now, error))?;
        let signer = shared.keyring.webhook_pairs(now).enumerate().find(|(_, version)| {
            let pair = version.credentials();
            pair.expose_authorization(|header| is_signer(&header[pair.secret_at()..]))
        });
        match &signer {
            Some((_, version)) => shared.keyring.confirm_by_webhook(version, overlap, now),
            // A forged delivery must not make a client read the environment again.
            None if client.reads_environment() => {}
            None => shared.keyring.request_refresh(),
        }
        Ok(signer.map(|(place, _)| place))
    }
}
