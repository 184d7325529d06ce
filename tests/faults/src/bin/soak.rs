//! `soak [--seconds N]`: programs in C and Python call without a pause, at the same time. Prints their memory, descriptors and
//! threads for each minute as Markdown, and fails if one of them grows. By default ten minutes.

use std::process::ExitCode;

use anyhow::{Result, bail};
use justcall_auth_fault_tests::programs::Programs;
use justcall_auth_fault_tests::soak::{Load, check_planted, soak};
use justcall_auth_fault_tests::vectors::caller::Language;

/// How long each planted bug runs, in seconds.
const PLANTED: u64 = 12;

fn main() -> Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let seconds = match &arguments[..] {
        [] => 600,
        [name, seconds] if name == "--seconds" => seconds.parse()?,
        _ => bail!("soak [--seconds N]"),
    };
    let programs = Programs::find()?;
    let crowd = Load { language: Language::C, threads: 1000, clients: 10_000, plant: "none" };
    let loads = [Language::C, Language::Python].map(|language| Load {
        language,
        threads: 8,
        clients: 10_000,
        plant: "none",
    });
    let mut soaks = soak(&programs, &loads, seconds)?;
    soaks.extend(soak(&programs, &[crowd], (seconds / 10).max(8))?);
    let mut is_good = true;
    for soak in &soaks {
        print!("{}", soak.table());
        for promise in soak.broken() {
            is_good = false;
            println!("\nBroken: {promise}.");
        }
    }
    println!("\nPlanted bugs, each noticed: loss of {}.", check_planted(&programs, PLANTED)?.join(", "));
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
