//! One call, driven by the client itself, or by a program with its own HTTP client.

use std::sync::Arc;
use std::time::Duration;

use justcall_auth_protocol::credentials::Credentials;
use justcall_auth_protocol::error::Error;
use justcall_auth_protocol::exchange as rules;
pub use justcall_auth_protocol::exchange::{Action, Cause};
use justcall_auth_protocol::request::Request;
use justcall_auth_protocol::response::Response;

use crate::clock;
use crate::context::CallContext;
use crate::machine::Driven;
use crate::reentry;
use crate::state::Recorder;

/// One call over the program's own HTTP client: libcurl, an event loop, another language. It follows the same rules as
/// [`Client::request`](crate::Client::request): headers, retries, resets of the pair, errors.
///
/// ```no_run
/// # use justcall_auth::{Client, Request, Response, exchange::Action};
/// # use justcall_auth::exchange::{Cause, Exchange};
/// # use std::time::Duration;
/// # fn http(exchange: &Exchange, authorization: &[u8], limit: Option<Duration>) -> Result<Response, Cause> {
/// #     Ok(Response::new(200, Vec::new(), Vec::new()))
/// # }
/// # fn main() -> Result<(), justcall_auth::Error> {
/// let client = Client::from_environment()?;
/// let mut exchange = client.exchange(Request::new("GET", "/v2.1/calls")?);
/// let response = loop {
///     match exchange.next()? {
///         Action::Load => exchange.load(),
///         Action::Send { remaining } => {
///             let pair = exchange.authorization()?;
///             match pair.expose_authorization(|header| http(&exchange, header, remaining)) {
///                 Ok(response) => exchange.answered(response),
///                 // The request was surely not delivered only if no byte of it was sent.
///                 Err(cause) => exchange.failed(cause, cause != Cause::Connect),
///             }
///         }
///         Action::Wait(wait) => std::thread::sleep(wait),
///         Action::Done => break exchange.into_response()?,
///     }
/// };
/// # Ok(())
/// # }
/// ```
///
/// The HTTP client must not follow redirects, because that would send the pair to another host. The CA file and the
/// proxy of the [`Client`](crate::Client) do not apply to it. It should stop when the time in [`Action::Send`] is over,
/// and report that with [`Cause::Timeout`].
///
/// Only [`Exchange::load`] may block, because it may read a file or run a command. Other calls of the process may wait
/// for an exchange whose action is to load or to send. They stop waiting when the exchange is dropped, at its deadline,
/// or after 60 seconds if it has no deadline. An exchange can be used only in the process that created it.
pub struct Exchange {
    driven: Driven<rules::Exchange>,
    recorder: Option<Arc<Recorder>>,
}

impl Exchange {
    pub(crate) fn new(driven: Driven<rules::Exchange>, recorder: Option<Arc<Recorder>>) -> Self {
        Self { driven, recorder }
    }

