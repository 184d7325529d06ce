//! The account that a verification found.

use std::ffi::{CString, c_char};
use std::ptr;

use justcall_auth::{Account, Error};

use crate::function::{free, infallible};
use crate::output;

/// The account that a pair belongs to. justcall_client_verify() returns it. An account is
/// immutable, so several threads may use it at the same time.
pub struct justcall_account {
    id: u64,
    email: Option<CString>,
    plan: Option<CString>,
    verified_by: CString,
}

impl justcall_account {
    /// # Errors
    /// `out_of_memory`.
    pub(crate) fn new(account: &Account) -> Result<Self, Error> {
        // It was in an answer to what was sent.
        let text = |text| output::long_text(text).map_err(|error| error.with_request_sent(true));
        Ok(Self {
            id: account.id().unwrap_or(0),
            email: account.email().map(text).transpose()?,
            plan: account.plan().map(text).transpose()?,
            verified_by: output::text(account.verified_by()),
        })
    }
}

/// Returns the number of the account. Returns 0 if the service did not name the account, or if
/// `account` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_account_id(account: *const justcall_account) -> u64 {
    infallible!(0, |account| account.id)
}

/// Returns the e-mail address of the account. Returns NULL if the service did not return an
/// address, or if `account` is NULL. The text is valid until `account` is freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_account_email(account: *const justcall_account) -> *const c_char {
    infallible!(ptr::null(), |account| account.email.as_ref()?.as_ptr())
}

/// Returns the plan of the account, such as `"Pro"`. Returns NULL if the service did not return a
/// plan, or if `account` is NULL. The text is valid until `account` is freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_account_plan(account: *const justcall_account) -> *const c_char {
    infallible!(ptr::null(), |account| account.plan.as_ref()?.as_ptr())
}

/// Returns the path whose response proved the pair, such as `"/v2/account"`. Returns NULL if
/// `account` is NULL. The text is valid until `account` is freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_account_verified_by(account: *const justcall_account) -> *const c_char {
    infallible!(ptr::null(), |account| account.verified_by.as_ptr())
}

/// Frees an account and every text that was borrowed from it. Does nothing if `account` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_account_free(account: *mut justcall_account) {
    free!(account);
}
