//! One call as a state machine: what to send now, what the answer means, what next.
//!
//! [`Exchange`] holds every rule of a call — headers, the local refusal, retries, the deadline, classification, the way
//! through a reset of the pair — and does nothing itself. Its driver loops over [`Exchange::next`] and obeys:
//!
//! | action | the driver |
//! |---|---|
//! | [`Action::Load`] | looks at the source and reports with [`Exchange::loaded`] |
//! | [`Action::Send`] | sends [`Exchange::outgoing`] with [`Exchange::authorization`], then reports with [`Exchange::answered`] or [`Exchange::not_answered`] |
//! | [`Action::Wait`] | asks again after that time |
//! | [`Action::Done`] | takes the result with [`Exchange::into_response`] or [`Exchange::into_account`] |
//!
//! After each report, and after each wait, it passes on what [`Exchange::take_events`] gives. Time and randomness come
//! in as a [`Moment`], so the same rules run under a test's clock.
//!
//! The pair is chosen by the [keyring](crate::keyring), which all calls of a process share. An exchange holds a lease there
//! while it reads the source or proves a pair. The lease ends when the exchange is dropped, at its deadline, or after 60
//! seconds if it has none.

mod policy;
mod recovery;
mod retry;
mod steps;
mod verification;

use std::mem;
use std::sync::Arc;
use std::time::Duration;

use crate::account::Account;
use crate::classify::classify;
use crate::credentials::Credentials;
use crate::error::{Error, ErrorKind};
use crate::event::{Event, EventKind};
pub use crate::keyring::Keyring;
use crate::keyring::{Blocker, Held, LEASE_LIMIT, Lease, Look, Looked};
use crate::request::Request;
use crate::response::Response;
use crate::service;
pub use policy::{Action, Cause, Moment, Phase, Policy};
use recovery::Recovery;
use verification::{account_page, is_no_account_page};

/// The largest body that a verification reads, in bytes.
const MAX_VERIFY_BODY: usize = 64 * 1024;
/// The largest body that any other request reads, in bytes, after decompression.
const MAX_BODY: usize = 32 * 1024 * 1024;

#[derive(Debug)]
enum State {
    /// The next thing to do is to see what to do.
    Ready,
    /// The driver looks at the source.
    Looking(Lease),
    /// The request is with the driver.
    Sending(Ticket),
    /// A retry is due at this monotonic time.
    Waiting(Duration),
    /// Over; with the answer, where one was asked for.
    Done(Result<Option<Response>, Error>),
}

/// The pair that a request is sent with.
#[derive(Debug)]
struct Ticket {
    held: Held,
    /// The right to prove the pair, where it has yet to be proven.
    proof: Option<Lease>,
    /// The driver has it: the answer is about this pair.
    is_taken: bool,
    /// When the driver was told to send, on the monotonic clock.
    since: Duration,
}

/// What the call is for.
#[derive(Debug)]
enum Task {
    /// Send this.
    Request(Request),
    /// See whether the pair is good, and whose it is.
    Verify,
    /// See whether this pair is good, and use it from here on.
    Replace(Held),
    /// Look at the source, whatever there is; whether it gave another pair.
    Reload(Option<bool>),
    /// See to it that there is a pair.
    Find,
}

/// One call. See the [module](self).
#[derive(Debug)]
pub struct Exchange {
    policy: Arc<Policy>,
    keyring: Arc<Keyring>,
    task: Task,
    /// The page that tells about the pair, while that is being asked.
    verification: Option<Request>,
    /// The pair that the users page is asked about, after the account page was.
    asked_elsewhere: Option<Held>,
    began: Duration,
    deadline: Option<Duration>,
    retries: u32,
    recovery: Recovery,
    /// The account page said this against the pair, to a request of the caller's own; another page is being asked.
    doubt: Option<Error>,
    account: Option<Account>,
    delivery: Delivery,
    /// What the call waits for, while it waits for another call.
    blocker: Option<Blocker>,
    events: Vec<Event>,
    state: State,
}

