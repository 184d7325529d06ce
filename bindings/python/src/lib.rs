//! The native part of the Python package `justcall_auth`: the private module `justcall_auth._native`.
//!
//! It converts arguments and forwards calls. Every rule is in the crate `justcall-auth`. Types that Python can define
//! (the exceptions, `Account`, `Response`) are in the package's Python files. Each type has a file. Python code is called
//! through `capi`.

#![expect(
    clippy::doc_markdown,
    reason = "docstrings of Python name parameters without backticks, after `Args:`"
)]

/// Wipes the memory that the module and its dependencies free. Memory of Python and of the program is not affected.
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
mod job;
mod lazy;
mod log;
mod options;
mod pairs;
mod pool;
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
    use super::job::{Completions, StartedCall};
    #[pymodule_export]
    use super::log::log_setting;
    #[pymodule_export]
    use super::options::Cancel;
    #[pymodule_export]
    use super::pool::Pool;
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
