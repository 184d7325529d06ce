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
    /// The account that a pair must belong to before anything else is asked with it.
    pub expected_account: Option<u64>,
    /// How long a pair that the service rejected is not sent again, unless the source gives another.
    pub cool_down: Duration,
}

impl Default for Policy {
    /// The service itself, 30 seconds, 2 retries, any account, 30 seconds.
    fn default() -> Self {
        Self {
            base_url: BaseUrl::default(),
            verify_path: None,
            timeout: Duration::from_secs(30),
            max_retries: 2,
            expected_account: None,
            cool_down: Duration::from_secs(30),
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
    /// Read the source: there is no pair yet, or perhaps a better one.
    Load,
    /// Send the request.
    Send,
    /// Ask again after this time.
    Wait(Duration),
    /// Take the result.
    Done,
}

/// The largest body that a verification reads, in bytes.
const MAX_VERIFY_BODY: usize = 64 * 1024;
/// The largest body that any other request reads, in bytes, after decompression.
const MAX_BODY: usize = 32 * 1024 * 1024;
/// The first wait before a retry; it doubles with every further one.
const FIRST_BACKOFF: Duration = Duration::from_millis(250);
/// The longest wait that backing off alone comes to.
const MAX_BACKOFF: Duration = Duration::from_secs(8);

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
    /// The page that tells whose pair it is, while that is being asked.
    verification: Option<Request>,
    /// What the caller wants sent; nothing more where the verification is the call.
    request: Option<Request>,
    deadline: Option<Duration>,
    retries: u32,
    account: Option<Account>,
    state: State,
}

impl Exchange {
    /// A call of `request`, begun `now`.
    pub fn request(policy: Arc<Policy>, keyring: Arc<Keyring>, request: Request, now: &Moment) -> Self {
        Self::begin(policy, keyring, Some(request), now)
    }

    /// A call that proves the pair, begun `now`: the account page, then, where the service has none or rejects the
    /// pair there, the page that the official clients verify with.
    pub fn verify(policy: Arc<Policy>, keyring: Arc<Keyring>, now: &Moment) -> Self {
        Self::begin(policy, keyring, None, now)
    }

    fn begin(policy: Arc<Policy>, keyring: Arc<Keyring>, request: Option<Request>, now: &Moment) -> Self {
        let timeout = request.as_ref().and_then(Request::timeout).unwrap_or(policy.timeout);
        let deadline = (!timeout.is_zero()).then(|| now.monotonic.saturating_add(timeout));
        let verification = request.is_none().then(|| account_page(&policy));
        let state = State::Ready;
        Self { policy, keyring, verification, request, deadline, retries: 0, account: None, state }
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
            if self.keyring.wants_look(now.monotonic) {
                return Ok(Action::Load);
            }
            if let Some(left) = self.keyring.rejected_for(now.monotonic) {
                return Err(self.fail(rejected_lately(left)));
            }
            if self.must_prove_account() {
                self.verification = Some(account_page(&self.policy));
            }
            self.state = State::Sending(None);
        }
        Ok(Action::Send)
    }

    /// Reports what reading the source gave, after [`Action::Load`]. A source that cannot be read costs nothing while
    /// there is a pair.
    pub fn loaded(&mut self, result: Result<Credentials, Error>, now: &Moment) {
        match result {
            Ok(credentials) => drop(self.keyring.install(credentials, now.monotonic)),
            Err(_) if self.keyring.current().is_some() => self.keyring.looked_in_vain(now.monotonic),
            Err(error) => drop(self.fail(error)),
        }
    }

    /// The request to send: method, path, the caller's headers and body.
    pub fn outgoing(&self) -> &Request {
        self.verification.as_ref().or(self.request.as_ref()).expect("an exchange asks for something")
    }

    /// The full URL to send it to.
    pub fn url(&self) -> String {
        self.policy.base_url.join(self.outgoing().path())
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
        if self.verification.is_some() { MAX_VERIFY_BODY } else { MAX_BODY }
    }

