//! `cargo xtask bench`: compares the cost of a verified request with that of libcurl, requests, httpx and pycurl.
//!
//! Absolute times differ between machines and from minute to minute, but ratios taken side by side are stable.
//! Therefore every peer is a process that connects once to the same nginx and then waits for commands. In every round
//! each peer makes the same number of requests, in a new order. The report has the median over the rounds of the ratio
//! within a round, with its 95 % interval.
//!
//! On a busy machine, run `chrt --rr 1 cargo xtask bench` as root, which runs the peers before other work. Otherwise
//! slow peers are interrupted more often than fast ones, which distorts the ratios.

mod build;
mod cancel;
mod counts;
mod gate;
mod goals;
mod launcher;
mod machine;
mod measured;
mod memory;
mod phases;
mod picture;
mod profile;
mod report;
mod requests;
mod scale;
mod scan;
mod server;
mod startup;
mod statistics;
mod texts;
mod webhooks;
mod worker;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, bail, ensure};
use clap::{Parser, ValueEnum};
use xtask_demo::packages;
use xtask_demo::run::{self, step};

use crate::goals::Goal;
use crate::measured::Measured;
use crate::report::BenchReport;

/// Measure requests and start-up beside libcurl, requests, httpx and pycurl, and write docs/evidence/performance.md.
#[derive(Parser)]
#[command(bin_name = "cargo xtask bench")]
struct BenchOptions {
    /// How many rounds. Fewer than 20 give a wide interval.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(2..))]
    rounds: u32,
    /// How many requests each peer makes in a round.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    requests: u32,
    /// Measure only one part, and leave docs/evidence/performance.md as it is.
    #[arg(long, value_name = "NAME")]
    only: Option<Part>,
    /// Only count the instructions and allocations of a verification, and fail if they exceed bench/counts.json.
    #[arg(long, conflicts_with_all = ["only", "check"])]
    gate: bool,
    /// Write the counts of this machine to bench/counts.json instead of comparing them.
    #[arg(long, requires = "gate")]
    update: bool,
    /// Fail if a goal is missed. A goal that cannot be decided is not a failure.
    #[arg(long)]
    check: bool,
    /// Cancel calls that resolve a name. The bench starts itself with this, where no name server answers.
    #[arg(long, hide = true, value_name = "ROUNDS")]
    resolving: Option<u32>,
}

/// A part of the measurement.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Sequential verifications on one kept connection.
    Verify,
    /// Sequential POSTs of 1 KiB on one kept connection.
    Post,
    /// A program that starts, verifies once and ends.
    Startup,
    /// The cost of protecting the pair.
    Memory,
    /// How fast `scan` searches text.
    Scan,
    /// How soon a cancelled call ends.
    Cancel,
    /// The verification of webhooks.
    Webhooks,
    /// Instructions and allocations.
    Counts,
    /// Threads, pairs, sizes, and the memory of what is idle.
    Scale,
}

fn main() -> ExitCode {
    let options = BenchOptions::parse();
    run::exit_code(match options.resolving {
        Some(rounds) => cancel::resolve(rounds),
        None if options.gate => gate::run(&run::root(), options.update),
        None => bench(&run::root(), &options),
    })
}

/// Measures, prints the report, and writes docs/evidence/performance.md. With `--check`, fails if a goal is missed.
fn bench(root: &Path, options: &BenchOptions) -> Result<()> {
    step("Debian packages", || packages::ensure(root, packages::BENCH))?;
    let needs_only_workers = matches!(options.only, Some(Part::Counts | Part::Scale));
    let (machine, measured) = if needs_only_workers {
        let workers = build::workers(root)?;
        let mut measured = Measured::default();
        measured.measure_workers(options, &workers, &server::Server::start(root)?)?;
        (machine::describe(root), measured)
    } else {
        let programs = build::all(root)?;
        let server = server::Server::start(root)?;
        (machine::describe(root), Measured::measure(root, options, &programs, &server)?)
    };
    let goals = goals::judge(&measured);
    let report = BenchReport { machine, rounds: options.rounds, requests: options.requests, measured, goals };
    println!("\n{}", report.for_terminal());
    if options.only.is_none() {
        std::fs::create_dir_all(root.join("docs/evidence"))?;
        std::fs::write(root.join("docs/evidence/performance.md"), report.markdown())?;
        std::fs::write(root.join("docs/evidence/performance-ladder.svg"), picture::ladder(&report.measured))?;
        std::fs::write(
            root.join("docs/evidence/performance-threads.svg"),
            picture::threads(&report.measured),
        )?;
        println!("written to docs/evidence/performance.md");
    }
    if options.check { check(&report.goals) } else { Ok(()) }
}

fn check(goals: &[Goal]) -> Result<()> {
    let missed: Vec<_> =
        goals.iter().filter(|goal| goal.is_missed()).map(|goal| goal.what.as_str()).collect();
    if !missed.is_empty() {
        bail!("missed: {}", missed.join("; "));
    }
    ensure!(!goals.is_empty(), "the measured parts have no goal");
    Ok(())
}
