//! One call as a state machine: what to send now, what the answer means, what next.
//!
//! [`Exchange`] holds every rule of a call — headers, the local refusal, retries, the deadline, classification — and
//! does nothing itself. Its driver loops over [`Exchange::next`] and obeys:
//!
//! | action | the driver |
//! |---|---|
//! | [`Action::Load`] | reads the source and reports with [`Exchange::loaded`] |
//! | [`Action::Send`] | sends [`Exchange::outgoing`] with [`Exchange::authorization`], then reports with [`Exchange::answered`] or [`Exchange::not_answered`] |
//! | [`Action::Wait`] | asks again after that time |
//! | [`Action::Done`] | takes the result with [`Exchange::into_response`] or [`Exchange::into_account`] |
//!
//! Time and randomness come in as a [`Moment`], so the same rules run under a test's clock.

use std::sync::Arc;
use std::time::Duration;

use crate::account::Account;
use crate::classify::{classify, invalid_response};
use crate::credentials::Credentials;
use crate::error::{Error, ErrorKind};
use crate::keyring::{Held, Keyring};
use crate::request::Request;
use crate::response::Response;
use crate::service;
use crate::url::BaseUrl;

/// What a client asks of all its calls.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Where the service is.
    pub base_url: BaseUrl,
    /// What `verify` asks in place of [`service::ACCOUNT_PATH`].
    pub verify_path: Option<String>,
    /// For the whole call, waits included. Zero: no limit.
    pub timeout: Duration,
    /// How many second attempts a call may make, of every kind together.
    pub max_retries: u32,
}

impl Default for Policy {
    /// The service itself, 30 seconds, 2 retries.
    fn default() -> Self {
        Self {
            base_url: BaseUrl::default(),
            verify_path: None,
            timeout: Duration::from_secs(30),
            max_retries: 2,
        }
    }
}

/// The time and some randomness, as the driver sees them now.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// Time that never jumps, since any fixed point.
    pub monotonic: Duration,
    /// The time of day, since the epoch: the service's reset headers count in it.
    pub unix: Duration,
    /// Uniformly random: spreads the retries of many callers.
    pub random: u64,
}

/// What the driver must do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Read the source, for there is no pair yet.
    Load,
    /// Send the request.
    Send,
    /// Ask again after this time.
    Wait(Duration),
    /// Take the result.
    Done,
}

/// The largest body that `verify` reads, in bytes.
const MAX_VERIFY_BODY: usize = 64 * 1024;
/// The largest body that any other request reads, in bytes, after decompression.
const MAX_BODY: usize = 32 * 1024 * 1024;
/// The first wait before a retry; it doubles with every further one.
const FIRST_BACKOFF: Duration = Duration::from_millis(250);
/// The longest wait that backing off alone comes to.
const MAX_BACKOFF: Duration = Duration::from_secs(8);

/// What the call is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Goal {
    /// Prove the pair; the body must be the service's.
    Verify,
    /// Bring back the answer, whatever it holds.
    Request,
}

#[derive(Debug)]
enum State {
    /// The next thing to do is to send.
    Ready,
    /// The request is with the driver, with the pair it was taken with.
    Sending(Option<Held>),
    /// A retry is due at this monotonic time.
    Waiting(Duration),
    /// Over.
    Done(Result<Response, Error>),
}

/// One call. See the [module](self).
#[derive(Debug)]
pub struct Exchange {
    policy: Arc<Policy>,
    keyring: Arc<Keyring>,
    goal: Goal,
    request: Request,
    deadline: Option<Duration>,
    retries: u32,
    account: Option<Account>,
    state: State,
}

impl Exchange {
    /// A call of `request`, begun `now`.
    pub fn request(policy: Arc<Policy>, keyring: Arc<Keyring>, request: Request, now: &Moment) -> Self {
        Self::begin(policy, keyring, request, Goal::Request, now)
    }

    /// A call that proves the pair, begun `now`: the account page, then, where the service has none, the page that
    /// the official clients verify with.
    pub fn verify(policy: Arc<Policy>, keyring: Arc<Keyring>, now: &Moment) -> Self {
        let request = Request::trusted_get(policy.verify_path.as_deref().unwrap_or(service::ACCOUNT_PATH));
        Self::begin(policy, keyring, request, Goal::Verify, now)
    }

    fn begin(policy: Arc<Policy>, keyring: Arc<Keyring>, request: Request, goal: Goal, now: &Moment) -> Self {
        let timeout = request.timeout().unwrap_or(policy.timeout);
        let deadline = (!timeout.is_zero()).then(|| now.monotonic.saturating_add(timeout));
        Self { policy, keyring, goal, request, deadline, retries: 0, account: None, state: State::Ready }
    }

    /// What to do now. Asking twice without reporting in between gives the same action again.
    ///
    /// # Errors
    /// The call's failure, once it is final; the same one at every later call.
    pub fn next(&mut self, now: &Moment) -> Result<Action, Error> {
        if let State::Done(result) = &self.state {
            return result.as_ref().map(|_| Action::Done).map_err(Error::clone);
        }
        if self.deadline.is_some_and(|deadline| now.monotonic >= deadline) {
            let error =
                Error::with_message(ErrorKind::Timeout, "The call's time was used up before an answer came.");
            return Err(self.fail(error));
        }
        if let State::Waiting(until) = self.state {
            if now.monotonic < until {
                return Ok(Action::Wait(until.saturating_sub(now.monotonic)));
            }
            self.state = State::Ready;
        }
        if matches!(self.state, State::Ready) {
            if self.keyring.current().is_none() {
                return Ok(Action::Load);
            }
            self.state = State::Sending(None);
        }
        Ok(Action::Send)
    }

