//! `cargo xtask bench`: what a verified request costs beside the same with the field's usual clients.
//!
//! Absolute times differ from machine to machine and from minute to minute; ratios taken side by side hold. So every
//! peer is a process that connects once and then waits for commands; in every round each gets the same number of
//! requests, in a new order, against one nginx; and what is reported is the median over the rounds of the ratio within
//! a round, with its 95 % interval.
//!
//! On a busy machine `chrt --rr 1 cargo xtask bench`, as root, makes other work wait: what is slow is interrupted more
//! often than what is quick, so that ratios suffer too.

mod build;
mod cancel;
mod goals;
mod launcher;
mod machine;
mod measured;
mod memory;
mod report;
mod requests;
mod scan;
mod server;
mod startup;
mod statistics;
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
use crate::report::Report;

/// Measure requests and start-up beside libcurl, requests, httpx and pycurl, and write docs/bench.md.
#[derive(Parser)]
#[command(bin_name = "cargo xtask bench")]
struct Options {
    /// How many rounds; fewer than 20 are too few for a narrow interval.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(2..))]
    rounds: u32,
    /// How many requests each peer makes in a round.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    requests: u32,
    /// Measure one part alone, and leave docs/bench.md as it is.
    #[arg(long, value_name = "NAME")]
    only: Option<Part>,
    /// Fail when a goal is missed; one that cannot be decided is no failure.
    #[arg(long)]
    check: bool,
    /// Cancel calls that look up a name, in a process in which names are not found: a part of the measurement.
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
    /// What it costs to protect the pair.
    Memory,
    /// How fast `scan` looks through text.
    Scan,
    /// How soon a call ends that is cancelled.
    Cancel,
    /// Verifying webhooks.
    Webhooks,
}

fn main() -> ExitCode {
    let options = Options::parse();
    run::exit_code(match options.resolving {
        Some(rounds) => cancel::resolve(rounds),
        None => bench(&run::root(), &options),
    })
}

/// Measures, prints the report, and writes docs/bench.md. With `--check`, fails if a goal is missed.
fn bench(root: &Path, options: &Options) -> Result<()> {
    step("Debian packages", || packages::ensure(root, packages::BENCH))?;
    let programs = build::all(root)?;
    let server = server::Server::start(root)?;
    let machine = machine::describe(root);
    let measured = Measured::measure(root, options, &programs, &server)?;
    let goals = goals::judge(&measured);
    let report = Report { machine, rounds: options.rounds, requests: options.requests, measured, goals };
    println!("\n{}", report.for_terminal());
    if options.only.is_none() {
        std::fs::create_dir_all(root.join("docs"))?;
        std::fs::write(root.join("docs/bench.md"), report.markdown())?;
        println!("written to docs/bench.md");
    }
    if options.check { check(&report.goals) } else { Ok(()) }
}

fn check(goals: &[Goal]) -> Result<()> {
    let missed: Vec<_> =
        goals.iter().filter(|goal| goal.is_missed()).map(|goal| goal.what.as_str()).collect();
    if !missed.is_empty() {
        bail!("missed: {}", missed.join("; "));
    }
    ensure!(!goals.is_empty(), "no goal belongs to what was measured");
    Ok(())
}
