//! The errors of a call that was refused and waits for a better pair.

use std::time::Duration;

use super::action::Phase;
use crate::error::{Error, ErrorKind};

/// The errors that a refused call has had so far.
#[derive(Debug, Default)]
pub(super) struct Recovery {
    /// Why the service refused the pair, or that it belongs to another account than expected.
    pub refusal: Option<Error>,
    /// The error of the last refresh.
    pub last_error: Option<Error>,
}

impl Recovery {
    /// Returns the error that ends the call if no better pair comes. Returns `None` if nothing was refused.
    pub fn failure(&self) -> Option<Error> {
        let refusal = self.refusal.clone()?;
        Some(match &self.last_error {
            None => refusal,
            Some(error) => {
                let hint = format!("{} The source has no other pair: {}", refusal.hint(), error.message());
                refusal.with_hint(hint)
            }
        })
    }
}

/// Returns the error for a call whose pair was rejected recently. Sending it again could be taken for an attack.
pub(super) fn recently_rejected(left: Duration) -> Error {
    let message = format!(
        "The service rejected this API key and secret. The library does not send this pair again for {} s. A new pair in the source is sent immediately.",
        left.as_secs() + 1
    );
    Error::with_message(ErrorKind::InvalidCredentials, message).with_retry_after(Some(left))
}

/// Returns the error for a call at its deadline while another call proves the new pair.
pub(super) fn another_call_proves() -> Error {
    Error::with_message(ErrorKind::Timeout, "Another call is still verifying the new pair.").with_hint(
        "Call again, because the new pair may be valid. If the error persists, set a timeout that is longer than the response time of the service.",
    )
}

/// Returns the error for a call that is in `phase` at its deadline.
pub(super) fn no_response_in_time(phase: Phase) -> Error {
    Error::with_message(ErrorKind::Timeout, "The timeout of the call elapsed before a response arrived.")
        .with_reason(phase.name())
}
