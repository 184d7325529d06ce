//! The C ABI as C and C++ programs see it: what is exported, what the header says, and what happens.
//!
//! The programs are in `tests/c` and `examples`; they are compiled here, each as C99, C11, C++11 and C++20, against the
//! library that a plain `cargo build` makes. Set `JUSTCALL_LIB_DIR` to the folder of a built library to have that tested.

#![cfg(unix)]

mod c_programs;
mod examples;
mod exports;
mod fork;
mod host;
mod hostile;
mod own_http;
mod requests;
mod service;
mod support;
mod vectors;
