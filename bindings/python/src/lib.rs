//! The native half of the Python package `justcall_auth`: the module `justcall_auth._native`, which is private.
//!
//! It converts and forwards. Every rule is in the crate `justcall-auth`; what Python can say for itself (the exceptions,
//! `Account`, `Response`) is in the package's own files. One type has one file. Python code is called through `capi`.

/// What the module frees it wipes, its dependencies' copies included. Of its own memory alone: Python's objects, and what
/// the program allocates, are untouched.
#[global_allocator]
static ALLOCATOR: justcall_auth::WipingAllocator = justcall_auth::WipingAllocator;

mod account;
mod arguments;
mod body;
mod callable;
mod capi;
mod classify;
mod client;
mod credentials;
mod diagnose;
mod errors;
mod event;
mod exception;
mod finding;
mod gil;
mod held;
mod interpreter;
mod options;
mod pairs;
mod protection;
mod request;
mod response;
mod running;
mod settings;
mod source;
mod testing;
mod value;
mod webhook;
mod webhook_event;
mod webhook_headers;

#[pyo3::pymodule]
mod _native {
    use pyo3::prelude::*;

    #[pymodule_export]
    use super::classify::classify;
    #[pymodule_export]
    use super::client::Client;
    #[pymodule_export]
    use super::client::exchange::Exchange;
    #[pymodule_export]
    use super::credentials::Credentials;
    #[pymodule_export]
    use super::diagnose::{diagnose, diagnose_environment};
    #[pymodule_export]
    use super::event::event_names;
    #[pymodule_export]
    use super::exception::error_table;
    #[pymodule_export]
    use super::options::Cancel;
    #[pymodule_export]
    use super::testing::forget_rejections;
    #[pymodule_export]
    use super::webhook::WebhookVerifier;
    #[pymodule_export]
    use super::webhook_event::WebhookEvent;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        crate::interpreter::check(module.py())?;
        module.add("__version__", justcall_auth::VERSION)?;
        module.add("MAX_WEBHOOK_BODY", justcall_auth::webhook::MAX_BODY)
    }
}
