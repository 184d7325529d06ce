//! What a call is for, and where it is.

use std::time::Duration;

use super::verification::Verification;
use crate::error::Error;
use crate::keyring::{Lease, PairVersion};
use crate::request::Request;
use crate::response::Response;

/// What the call is for.
#[derive(Debug)]
pub(super) enum Task {
    /// Send this.
    Request(Request),
    /// Find out whether the pair is good, and whose it is.
    Verify,
    /// Find out whether this pair is good, and use it from here on.
    Replace(PairVersion),
}

impl Task {
    /// Returns the caller's own request.
    pub fn request(&self) -> Option<&Request> {
        if let Self::Request(request) = self { Some(request) } else { None }
    }

    /// Returns the request to send: the question about the pair, or else the caller's own.
    pub fn due<'a>(&'a self, verification: &'a Verification) -> &'a Request {
        let request = verification.page.as_ref().or(self.request());
        request.expect("a task without a request of the caller's verifies")
    }
}

#[derive(Debug)]
pub(super) enum State {
    /// The keyring is asked what to do.
    Ready,
    /// The driver reads the source.
    Loading(Lease),
    /// The request is with the driver.
    Sending(InFlight),
    /// A retry is due at this monotonic time.
    Waiting(Duration),
    /// Over, with the response or the failure.
    Done(Result<Response, Error>),
}

/// A request that is being sent with its pair.
#[derive(Debug)]
pub(super) struct InFlight {
    pub version: PairVersion,
    /// The right to prove the pair, if it has yet to be proven.
    pub proof: Option<Lease>,
    /// The driver has the pair: the response is about it.
    pub is_taken: bool,
    /// When the driver was asked to send, on the monotonic clock.
    pub since: Duration,
}
