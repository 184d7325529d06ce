//! The demo, and the functions that all commands of `cargo xtask` share: running programs, installing Debian packages,
//! starting a sandbox, Python's virtual environments.

mod build;
pub mod demo;
pub mod packages;
pub mod run;
pub mod sandbox;
pub mod venv;
