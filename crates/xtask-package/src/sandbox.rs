//! The arguments of `justcall-auth-sandbox`, compiled from its files: that crate needs a newer Rust than the product, and
//! `cargo xtask install` must not.

#[path = "../../justcall-auth-sandbox/src/arguments.rs"]
mod arguments;
#[path = "../../justcall-auth-sandbox/src/dialect.rs"]
mod dialect;

pub use arguments::SandboxArguments;
pub use dialect::Dialect;