/// What became of the request that the call is about: the caller's own, or the one that verifies.
#[derive(Debug, Default)]
struct Delivery {
    /// How often the request was given to the driver to send.
    attempts: u32,
    /// At least one attempt was not surely undelivered.
    is_possible: bool,
    /// The response that the last retry followed.
    last_response: Option<Response>,
}

impl Exchange {
    /// A call of `request`, begun `now`.
    pub fn request(policy: Arc<Policy>, keyring: Arc<Keyring>, request: Request, now: &Moment) -> Self {
        Self::begin(policy, keyring, Task::Request(request), now)
    }

    /// A call that proves the pair, begun `now`: the account page, then, where the service has none or rejects the
    /// pair there, the page that the official clients verify with.
    pub fn verify(policy: Arc<Policy>, keyring: Arc<Keyring>, now: &Moment) -> Self {
        Self::begin(policy, keyring, Task::Verify, now)
    }

    /// A call that proves `credentials` as [`Exchange::verify`] does, and takes them into use where they are good.
    /// Whatever comes of it, the pair in use loses nothing by it.
    pub fn replace(
        policy: Arc<Policy>,
        keyring: Arc<Keyring>,
        credentials: Credentials,
        now: &Moment,
    ) -> Self {
        let held = keyring.admit(credentials, now);
        Self::begin(policy, keyring, Task::Replace(held), now)
    }

    /// A call that looks at the source and asks nothing of the service; [`Exchange::source_changed`] tells what it found.
    pub fn reload(policy: Arc<Policy>, keyring: Arc<Keyring>, now: &Moment) -> Self {
        Self::begin(policy, keyring, Task::Reload(None), now)
    }

    /// A call that looks at the source unless there is a pair, and asks nothing of the service.
    pub fn find(policy: Arc<Policy>, keyring: Arc<Keyring>, now: &Moment) -> Self {
        Self::begin(policy, keyring, Task::Find, now)
    }

    fn begin(policy: Arc<Policy>, keyring: Arc<Keyring>, task: Task, now: &Moment) -> Self {
        let own_timeout = if let Task::Request(request) = &task { request.timeout() } else { None };
        let timeout = own_timeout.unwrap_or(policy.timeout);
        let deadline = (!timeout.is_zero()).then(|| now.monotonic.saturating_add(timeout));
        let verification = (!matches!(task, Task::Request(_))).then(|| account_page(&policy));
        Self {
            policy,
            keyring,
            task,
            verification,
            asked_elsewhere: None,
            began: now.monotonic,
            deadline,
            retries: 0,
            recovery: Recovery::default(),
            doubt: None,
            account: None,
            delivery: Delivery::default(),
            blocker: None,
            events: Vec::new(),
            state: State::Ready,
        }
    }

    /// What to do now. Asking twice without reporting in between gives the same action again.
    ///
    /// # Errors
    /// The call's failure, once it is final; the same one at every later call.
    pub fn next(&mut self, now: &Moment) -> Result<Action, Error> {
        if let State::Done(result) = &self.state {
            return result.as_ref().map(|_| Action::Done).map_err(Error::clone);
        }
        if self.is_over(now) {
            let error = self.doubt.take().unwrap_or_else(|| self.deadline_error());
            return Err(self.fail(error));
        }
        match self.state {
            State::Looking(_) => return Ok(Action::Load),
            State::Sending(_) => return Ok(self.send_action(now)),
            State::Waiting(until) if now.monotonic < until => {
                return Ok(Action::Wait(until.saturating_sub(now.monotonic)));
            }
            _ => self.state = State::Ready,
        }
        match &self.task {
            Task::Reload(Some(_)) => Ok(self.done()),
            Task::Reload(None) => match self.keyring.lease_refresh(self.deadline, now.monotonic) {
                Ok(lease) => Ok(self.look(lease)),
                Err(wait) => {
                    self.blocker = Some(Blocker::Refresh);
                    Ok(Action::Wait(wait))
                }
            },
            Task::Replace(held) => {
                let held = held.clone();
                match self.keyring.rejection_of(&held, now.monotonic) {
                    Some(left) => Err(self.fail(rejected_lately(left))),
                    None => Ok(self.send(held, None, now)),
                }
            }
            Task::Find => self.look_if_due(now),
            Task::Request(_) | Task::Verify => self.follow_plan(now),
        }
    }

