//! One call that sends requests, as a state machine: what to send, what the response means, what to do next.
//!
//! [`Exchange`] contains every rule of a call: headers, the local check, retries, the deadline, classification,
//! recovery from a reset of the pair. It performs no I/O. Its driver calls [`Exchange::next`] in a loop and performs
//! the action:
//!
//! | action | the driver |
//! |---|---|
//! | [`Action::Load`] | reads the source and reports with [`Exchange::loaded`] |
//! | [`Action::Send`] | sends [`Exchange::outgoing`] with [`Exchange::authorization`], then reports with [`Exchange::answered`] or [`Exchange::not_answered`] |
//! | [`Action::Wait`] | calls [`Exchange::next`] again after that time |
//! | [`Action::Done`] | takes the result with [`Exchange::into_response`] or [`Exchange::into_account`] |
//!
//! After each report and each wait, the driver passes on the events of [`Exchange::take_events`]. Time and randomness
//! are passed in as a [`Moment`], so tests can run the same rules with their own clock.
//!
//! The [keyring](crate::keyring), shared by all calls of a process, chooses the pair.

mod action;
mod delivery;
mod recovery;
mod release;
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
use crate::refresh::{Finished, another_call_reads, is_over, late_error, timed_out};
use crate::request::Request;
use crate::response::Response;
use crate::service;
use crate::shared::Shared;
use crate::time::Moment;
pub use action::{Action, Cause, Phase};
use delivery::RequestDelivery;
use recovery::{Recovery, another_call_proves, no_response_in_time, recently_rejected};
use reporter::{Answered, Reporter};
use state::{CallTask, ExchangeState, InFlight};
use verification::{
    NO_ACCOUNT_PAGE_HINT, PairVerification, is_accepted, is_no_account_page, read_account, wrong_account,
};

/// The largest body of a response to a verifying request, in bytes.
const MAX_VERIFY_BODY: usize = 64 * 1024;

/// One call. See the [module](self).
#[derive(Debug)]
pub struct Exchange {
    policy: Arc<Policy>,
    keyring: Arc<Keyring>,
    reporter: Reporter,
    task: CallTask,
    verification: PairVerification,
    began: Duration,
    deadline: Option<Duration>,
    retries: u32,
    recovery: Recovery,
    account: Option<Account>,
    delivery: RequestDelivery,
    /// What the call waits for, if it waits for another call.
    blocker: Option<Blocker>,
    /// Since when it waits for another call or another pair.
    blocked_since: Option<Duration>,
    state: ExchangeState,
}

/// Creating a call.
impl Exchange {
    /// Creates a call that sends `request`. The call begins `now`.
    pub fn request(policy: Arc<Policy>, shared: Shared, request: Request, now: &Moment) -> Self {
        Self::begin(policy, shared, CallTask::Request(request), now)
    }

    /// Creates a call that proves the pair in use, with the account page or else the page of the official clients.
    pub fn verify(policy: Arc<Policy>, shared: Shared, now: &Moment) -> Self {
        Self::begin(policy, shared, CallTask::Verify, now)
    }

    /// Creates a call that proves `credentials`, and then uses them. If the proof fails, the pair in use stays.
    pub fn replace(policy: Arc<Policy>, shared: Shared, credentials: Credentials, now: &Moment) -> Self {
        let version = shared.keyring.admit(credentials, now);
        Self::begin(policy, shared, CallTask::Replace(version), now)
    }

    fn begin(policy: Arc<Policy>, shared: Shared, task: CallTask, now: &Moment) -> Self {
        let deadline = policy.deadline(task.request().and_then(Request::timeout), now);
        let mut exchange = Self {
            policy,
            keyring: shared.keyring,
            reporter: Reporter::new(shared.metrics),
            task,
            verification: PairVerification::default(),
            began: now.monotonic,
            deadline,
            retries: 0,
            recovery: Recovery::default(),
            account: None,
            delivery: RequestDelivery::default(),
            blocker: None,
            blocked_since: None,
            state: ExchangeState::Ready,
        };
        exchange.restart_verification();
        exchange
    }
}

