//! One call that sends requests, as a state machine: what to send now, what the response means, what next.
//!
//! [`Exchange`] holds every rule of a call — headers, the local refusal, retries, the deadline, classification, the way
//! through a reset of the pair — and does nothing itself. Its driver loops over [`Exchange::next`] and obeys:
//!
//! | action | the driver |
//! |---|---|
//! | [`Action::Load`] | reads the source and reports with [`Exchange::loaded`] |
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

mod action;
mod delivery;
mod recovery;
mod reporter;
mod retry;
mod state;
mod verification;

use std::mem;
use std::sync::Arc;
use std::time::Duration;

use crate::account::Account;
use crate::classify::{classify, invalid_response};
use crate::credentials::Credentials;
use crate::error::{Error, ErrorKind};
use crate::event::{Event, EventKind};
use crate::keyring::{Blocker, CallNeeds, Keyring, Lease, NextStep, PairVersion, RefreshOutcome, SourceRead};
use crate::policy::Policy;
use crate::refresh::{Finished, another_call_reads, is_over, late, time_used_up};
use crate::request::Request;
use crate::response::Response;
use crate::service;
use crate::shared::Shared;
use crate::time::Moment;
pub use action::{Action, Cause, Phase};
use delivery::Delivery;
use recovery::{Recovery, another_call_proves, no_response_in_time, rejected_lately};
use reporter::{Answered, Reporter};
use retry::{backoff, may_retry};
use state::{InFlight, State, Task};
use verification::{NO_PAGE, Verification, is_accepted, is_no_account_page, read_account, wrong_account};

/// The largest body that a verification reads, in bytes.
const MAX_VERIFY_BODY: usize = 64 * 1024;

/// One call. See the [module](self).
#[derive(Debug)]
pub struct Exchange {
    policy: Arc<Policy>,
    keyring: Arc<Keyring>,
    reporter: Reporter,
    task: Task,
    verification: Verification,
    began: Duration,
    deadline: Option<Duration>,
    retries: u32,
    recovery: Recovery,
    account: Option<Account>,
    delivery: Delivery,
    /// What the call waits for, while it waits for another call.
    blocker: Option<Blocker>,
    state: State,
}

/// Beginning a call.
impl Exchange {
    /// Creates a call of `request`, begun `now`.
    pub fn request(policy: Arc<Policy>, shared: Shared, request: Request, now: &Moment) -> Self {
        Self::begin(policy, shared, Task::Request(request), now)
    }

    /// Creates a call that proves the pair, begun `now`: the account page, then, if the service has none or rejects the pair
    /// there, the page that the official clients verify with.
    pub fn verify(policy: Arc<Policy>, shared: Shared, now: &Moment) -> Self {
        Self::begin(policy, shared, Task::Verify, now)
    }

    /// Creates a call that proves `credentials` as [`Exchange::verify`] does, and uses them from then on if they are good.
    /// Whatever its result, the pair in use loses nothing by it.
    pub fn replace(policy: Arc<Policy>, shared: Shared, credentials: Credentials, now: &Moment) -> Self {
        let version = shared.keyring.admit(credentials, now);
        Self::begin(policy, shared, Task::Replace(version), now)
    }

    fn begin(policy: Arc<Policy>, shared: Shared, task: Task, now: &Moment) -> Self {
        let deadline = policy.deadline(task.request().and_then(Request::timeout), now);
        let mut exchange = Self {
            policy,
            keyring: shared.keyring,
            reporter: Reporter::new(shared.metrics),
            task,
            verification: Verification::default(),
            began: now.monotonic,
            deadline,
            retries: 0,
            recovery: Recovery::default(),
            account: None,
            delivery: Delivery::default(),
            blocker: None,
            state: State::Ready,
        };
        exchange.restart_verification();
        exchange
    }
}

/// What the driver asks.
impl Exchange {
    /// Returns what to do now. Asking twice without reporting in between gives the same action again.
    ///
    /// # Errors
    /// The call's failure, once it is final; the same one at every later call.
    pub fn next(&mut self, now: &Moment) -> Result<Action, Error> {
        if let State::Done(result) = &self.state {
            return result.as_ref().map(|_| Action::Done).map_err(Error::clone);
        }
        if is_over(self.deadline, now) {
            let error = self.verification.doubt.take().unwrap_or_else(|| self.deadline_error());
            return Err(self.fail(error));
        }
        match self.state {
            State::Loading(_) => return Ok(Action::Load),
            State::Sending(_) => return Ok(self.send_action(now)),
            State::Waiting(until) if now.monotonic < until => {
                return Ok(Action::Wait(until.saturating_sub(now.monotonic)));
            }
            _ => self.state = State::Ready,
        }
        let Task::Replace(version) = &self.task else { return self.follow_keyring(now) };
        let version = version.clone();
        match self.keyring.rejection_of(&version, now.monotonic) {
            Some(left) => Err(self.fail(rejected_lately(left))),
            None => Ok(self.send(version, None, now)),
        }
    }

