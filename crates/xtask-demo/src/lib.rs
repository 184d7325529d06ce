//! The demo, and what every command of `cargo xtask` needs: to run programs, to install Debian packages, to start a
//! sandbox.

mod build;
pub mod demo;
pub mod packages;
pub mod run;
pub mod sandbox;