    /// Reports the answer that came.
    pub fn answered(&mut self, response: Response, now: &Moment) {
        let State::Sending(sent) = &mut self.state else { return };
        let Some(sent) = sent.take().or_else(|| self.keyring.current()) else { return };
        match classify(&response, Some(sent.credentials()), now.unix) {
            Ok(()) => self.succeed(response, &sent),
            Err(error) if is_no_account_page(&error) && self.may_ask_elsewhere() => {
                self.verification = Some(Request::trusted_get(service::USERS_PATH));
                self.state = State::Ready;
            }
            Err(error) => {
                if error.kind() == ErrorKind::InvalidCredentials {
                    let until = now.monotonic.saturating_add(self.policy.cool_down);
                    self.keyring.reject(&sent, now.monotonic, until);
                }
                self.retry_or_fail(error, now);
            }
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

    fn succeed(&mut self, response: Response, sent: &Held) {
        let Some(page) = self.verification.take() else {
            self.keyring.accept(sent);
            self.state = State::Done(Ok(response));
            return;
        };
        let account = read_account(page.path(), &response)
            .map_err(|why| invalid_response(&response, why, Some(sent.credentials())))
            .and_then(|account| self.check_account(account));
        match account {
            Ok(account) => {
                self.keyring.accept(sent);
                self.keyring.prove_account(sent);
                self.account = Some(account);
                self.state = if self.request.is_some() { State::Ready } else { State::Done(Ok(response)) };
            }
            Err(error) => drop(self.fail(error)),
        }
    }

    /// Refuses a pair of another account than the expected one, or one whose account the service does not tell.
    fn check_account(&self, account: Account) -> Result<Account, Error> {
        let Some(expected) = self.policy.expected_account else { return Ok(account) };
        let found = match account.id() {
            Some(id) if id == expected => return Ok(account),
            Some(id) => format!("belongs to the account {id}"),
            None => "works, but the service does not tell its account".to_owned(),
        };
        let message = format!("The pair {found}; the account {expected} is expected.");
        Err(Error::with_message(ErrorKind::WrongAccount, message).request_sent_is(true))
    }

    /// With an expected account, nothing is asked before the pair is known to be its.
    fn must_prove_account(&self) -> bool {
        self.policy.expected_account.is_some()
            && self.verification.is_none()
            && !self.keyring.current().is_some_and(|held| self.keyring.is_account_proven(&held))
    }

    /// The account page may not exist on the real service.
    fn may_ask_elsewhere(&self) -> bool {
        let on_account_page =
            self.verification.as_ref().is_some_and(|page| page.path() == service::ACCOUNT_PATH);
        on_account_page && self.policy.verify_path.is_none()
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
            ErrorKind::ServerError | ErrorKind::Unavailable => self.outgoing().is_idempotent(),
            ErrorKind::ConnectionFailed => self.outgoing().is_idempotent() || !error.request_sent(),
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

fn account_page(policy: &Policy) -> Request {
    Request::trusted_get(policy.verify_path.as_deref().unwrap_or(service::ACCOUNT_PATH))
}

/// Neither says anything about the pair where the service has no account page.
fn is_no_account_page(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::InvalidCredentials)
}

/// Only the account page must hold an account; any other path proves the pair by answering with JSON at all.
fn read_account(path: &str, response: &Response) -> Result<Account, &'static str> {
    match service::account(response.body()) {
        Ok(account) => Ok(account.told_by(path)),
        Err(_) if path != service::ACCOUNT_PATH && service::is_json_object(response.body()) => {
            Ok(Account::new(None, None, None, path))
        }
        Err(why) => Err(why),
    }
}

/// The service rejected this very pair a moment ago: asking again would only look like an attack.
fn rejected_lately(left: Duration) -> Error {
    let message = format!(
        "The service rejected this API key and secret; they are not sent again for {} s, unless the source gives others.",
        left.as_secs() + 1
    );
    Error::with_message(ErrorKind::InvalidCredentials, message).retry_after_is(Some(left))
}
