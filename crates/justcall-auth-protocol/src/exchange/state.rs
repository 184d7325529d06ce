//! The task of a call and its state.

use std::time::Duration;

use super::verification::PairVerification;
use crate::error::Error;
use crate::keyring::{Lease, PairVersion};
use crate::request::Request;
use crate::response::Response;

/// The task of a call.
#[derive(Debug)]
pub(super) enum CallTask {
    /// Send this request.
    Request(Request),
    /// Prove the pair, and return its account.
    Verify,
    /// Prove this pair, and put it into use.
    Replace(PairVersion),
}

impl CallTask {
    /// Returns the caller's own request.
    pub fn request(&self) -> Option<&Request> {
        if let Self::Request(request) = self { Some(request) } else { None }
    }

    /// Returns the next request: the verifying one, or otherwise the caller's own.
    pub fn due_request<'a>(&'a self, verification: &'a PairVerification) -> &'a Request {
        let request = verification.page.as_ref().or(self.request());
        request.expect("a task without the caller's request always verifies")
    }
}

#[derive(Debug)]
pub(super) enum ExchangeState {
    /// The keyring decides what to do.
    Ready,
    /// The driver reads the source.
    Loading(Lease),
    /// The driver sends the request.
    Sending(InFlight),
    /// The call goes on at this monotonic time: with a retry, or because it was held and is released then.
    Waiting(Duration),
    /// The call is over, with its result.
    Done(Result<Response, Error>),
}

/// A request that is being sent, with its pair.
#[derive(Debug)]
pub(super) struct InFlight {
    pub version: PairVersion,
    /// The lease to prove the pair, if it must be proven.
    pub proof: Option<Lease>,
    /// The driver has taken the pair, so the response is about it.
    pub is_taken: bool,
    /// The monotonic time at which the driver was asked to send.
    pub since: Duration,
}
