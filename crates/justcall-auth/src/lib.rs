//! JustCall API authentication that works at once, names the cause of each failure, and never leaks a secret.
//!
//! ```no_run
//! # fn main() -> Result<(), justcall_auth::Error> {
//! let client = justcall_auth::Client::from_environment()?;
//! let account = client.verify()?;
//! println!("{} is on the plan {}", account.email().unwrap_or("?"), account.plan().unwrap_or("?"));
//! # Ok(())
//! # }
//! ```
//!
//! [`Client`] drives a call: an [`Exchange`] contains the rules, a [`Source`] supplies the pair, and a transport with
//! TLS sends the request. Every failure is an [`Error`] of one [`ErrorKind`], with a hint.

#![forbid(unsafe_code)]

#[cfg(target_family = "wasm")]
compile_error!(
    "justcall-auth does not run in browsers, because every visitor of the page could read the secret. Call JustCall from your server."
);

mod callback_error;
mod cancel;
mod client;
mod clock;
mod config;
mod context;
pub mod diagnose;
pub mod diagnostics;
pub mod exchange;
pub mod folder;
mod interrupt;
mod machine;
mod observe;
mod options;
mod protection;
mod reentry;
pub mod replace;
mod shared_state;
pub mod source;
mod state;
#[cfg(feature = "test-panic")]
#[doc(hidden)]
pub mod test_panic;
#[cfg(feature = "test-parsers")]
#[doc(hidden)]
pub mod test_parsers;
pub mod testing;
mod transport;
pub mod webhook;

pub use callback_error::callback_error;
pub use cancel::Cancel;
pub use client::{Call, Client};
pub use clock::unix_time;
pub use config::Config;
pub use diagnose::{Code, Finding, Severity, diagnose, diagnose_environment};
pub use exchange::Exchange;
pub use interrupt::Interrupt;
pub use justcall_auth_protocol::account::Account;
pub use justcall_auth_protocol::credentials::{Credentials, key_hint};
pub use justcall_auth_protocol::error::{Error, ErrorKind};
pub use justcall_auth_protocol::metrics::MAX_SIZE as MAX_USAGE;
pub use justcall_auth_protocol::request::Request;
#[doc(hidden)]
pub use justcall_auth_protocol::table;
pub use justcall_auth_protocol::{Headers, Response};
pub use justcall_auth_protocol::{Policy, classify, copy, encoding, printable, service};
pub use justcall_auth_secret::{
    Level, PerProcess, Protection, Secret, StackBuffer, WipedBuffer, WipingAllocator, Zeroize, Zeroizing,
    spawn_without_signals,
};
pub use observe::{Event, EventKind, Observe};
pub use options::CallOptions;
pub use protection::ProtectionReport;
pub use source::Source;
pub use state::{Remembered, StateFile};
pub use webhook::{WebhookEvent, WebhookHeaders, WebhookVerifier};

/// The version of this library.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
