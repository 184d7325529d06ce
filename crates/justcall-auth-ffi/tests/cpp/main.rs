//! Tests of the C++ header `include/justcall_auth.hpp` with C++ programs.
//!
//! The programs are in `tests/cpp` and `examples/cpp`. The tests compile each as C++17, C++20 and C++23, and run it with the
//! library that a plain `cargo build` creates. Set `JUSTCALL_LIB_DIR` to the folder of another built library to test that
//! one.

#![cfg(unix)]

mod compiler;
mod examples;
mod header;
mod programs;
mod service;
#[allow(dead_code, reason = "shared with the tests of the C header, which use the rest")]
#[path = "../abi/support/mod.rs"]
mod support;