    /// Reports what reading the source gave, after [`Action::Load`].
    pub fn loaded(&mut self, result: Result<Credentials, Error>) {
        match result {
            Ok(credentials) => drop(self.keyring.install_first(credentials)),
            Err(error) => drop(self.fail(error)),
        }
    }

    /// The request to send: method, path, the caller's headers and body.
    pub fn outgoing(&self) -> &Request {
        &self.request
    }

    /// The full URL to send it to.
    pub fn url(&self) -> String {
        self.policy.base_url.join(self.request.path())
    }

    /// The pair to send it with; taking it fixes which pair the answer will be about.
    ///
    /// # Errors
    /// `invalid_argument` unless [`Action::Send`] is due.
    pub fn authorization(&mut self) -> Result<Credentials, Error> {
        let State::Sending(taken) = &mut self.state else {
            return Err(Error::invalid_argument(
                "No request is due: the authorization is taken to send one.",
            ));
        };
        let held = taken
            .take()
            .or_else(|| self.keyring.current())
            .expect("SEND is answered only once there is a pair");
        Ok(taken.insert(held).credentials().clone())
    }

    /// The monotonic time at which the call ends, where it has a limit.
    pub fn deadline(&self) -> Option<Duration> {
        self.deadline
    }

    /// The largest body worth reading, in bytes.
    pub fn max_body(&self) -> usize {
        match self.goal {
            Goal::Verify => MAX_VERIFY_BODY,
            Goal::Request => MAX_BODY,
        }
    }

    /// Reports the answer that came.
    pub fn answered(&mut self, response: Response, now: &Moment) {
        let State::Sending(sent) = &self.state else { return };
        let sent = sent.as_ref().map(|held| held.credentials().clone());
        match classify(&response, sent.as_ref(), now.unix) {
            Ok(()) => self.succeed(response, sent.as_ref()),
            Err(error) if error.kind() == ErrorKind::NotFound && self.may_ask_elsewhere() => {
                self.request = Request::trusted_get(service::USERS_PATH);
                self.state = State::Ready;
            }
            Err(error) => self.retry_or_fail(error, now),
        }
    }

    /// Reports that no answer came, and why.
    pub fn not_answered(&mut self, error: Error, now: &Moment) {
        if matches!(self.state, State::Sending(_)) {
            self.retry_or_fail(error, now);
        }
    }

    /// The answer, after [`Action::Done`].
    ///
    /// # Errors
    /// The call's failure; `invalid_argument` before the call is over.
    pub fn into_response(self) -> Result<Response, Error> {
        match self.state {
            State::Done(result) => result,
            _ => Err(Error::invalid_argument("The call is not over yet.")),
        }
    }

    /// The account, after [`Action::Done`] of [`Exchange::verify`].
    ///
    /// # Errors
    /// As [`Exchange::into_response`]; `invalid_argument` when the call did not verify.
    pub fn into_account(mut self) -> Result<Account, Error> {
        let account = self.account.take();
        self.into_response()?;
        account.ok_or_else(|| Error::invalid_argument("Only a verifying call ends with an account."))
    }

    fn succeed(&mut self, response: Response, sent: Option<&Credentials>) {
        if self.goal == Goal::Verify {
            match self.read_account(&response) {
                Ok(account) => self.account = Some(account),
                Err(why) => return drop(self.fail(invalid_response(&response, why, sent))),
            }
        }
        self.state = State::Done(Ok(response));
    }

    /// Only the account page must hold an account; any other path proves the pair by answering with JSON at all.
    fn read_account(&self, response: &Response) -> Result<Account, &'static str> {
        let path = self.request.path();
        match service::account(response.body()) {
            Ok(account) => Ok(Account::new(
                account.id(),
                account.email().map(Into::into),
                account.plan().map(Into::into),
                path,
            )),
            Err(_) if path != service::ACCOUNT_PATH && service::is_json_object(response.body()) => {
                Ok(Account::new(None, None, None, path))
            }
            Err(why) => Err(why),
        }
    }

    /// The account page may not exist on the real service: its 404 says nothing about the pair.
    fn may_ask_elsewhere(&self) -> bool {
        self.goal == Goal::Verify
            && self.policy.verify_path.is_none()
            && self.request.path() == service::ACCOUNT_PATH
    }

    fn retry_or_fail(&mut self, error: Error, now: &Moment) {
        if self.retries >= self.policy.max_retries || !self.may_repeat(&error) {
            return drop(self.fail(error));
        }
        let wait = self.backoff(now.random).max(error.retry_after().unwrap_or_default());
        let until = now.monotonic.saturating_add(wait);
        if self.deadline.is_some_and(|deadline| until >= deadline) {
            return drop(self.fail(error));
        }
        self.retries += 1;
        self.state = State::Waiting(until);
    }

    /// A request refused by the rate limit was surely not carried out. What a server error or a lost connection left
    /// behind is not known, so only what may be done twice is done twice, or what was surely not delivered.
    fn may_repeat(&self, error: &Error) -> bool {
        match error.kind() {
            ErrorKind::RateLimited => true,
            ErrorKind::ServerError | ErrorKind::Unavailable => self.request.is_idempotent(),
            ErrorKind::ConnectionFailed => self.request.is_idempotent() || !error.request_sent(),
            _ => false,
        }
    }

    /// Doubles with every retry; random between half and the whole, so that many callers do not come back at once.
    fn backoff(&self, random: u64) -> Duration {
        let full = FIRST_BACKOFF.saturating_mul(1 << self.retries.min(16)).min(MAX_BACKOFF);
        let millis = u64::try_from(full.as_millis()).expect("at most MAX_BACKOFF");
        Duration::from_millis(millis / 2 + random % (millis / 2 + 1))
    }

    fn fail(&mut self, error: Error) -> Error {
        self.state = State::Done(Err(error.clone()));
        error
    }
}
