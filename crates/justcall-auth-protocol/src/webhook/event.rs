//! The verified content of a delivery.

use std::fmt;

use super::signature::{Signature, SignatureText};
use crate::error::Error;

/// A verified delivery: everything that its signature covers. It contains nothing of the body's `data`, which is not
/// signed.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct WebhookEvent {
    pub(super) url: String,
    pub(super) event_type: String,
    pub(super) timestamp: i64,
    pub(super) secret_index: usize,
    pub(super) signature: SignatureText,
}

impl WebhookEvent {
    /// Creates an unverified event, for tests of code that handles events.
    ///
    /// # Errors
    /// Fails with `invalid_argument` if the signature is not 64 hexadecimal digits.
    pub fn unverified(
        url: impl Into<String>,
        event_type: impl Into<String>,
        timestamp: i64,
        secret_index: usize,
        signature: &str,
    ) -> Result<Self, Error> {
        let signature = Signature::read(signature.as_bytes())
            .ok_or_else(|| {
                Error::invalid_argument("The signature does not consist of 64 hexadecimal digits.")
            })?
            .to_text();
        Ok(Self { url: url.into(), event_type: event_type.into(), timestamp, secret_index, signature })
    }

    /// Returns the URL that the delivery was signed for: one of the expected URLs, or any if any URL is accepted.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the type of the event, such as `call.completed`.
    pub fn event_type(&self) -> &str {
        &self.event_type
    }

    /// Returns the time of the signature, in seconds since 1970-01-01 00:00:00 UTC.
    pub fn timestamp(&self) -> i64 {
        self.timestamp
    }

    /// Returns the index of the secret that signed, in the order in which secrets were added. With the secrets of a
    /// client, 0 is the current pair, and other indexes are pairs before or after it.
    pub fn secret_index(&self) -> usize {
        self.secret_index
    }

    /// Returns the signature as 64 lower-case hexadecimal digits, whatever the case in the header. It is the same for
    /// each repetition of this delivery, but also for another event of the same type in the same second.
    pub fn signature(&self) -> &str {
        self.signature.as_str()
    }
}

/// Leaves out the URL, which often contains a token, and the signature, which is valid until it becomes stale.
impl fmt::Debug for WebhookEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookEvent")
            .field("event_type", &self.event_type)
            .field("timestamp", &self.timestamp)
            .field("secret_index", &self.secret_index)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_creates_unverified_events_only_with_well_formed_signatures() {
        let event = WebhookEvent::unverified("https://a/", "call.completed", 7, 1, &"Ab".repeat(32));
        let event = event.expect("64 digits");
        assert_eq!((event.url(), event.event_type(), event.timestamp()), ("https://a/", "call.completed", 7));
        assert_eq!((event.secret_index(), event.signature()), (1, "ab".repeat(32).as_str()));
        for signature in ["", "ab", &"g".repeat(64), &"a".repeat(65)] {
            assert!(WebhookEvent::unverified("", "", 0, 0, signature).is_err(), "{signature}");
        }
    }

    #[test]
    fn it_shows_neither_the_url_nor_the_signature() {
        let event = WebhookEvent::unverified("https://canary/", "call.completed", 7, 1, &"ab".repeat(32));
        let shown = format!("{:?}", event.expect("64 digits"));
        assert_eq!(
            shown,
            "WebhookEvent { event_type: \"call.completed\", timestamp: 7, secret_index: 1, .. }"
        );
    }
}