    /// Another pair is another matter: whatever was asked to prove the last one is asked anew.
    fn restart_verification(&mut self) {
        self.asked_elsewhere = None;
        let is_request = matches!(self.task, Task::Request(_));
        self.verification = (!is_request).then(|| account_page(&self.policy));
    }

    /// A call that asks nothing of the service is over.
    fn done(&mut self) -> Action {
        self.state = State::Done(Ok(None));
        Action::Done
    }

    /// Reports what looking at the source gave, after [`Action::Load`]. A source that cannot be read costs nothing while
    /// there is a pair. Returns false if the report is ignored, because none was due or because the lease has ended.
    pub fn loaded(&mut self, result: Result<Look, Error>, now: &Moment) -> bool {
        let lease = match mem::replace(&mut self.state, State::Ready) {
            State::Looking(lease) => lease,
            other => {
                self.state = other;
                return false;
            }
        };
        let trouble = result.as_ref().err().cloned();
        let looked = self.keyring.looked(&lease, result, now);
        drop(lease);
        if looked == Looked::Late {
            self.came_late(now);
            return false;
        }
        let had_pair = self.keyring.current().is_some();
        match trouble {
            Some(error) if !had_pair || matches!(self.task, Task::Reload(_)) => drop(self.fail(error)),
            trouble => self.recovery.source_said(trouble),
        }
        if let Some(candidate) = self.keyring.candidate().filter(|_| looked == Looked::Another) {
            let message = format!(
                "The source gives another pair, {}; the next call proves it.",
                candidate.credentials().key_hint()
            );
            self.tell(Event::new(EventKind::SourceChanged, message).of_generation(candidate.generation()));
        }
        if let Task::Reload(changed) = &mut self.task {
            *changed = Some(looked == Looked::Another);
        }
        true
    }

    /// The source took longer than the lease. The call goes on if another call found a pair meanwhile. It does not read
    /// the source again, which would take as long.
    fn came_late(&mut self, now: &Moment) {
        let is_over = self.is_over(now);
        let has_pair = self.keyring.current().is_some() && self.keyring.rejected_for(now.monotonic).is_none();
        if has_pair && !is_over && !matches!(self.task, Task::Reload(_)) {
            return;
        }
        let late = if is_over {
            let message = "Reading the source of the credentials took longer than the call's timeout.";
            Error::with_message(ErrorKind::Timeout, message).hint_is(STILL_READING)
        } else {
            let limit = LEASE_LIMIT.as_secs();
            let message = format!("Reading the source took longer than {limit} s; its result was ignored.");
            Error::with_message(ErrorKind::SourceUnavailable, message)
        };
        let error = self.recovery.failure().unwrap_or(late);
        self.fail(error);
    }

    fn is_over(&self, now: &Moment) -> bool {
        self.deadline.is_some_and(|deadline| now.monotonic >= deadline)
    }

    /// The request to send: method, path, the caller's headers and body.
    pub fn outgoing(&self) -> &Request {
        let own = if let Task::Request(request) = &self.task { Some(request) } else { None };
        self.verification.as_ref().or(own).expect("what is no request of the caller's own verifies")
    }

    /// Whether [`Exchange::outgoing`] asks about the pair, and is not the caller's own request.
    pub fn is_verifying(&self) -> bool {
        self.verification.is_some()
    }

    /// The full URL to send it to.
    pub fn url(&self) -> String {
        self.policy.base_url.join(self.outgoing().path())
    }

