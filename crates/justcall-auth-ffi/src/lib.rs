//! The C ABI of justcall-auth: converts and forwards, decides nothing.
//!
//! The comments of the exported functions are the documentation in `include/justcall_auth.h`, which
//! `cargo xtask header` writes from them: they speak to C programmers. One C type is one file: its
//! struct, opaque in C, then its functions. Every function that can fail goes through [`guard`],
//! which catches panics.
//!
//! What makes the `unsafe` here sound is what the header demands of callers: a pointer is NULL or
//! points to what its comment says, for as long as it says; a handle is one that this library gave
//! and that was not freed; a configuration is used by one thread at a time. NULL, text that is not
//! UTF-8, and numbers out of range are checked.

#![expect(
    clippy::missing_safety_doc,
    reason = "what callers must see to is in the header's introduction and in every comment, in C's words"
)]
#![expect(clippy::doc_markdown, reason = "the comments are read as C, where names stand bare")]
#![expect(non_camel_case_types, reason = "the types have the names that C programs use")]

/// What this library frees it wipes, its dependencies' copies included. Of its own memory alone: the program's allocator
/// is untouched.
#[cfg(not(feature = "leaving-allocator"))]
#[global_allocator]
static ALLOCATOR: justcall_auth::WipingAllocator = justcall_auth::WipingAllocator;

pub mod account;
pub mod cancel;
mod cancellation;
pub mod classify;
pub mod client;
pub mod config;
pub mod credentials;
pub mod error;
pub mod event;
pub mod exchange;
mod guard;
mod handle;
mod input;
pub mod library;
mod output;
pub mod report;
pub mod request;
pub mod response;
pub mod source;
pub mod status;
#[cfg(feature = "test-panic")]
pub mod test_panic;
pub mod webhook;
pub mod webhook_event;
