//! `cargo xtask COMMAND`: runs the demo, and passes every other command to `crates/xtask`, which takes longer to compile.

use std::env;
use std::ffi::OsString;
use std::process::ExitCode;

use xtask_demo::{demo, run};

fn main() -> ExitCode {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    let words: Option<Vec<&str>> = arguments.iter().map(|argument| argument.to_str()).collect();
    run::exit_code(match words.as_deref() {
        Some(["demo"]) => demo::run(&run::root(), false).map(|()| ExitCode::SUCCESS),
        Some(["demo", "--live"]) => demo::run(&run::root(), true).map(|()| ExitCode::SUCCESS),
        _ => run::hand_over(run::package("xtask", &[]).args(&arguments)),
    })
}