    /// The pair to send it with; taking it fixes which pair the answer will be about. If another pair came into use since
    /// [`Action::Send`], that one is given. A pair that was rejected since and has no successor is given all the same: this
    /// method has no clock to see the end of a cool-down. A driver that takes it at once never sends a rejected pair.
    ///
    /// # Errors
    /// `invalid_argument` unless [`Action::Send`] is due.
    pub fn authorization(&mut self) -> Result<Credentials, Error> {
        let State::Sending(ticket) = &mut self.state else {
            return Err(Error::invalid_argument(
                "No request is due: the authorization is taken to send one.",
            ));
        };
        if !mem::replace(&mut ticket.is_taken, true) && ticket.proof.is_none() && self.verification.is_none()
        {
            ticket.held = self.keyring.current().unwrap_or_else(|| ticket.held.clone());
        }
        Ok(ticket.held.credentials().clone())
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
        let ticket = match mem::replace(&mut self.state, State::Ready) {
            State::Sending(ticket) => ticket,
            other => return self.state = other,
        };
        self.delivery.is_possible |= self.is_subject_due();
        self.keyring.used(now.unix);
        self.watch(&response, &ticket, now);
        match classify(&response, Some(ticket.held.credentials()), now.unix) {
            Ok(()) => self.succeed(response, ticket, now),
            Err(error) if is_no_account_page(&error) && self.may_ask_elsewhere() => {
                // Another call may have learned meanwhile that the pair is bad.
                if self.keyring.rejection_of(&ticket.held, now.monotonic).is_none() {
                    return self.ask_elsewhere(ticket, now);
                }
                drop(ticket);
                self.restart_verification();
            }
            Err(error) if error.kind() == ErrorKind::InvalidCredentials => {
                if self.is_doubtful(&ticket, now) {
                    self.doubt = Some(error);
                    return self.ask_elsewhere(ticket, now);
                }
                self.rejected(error, ticket, now);
            }
            Err(error) => {
                let about_account = self.is_account_asked(&ticket);
                if !about_account && is_accepted(&error) {
                    self.promote(&ticket, None, now);
                }
                drop(ticket);
                let error = self.doubt.take().unwrap_or(error);
                self.retry_or_fail(error, now);
            }
        }
    }

    /// Reports that no answer came, and why. Whether the request may have been delivered is in `error`.
    pub fn not_answered(&mut self, error: Error, now: &Moment) {
        if matches!(self.state, State::Sending(_)) {
            self.delivery.is_possible |= error.request_sent() && self.is_subject_due();
            // It proves nothing about the pair.
            self.state = State::Ready;
            let spike = self.keyring.usage().not_answered(self.outgoing().method(), now.monotonic);
            self.tell_spike(spike);
            let error = self.doubt.take().filter(|_| error.kind() != ErrorKind::Cancelled).unwrap_or(error);
            self.retry_or_fail(error, now);
        }
    }

    /// Whether [`Action::Load`] is due.
    pub fn is_loading(&self) -> bool {
        matches!(self.state, State::Looking(_))
    }

    /// Whether the call holds a lease that other calls may be waiting for.
    pub fn holds_lease(&self) -> bool {
        matches!(self.state, State::Looking(_) | State::Sending(Ticket { proof: Some(_), .. }))
    }

    /// Whether the call waits for a lease that another call holds.
    pub fn waits_for_lease(&self) -> bool {
        matches!(self.blocker, Some(Blocker::Refresh | Blocker::Proof))
    }

    /// Ends the call with `error`, unless it is over. What it was about to find out, others may find out.
    pub fn give_up(&mut self, error: Error) {
        if !matches!(self.state, State::Done(_)) {
            self.fail(error);
        }
    }

    /// Lets go of the call without giving back its rights in the keyring: a child of `fork()` has none there.
    pub fn leave(mut self) {
        match mem::replace(&mut self.state, State::Ready) {
            State::Looking(lease) => mem::forget(lease),
            State::Sending(Ticket { proof, .. }) => mem::forget(proof),
            State::Ready | State::Waiting(_) | State::Done(_) => {}
        }
    }

    /// What happened since the last time, for those who want to know.
    pub fn take_events(&mut self) -> Vec<Event> {
        // Whoever hears of it may make calls of its own, which must not wait for this one.
        if self.holds_lease() {
            return Vec::new();
        }
        mem::take(&mut self.events)
    }

    /// The answer, after [`Action::Done`].
    ///
    /// # Errors
    /// The call's failure; `invalid_argument` before the call is over.
    pub fn response(&self) -> Result<&Response, Error> {
        match &self.state {
            State::Done(Ok(Some(response))) => Ok(response),
            State::Done(Err(error)) => Err(error.clone()),
            _ => Err(Error::invalid_argument("The call is not over yet.")),
        }
    }

