//! The delivery of the request that a call is about.

use crate::error::Error;
use crate::request::Request;
use crate::response::Response;

/// The delivery of the request that the call is about: the caller's own request, or the verifying one.
#[derive(Debug, Default)]
pub(super) struct RequestDelivery {
    /// The number of times that the driver was asked to send the request.
    pub attempts: u32,
    /// True if the service may have received at least one attempt.
    pub is_possible: bool,
    /// The response before the last retry.
    pub last_response: Option<Response>,
}

impl RequestDelivery {
    /// Returns `error` with the delivery of `request`. `is_under_way` must be true if the driver is sending the
    /// request. Only this function sets `request_sent`.
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
