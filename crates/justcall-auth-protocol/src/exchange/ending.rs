//! How a call ends: with its response, or with a failure that says what became of the request.

use std::time::Duration;

use super::{Action, Exchange, Moment, Phase, State, Task};
use crate::account::Account;
use crate::error::{Error, ErrorKind};
use crate::keyring::{Blocker, LEASE_LIMIT};
use crate::request::Request;
use crate::response::Response;

const STILL_PROVING: &str = "Call again: the new pair may be good. If this lasts, allow a longer timeout than the service needs to answer.";
const STILL_READING: &str =
    "Check why the source of the credentials is slow, or allow a longer timeout than it needs.";

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

impl Exchange {
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

    /// Ends the call with `error`, unless it is over. What it was about to find out, others may find out.
    pub fn give_up(&mut self, error: Error) {
        if !matches!(self.state, State::Done(_)) {
            self.fail(error);
        }
    }

    /// A call that asks nothing of the service is over.
    pub(super) fn done(&mut self) -> Action {
        self.state = State::Done(Ok(None));
        Action::Done
    }

    pub(super) fn succeeded(&mut self, response: Response) {
        self.keyring.usage().ended(None);
        self.state = State::Done(Ok(Some(response)));
    }

    pub(super) fn fail(&mut self, error: Error) -> Error {
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
    pub(super) fn subject(&self) -> &Request {
        if let Task::Request(request) = &self.task { request } else { self.outgoing() }
    }

    /// Whether the request to send is the one that the call is about, not a question about the pair before or after it.
    pub(super) fn is_subject_due(&self) -> bool {
        self.verification.is_none() || !matches!(self.task, Task::Request(_))
    }

    /// Why the call is not over at its deadline.
    pub(super) fn deadline_error(&self) -> Error {
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

    /// The source took longer than the lease. The call goes on if another call found a pair meanwhile. It does not read
    /// the source again, which would take as long.
    pub(super) fn came_late(&mut self, now: &Moment) {
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

    pub(super) fn is_over(&self, now: &Moment) -> bool {
        self.deadline.is_some_and(|deadline| now.monotonic >= deadline)
    }
}

/// The service rejected this very pair a moment ago: asking again would only look like an attack.
pub(super) fn rejected_lately(left: Duration) -> Error {
    let message = format!(
        "The service rejected this API key and secret; they are not sent again for {} s, unless the source gives others.",
        left.as_secs() + 1
    );
    Error::with_message(ErrorKind::InvalidCredentials, message).retry_after_is(Some(left))
}