    /// As [`Exchange::response`], for keeps.
    ///
    /// # Errors
    /// As [`Exchange::response`].
    pub fn into_response(self) -> Result<Response, Error> {
        self.response().cloned()
    }

    /// The account, after [`Action::Done`] of a call that verifies.
    ///
    /// # Errors
    /// As [`Exchange::into_response`]; `invalid_argument` when the call did not verify.
    pub fn into_account(mut self) -> Result<Account, Error> {
        let account = self.account.take();
        self.into_response()?;
        account.ok_or_else(|| Error::invalid_argument("Only a verifying call ends with an account."))
    }

    /// Whether the source gave another pair, after [`Exchange::reload`].
    pub fn source_changed(&self) -> bool {
        matches!(self.task, Task::Reload(Some(true)))
    }

    fn tell(&mut self, event: Event) {
        self.keyring.usage().happened(event.kind());
        self.events.push(event);
    }

    fn succeeded(&mut self, response: Response) {
        self.keyring.usage().ended(None);
        self.state = State::Done(Ok(Some(response)));
    }

    fn fail(&mut self, error: Error) -> Error {
        // Reload and find ask nothing of the service.
        let asks = !matches!(self.task, Task::Reload(_) | Task::Find);
        let error = if asks { self.describe(error) } else { error };
        if asks {
            self.keyring.usage().ended(Some(&error));
        }
        self.state = State::Done(Err(error.clone()));
        error
    }

    /// Adds to `error` what became of the request. No other place decides about `request_sent`.
    fn describe(&self, error: Error) -> Error {
        let is_under_way = match &self.state {
            State::Sending(ticket) => ticket.is_taken && self.is_subject_due(),
            _ => false,
        };
        let error = match &self.delivery.last_response {
            Some(response) if error.response().is_none() => error.response_is(response.clone()),
            _ => error,
        };
        let request = self.subject();
        error.request_sent_is(self.delivery.is_possible || is_under_way).request_was(
            request.method(),
            request.route(),
            self.delivery.attempts,
        )
    }

    /// The request that the call is about.
    fn subject(&self) -> &Request {
        if let Task::Request(request) = &self.task { request } else { self.outgoing() }
    }

    /// Whether the request to send is the one that the call is about, not a question about the pair before or after it.
    fn is_subject_due(&self) -> bool {
        self.verification.is_none() || !matches!(self.task, Task::Request(_))
    }

    /// Why the call is not over at its deadline.
    fn deadline_error(&self) -> Error {
        let timeout = |message: &str| Error::with_message(ErrorKind::Timeout, message);
        match (self.blocker, &self.state) {
            (Some(Blocker::Proof), _) => {
                timeout("Another call is still verifying the new pair.").hint_is(STILL_PROVING)
            }
            (Some(Blocker::Refresh), _) => {
                timeout("Another call is still reading the source of the credentials.").hint_is(STILL_READING)
            }
            (_, State::Sending(ticket)) => {
                let phase = if ticket.is_taken { Phase::Receive } else { Phase::Connect };
                timeout("The call ran out of time before a response came.").reason_is(phase.name())
            }
            _ => self
                .recovery
                .failure()
                .unwrap_or_else(|| timeout("The call's time was used up before an answer came.")),
        }
    }

    /// The driver is to send the request, within the time that is left.
    fn send_action(&self, now: &Moment) -> Action {
        Action::Send { remaining: self.deadline.map(|deadline| deadline.saturating_sub(now.monotonic)) }
    }
}

const STILL_PROVING: &str = "Call again: the new pair may be good. If this lasts, allow a longer timeout than the service needs to answer.";
const STILL_READING: &str =
    "Check why the source of the credentials is slow, or allow a longer timeout than it needs.";

/// An error that the service gives to whom it knows: the pair is good. A 403 may come from what stands before the service,
/// which does not write the service's JSON.
fn is_accepted(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::Unprocessable => true,
        ErrorKind::Forbidden => {
            error.response().is_some_and(|response| service::is_json_object(response.body()))
        }
        _ => false,
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
