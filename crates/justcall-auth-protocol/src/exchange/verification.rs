//! Whose pair it is: the pages that answer that, and what a good response means.

use crate::account::Account;
use crate::error::{Error, ErrorKind};
use crate::keyring::PairVersion;
use crate::policy::Policy;
use crate::request::Request;
use crate::response::Response;
use crate::service;

/// The question about the pair that a call asks.
#[derive(Debug, Default)]
pub(super) struct Verification {
    /// The page that is asked; `None` while the caller's own request is.
    pub page: Option<Request>,
    /// The pair that the users page is asked about, after the account page was.
    asked_elsewhere: Option<PairVersion>,
    /// What the account page said against the pair, to the caller's own request; another page is being asked.
    pub doubt: Option<Error>,
}

impl Verification {
    /// Starts with the account page.
    pub fn ask_account_page(&mut self, policy: &Policy) {
        self.asked_elsewhere = None;
        self.page =
            Some(Request::trusted_get(policy.verify_path.as_deref().unwrap_or(service::ACCOUNT_PATH)));
    }

    /// Asks nothing.
    pub fn end(&mut self) {
        self.asked_elsewhere = None;
        self.page = None;
    }

    /// Asks the page that the official clients verify with what the account page did not answer about `version`.
    pub fn ask_users_page(&mut self, version: &PairVersion) {
        self.page = Some(Request::trusted_get(service::USERS_PATH));
        self.asked_elsewhere = Some(version.clone());
    }

    /// Returns whether the users page is asked about another pair than `version`, of which the account page was not asked.
    pub fn is_about_another(&self, version: &PairVersion) -> bool {
        self.asked_elsewhere.as_ref().is_some_and(|asked| !asked.is_same_pair(version))
    }

    /// Returns whether the users page may answer what the account page did not: the real service may have no account page.
    pub fn may_ask_users_page(&self, policy: &Policy) -> bool {
        policy.verify_path.is_none()
            && self.page.as_ref().is_some_and(|page| page.path() == service::ACCOUNT_PATH)
    }
}

/// Returns the failure for a good pair whose account is not `required`; `None` if it is.
/// `is_expected` if the configuration demands the account, else it is that of the pair in use.
pub(super) fn wrong_account(account: &Account, required: u64, is_expected: bool) -> Option<Error> {
    let found = match account.id() {
        Some(id) if id == required => return None,
        Some(id) => format!("belongs to the account {id}"),
        None => "works, but the service does not tell its account".to_owned(),
    };
    let error = if is_expected {
        let message = format!("The pair {found}; the account {required} is expected.");
        Error::with_message(ErrorKind::WrongAccount, message)
    } else {
        let message = format!("The new pair {found}; the pair in use belongs to the account {required}.");
        Error::with_message(ErrorKind::WrongAccount, message).with_hint(OTHER_ACCOUNT)
    };
    Some(error.with_request_sent(true))
}

const OTHER_ACCOUNT: &str = "Give the source a pair of the account in use. To move to another account, start the program again, or replace the pair by hand.";

/// The hint of a doubt that another page removed.
pub(super) const NO_PAGE: &str = "The pair is good: the service accepts it on another page. It may have no page /v2/account, which stands in the help article alone: ask whether a pair is good with verify, which asks both.";

/// Returns whether `error` says nothing about the pair if the service has no account page.
pub(super) fn is_no_account_page(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::InvalidCredentials)
}

/// Returns the account. Only the account page must hold one; any other path proves the pair by answering with JSON at all.
pub(super) fn read_account(path: &str, response: &Response) -> Result<Account, &'static str> {
    match service::account(response.body()) {
        Ok(account) => Ok(account.with_path(path)),
        Err(_) if path != service::ACCOUNT_PATH && service::is_json_object(response.body()) => {
            Ok(Account::new(None, None, None, path))
        }
        Err(why) => Err(why),
    }
}

/// Returns whether the service gives `error` only to a pair that it knows. A 403 may come from what stands before the service,
/// which does not write the service's JSON.
pub(super) fn is_accepted(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::Unprocessable => true,
        ErrorKind::Forbidden => {
            error.response().is_some_and(|response| service::is_json_object(response.body()))
        }
        _ => false,
    }
}
