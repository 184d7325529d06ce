//! The C++ header as C++ programs see it: `include/justcall_auth.hpp`.
//!
//! The programs are in `tests/cpp` and `examples/cpp`; they are compiled here, each as C++17, C++20 and C++23, and run
//! against the library that a plain `cargo build` makes. Set `JUSTCALL_LIB_DIR` to the folder of a built library to have that tested.

#![cfg(unix)]

mod compiler;
mod examples;
mod header;
mod programs;
mod service;
#[allow(dead_code, reason = "shared with the tests of the C header, which use the rest")]
#[path = "../abi/support/mod.rs"]
mod support;
