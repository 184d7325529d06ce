//! One call, driven by whoever has the network: the client itself, or a program that brings its own HTTP.

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

/// One call over HTTP of your own: libcurl, an event loop, another language's client. The same rules as
/// [`Client::request`](crate::Client::request) follows: headers, retries, the way through a reset, errors.
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
///                 // Surely not delivered only if no byte of it was sent.
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
/// The HTTP client must not follow redirects: it would send the pair to another host. The client's CA file and proxy do
/// not apply to it. It should stop when the time of [`Action::Send`] is over, and report that with [`Cause::Timeout`].
///
/// Nothing here blocks but [`Exchange::load`], which may read a file or run a command. Other calls of the process may wait
/// for an exchange that was told to load or to send. They stop waiting when it is dropped, at its deadline, or after 60
/// seconds if it has none. It belongs to the process that began it.
pub struct Exchange {
    driven: Driven<rules::Exchange>,
    recorder: Option<Arc<Recorder>>,
}

impl Exchange {
    pub(crate) fn new(driven: Driven<rules::Exchange>, recorder: Option<Arc<Recorder>>) -> Self {
        Self { driven, recorder }
    }

    /// What to do now. Asking twice without reporting in between gives the same action again.
    ///
    /// # Errors
    /// The call's failure, once it is final; the same one at every later call. `invalid_argument` in a child of the
    /// process that began it.
    #[expect(
        clippy::should_implement_trait,
        reason = "the name that every face of it has; it is no iterator"
    )]
    pub fn next(&mut self) -> Result<Action, Error> {
        self.driven.next()
    }

    /// Looks at the source, after [`Action::Load`]; else it does nothing. What it finds, or does not, the next step tells.
    pub fn load(&mut self) {
        self.driven.load();
    }

    /// The method of the request to send.
    pub fn method(&self) -> &str {
        self.driven.get().outgoing().method()
    }

    /// The URL of the request to send.
    pub fn url(&self) -> String {
        self.driven.get().url()
    }

    /// The headers of the request to send, names in lower case: all but `Authorization` and what HTTP itself needs.
    pub fn headers(&self) -> Vec<(&str, &str)> {
        let request = self.driven.get().outgoing();
        let mut headers: Vec<(&str, &str)> = request.default_headers().collect();
        headers.extend(request.headers().iter().map(|(name, value)| (name.as_str(), value.as_str())));
        headers
    }

    /// The request to send, with the headers and the body of the caller's own, or one that asks about the pair: [`Exchange::is_verifying`].
    pub fn outgoing(&self) -> &Request {
        self.driven.get().outgoing()
    }

    /// Whether the request to send asks about the pair: whose it is, before the caller's own where an account is expected,
    /// or whether it is good, where `/v2/account` answered the caller's own with 401. It is sent without the body and the
    /// headers of the caller's own.
    pub fn is_verifying(&self) -> bool {
        self.driven.get().is_verifying()
    }

    /// The time left until the call's deadline, zero after it. `None` if the call has no limit.
    pub fn remaining(&self) -> Option<Duration> {
        self.driven.get().deadline().map(|deadline| deadline.saturating_sub(clock::monotonic()))
    }

    /// The largest body of an answer worth reading, in bytes.
    pub fn max_body(&self) -> usize {
        self.driven.get().max_body()
    }

    /// The pair to send the request with; taking it fixes which pair the answer will be about.
    ///
    /// # Errors
    /// `invalid_argument` unless [`Action::Send`] is due.
    pub fn authorization(&mut self) -> Result<Credentials, Error> {
        self.driven.get_mut().authorization()
    }

    /// Reports the answer that came.
    pub fn answered(&mut self, response: Response) {
        if !self.driven.is_own() {
            return;
        }
        let now = clock::now();
        // One that the built-in transport read has its time already.
        let response =
            if response.received().is_zero() { response.with_received(now.unix) } else { response };
        // The service rejects it, or has no account page: that is no use of the pair.
        let is_use = response.http_status() != 401;
        self.driven.get_mut().answered(response, &now);
        if let Some(recorder) = self.recorder.as_ref().filter(|_| is_use) {
            recorder.answered(&self.driven.source().shared.keyring, now.monotonic, now.unix);
        }
        self.driven.emit_events();
    }

    /// Reports that no response came: why, and whether any byte of the request may have been sent. Say `true` if in doubt:
    /// a POST that may have been delivered is not sent again.
    pub fn failed(&mut self, cause: Cause, request_sent: bool) {
        self.failed_with(cause.into_error(request_sent));
    }

    /// Reports that no response came, and why.
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

    /// How long the driver goes on.
    pub(crate) fn context(&self) -> &CallContext {
        self.driven.context()
    }

    pub(crate) fn into_rules(self) -> rules::Exchange {
        self.driven.into_inner()
    }

    /// The answer, after [`Action::Done`].
    ///
    /// # Errors
    /// The call's failure; `invalid_argument` before the call is over.
    pub fn response(&self) -> Result<&Response, Error> {
        self.driven.get().response()
    }

    /// As [`Exchange::response`], for keeps.
    ///
    /// # Errors
    /// As [`Exchange::response`].
    pub fn into_response(self) -> Result<Response, Error> {
        self.into_rules().into_response()
    }
}

impl std::fmt::Debug for Exchange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Exchange").field("rules", self.driven.get()).finish_non_exhaustive()
    }
}
