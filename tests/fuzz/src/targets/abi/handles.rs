//! The handles of a program.

use std::ptr;

use justcall_auth_abi::account::{justcall_account, justcall_account_free};
use justcall_auth_abi::call_options::{justcall_call_options, justcall_call_options_free};
use justcall_auth_abi::cancel::{justcall_cancel, justcall_cancel_free};
use justcall_auth_abi::client::{justcall_client, justcall_client_free};
use justcall_auth_abi::config::{justcall_config, justcall_config_free};
use justcall_auth_abi::credentials::{justcall_credentials, justcall_credentials_free};
use justcall_auth_abi::error::{justcall_error, justcall_error_free};
use justcall_auth_abi::exchange::{justcall_exchange, justcall_exchange_free};
use justcall_auth_abi::report::{justcall_report, justcall_report_free};
use justcall_auth_abi::request::{justcall_request, justcall_request_free};
use justcall_auth_abi::response::{justcall_response, justcall_response_free};
use justcall_auth_abi::webhook::{justcall_webhook, justcall_webhook_free};
use justcall_auth_abi::webhook_event::{justcall_webhook_event, justcall_webhook_event_free};

/// More handles of one type are freed at once.
const MOST: usize = 12;

/// The handles of one type.
pub struct List<T> {
    /// Those of this program.
    own: Vec<*mut T>,
    /// Those of another program, which outlives this one.
    lent: Vec<*mut T>,
    free: unsafe extern "C" fn(*mut T),
}

// SAFETY: the header allows to use and to free every handle on any thread. `lent` handles are only used as `const`.
unsafe impl<T> Send for List<T> {}

impl<T> List<T> {
    fn new(free: unsafe extern "C" fn(*mut T)) -> Self {
        Self { own: Vec::new(), lent: Vec::new(), free }
    }

    /// Returns NULL or any handle, for functions that take it as `const`.
    pub fn any(&self, number: usize) -> *const T {
        let count = self.own.len() + self.lent.len();
        match number % (count + 1) {
            0 => ptr::null(),
            at if at <= self.own.len() => self.own[at - 1],
            at => self.lent[at - 1 - self.own.len()],
        }
    }

    /// Returns NULL or a handle that only this program uses.
    pub fn own(&self, number: usize) -> *mut T {
        match number % (self.own.len() + 1) {
            0 => ptr::null_mut(),
            at => self.own[at - 1],
        }
    }

    /// Keeps a handle, unless it is NULL.
    pub fn keep(&mut self, handle: *mut T) {
        if handle.is_null() {
            return;
        }
        self.own.push(handle);
        if self.own.len() > MOST {
            self.free(1);
        }
    }

    /// Frees NULL or a handle that only this program uses.
    pub fn free(&mut self, number: usize) {
        let handle = self.own(number);
        self.own.retain(|one| *one != handle);
        // SAFETY: it is NULL, or a handle of this program that is freed for the first time.
        unsafe { (self.free)(handle) };
    }

    fn free_all(&mut self) {
        while !self.own.is_empty() {
            self.free(1);
        }
    }

    fn lent(&self) -> Self {
        Self { own: Vec::new(), lent: self.own.clone(), free: self.free }
    }
}

/// Declares [`Handles`] with a list for each type.
macro_rules! handles {
    ($($name:ident: $handle:ident, $free:ident;)+) => {
        /// The handles of a program, by their type.
        pub struct Handles {
            $(pub $name: List<$handle>,)+
        }

        impl Default for Handles {
            fn default() -> Self {
                Self { $($name: List::new($free),)+ }
            }
        }

        impl Handles {
            /// Returns the same handles for a program that runs at the same time as another one.
            pub fn lent(&self) -> Self {
                Self { $($name: self.$name.lent(),)+ }
            }

            /// Frees everything, beginning with the type that `first` selects.
            pub fn free_all(&mut self, first: u8) {
                let mut frees: Vec<Box<dyn FnOnce() + '_>> = vec![$(Box::new(|| self.$name.free_all()),)+];
                let count = frees.len();
                frees.rotate_left(usize::from(first) % count);
                for free in frees {
                    free();
                }
            }
        }
    };
}

handles! {
    accounts: justcall_account, justcall_account_free;
    options: justcall_call_options, justcall_call_options_free;
    cancels: justcall_cancel, justcall_cancel_free;
    clients: justcall_client, justcall_client_free;
    loopback_clients: justcall_client, justcall_client_free;
    configs: justcall_config, justcall_config_free;
    credentials: justcall_credentials, justcall_credentials_free;
    errors: justcall_error, justcall_error_free;
    exchanges: justcall_exchange, justcall_exchange_free;
    reports: justcall_report, justcall_report_free;
    requests: justcall_request, justcall_request_free;
    responses: justcall_response, justcall_response_free;
    webhooks: justcall_webhook, justcall_webhook_free;
    events: justcall_webhook_event, justcall_webhook_event_free;
}
