//! Tests of the C ABI with C and C++ programs: the exports, the header and the behaviour.
//!
//! The programs are in `tests/c` and `examples`. The tests compile each as C99, C11, C++11 and C++20, with the library that
//! a plain `cargo build` creates. Set `JUSTCALL_LIB_DIR` to the folder of another built library to test that one.

#![cfg(unix)]

mod c_programs;
mod examples;
mod exports;
mod fork;
mod host;
mod hostile;
mod own_http;
mod panics;
mod requests;
mod service;
mod support;
mod vectors;