    /// Returns the request to send: method, path, the caller's headers and body.
    pub fn outgoing(&self) -> &Request {
        self.task.due(&self.verification)
    }

    /// Returns whether [`Exchange::outgoing`] asks about the pair, and is not the caller's own request.
    pub fn is_verifying(&self) -> bool {
        self.verification.page.is_some()
    }

    /// Returns the full URL to send it to.
    pub fn url(&self) -> String {
        self.policy.base_url.join(self.outgoing().path())
    }

    /// Returns the pair to send it with; taking it fixes which pair the response is about. If another pair came into use since
    /// [`Action::Send`], that one is given. A pair that was rejected since and has no successor is given all the same: this
    /// method has no clock to see the end of a cool-down. A driver that takes it at once never sends a rejected pair.
    ///
    /// # Errors
    /// `invalid_argument` unless [`Action::Send`] is due.
    pub fn authorization(&mut self) -> Result<Credentials, Error> {
        let State::Sending(in_flight) = &mut self.state else {
            return Err(Error::invalid_argument(
                "No request is due: the authorization is taken to send one.",
            ));
        };
        let is_first = !mem::replace(&mut in_flight.is_taken, true);
        if is_first && in_flight.proof.is_none() && self.verification.page.is_none() {
            if let Some(current) = self.keyring.current() {
                in_flight.version = current;
            }
        }
        Ok(in_flight.version.credentials().clone())
    }

    /// Returns the monotonic time at which the call ends, if it has a limit.
    pub fn deadline(&self) -> Option<Duration> {
        self.deadline
    }

    /// Returns the largest body worth reading, in bytes.
    pub fn max_body(&self) -> usize {
        let limit = self.policy.max_response_length;
        if self.is_verifying() { limit.min(MAX_VERIFY_BODY) } else { limit }
    }

    /// Returns whether [`Action::Load`] is due.
    pub fn is_loading(&self) -> bool {
        matches!(self.state, State::Loading(_))
    }

    /// Returns whether the call holds a lease that other calls may be waiting for.
    pub fn holds_lease(&self) -> bool {
        matches!(self.state, State::Loading(_) | State::Sending(InFlight { proof: Some(_), .. }))
    }

    /// Returns whether the call waits for a lease that another call holds.
    pub fn waits_for_lease(&self) -> bool {
        matches!(self.blocker, Some(Blocker::Refresh | Blocker::Proof))
    }

    /// Returns what happened since the last time. While the call holds a lease that is nothing: who handles an event may make a
    /// call that would wait for this one.
    pub fn take_events(&mut self) -> Vec<Event> {
        if self.holds_lease() { Vec::new() } else { self.reporter.take() }
    }

    /// Returns the response, after [`Action::Done`].
    ///
    /// # Errors
    /// The call's failure; `invalid_argument` before the call is over.
    pub fn response(&self) -> Result<&Response, Error> {
        match &self.state {
            State::Done(result) => result.as_ref().map_err(Error::clone),
            _ => Err(Error::invalid_argument("The call is not over yet.")),
        }
    }

    /// Returns the response as [`Exchange::response`] does, and ends the exchange.
    ///
    /// # Errors
    /// As [`Exchange::response`].
    pub fn into_response(self) -> Result<Response, Error> {
        self.response().cloned()
    }

    /// Returns the account, after [`Action::Done`] of a call that verifies.
    ///
    /// # Errors
    /// As [`Exchange::into_response`]; `invalid_argument` if the call did not verify.
    pub fn into_account(mut self) -> Result<Account, Error> {
        let account = self.account.take();
        self.into_response()?;
        account.ok_or_else(|| Error::invalid_argument("Only a verifying call ends with an account."))
    }
}

/// What the driver reports.
impl Exchange {
    /// Reports what reading the source gave, after [`Action::Load`]. A source that cannot be read costs nothing while there is
    /// a pair. Returns false if the report is ignored, because none was due or because the lease has ended.
    pub fn loaded(&mut self, result: Result<SourceRead, Error>, now: &Moment) -> bool {
        let lease = match mem::replace(&mut self.state, State::Ready) {
            State::Loading(lease) => lease,
            other => {
                self.state = other;
                return false;
            }
        };
        let keyring = &self.keyring;
        let finished = Finished::of(keyring, lease, result, now);
        if finished.outcome == RefreshOutcome::LeaseEnded {
            if let Some(late) = late(keyring, self.deadline, now) {
                self.fail(self.recovery.failure().unwrap_or(late));
            }
            return false;
        }
        match finished.error {
            Some(error) if keyring.current().is_none() => {
                self.fail(error);
            }
            error => self.recovery.last_error = error,
        }
        if let Some(event) = finished.event {
            self.reporter.report(event);
        }
        true
    }

