//! `cargo xtask COMMAND`: runs the demo, starts the installation, and passes every other command to `crates/xtask`, which takes
//! longer to compile.

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
        // In the profile of the demo, which compiles faster and may have compiled most of it.
        Some(["install", ..]) => {
            run::hand_over(run::package_in_profile("demo", "xtask-package", &[]).args(&arguments))
        }
        _ => run::hand_over(run::package("xtask", &[]).args(&arguments)),
    })
}
