//! `allocations`: lets every allocation of every case fail once, prints the results as Markdown, and fails if a promise was
//! broken. Of a case with more allocations than `MOST`, it tries an even share.
//! `allocations PROGRAM` tries only the cases of `C` or `Python`.

use std::process::ExitCode;

use anyhow::Result;
use justcall_auth_fault_tests::allocations::{broken, report, sweep};
use justcall_auth_fault_tests::planted;
use justcall_auth_fault_tests::programs::{Program, Programs};
use justcall_auth_fault_tests::run::Case;
use justcall_auth_fault_tests::scenario::OF_LIBRARY;

/// The most failures of one case in C, and of one in Python, whose interpreter allocates too.
const MOST: [(Program, usize); 2] = [(Program::C, 4000), (Program::Python, 300)];

fn main() -> Result<ExitCode> {
    let programs = Programs::find()?;
    let only = std::env::args().nth(1);
    let mut sweeps = Vec::new();
    let is_chosen = |program: Program| only.as_deref().is_none_or(|only| only == program.name());
    for (program, most) in MOST.into_iter().filter(|(program, _)| is_chosen(*program)) {
        let cases = OF_LIBRARY.map(|scenario| Case { program, scenario });
        sweeps.extend(sweep(&programs, &cases, most, "none")?);
    }
    print!("{}", report(&sweeps));
    println!("\nPlanted bugs, each noticed: {}.", planted::check(&programs)?.join(", "));
    let broken = broken(&sweeps);
    for promise in &broken {
        eprintln!("{promise}");
    }
    Ok(if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