/// Methods that a driver reads the call with.
impl Exchange {
    /// Returns the next action. Returns the same action again until the driver reports.
    ///
    /// # Errors
    /// Fails with the error of the call once the call has failed. Every later call returns the same error.
    pub fn next(&mut self, now: &Moment) -> Result<Action, Error> {
        self.leave_users_page_of_rejected(now);
        if let ExchangeState::Done(result) = &self.state {
            return result.as_ref().map(|_| Action::Done).map_err(Error::clone);
        }
        if is_over(self.deadline, now) {
            let error =
                self.verification.unconfirmed_rejection.take().unwrap_or_else(|| self.deadline_error());
            return Err(self.fail(error));
        }
        match self.state {
            ExchangeState::Loading(_) => return Ok(Action::Load),
            ExchangeState::Sending(_) => return Ok(self.send_action(now)),
            ExchangeState::Waiting(until) if now.monotonic < until => {
                return Ok(Action::Wait(until.saturating_sub(now.monotonic)));
            }
            _ => self.state = ExchangeState::Ready,
        }
        let CallTask::Replace(version) = &self.task else { return self.follow_keyring(now) };
        let version = version.clone();
        match self.keyring.rejection_of(&version, now.monotonic) {
            Some(left) => Err(self.fail(recently_rejected(left))),
            None => Ok(self.send(version, None, now)),
        }
    }

    /// Returns the request to send: method, path, the caller's headers and body.
    pub fn outgoing(&self) -> &Request {
        self.task.due_request(&self.verification)
    }

    /// Returns true if [`Exchange::outgoing`] verifies the pair and is not the caller's own request.
    pub fn is_verifying(&self) -> bool {
        self.verification.page.is_some()
    }

    /// Returns the full URL of [`Exchange::outgoing`].
    pub fn url(&self) -> String {
        self.policy.base_url.join(self.outgoing().path())
    }

