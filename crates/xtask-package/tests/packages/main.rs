//! The packages: what the binaries contain, and what programs do that were built with them.

mod abi;
mod contents;
mod dist;
mod install;
mod link;
mod reference;
mod rust_api;
mod support;
mod tools;
