//! Looks at every moment and prints the table; fails when a moment is not as it must be.

use std::process::ExitCode;

use anyhow::Result;
use justcall_auth_memory_tests::matrix::{Outcome, judge, sample};
use justcall_auth_memory_tests::programs::{Kind, Programs};
use justcall_auth_memory_tests::rows::{Level, Plan, ROWS};
use justcall_auth_memory_tests::sandbox::Sandbox;

fn main() -> Result<ExitCode> {
    let only = std::env::args().nth(1).unwrap_or_default();
    let programs = Programs::find()?;
    let sandbox = Sandbox::start(&programs.sandbox())?;
    let mut good = true;
    for kind in [Kind::C, Kind::CWithTestPanic, Kind::Python] {
        for level in [Level::Locked, Level::SecretMem] {
            for threads in [1, 4] {
                let plan = Plan { kind, level, threads, buffers: None };
                for row in ROWS.iter().filter(|row| row.needs_panic == (kind == Kind::CWithTestPanic)) {
                    if row.name.contains(&only) {
                        good &= show(row.name, plan, judge(&programs, &sandbox, row, plan));
                    }
                }
                if kind != Kind::CWithTestPanic && "sampled".contains(&only) {
                    good &= show("sampled 200 times", plan, sample(&programs, &sandbox, plan, 200));
                }
            }
        }
    }
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn show(name: &str, plan: Plan, outcome: Result<Outcome>) -> bool {
    let head = format!("{name} | {} | {} | {}", plan.kind.name(), plan.level.name(), plan.threads);
    match outcome {
        Err(error) => println!("{head} | not reached: {error:#}"),
        Ok(outcome) => {
            println!(
                "{head} | {} | {} | {:?} | {:?}",
                outcome.copies, outcome.core_copies, outcome.heap, outcome.complaints
            );
            for (place, count) in &outcome.places {
                println!("    {count} × {place}");
            }
            return outcome.complaints.is_empty();
        }
    }
    false
}
