//! The arguments of `justcall-auth-sandbox`, compiled from its files: that crate needs a newer Rust than the product, and
//! `cargo xtask install` must not.

#[path = "../../justcall-auth-sandbox/src/arguments.rs"]
pub mod arguments;
#[path = "../../justcall-auth-sandbox/src/dialect.rs"]
pub mod dialect;

pub use dialect::Dialect;