    /// Reports the response that came.
    pub fn answered(&mut self, response: Response, now: &Moment) {
        let in_flight = match mem::replace(&mut self.state, State::Ready) {
            State::Sending(in_flight) => in_flight,
            other => return self.state = other,
        };
        self.delivery.is_possible |= self.is_subject_due();
        let (method, version) = (self.task.due(&self.verification).method(), &in_flight.version);
        let took = now.monotonic.saturating_sub(in_flight.since);
        let answered = Answered { method, response: &response, version, took };
        self.reporter.answered(&answered, &self.keyring, self.policy.rotation_due, now);
        match classify(&response, Some(in_flight.version.credentials()), now.unix) {
            Ok(()) => self.succeed(response, in_flight, now),
            Err(error)
                if is_no_account_page(&error) && self.verification.may_ask_users_page(&self.policy) =>
            {
                // Another call may have learned meanwhile that the pair is bad.
                if self.keyring.rejection_of(&in_flight.version, now.monotonic).is_none() {
                    return self.ask_elsewhere(in_flight, now);
                }
                drop(in_flight);
                self.restart_verification();
            }
            Err(error) if error.kind() == ErrorKind::InvalidCredentials => {
                if self.is_doubtful(&in_flight, now) {
                    self.verification.doubt = Some(error);
                    return self.ask_elsewhere(in_flight, now);
                }
                self.rejected(error, in_flight, now);
            }
            Err(error) => {
                if !self.is_account_asked(&in_flight) && is_accepted(&error) {
                    self.promote(&in_flight, None, now);
                }
                drop(in_flight);
                let error = self.verification.doubt.take().unwrap_or(error);
                self.retry_or_fail(error, now);
            }
        }
    }

    /// Reports that no response came, and why. Whether the request may have been delivered is in `error`.
    pub fn not_answered(&mut self, error: Error, now: &Moment) {
        if !matches!(self.state, State::Sending(_)) {
            return;
        }
        self.delivery.is_possible |= error.request_sent() && self.is_subject_due();
        // It proves nothing about the pair.
        self.state = State::Ready;
        let method = self.task.due(&self.verification).method();
        self.reporter.not_answered(method, &self.keyring, now);
        let doubt = self.verification.doubt.take();
        let error = doubt.filter(|_| error.kind() != ErrorKind::Cancelled).unwrap_or(error);
        self.retry_or_fail(error, now);
    }

    /// Ends the call with `error`, unless it is over. Another call may go on with what it was about to find out.
    pub fn give_up(&mut self, error: Error) {
        if !matches!(self.state, State::Done(_)) {
            self.fail(error);
        }
    }

    /// Ends the call without giving back its leases: a child of `fork()` has none.
    pub fn leave(self) {
        match self.state {
            State::Loading(lease) => mem::forget(lease),
            State::Sending(InFlight { proof, .. }) => mem::forget(proof),
            State::Ready | State::Waiting(_) | State::Done(_) => {}
        }
    }
}

/// Sending and waiting.
impl Exchange {
    fn follow_keyring(&mut self, now: &Moment) -> Result<Action, Error> {
        let needs = CallNeeds {
            began: self.began,
            deadline: self.deadline,
            rotation_wait: self.policy.rotation_wait,
            may_prove: self.retries < self.policy.max_retries,
        };
        match self.keyring.next_step(&needs, now.monotonic) {
            NextStep::Use(version) => Ok(self.send(version, None, now)),
            NextStep::Prove(version, lease) => Ok(self.send(version, Some(lease), now)),
            NextStep::Refresh(lease) => {
                self.blocker = None;
                self.state = State::Loading(lease);
                Ok(Action::Load)
            }
            NextStep::Wait(wait, blocker) => Ok(self.wait(wait, blocker)),
            NextStep::WaitForPair { wait, blocker, rejected_at } => {
                self.reporter.waiting(self.policy.rotation_wait, rejected_at, &self.keyring);
                if self.recovery.refusal.is_none() {
                    let left = self.keyring.rejected_for(now.monotonic).unwrap_or_default();
                    self.recovery.refusal = Some(rejected_lately(left));
                }
                Ok(self.wait(wait, blocker))
            }
            NextStep::Rejected(left) => {
                let error = self.recovery.failure().unwrap_or_else(|| rejected_lately(left));
                Err(self.fail(error))
            }
            NextStep::Failed(error) => Err(self.fail(error)),
        }
    }

