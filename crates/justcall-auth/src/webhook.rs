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

use justcall_auth_protocol::error::Error;
pub use justcall_auth_protocol::webhook::{
    ANY_URL, DEFAULT_TOLERANCE, MAX_BODY, ReplayCheck, SigningSecrets, WebhookEvent, WebhookHeaders,
    WebhookVerifier, object_path,
};

use crate::client::Client;

/// The client's pair, whichever that is when a delivery comes; read from the source, if no call has done so yet.
impl SigningSecrets for Client {
    fn find(&self, is_signer: &mut dyn FnMut(&[u8]) -> bool) -> Result<Option<usize>, Error> {
        let current = self.credentials()?;
        let secret_at = current.secret_at();
        Ok(current.expose_authorization(|pair| is_signer(&pair[secret_at..])).then_some(0))
    }
}
