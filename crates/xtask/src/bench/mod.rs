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
mod machine;
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

use anyhow::{Result, bail, ensure};
use clap::{Args, ValueEnum};

pub use self::cancel::resolve;
use crate::packages;
use crate::run::step;

/// What to measure, and how long.
#[derive(Args)]
pub struct Options {
    /// How many rounds; fewer than 20 tell little.
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

/// Measures, prints the report, and writes docs/bench.md.
///
/// # Errors
/// When something cannot be built or a peer fails; with `--check`, when a goal is missed.
pub fn run(root: &Path, options: &Options) -> Result<()> {
    let wants = |part| options.only.is_none_or(|only| only == part);
    step("Debian packages", || packages::ensure(root, packages::BENCH))?;
    let programs = build::all(root)?;
    let server = server::Server::start(root)?;
    let machine = machine::describe(root);

    let mut requests = Vec::new();
    if wants(Part::Verify) || wants(Part::Post) {
        let jobs: Vec<_> = [(Part::Verify, requests::VERIFY), (Part::Post, requests::POST)]
            .into_iter()
            .filter_map(|(part, job)| wants(part).then_some(job))
            .collect();
        requests = step("requests on one connection", || {
            requests::measure(&programs, &server, &jobs, options.rounds, options.requests)
        })?;
    }
    let startup = if wants(Part::Startup) {
        step("start, verify once, end", || startup::measure(&programs, &server, options.rounds))?
    } else {
        Vec::new()
    };

    let memory = if wants(Part::Memory) {
        step("protecting the pair", || memory::measure(&programs, &server, options.rounds, options.requests))?
    } else {
        memory::Memory::default()
    };

    let scan = if wants(Part::Scan) {
        step("looking through text", || scan::measure(root, &programs, options.rounds))?
    } else {
        Vec::new()
    };

    let cancel = if wants(Part::Cancel) {
        step("cancelling calls", || cancel::measure(options.rounds))?
    } else {
        Vec::new()
    };

    let webhooks = if wants(Part::Webhooks) {
        step("verifying webhooks", || webhooks::measure(root, &programs))?
    } else {
        webhooks::Webhooks::default()
    };

    let mut goals = goals::judge(&requests);
    goals.extend(goals::judge_memory(&memory));
    goals.extend(goals::judge_scan(&scan));
    goals.extend(goals::judge_cancel(&cancel));
    goals.extend(goals::judge_webhooks(&webhooks));
    let report =
        report::Report { machine, options, requests, startup, memory, scan, cancel, webhooks, goals };
    println!("\n{}", report.for_terminal());
    if options.only.is_none() {
        std::fs::create_dir_all(root.join("docs"))?;
        std::fs::write(root.join("docs/bench.md"), report.markdown())?;
        println!("written to docs/bench.md");
    }
    if options.check {
        let missed: Vec<_> =
            report.goals.iter().filter(|goal| goal.is_missed()).map(|goal| goal.what.as_str()).collect();
        if !missed.is_empty() {
            bail!("missed: {}", missed.join("; "));
        }
        ensure!(!report.goals.is_empty(), "no goal belongs to what was measured");
    }
    Ok(())
}