    /// Returns the next action. Returns the same action again if the caller has reported nothing in between.
    ///
    /// # Errors
    /// Fails with the final failure of the call, at this and every later call. Fails with `invalid_argument` in a child
    /// of the process that created the exchange.
    #[expect(
        clippy::should_implement_trait,
        reason = "every language uses this name; an exchange is not an iterator"
    )]
    pub fn next(&mut self) -> Result<Action, Error> {
        self.driven.next()
    }

    /// Reads the source, after [`Action::Load`]; otherwise does nothing. The next action depends on the result.
    pub fn load(&mut self) {
        self.driven.load();
    }

    /// Returns the method of the request to send.
    pub fn method(&self) -> &str {
        self.driven.get().outgoing().method()
    }

    /// Returns the URL of the request to send.
    pub fn url(&self) -> String {
        self.driven.get().url()
    }

    /// Returns the headers of the request to send, with names in lower case. `Authorization` and the headers that an
    /// HTTP client adds itself are not included.
    pub fn headers(&self) -> Vec<(&str, &str)> {
        let request = self.driven.get().outgoing();
        let mut headers: Vec<(&str, &str)> = request.default_headers().collect();
        headers.extend(request.headers().iter().map(|(name, value)| (name.as_str(), value.as_str())));
        headers
    }

    /// Returns the request to send: the caller's own with its headers and body, or one that verifies the pair, see
    /// [`Exchange::is_verifying`].
    pub fn outgoing(&self) -> &Request {
        self.driven.get().outgoing()
    }

    /// Returns true if the request to send verifies the pair. This happens before the caller's own request if an
    /// account is expected, and after it if `/v2/account` answered it with 401. Such a request has neither the body nor
    /// the headers of the caller's own.
    pub fn is_verifying(&self) -> bool {
        self.driven.get().is_verifying()
    }

    /// Returns the time left until the call's deadline, or zero after it. Returns `None` if the call has no limit.
    pub fn remaining(&self) -> Option<Duration> {
        self.driven.get().deadline().map(|deadline| deadline.saturating_sub(clock::monotonic()))
    }

    /// Returns the largest body of a response that the exchange accepts, in bytes.
    pub fn max_body(&self) -> usize {
        self.driven.get().max_body()
    }

    /// Returns the pair for the request. From then on the response counts as one about this pair.
    ///
    /// # Errors
    /// Fails with `invalid_argument` if the next action is not [`Action::Send`].
    pub fn authorization(&mut self) -> Result<Credentials, Error> {
        self.driven.get_mut().authorization()
    }

    /// Reports a response.
    pub fn answered(&mut self, response: Response) {
        if !self.driven.is_own() {
            return;
        }
        let now = clock::now();
        // The built-in transport has already set the time.
        let response =
            if response.received().is_zero() { response.with_received(now.unix) } else { response };
        // A 401 means that the service rejects the pair or has no account page, so it does not count as a use.
        let is_use = response.http_status() != 401;
        self.driven.get_mut().answered(response, &now);
        if let Some(recorder) = self.recorder.as_ref().filter(|_| is_use) {
            recorder.answered(&self.driven.source().shared.keyring, now.monotonic, now.unix);
        }
        self.driven.emit_events();
    }

    /// Reports that no response came, with the cause and whether any byte of the request may have been sent. Pass
    /// `true` if in doubt: a POST that may have been delivered is not sent again.
    pub fn failed(&mut self, cause: Cause, request_sent: bool) {
        self.failed_with(cause.into_error(request_sent));
    }

    /// Reports that no response came, with the error.
    pub(crate) fn failed_with(&mut self, error: Error) {
        if !self.driven.is_own() {
            return;
        }
        self.driven.get_mut().not_answered(error, &clock::now());
        self.driven.emit_events();
    }

    /// Sleeps for a part of `wait`.
    pub(crate) fn wait(&mut self, wait: Duration) {
        self.driven.wait(wait);
    }

    /// Marks this thread while it sends with a lease that other calls wait for.
    pub(crate) fn enter_sending(&self) -> Option<reentry::Mark> {
        self.driven.get().holds_lease().then(|| reentry::enter(&*self.driven.source().shared.keyring))
    }

    /// Returns the time limit and the cancellation of the call.
    pub(crate) fn context(&self) -> &CallContext {
        self.driven.context()
    }

    pub(crate) fn into_rules(self) -> rules::Exchange {
        self.driven.into_inner()
    }

    /// Returns the response, after [`Action::Done`].
    ///
    /// # Errors
    /// Fails with the failure of the call, or with `invalid_argument` before the call is over.
    pub fn response(&self) -> Result<&Response, Error> {
        self.driven.get().response()
    }

    /// Converts the exchange into its response.
    ///
    /// # Errors
    /// Fails as [`Exchange::response`] does.
    pub fn into_response(self) -> Result<Response, Error> {
        self.into_rules().into_response()
    }
}

impl std::fmt::Debug for Exchange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Exchange").field("rules", self.driven.get()).finish_non_exhaustive()
    }
}
