//! `justcall-auth`: JustCall API authentication from the command line.
//!
//! Every decision is the library's; this command reads arguments, calls it, and shows what it says — to a person, or as
//! one JSON object with `--json`. What it adds is the exit code, one table in [`exit`].

#![forbid(unsafe_code)]

mod answer;
mod arguments;
mod by_hand;
mod commands;
mod exit;
mod explanations;
mod failure;
mod help;
mod input;
mod json_text;
mod lines;
mod new_pair;
mod output;
mod snippets;
mod spinner;
#[cfg(unix)]
mod store;
#[cfg(not(unix))]
#[path = "store_elsewhere.rs"]
mod store;
mod terminal;
mod time;
mod unechoed;
mod usage;
mod values;
mod watch;

use std::ffi::OsString;
use std::process::ExitCode;

use crate::exit::Exit;
use crate::output::Output;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    run(&arguments).into()
}

fn run(arguments: &[OsString]) -> Exit {
    let parsed = match usage::parse(arguments) {
        Ok(parsed) => parsed,
        Err(unparsed) => return unparsed.show(),
    };
    let output = Output::new(&parsed.global, arguments);
    match commands::run(&parsed, &output) {
        Ok(()) => Exit::Success,
        Err(failure) => failure.show(&output),
    }
}
