//! Whose pair it is: the pages that tell, and what a good answer comes to.

use super::{Exchange, Moment, Policy, State, Task, Ticket};
use crate::account::Account;
use crate::classify::invalid_response;
use crate::error::{Error, ErrorKind};
use crate::keyring::Held;
use crate::request::Request;
use crate::response::Response;
use crate::service;

impl Exchange {
    pub(super) fn succeed(&mut self, response: Response, ticket: Ticket, now: &Moment) {
        let Some(page) = &self.verification else {
            self.promote(&ticket, None, now);
            self.succeeded(response);
            return;
        };
        if let Some(doubt) = self.doubt.take() {
            if !service::is_json_object(response.body()) {
                return drop(self.fail(doubt));
            }
            self.promote(&ticket, None, now);
            self.fail(doubt.hint_is(NO_PAGE));
            return;
        }
        let sent = ticket.held.credentials();
        let account = read_account(page.path(), &response)
            .map_err(|why| invalid_response(&response, why, Some(sent)))
            .and_then(|account| self.check_account(account, &ticket.held));
        match account {
            Ok(account) => {
                self.promote(&ticket, account.id(), now);
                if let Some(id) = account.id() {
                    self.keyring.account_is(&ticket.held, id);
                }
                self.account = Some(account);
                if matches!(self.task, Task::Request(_)) {
                    self.verification = None;
                } else {
                    self.succeeded(response);
                }
            }
            Err(error) if error.kind() == ErrorKind::WrongAccount => self.refuse(error, ticket, now),
            Err(error) => drop(self.fail(error)),
        }
    }

    /// The account that `held` must show before anything else is sent with it: the expected one; else, for a pair that
    /// the source gave, that of the pair in use. A pair that was given by hand may be of any account.
    pub(super) fn account_required_of(&self, held: &Held) -> Option<u64> {
        let is_given = matches!(self.task, Task::Replace(_));
        self.policy.expected_account.or_else(|| self.keyring.account_required_of(held).filter(|_| !is_given))
    }

    /// Refuses a pair of another account than the required one, or one whose account the service does not name.
    fn check_account(&self, account: Account, held: &Held) -> Result<Account, Error> {
        let Some(required) = self.account_required_of(held) else { return Ok(account) };
        let found = match account.id() {
            Some(id) if id == required => return Ok(account),
            Some(id) => format!("belongs to the account {id}"),
            None => "works, but the service does not tell its account".to_owned(),
        };
        let error = if self.policy.expected_account.is_some() {
            let message = format!("The pair {found}; the account {required} is expected.");
            Error::with_message(ErrorKind::WrongAccount, message)
        } else {
            let message = format!("The new pair {found}; the pair in use belongs to the account {required}.");
            Error::with_message(ErrorKind::WrongAccount, message).hint_is(OTHER_ACCOUNT)
        };
        Err(error.request_sent_is(true))
    }

    /// Asks the page that the official clients verify with what the account page did not tell.
    pub(super) fn ask_elsewhere(&mut self, ticket: Ticket, now: &Moment) {
        self.verification = Some(Request::trusted_get(service::USERS_PATH));
        self.asked_elsewhere = Some(ticket.held.clone());
        self.state = State::Sending(Ticket { since: now.monotonic, is_taken: false, ..ticket });
    }

    /// Whether the caller's own request went to the account page, and what that says against the pair is news.
    pub(super) fn is_doubtful(&self, ticket: &Ticket, now: &Moment) -> bool {
        let Task::Request(request) = &self.task else { return false };
        let path = request.path().split('?').next();
        self.verification.is_none()
            && path == Some(service::ACCOUNT_PATH)
            && self.keyring.rejection_of(&ticket.held, now.monotonic).is_none()
    }

    /// Whether the request that was sent is to tell the expected account.
    pub(super) fn is_account_asked(&self, ticket: &Ticket) -> bool {
        self.verification.is_some()
            && self.doubt.is_none()
            && self.account_required_of(&ticket.held).is_some()
    }

    /// The account page may not exist on the real service.
    pub(super) fn may_ask_elsewhere(&self) -> bool {
        let on_account_page =
            self.verification.as_ref().is_some_and(|page| page.path() == service::ACCOUNT_PATH);
        on_account_page && self.policy.verify_path.is_none()
    }
}

const OTHER_ACCOUNT: &str = "Give the source a pair of the account in use. To move to another account, start the program again, or replace the pair by hand.";

const NO_PAGE: &str = "The pair is good: the service accepts it on another page. It may have no page /v2/account, which stands in the help article alone: ask whether a pair is good with verify, which asks both.";

pub(super) fn account_page(policy: &Policy) -> Request {
    Request::trusted_get(policy.verify_path.as_deref().unwrap_or(service::ACCOUNT_PATH))
}

/// Neither says anything about the pair where the service has no account page.
pub(super) fn is_no_account_page(error: &Error) -> bool {
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
