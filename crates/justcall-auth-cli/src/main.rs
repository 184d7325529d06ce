//! `justcall-auth`: the program. [`justcall_auth_cli`] holds all of it, so that the packages can generate manual pages from it.

#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    justcall_auth_cli::run(&arguments)
}
