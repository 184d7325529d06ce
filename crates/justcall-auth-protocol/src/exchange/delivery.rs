//! What became of the request that a call is about.

use crate::error::Error;
use crate::request::Request;
use crate::response::Response;

/// What became of the request that the call is about: the caller's own, or the one that verifies.
#[derive(Debug, Default)]
pub(super) struct Delivery {
    /// How often the request was given to the driver to send.
    pub attempts: u32,
    /// At least one attempt was not surely undelivered.
    pub is_possible: bool,
    /// The response that the last retry followed.
    pub last_response: Option<Response>,
}

impl Delivery {
    /// Returns `error` with what became of `request`. `is_under_way` if the driver is sending it. No other place decides about
    /// `request_sent`.
    pub fn describe(&self, error: Error, request: &Request, is_under_way: bool) -> Error {
        let error = match &self.last_response {
            Some(response) if error.response().is_none() => error.with_response(response.clone()),
            _ => error,
        };
        error.with_request_sent(self.is_possible || is_under_way).with_request(
            request.method(),
            request.route(),
            self.attempts,
        )
    }
}
