//! The sandbox over real sockets, with a TLS client that sees every byte and every end.
#![allow(clippy::unwrap_used, reason = "a test can do nothing better than fail")]

mod client;
mod command;
mod connections;
mod console;
mod control;
mod early;
mod endings;
mod endpoints;
mod faults;
mod lifecycle;
mod requests;
mod service;
mod webhooks;
