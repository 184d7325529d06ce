//! `cargo xtask COMMAND`: runs the demo, and hands every other command to `crates/xtask`, which takes longer to compile.

use std::env;
use std::ffi::OsString;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result};
use xtask_demo::{demo, run};

fn main() -> ExitCode {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    let words: Option<Vec<&str>> = arguments.iter().map(|argument| argument.to_str()).collect();
    let result = match words.as_deref() {
        Some(["demo"]) => demo::run(&run::root(), false).map(|()| ExitCode::SUCCESS),
        Some(["demo", "--live"]) => demo::run(&run::root(), true).map(|()| ExitCode::SUCCESS),
        _ => other(&arguments),
    };
    result.unwrap_or_else(|error| {
        eprintln!("\n✗ {error:#}");
        ExitCode::FAILURE
    })
}

/// Another command, help included. Its exit code is that of this program.
fn other(arguments: &[OsString]) -> Result<ExitCode> {
    let mut command = Command::new(run::cargo_program());
    command.args(["run", "--package", "xtask", "--"]).args(arguments);
    let status = command.status().context("cannot start cargo")?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}