    fn wait(&mut self, wait: Duration, blocker: Blocker) -> Action {
        self.blocker = Some(blocker);
        Action::Wait(wait)
    }

    fn send(&mut self, version: PairVersion, proof: Option<Lease>, now: &Moment) -> Action {
        // A retry of the users page may come to another pair, of which the account page was not asked yet.
        if self.verification.is_about_another(&version) {
            self.restart_verification();
        }
        let required = self.account_required_of(&version);
        let must_prove_account = required.is_some() && self.keyring.account_of(&version) != required;
        if must_prove_account && !self.is_verifying() {
            self.verification.ask_account_page(&self.policy);
        }
        self.recovery = Recovery::default();
        self.blocker = None;
        self.delivery.attempts += u32::from(self.is_subject_due());
        self.state = State::Sending(InFlight { version, proof, is_taken: false, since: now.monotonic });
        self.send_action(now)
    }

    fn send_action(&self, now: &Moment) -> Action {
        Action::Send { remaining: self.deadline.map(|deadline| deadline.saturating_sub(now.monotonic)) }
    }

    /// The request that the call is about.
    fn subject(&self) -> &Request {
        self.task.request().unwrap_or_else(|| self.outgoing())
    }

    /// Whether the request to send is the one that the call is about, not a question about the pair before or after it.
    fn is_subject_due(&self) -> bool {
        !self.is_verifying() || self.task.request().is_none()
    }

    /// Sends the request again after a wait if that may help; else `error` ends the call.
    fn retry_or_fail(&mut self, error: Error, now: &Moment) {
        if self.retries >= self.policy.max_retries || !may_retry(self.outgoing(), &error) {
            return drop(self.fail(error));
        }
        let wait = backoff(self.retries, now.random).max(error.retry_after().unwrap_or_default());
        let until = now.monotonic.saturating_add(wait);
        if self.deadline.is_some_and(|deadline| until >= deadline) {
            return drop(self.fail(error));
        }
        self.count_retry(&error);
        self.state = State::Waiting(until);
        self.reporter.retrying(wait, &error);
    }

    fn count_retry(&mut self, error: &Error) {
        self.retries += 1;
        if let Some(response) = error.response().filter(|_| self.is_subject_due()) {
            self.delivery.last_response = Some(response.clone());
        }
        self.reporter.retried();
    }
}

/// What a response says about the pair.
impl Exchange {
    fn succeed(&mut self, response: Response, in_flight: InFlight, now: &Moment) {
        let Some(page) = &self.verification.page else {
            self.promote(&in_flight, None, now);
            return self.done(response);
        };
        if let Some(doubt) = self.verification.doubt.take() {
            if !service::is_json_object(response.body()) {
                return drop(self.fail(doubt));
            }
            self.promote(&in_flight, None, now);
            return drop(self.fail(doubt.with_hint(NO_PAGE)));
        }
        let version = &in_flight.version;
        let account = read_account(page.path(), &response)
            .map_err(|why| invalid_response(&response, why, Some(version.credentials())))
            .and_then(|account| self.check_account(account, version));
        match account {
            Ok(account) => {
                self.promote(&in_flight, account.id(), now);
                if let Some(id) = account.id() {
                    self.keyring.set_account(&in_flight.version, id);
                }
                self.account = Some(account);
                if self.task.request().is_some() {
                    self.verification.page = None;
                } else {
                    self.done(response);
                }
            }
            Err(error) if error.kind() == ErrorKind::WrongAccount => self.refuse(error, in_flight, now),
            Err(error) => drop(self.fail(error)),
        }
    }

    /// The account that `version` must show before anything else is sent with it: the expected one; else, for a pair that the
    /// source gave, that of the pair in use. A pair passed to `replace` may be of any account.
    fn account_required_of(&self, version: &PairVersion) -> Option<u64> {
        self.policy.expected_account.or_else(|| self.account_in_use_required_of(version))
    }

    fn account_in_use_required_of(&self, version: &PairVersion) -> Option<u64> {
        self.keyring.account_required_of(version).filter(|_| !matches!(self.task, Task::Replace(_)))
    }

    fn check_account(&self, account: Account, version: &PairVersion) -> Result<Account, Error> {
        let Some(required) = self.account_required_of(version) else { return Ok(account) };
        wrong_account(&account, required, self.policy.expected_account.is_some()).map_or(Ok(account), Err)
    }