    /// Returns the pair to send, which the response is then about: the pair in use, if another one came into use since
    /// [`Action::Send`]. This method has no clock, so it may return a pair that was rejected since. A driver that calls
    /// it right after [`Action::Send`] never sends a rejected pair.
    ///
    /// # Errors
    /// Fails with `invalid_argument` if the next action is not [`Action::Send`].
    pub fn authorization(&mut self) -> Result<Credentials, Error> {
        let ExchangeState::Sending(in_flight) = &mut self.state else {
            return Err(Error::invalid_argument(
                "The exchange has no request to send now. Wait for the action Send.",
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

    /// Returns the monotonic time at which the call ends, or `None` if it has no limit.
    pub fn deadline(&self) -> Option<Duration> {
        self.deadline
    }

    /// Returns the size at which the driver should stop reading a body, in bytes.
    pub fn max_body(&self) -> usize {
        let limit = self.policy.max_response_length;
        if self.is_verifying() { limit.min(MAX_VERIFY_BODY) } else { limit }
    }

    /// Returns true if the next action is [`Action::Load`].
    pub fn is_loading(&self) -> bool {
        matches!(self.state, ExchangeState::Loading(_))
    }

    /// Returns true if the call holds a lease that other calls may be waiting for.
    pub fn holds_lease(&self) -> bool {
        matches!(
            self.state,
            ExchangeState::Loading(_) | ExchangeState::Sending(InFlight { proof: Some(_), .. })
        )
    }

    /// Returns true if the call waits for a lease that another call holds.
    pub fn waits_for_lease(&self) -> bool {
        matches!(self.blocker, Some(Blocker::Refresh | Blocker::Proof))
    }

    /// Returns the events since the last call of this method. Returns none while the call holds a lease, because an
    /// event handler may start a call, which would wait for this lease.
    pub fn take_events(&mut self) -> Vec<Event> {
        if self.holds_lease() { Vec::new() } else { self.reporter.take() }
    }

    /// Returns the response, after [`Action::Done`].
    ///
    /// # Errors
    /// Fails with the error of the call, or with `invalid_argument` if the call is not over.
    pub fn response(&self) -> Result<&Response, Error> {
        match &self.state {
            ExchangeState::Done(result) => result.as_ref().map_err(Error::clone),
            _ => Err(Error::invalid_argument("The call has not ended yet.")),
        }
    }

    /// Consumes the exchange and returns the response.
    ///
    /// # Errors
    /// As [`Exchange::response`].
    pub fn into_response(self) -> Result<Response, Error> {
        self.response().cloned()
    }

    /// Returns the account, after [`Action::Done`] of a verifying call.
    ///
    /// # Errors
    /// Fails as [`Exchange::response`], or with `invalid_argument` if the call does not verify.
    pub fn into_account(mut self) -> Result<Account, Error> {
        let account = self.account.take();
        self.into_response()?;
        account
            .ok_or_else(|| Error::invalid_argument("Only a call that verifies the pair returns an account."))
    }
}

/// Methods that a driver reports with.
impl Exchange {
    /// Reports the result of reading the source, after [`Action::Load`]. A failed read has no effect if there is a
    /// pair. Returns false if the report is ignored, because none was expected or because the lease has ended.
    pub fn loaded(&mut self, result: Result<SourceRead, Error>, now: &Moment) -> bool {
        let lease = match mem::replace(&mut self.state, ExchangeState::Ready) {
            ExchangeState::Loading(lease) => lease,
            other => {
                self.state = other;
                return false;
            }
        };
        let keyring = &self.keyring;
        let finished = Finished::of(keyring, lease, result, now);
        if finished.outcome == RefreshOutcome::LeaseEnded {
            if let Some(late) = late_error(keyring, self.deadline, now) {
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

    /// Reports the response.
    pub fn answered(&mut self, response: Response, now: &Moment) {
        let in_flight = match mem::replace(&mut self.state, ExchangeState::Ready) {
            ExchangeState::Sending(in_flight) => in_flight,
            other => return self.state = other,
        };
        self.delivery.is_possible |= self.is_subject_due();
        let (method, version) = (self.task.due_request(&self.verification).method(), &in_flight.version);
        let took = now.monotonic.saturating_sub(in_flight.since);
        let answered = Answered { method, response: &response, version, took };
        self.reporter.answered(&answered, &self.keyring, self.policy.rotation_due, now);
        match classify(&response, Some(in_flight.version.credentials()), now.unix) {
            Ok(()) => self.succeed(response, in_flight, now),
            Err(error)
                if is_no_account_page(&error) && self.verification.may_ask_users_page(&self.policy) =>
            {
                // The pair may have been rejected in another call in the meantime.
                if self.keyring.rejection_of(&in_flight.version, now.monotonic).is_none() {
                    return self.ask_users_page(&error, in_flight, now);
                }
                drop(in_flight);
                self.restart_verification();
            }
            Err(error) if error.kind() == ErrorKind::InvalidCredentials => {
                if self.needs_confirmation(&in_flight, now) {
                    self.ask_users_page(&error, in_flight, now);
                    return self.verification.unconfirmed_rejection = Some(error);
                }
                self.rejected(error, in_flight, now);
            }
            Err(error) => {
                if !self.is_account_asked(&in_flight) && is_accepted(&error) {
                    self.promote(&in_flight, None, now);
                }
                drop(in_flight);
                let error = self.verification.unconfirmed_rejection.take().unwrap_or(error);
                self.retry_or_fail(error, now);
            }
        }
    }

    /// Reports that no response came. `error` contains the cause and whether the request may have been delivered.
    pub fn not_answered(&mut self, error: Error, now: &Moment) {
        if !matches!(self.state, ExchangeState::Sending(_)) {
            return;
        }
        self.delivery.is_possible |= error.request_sent() && self.is_subject_due();
        // A missing response proves nothing about the pair.
        self.state = ExchangeState::Ready;
        let method = self.task.due_request(&self.verification).method();
        self.reporter.not_answered(method, &self.keyring, now);
        let unconfirmed_rejection = self.verification.unconfirmed_rejection.take();
        let error = unconfirmed_rejection.filter(|_| error.kind() != ErrorKind::Cancelled).unwrap_or(error);
        self.retry_or_fail(error, now);
    }

    /// Ends the call with `error`, unless it is over. Its lease ends, so that another call can take over its work.
    pub fn cancel(&mut self, error: Error) {
        if !matches!(self.state, ExchangeState::Done(_)) {
            self.fail(error);
        }
    }

    /// Ends the call without releasing its leases, because a child of `fork()` holds none.
    pub fn leave(self) {
        match self.state {
            ExchangeState::Loading(lease) => mem::forget(lease),
            ExchangeState::Sending(InFlight { proof, .. }) => mem::forget(proof),
            ExchangeState::Ready | ExchangeState::Waiting(_) | ExchangeState::Done(_) => {}
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
            NextStep::Use(version) => Ok(self.release(now).unwrap_or_else(|| self.send(version, None, now))),
            NextStep::Prove(version, lease) => Ok(self.send(version, Some(lease), now)),
            NextStep::Refresh(lease) => {
                self.blocker = None;
                self.state = ExchangeState::Loading(lease);
                Ok(Action::Load)
            }
            NextStep::Wait(wait, blocker) => Ok(self.wait(wait, blocker, now)),
            NextStep::WaitForPair { wait, blocker, rejected_at } => {
                self.reporter.waiting(self.policy.rotation_wait, rejected_at, &self.keyring);
                if self.recovery.refusal.is_none() {
                    let left = self.keyring.rejected_for(now.monotonic).unwrap_or_default();
                    self.recovery.refusal = Some(recently_rejected(left));
                }
                Ok(self.wait(wait, blocker, now))
            }
            NextStep::Rejected(left) => {
                let error = self.recovery.failure().unwrap_or_else(|| recently_rejected(left));
                Err(self.fail(error))
            }
            NextStep::Failed(error) => Err(self.fail(error)),
        }
    }

    fn send(&mut self, version: PairVersion, proof: Option<Lease>, now: &Moment) -> Action {
        // A retry of the users page may use another pair, for which the account page has not been asked.
        if self.verification.is_about_another(&version) {
            self.restart_verification();
        }
        let required = self.account_required_of(&version);
        self.verification.choose_page(&self.policy, &self.keyring, &version, required, now);
        self.recovery = Recovery::default();
        (self.blocker, self.blocked_since) = (None, None);
        self.delivery.attempts += u32::from(self.is_subject_due());
        self.state =
            ExchangeState::Sending(InFlight { version, proof, is_taken: false, since: now.monotonic });
        self.send_action(now)
    }

    fn send_action(&self, now: &Moment) -> Action {
        Action::Send { remaining: self.deadline.map(|deadline| deadline.saturating_sub(now.monotonic)) }
    }

    /// Returns the request that the call is about.
    fn subject(&self) -> &Request {
        self.task.request().unwrap_or_else(|| self.outgoing())
    }

    /// Returns true if the next request is the one that the call is about, and not a verification before or after it.
    fn is_subject_due(&self) -> bool {
        !self.is_verifying() || self.task.request().is_none()
    }
}

/// Evaluating responses.
impl Exchange {
    fn succeed(&mut self, response: Response, in_flight: InFlight, now: &Moment) {
        let Some(page) = &self.verification.page else {
            self.promote(&in_flight, None, now);
            return self.done(response);
        };
        if let Some(unconfirmed_rejection) = self.verification.unconfirmed_rejection.take() {
            if !service::is_json_object(response.body()) {
                return drop(self.fail(unconfirmed_rejection));
            }
            self.promote(&in_flight, None, now);
            return drop(self.fail(unconfirmed_rejection.with_hint(NO_ACCOUNT_PAGE_HINT)));
        }
        let version = &in_flight.version;
        let account = read_account(page, &response)
            .map_err(|why| invalid_response(&response, why, Some(version.credentials())))
            .and_then(|account| self.check_account(account, version));
        match account {
            Ok(account) => {
                self.verification.remember_account_page(&self.keyring, now);
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

    /// Returns the account that `version` must have before other requests are sent with it. That is the expected
    /// account, if one is configured; otherwise, for a pair from the source, the account of the pair in use. A pair
    /// passed to `replace` may belong to any account.
    fn account_required_of(&self, version: &PairVersion) -> Option<u64> {
        self.policy.expected_account.or_else(|| self.account_in_use_required_of(version))
    }

    fn account_in_use_required_of(&self, version: &PairVersion) -> Option<u64> {
        self.keyring.account_required_of(version).filter(|_| !matches!(self.task, CallTask::Replace(_)))
    }

    fn check_account(&self, account: Account, version: &PairVersion) -> Result<Account, Error> {
        let Some(required) = self.account_required_of(version) else { return Ok(account) };
        wrong_account(&account, required, self.policy.expected_account.is_some()).map_or(Ok(account), Err)
    }

    /// Puts a pair that the service accepted into use. `account` is the account in the response. If the pair must prove
    /// its account, a response without it does not suffice: its request may precede the requirement.
    fn promote(&mut self, in_flight: &InFlight, account: Option<u64>, now: &Moment) {
        let required = self.account_in_use_required_of(&in_flight.version);
        let is_proof = in_flight.proof.is_some() || matches!(self.task, CallTask::Replace(_));
        if !is_proof || required.is_some() && account != required {
            return;
        }
        let InFlight { version, proof, .. } = in_flight;
        if let Some(version) =
            self.keyring.promote(version, proof.as_ref(), self.policy.overlap, now.monotonic)
        {
            let what = "Another pair was proven and is in use now";
            self.reporter.report_about(&version, EventKind::Rotated, what, 0);
        }
    }

    /// Handles the rejection of the pair that was sent. The call continues if it has a retry left.
    fn rejected(&mut self, error: Error, in_flight: InFlight, now: &Moment) {
        let until = now.monotonic.saturating_add(self.policy.cool_down);
        let rejected = self.keyring.reject(&in_flight.version, now.monotonic, until);
        self.reporter.rejected(rejected, &in_flight.version, error.http_status());
        drop(in_flight);
        self.verification.unconfirmed_rejection = None;
        self.restart_verification();
        if matches!(self.task, CallTask::Replace(_)) || self.retries >= self.policy.max_retries {
            return drop(self.fail(error));
        }
        self.count_retry(&error);
        self.recovery.refusal = Some(error);
    }

    /// Handles a pair of another account than the required one. A candidate is set aside like a rejected one.
    fn refuse(&mut self, error: Error, in_flight: InFlight, now: &Moment) {
        let keyring = &self.keyring;
        let is_current = || keyring.current().is_some_and(|current| current.is(&in_flight.version));
        if in_flight.proof.is_none() || is_current() {
            return drop(self.fail(error));
        }
        keyring.set_aside(&in_flight.version, now.monotonic.saturating_add(self.policy.cool_down));
        let what = error.message().trim_end_matches('.');
        self.reporter.report_about(&in_flight.version, EventKind::CandidateRejected, what, 0);
        drop(in_flight);
        self.restart_verification();
        self.recovery.refusal = Some(error);
    }

    fn restart_verification(&mut self) {
        match self.task {
            CallTask::Request(_) => self.verification.end(),
            CallTask::Verify | CallTask::Replace(_) => self.verification.ask_account_page(&self.policy),
        }
    }

    fn ask_users_page(&mut self, error: &Error, in_flight: InFlight, now: &Moment) {
        self.verification.ask_users_page_after(error, &in_flight.version);
        self.state = ExchangeState::Sending(InFlight { since: now.monotonic, is_taken: false, ..in_flight });
    }

    /// Returns true if the account page rejected the pair for the caller's own request, and no other call knows that.
    fn needs_confirmation(&self, in_flight: &InFlight, now: &Moment) -> bool {
        let Some(request) = self.task.request() else { return false };
        !self.is_verifying()
            && request.route() == service::ACCOUNT_PATH
            && self.keyring.rejection_of(&in_flight.version, now.monotonic).is_none()
    }

    /// Returns true if the request that was sent must prove the required account.
    fn is_account_asked(&self, in_flight: &InFlight) -> bool {
        let is_asked = self.is_verifying() && self.verification.unconfirmed_rejection.is_none();
        is_asked && self.account_required_of(&in_flight.version).is_some()
    }
}

/// Ending a call.
impl Exchange {
    fn done(&mut self, response: Response) {
        self.reporter.ended(None);
        self.state = ExchangeState::Done(Ok(response));
    }

    fn fail(&mut self, error: Error) -> Error {
        let is_under_way = match &self.state {
            ExchangeState::Sending(in_flight) => in_flight.is_taken && self.is_subject_due(),
            _ => false,
        };
        let error = self.delivery.describe(error, self.subject(), is_under_way);
        self.reporter.ended(Some(&error));
        self.state = ExchangeState::Done(Err(error.clone()));
        error
    }

    /// Returns the error of a call that is not over at its deadline.
    fn deadline_error(&self) -> Error {
        match (self.blocker, &self.state) {
            (Some(Blocker::Proof), _) => another_call_proves(),
            (Some(Blocker::Refresh), _) => another_call_reads(),
            (_, ExchangeState::Sending(in_flight)) => {
                let phase = if in_flight.is_taken { Phase::Receive } else { Phase::Connect };
                no_response_in_time(phase)
            }
            _ => self.recovery.failure().unwrap_or_else(timed_out),
        }
    }
}
