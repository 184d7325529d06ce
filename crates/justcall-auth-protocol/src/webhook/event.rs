//! What a verified delivery tells for certain.

use std::fmt;

use super::signature::{Signature, SignatureText};
use crate::error::Error;

/// A verified delivery: all that its signature is over, and nothing of the body's `data`, which is not signed.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct WebhookEvent {
    pub(super) url: String,
    pub(super) event_type: String,
    pub(super) timestamp: i64,
    pub(super) secret_index: usize,
    pub(super) signature: SignatureText,
}

impl WebhookEvent {
    /// An event that nobody verified, for tests of what handles events.
    ///
    /// # Errors
    /// `invalid_argument` when the signature is not 64 hexadecimal digits.
    pub fn unverified(
        url: impl Into<String>,
        event_type: impl Into<String>,
        timestamp: i64,
        secret_index: usize,
        signature: &str,
    ) -> Result<Self, Error> {
        let signature = Signature::read(signature.as_bytes())
            .ok_or_else(|| Error::invalid_argument("The signature is not 64 hexadecimal digits."))?
            .to_text();
        Ok(Self { url: url.into(), event_type: event_type.into(), timestamp, secret_index, signature })
    }

    /// The URL that the delivery was signed for: one of those expected, or any if any was.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The event's type, such as `call.completed`.
    pub fn event_type(&self) -> &str {
        &self.event_type
    }

    /// When it was signed, in seconds since 1970-01-01 00:00:00 UTC.
    pub fn timestamp(&self) -> i64 {
        self.timestamp
    }

    /// Which secret signed it: the place in the order in which secrets were added. Of a client 0 is the current pair;
    /// others are pairs that it replaced or is about to be replaced by.
    pub fn secret_index(&self) -> usize {
        self.secret_index
    }

    /// The signature as 64 lower-case hexadecimal digits, however it was written. The same for every repetition of this
    /// delivery, but also for another event of the type in the same second.
    pub fn signature(&self) -> &str {
        self.signature.as_str()
    }
}

/// URLs of webhooks often hold a token, and the signature opens the door for as long as it is fresh: both are left out.
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
    fn it_makes_events_for_tests_with_signatures_that_could_be() {
        let event = WebhookEvent::unverified("https://a/", "call.completed", 7, 1, &"Ab".repeat(32));
        let event = event.expect("64 digits");
        assert_eq!((event.url(), event.event_type(), event.timestamp()), ("https://a/", "call.completed", 7));
        assert_eq!((event.secret_index(), event.signature()), (1, "ab".repeat(32).as_str()));
        for signature in ["", "ab", &"g".repeat(64), &"a".repeat(65)] {
            assert!(WebhookEvent::unverified("", "", 0, 0, signature).is_err(), "{signature}");
        }
    }
}
