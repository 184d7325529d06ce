//! The C ABI of justcall-auth: converts and forwards, decides nothing.
//!
//! The comments of the exported functions are the documentation in `include/justcall_auth.h`, which
//! `cargo xtask header` writes from them: they speak to C programmers. One C type is one file: its
//! struct, opaque in C, then its functions. The macros of `function.rs` and `fallible.rs` make the bodies of the
//! functions: they hold the panic guard, and the reason that the `unsafe` here is sound.

#![expect(
    clippy::missing_safety_doc,
    reason = "what callers must see to is in the header's introduction and in every comment, in C's words"
)]
#![expect(clippy::doc_markdown, reason = "the comments are read as C, where names stand bare")]
#![expect(non_camel_case_types, reason = "the types have the names that C programs use")]

/// What this library frees it wipes, its dependencies' copies included. Of its own memory alone: the program's allocator
/// is untouched.
#[cfg(not(feature = "disable-wiping-allocator"))]
#[global_allocator]
static ALLOCATOR: justcall_auth::WipingAllocator = justcall_auth::WipingAllocator;

pub mod account;
mod argument;
pub mod call_options;
mod callback;
pub mod cancel;
mod cancellation;
pub mod classify;
pub mod client;
pub mod config;
pub mod credentials;
pub mod error;
pub mod event;
pub mod exchange;
mod fallible;
mod function;
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
