//! The rules of JustCall API authentication, without I/O, clock or thread.
//!
//! This crate decides and performs nothing. [`exchange::Exchange`] is its core: it decides what to send, when to wait
//! and what a response means. Its driver provides the network, the time and the randomness. [`service`] holds every
//! fact about the service, [`error`] the table of all errors.

#![forbid(unsafe_code)]

pub mod account;
pub mod classify;
pub mod copy;
pub mod credentials;
pub mod date;
pub mod diagnose;
pub mod encoding;
pub mod error;
pub mod event;
pub mod exchange;
pub mod headers;
mod json;
#[cfg(test)]
mod json_tests;
pub mod keyring;
pub mod metrics;
mod path;
pub mod policy;
pub mod printable;
pub mod refresh;
pub mod request;
pub mod response;
pub mod service;
pub mod shared;
mod sync;
mod table;
pub mod time;
pub mod url;
pub mod webhook;

pub use account::Account;
pub use credentials::Credentials;
pub use error::{Error, ErrorKind};
pub use event::{Event, EventKind};
pub use exchange::{Action, Exchange};
pub use headers::Headers;
pub use keyring::Keyring;
pub use policy::Policy;
pub use refresh::{Refresh, RefreshAction};
pub use request::Request;
pub use response::Response;
pub use shared::Shared;
pub use time::Moment;
pub use webhook::{WebhookEvent, WebhookHeaders, WebhookVerifier};
