//! What a call has met so far, and the failures that come of it.

use std::time::Duration;

use super::action::Phase;
use crate::error::{Error, ErrorKind};

/// What a call that was refused has met so far.
#[derive(Debug, Default)]
pub(super) struct Recovery {
    /// Why the service, or the expected account, refused its pair.
    pub refusal: Option<Error>,
    /// Why the source gave nothing at the last refresh.
    pub last_error: Option<Error>,
}

impl Recovery {
    /// Returns what the call ends with if no better pair comes.
    pub fn failure(&self) -> Option<Error> {
        let refusal = self.refusal.clone()?;
        Some(match &self.last_error {
            None => refusal,
            Some(error) => {
                let hint = format!("{} The source gave no other pair: {}", refusal.hint(), error.message());
                refusal.with_hint(hint)
            }
        })
    }
}

/// The failure of a call whose pair the service rejected a moment ago: asking again would only look like an attack.
pub(super) fn rejected_lately(left: Duration) -> Error {
    let message = format!(
        "The service rejected this API key and secret; they are not sent again for {} s, unless the source gives others.",
        left.as_secs() + 1
    );
    Error::with_message(ErrorKind::InvalidCredentials, message).with_retry_after(Some(left))
}

/// The failure of a call that waits until its deadline for another one to prove the new pair.
pub(super) fn another_call_proves() -> Error {
    Error::with_message(ErrorKind::Timeout, "Another call is still verifying the new pair.").with_hint(
        "Call again: the new pair may be good. If this lasts, allow a longer timeout than the service needs to answer.",
    )
}

/// The failure of a call that is in `phase` at its deadline.
pub(super) fn no_response_in_time(phase: Phase) -> Error {
    Error::with_message(ErrorKind::Timeout, "The call ran out of time before a response came.")
        .with_reason(phase.name())
}