    /// Puts the pair into use if it had yet to be proven: the service accepted it. `account` is the one that the service named
    /// with it. A pair that must show its account has not done so by a response to another question, which may have been asked
    /// before the account was required.
    fn promote(&mut self, in_flight: &InFlight, account: Option<u64>, now: &Moment) {
        let required = self.account_in_use_required_of(&in_flight.version);
        let is_proof = in_flight.proof.is_some() || matches!(self.task, Task::Replace(_));
        if !is_proof || required.is_some() && account != required {
            return;
        }
        if let Some(version) = self.keyring.promote(&in_flight.version, self.policy.overlap, now.monotonic) {
            self.reporter.about(&version, EventKind::Rotated, "Another pair was proven and is in use now", 0);
        }
    }

    /// The service rejected the pair that was sent. The call goes on while it has a retry left: the keyring decides with which
    /// pair, or that there is none.
    fn rejected(&mut self, error: Error, in_flight: InFlight, now: &Moment) {
        let until = now.monotonic.saturating_add(self.policy.cool_down);
        let rejected = self.keyring.reject(&in_flight.version, now.monotonic, until);
        self.reporter.rejected(rejected, &in_flight.version, error.http_status());
        drop(in_flight);
        self.verification.doubt = None;
        self.restart_verification();
        if matches!(self.task, Task::Replace(_)) || self.retries >= self.policy.max_retries {
            return drop(self.fail(error));
        }
        self.count_retry(&error);
        self.recovery.refusal = Some(error);
    }

    /// The pair belongs to another account than the required one. A candidate is set aside like a rejected one.
    fn refuse(&mut self, error: Error, in_flight: InFlight, now: &Moment) {
        let keyring = &self.keyring;
        let is_current = || keyring.current().is_some_and(|current| current.is(&in_flight.version));
        if in_flight.proof.is_none() || is_current() {
            return drop(self.fail(error));
        }
        keyring.set_aside(&in_flight.version, now.monotonic.saturating_add(self.policy.cool_down));
        let what = error.message().trim_end_matches('.');
        self.reporter.about(&in_flight.version, EventKind::CandidateRejected, what, 0);
        drop(in_flight);
        self.restart_verification();
        self.recovery.refusal = Some(error);
    }

    /// Asks about the next pair from the start.
    fn restart_verification(&mut self) {
        match self.task {
            Task::Request(_) => self.verification.end(),
            Task::Verify | Task::Replace(_) => self.verification.ask_account_page(&self.policy),
        }
    }

    fn ask_elsewhere(&mut self, in_flight: InFlight, now: &Moment) {
        self.verification.ask_users_page(&in_flight.version);
        self.state = State::Sending(InFlight { since: now.monotonic, is_taken: false, ..in_flight });
    }

    /// Whether the caller's own request went to the account page, and what that says against the pair is news.
    fn is_doubtful(&self, in_flight: &InFlight, now: &Moment) -> bool {
        let Some(request) = self.task.request() else { return false };
        !self.is_verifying()
            && request.route() == service::ACCOUNT_PATH
            && self.keyring.rejection_of(&in_flight.version, now.monotonic).is_none()
    }

    /// Whether the request that was sent is to show the required account.
    fn is_account_asked(&self, in_flight: &InFlight) -> bool {
        let is_asked = self.is_verifying() && self.verification.doubt.is_none();
        is_asked && self.account_required_of(&in_flight.version).is_some()
    }
}

/// How the call ends.
impl Exchange {
    fn done(&mut self, response: Response) {
        self.reporter.ended(None);
        self.state = State::Done(Ok(response));
    }

    fn fail(&mut self, error: Error) -> Error {
        let is_under_way = match &self.state {
            State::Sending(in_flight) => in_flight.is_taken && self.is_subject_due(),
            _ => false,
        };
        let error = self.delivery.describe(error, self.subject(), is_under_way);
        self.reporter.ended(Some(&error));
        self.state = State::Done(Err(error.clone()));
        error
    }

    /// Why the call is not over at its deadline.
    fn deadline_error(&self) -> Error {
        match (self.blocker, &self.state) {
            (Some(Blocker::Proof), _) => another_call_proves(),
            (Some(Blocker::Refresh), _) => another_call_reads(),
            (_, State::Sending(in_flight)) => {
                let phase = if in_flight.is_taken { Phase::Receive } else { Phase::Connect };
                no_response_in_time(phase)
            }
            _ => self.recovery.failure().unwrap_or_else(time_used_up),
        }
    }
}
