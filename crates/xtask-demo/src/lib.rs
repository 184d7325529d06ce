//! The demo, and the functions that all commands of `cargo xtask` share: running programs, installing Debian packages,
//! starting a sandbox, Python's virtual environments, other releases of Debian.

mod build;
pub mod debian;
pub mod demo;
pub mod packages;
pub mod run;
pub mod sandbox;
pub mod venv;
