//! Whose pair it is: the pages that tell, and what a good answer comes to.

use super::{Exchange, Moment, Policy, Task, Ticket};
use crate::account::Account;
use crate::classify::invalid_response;
use crate::error::{Error, ErrorKind};
use crate::request::Request;
use crate::response::Response;
use crate::service;

impl Exchange {
    pub(super) fn succeed(&mut self, response: Response, ticket: Ticket, now: &Moment) {
        let Some(page) = &self.verification else {
            self.promote(&ticket, now);
            self.succeeded(response);
            return;
        };
        let sent = ticket.held.credentials();
        let account = read_account(page.path(), &response)
            .map_err(|why| invalid_response(&response, why, Some(sent)))
            .and_then(|account| self.check_account(account));
        match account {
            Ok(account) => {
                self.promote(&ticket, now);
                self.keyring.prove_account(&ticket.held);
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

    /// The account page may not exist on the real service.
    pub(super) fn may_ask_elsewhere(&self) -> bool {
        let on_account_page =
            self.verification.as_ref().is_some_and(|page| page.path() == service::ACCOUNT_PATH);
        on_account_page && self.policy.verify_path.is_none()
    }
}

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
