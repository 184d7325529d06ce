//! `syscalls`: lets every system call of every case fail once, prints the results as Markdown, and fails if a promise was
//! broken. `syscalls PROGRAM SCENARIO` tries only the cases of `C`, `Python` or `command`, and of the scenarios whose names
//! begin so. Both may be left out.

use std::process::ExitCode;

use anyhow::Result;
use justcall_auth_fault_tests::planted;
use justcall_auth_fault_tests::programs::{Program, Programs};
use justcall_auth_fault_tests::run::Case;
use justcall_auth_fault_tests::scenario::{OF_COMMAND, OF_LIBRARY};
use justcall_auth_fault_tests::sweep::{Extent, sweep};

fn main() -> Result<ExitCode> {
    let programs = Programs::find()?;
    let only = std::env::args().nth(1);
    let library =
        [Program::C, Program::Python].map(|program| OF_LIBRARY.map(|scenario| Case { program, scenario }));
    let command = OF_COMMAND.map(|scenario| Case { program: Program::Cli, scenario });
    let mut cases: Vec<_> = library.into_iter().flatten().chain(command).collect();
    cases.retain(|case| only.as_deref().is_none_or(|only| only == case.program.name()));
    if let Some(scenario) = std::env::args().nth(2) {
        cases.retain(|case| case.scenario.name().starts_with(&scenario));
    }
    let sweep = sweep(&programs, &cases, &Extent::Full, "none")?;
    print!("{}", sweep.report());
    println!("\nPlanted bugs, each noticed: {}.", planted::check(&programs)?.join(", "));
    let broken = sweep.broken();
    for promise in &broken {
        eprintln!("{promise}");
    }
    Ok(if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
