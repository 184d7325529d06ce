//! Verification: the pages that return the account of a pair, and the meaning of their responses.

use std::borrow::Cow;
use std::mem;

use super::Exchange;
use super::state::{ExchangeState, InFlight};
use crate::account::Account;
use crate::error::{Error, ErrorKind};
use crate::keyring::{Keyring, PairVersion};
use crate::policy::Policy;
use crate::request::Request;
use crate::response::Response;
use crate::service;
use crate::time::Moment;

/// The verification that a call performs.
#[derive(Debug, Default)]
pub(super) struct PairVerification {
    /// The page that is asked, or `None` if the caller's own request is sent.
    pub page: Option<Request>,
    /// The pair for which the users page is asked after the account page.
    users_page_version: Option<PairVersion>,
    /// The rejection of the caller's own request by the account page, while the users page is asked for confirmation.
    pub unconfirmed_rejection: Option<Error>,
    /// True if the account page answered 404 for the pair that the users page is asked for now.
    has_no_account_page: bool,
    /// True if the account page was skipped, because it did not exist a short time ago.
    has_skipped_account_page: bool,
}

impl PairVerification {
    /// Starts with the account page.
    pub fn ask_account_page(&mut self, policy: &Policy) {
        self.end();
        let path = policy.verify_path.clone().map_or(service::ACCOUNT_PATH.into(), Cow::Owned);
        self.page = Some(Request::trusted_get(path));
    }

    /// Ends the verification.
    pub fn end(&mut self) {
        self.users_page_version = None;
        self.page = None;
        self.has_no_account_page = false;
        self.has_skipped_account_page = false;
    }

    /// Asks the page that the official clients verify with, because `error` of the account page gave no result for
    /// `version`.
    pub fn ask_users_page_after(&mut self, error: &Error, version: &PairVersion) {
        self.has_no_account_page = error.kind() == ErrorKind::NotFound;
        self.ask_users_page(version);
    }

    /// Chooses the page before `version` is sent: the account page if `version` must prove first that its account is
    /// `required`, and the users page if only the pair is verified and the service had no account page a short time ago.
    pub fn choose_page(
        &mut self,
        policy: &Policy,
        keyring: &Keyring,
        version: &PairVersion,
        required: Option<u64>,
        now: &Moment,
    ) {
        // An account may have become required since the page was skipped.
        let may_prove_account = self.page.is_none() || self.has_skipped_account_page;
        match required {
            Some(_) if may_prove_account && keyring.account_of(version) != required => {
                self.ask_account_page(policy);
            }
            None if self.may_ask_users_page(policy) && keyring.has_no_account_page(now.monotonic) => {
                self.ask_users_page(version);
                self.has_skipped_account_page = true;
            }
            _ => {}
        }
    }

    /// Records whether there is an account page, after a page has proven that the service is the right one.
    pub fn remember_account_page(&self, keyring: &Keyring, now: &Moment) {
        match self.page.as_ref().map(Request::path) {
            Some(service::ACCOUNT_PATH) => keyring.set_account_page(true, now.monotonic),
            Some(service::USERS_PATH) if self.has_no_account_page => {
                keyring.set_account_page(false, now.monotonic);
            }
            _ => {}
        }
    }

    /// Asks the page that the official clients verify with.
    fn ask_users_page(&mut self, version: &PairVersion) {
        self.page = Some(Request::trusted_get(service::USERS_PATH.into()));
        self.users_page_version = Some(version.clone());
    }

    /// Returns true if the users page is asked because of the answer of the account page.
    pub fn is_users_page_due(&self) -> bool {
        self.users_page_version.is_some() && !self.has_skipped_account_page
    }

    /// Returns true if the users page is asked for another pair than `version`. The account page has not been asked for
    /// `version`.
    pub fn is_about_another(&self, version: &PairVersion) -> bool {
        self.users_page_version.as_ref().is_some_and(|asked| !asked.is_same_pair(version))
    }

    /// Returns true if the users page may be asked next. The real service may have no account page.
    pub fn may_ask_users_page(&self, policy: &Policy) -> bool {
        policy.verify_path.is_none()
            && self.page.as_ref().is_some_and(|page| page.path() == service::ACCOUNT_PATH)
    }
}

impl Exchange {
    /// Ends the question for the users page if another call has found since that the pair is rejected. The driver has not
    /// taken the pair yet, so nothing was sent.
    pub(super) fn leave_users_page_of_rejected(&mut self, now: &Moment) {
        let is_rejected = |in_flight: &InFlight| {
            !in_flight.is_taken && self.keyring.rejection_of(&in_flight.version, now.monotonic).is_some()
        };
        let is_due = self.verification.is_users_page_due();
        if !matches!(&self.state, ExchangeState::Sending(in_flight) if is_due && is_rejected(in_flight)) {
            return;
        }
        if let ExchangeState::Sending(in_flight) = mem::replace(&mut self.state, ExchangeState::Ready) {
            if let Some(error) = self.verification.unconfirmed_rejection.take() {
                self.rejected(error, in_flight, now);
            } else {
                drop(in_flight);
                self.restart_verification();
            }
        }
    }
}

/// Returns the error for a good pair whose account is not `required`, or `None` if it is. `is_expected` is true if the
/// configuration requires the account, and false if it is the account of the pair in use.
pub(super) fn wrong_account(account: &Account, required: u64, is_expected: bool) -> Option<Error> {
    let found = match account.id() {
        Some(id) if id == required => return None,
        Some(id) => format!("belongs to the account {id}"),
        None => "works and its account is unknown".to_owned(),
    };
    let error = if is_expected {
        let message = format!("The pair {found}, but the account {required} is expected.");
        Error::with_message(ErrorKind::WrongAccount, message)
    } else {
        let message = format!("The new pair {found}, but the pair in use belongs to the account {required}.");
        Error::with_message(ErrorKind::WrongAccount, message).with_hint(OTHER_ACCOUNT_HINT)
    };
    Some(error.with_request_sent(true))
}

const OTHER_ACCOUNT_HINT: &str = "Store a pair of the previous account in the source. To change to another account, restart the program, or call replace().";

/// The hint of a rejection that another page disproved.
pub(super) const NO_ACCOUNT_PAGE_HINT: &str = "Call verify instead of requesting /v2/account. The pair is valid, because the service accepts it on another path. The path /v2/account is known only from the help article and may not exist.";

/// Returns true if `error` may mean that the service has no account page.
pub(super) fn is_no_account_page(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::InvalidCredentials)
}

/// Returns the account in `response`. Only the account page must contain one; for any other path, a JSON object proves
/// the pair.
pub(super) fn read_account(page: &Request, response: &Response) -> Result<Account, &'static str> {
    let path = page.shared_path();
    match service::account(response.body()) {
        Ok(account) => Ok(account.with_path(path)),
        Err(_) if path != service::ACCOUNT_PATH && service::is_json_object(response.body()) => {
            Ok(Account::new(None, None, None, path))
        }
        Err(why) => Err(why),
    }
}

/// Returns true if the service returns `error` only for a pair that it knows. A 403 without a JSON object may come from
/// a proxy before the service.
pub(super) fn is_accepted(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::Unprocessable => true,
        ErrorKind::Forbidden => {
            error.response().is_some_and(|response| service::is_json_object(response.body()))
        }
        _ => false,
    }
}
