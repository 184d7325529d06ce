//! `justcall-auth`: JustCall API authentication from the command line.
//!
//! The library makes every decision. This command reads arguments, calls the library, and prints the result as text, or
//! as one JSON object with `--json`. It adds the exit statuses, one table in `exit.rs`.

#![forbid(unsafe_code)]

mod answer;
mod argument_mask;
mod arguments;
mod by_hand;
mod commands;
mod destination;
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
mod usage;
mod values;
mod watch;

use std::ffi::OsString;
use std::process::ExitCode;

use crate::exit::Exit;
use crate::output::Output;

/// Returns the definition of the arguments, for manual pages and shell completions.
pub fn command() -> clap::Command {
    <arguments::Arguments as clap::CommandFactory>::command()
}

/// Runs the command line `arguments`, of which the first is the name of the program. Returns the exit status.
pub fn run(arguments: &[OsString]) -> ExitCode {
    execute(arguments).into()
}

fn execute(arguments: &[OsString]) -> Exit {
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
