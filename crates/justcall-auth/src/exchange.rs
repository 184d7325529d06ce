//! One call, driven by whoever has the network: the client itself, or a program that brings its own HTTP.

use std::sync::Arc;
use std::time::Duration;

use justcall_auth_protocol::credentials::Credentials;
use justcall_auth_protocol::error::{Error, ErrorKind};
use justcall_auth_protocol::exchange as rules;
pub use justcall_auth_protocol::exchange::{Action, Cause, Moment, Policy};
use justcall_auth_protocol::request::Request;
use justcall_auth_protocol::response::Response;
use justcall_auth_secret::ForkOwned;

use crate::clock;
use crate::observe::{self, Observe};
use crate::patience::Patience;
use crate::process::Tenant;
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
    /// With the rights that the call holds in the keyring. A child of `fork()` has nothing to give back there, and could
    /// wait for ever for a lock that it inherited.
    rules: ForkOwned<rules::Exchange>,
    tenant: Arc<Tenant>,
    observer: Option<Arc<dyn Observe>>,
    recorder: Option<Arc<Recorder>>,
    patience: Patience,
}

impl Exchange {
    pub(crate) fn new(
        rules: rules::Exchange,
        tenant: Arc<Tenant>,
        observer: Option<Arc<dyn Observe>>,
        recorder: Option<Arc<Recorder>>,
        patience: &Patience,
    ) -> Self {
        let patience = patience.until(rules.deadline());
        Self {
            rules: ForkOwned::with_leave(rules, rules::Exchange::leave),
            tenant,
            observer,
            recorder,
            patience,
        }
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
        if !self.rules.is_own() {
            return Err(Error::invalid_argument(
                "This exchange was begun before fork(): begin one in the child.",
            ));
        }
        if self.patience.check_cancelled().is_err() {
            self.rules.give_up(Error::new(ErrorKind::Cancelled));
        }
        let mut action = self.rules.next(&clock::now());
        if self.rules.waits_for_lease() && self.tenant.is_entered() {
            self.rules.give_up(reentry::waits_for_itself());
            action = self.rules.next(&clock::now());
        }
        self.tell();
        action
    }

    /// Looks at the source, after [`Action::Load`]; else it does nothing. What it finds, or does not, the next step tells.
    pub fn load(&mut self) {
        if !self.rules.is_loading() || !self.rules.is_own() {
            return;
        }
        match self.tenant.watch.look(&self.patience) {
            // Others may have more time for it.
            Err(error) if error.kind() == ErrorKind::Cancelled || self.patience.is_over() => {
                self.rules.give_up(error);
            }
            result => {
                if !self.rules.loaded(result, &clock::now()) {
                    self.tenant.watch.forget();
                }
            }
        }
        self.tell();
    }

    /// The method of the request to send.
    pub fn method(&self) -> &str {
        self.rules.outgoing().method()
    }

    /// The URL of the request to send.
    pub fn url(&self) -> String {
        self.rules.url()
    }

    /// The headers of the request to send, names in lower case: all but `Authorization` and what HTTP itself needs.
    pub fn headers(&self) -> Vec<(&str, &str)> {
        let request = self.rules.outgoing();
        let mut headers: Vec<(&str, &str)> = request.default_headers().collect();
        headers.extend(request.headers().iter().map(|(name, value)| (name.as_str(), value.as_str())));
        headers
    }

    /// The request to send, with the headers and the body of the caller's own, or one that asks about the pair: [`Exchange::is_verifying`].
    pub fn outgoing(&self) -> &Request {
        self.rules.outgoing()
    }

    /// Whether the request to send asks about the pair: whose it is, before the caller's own where an account is expected,
    /// or whether it is good, where `/v2/account` answered the caller's own with 401. It is sent without the body and the
    /// headers of the caller's own.
    pub fn is_verifying(&self) -> bool {
        self.rules.is_verifying()
    }

    /// The time left until the call's deadline, zero after it. `None` if the call has no limit.
    pub fn remaining(&self) -> Option<Duration> {
        self.rules.deadline().map(|deadline| deadline.saturating_sub(clock::monotonic()))
    }

    /// The largest body of an answer worth reading, in bytes.
    pub fn max_body(&self) -> usize {
        self.rules.max_body()
    }

    /// The pair to send the request with; taking it fixes which pair the answer will be about.
    ///
    /// # Errors
    /// `invalid_argument` unless [`Action::Send`] is due.
    pub fn authorization(&mut self) -> Result<Credentials, Error> {
        self.rules.authorization()
    }

    /// Reports the answer that came.
    pub fn answered(&mut self, response: Response) {
        if !self.rules.is_own() {
            return;
        }
        let now = clock::now();
        // One that the built-in transport read has its time already.
        let response = if response.received().is_zero() { response.received_at(now.unix) } else { response };
        // The service rejects it, or has no account page: that is no use of the pair.
        let is_use = response.http_status() != 401;
        self.rules.answered(response, &now);
        if let Some(recorder) = self.recorder.as_ref().filter(|_| is_use) {
            recorder.answered(&self.tenant.keyring, now.monotonic, now.unix);
        }
        self.tell();
    }

    /// Reports that no response came: why, and whether any byte of the request may have been sent. Say `true` if in doubt:
    /// a POST that may have been delivered is not sent again.
    pub fn failed(&mut self, cause: Cause, request_sent: bool) {
        self.failed_with(cause.into_error(request_sent));
    }

    /// Reports that no response came, and why.
    pub(crate) fn failed_with(&mut self, error: Error) {
        if !self.rules.is_own() {
            return;
        }
        self.rules.not_answered(error, &clock::now());
        self.tell();
    }

    /// Ends the call with `error`, unless it is over.
    pub(crate) fn give_up(&mut self, error: Error) {
        self.rules.give_up(error);
    }

    /// Marks this thread while it sends with a lease that other calls wait for.
    pub(crate) fn enter_sending(&self) -> Option<reentry::Mark> {
        self.rules.holds_lease().then(|| reentry::enter(&*self.tenant.keyring))
    }

    /// How long the driver goes on.
    pub(crate) fn patience(&self) -> &Patience {
        &self.patience
    }

    pub(crate) fn into_rules(self) -> rules::Exchange {
        self.rules.into_inner()
    }

    /// The answer, after [`Action::Done`].
    ///
    /// # Errors
    /// The call's failure; `invalid_argument` before the call is over.
    pub fn response(&self) -> Result<&Response, Error> {
        self.rules.response()
    }

    /// As [`Exchange::response`], for keeps.
    ///
    /// # Errors
    /// As [`Exchange::response`].
    pub fn into_response(self) -> Result<Response, Error> {
        self.into_rules().into_response()
    }

    fn tell(&mut self) {
        let events = self.rules.take_events();
        if let Some(observer) = self.observer.as_deref().filter(|_| !events.is_empty()) {
            observe::tell(observer, &events);
        }
    }
}

impl std::fmt::Debug for Exchange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Exchange").field("rules", &*self.rules).finish_non_exhaustive()
    }
}
