//! `cargo xtask simulate`: the exchange and the keyring in a simulated world.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};
use clap::Parser;
use justcall_auth_simulation::{Plant, Report, Seen, run};

/// How often the progress is shown on a terminal.
const INTERVAL: Duration = Duration::from_secs(2);
/// In so many requests every fault and every branch is exercised.
const ENOUGH: u64 = 600_000;

/// Simulate processes, calls, resets and faults, and check what the library promises of them.
///
/// Runs episodes, each with another seed: the first one with --seed, the next ones with the seeds after it. An episode is a
/// few minutes of simulated time with up to eight processes. The first promise that is not kept ends the run with the events
/// before it and the command that repeats it.
#[derive(Parser)]
#[command(bin_name = "cargo xtask simulate")]
struct Options {
    /// The seed of the first episode. The same seed gives the same episode on every machine.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// Stop after this number of requests. [default: 1000000, unless another limit is given]
    #[arg(long, value_name = "NUMBER")]
    requests: Option<u64>,
    /// Stop after this time.
    #[arg(long, value_name = "NUMBER")]
    seconds: Option<u64>,
    /// Stop after this number of episodes: 1 repeats the episode of --seed.
    #[arg(long, value_name = "NUMBER")]
    episodes: Option<u64>,
    /// Plant a bug, to see it found.
    #[arg(long, value_name = "BUG", value_parser = plant, long_help = plants())]
    plant: Option<Plant>,
    /// Show how often each fault and each branch was exercised.
    #[arg(long)]
    coverage: bool,
}

fn plant(name: &str) -> Result<Plant> {
    let known = Plant::ALL.iter().map(|(plant, _)| *plant);
    known.into_iter().find(|plant| format!("{plant:?}") == name).ok_or_else(|| anyhow!("{}", plants()))
}

fn plants() -> String {
    let rows = Plant::ALL.iter().map(|(plant, check)| format!("\n  {plant:?}: {}", check.promise()));
    format!(
        "Plant a bug, to see it found. BUG is one of these, each with the promise that it breaks:{}",
        rows.collect::<String>()
    )
}

fn main() -> Result<()> {
    let options = Options::parse();
    let has_limit = options.seconds.is_some() || options.episodes.is_some();
    let what = justcall_auth_simulation::Options {
        seed: options.seed,
        requests: options.requests.or((!has_limit).then_some(1_000_000)),
        time: options.seconds.map(Duration::from_secs),
        episodes: options.episodes,
        plant: options.plant,
    };
    let report = watch(&what)?;
    if options.coverage {
        for what in Seen::ALL {
            println!("{:>12}  {}", report.coverage.count(*what), what.name());
        }
    }
    check_coverage(&report)
}

/// Simulates, and prints what was run in one line; a terminal shows the progress.
fn watch(what: &justcall_auth_simulation::Options) -> Result<Report> {
    let is_terminal = io::stderr().is_terminal();
    let mut shown = Instant::now();
    let report = run(what, |report| {
        if is_terminal && shown.elapsed() >= INTERVAL {
            shown = Instant::now();
            eprint!("\r{report}\x1b[K");
            drop(io::stderr().flush());
        }
    });
    if is_terminal {
        eprint!("\r\x1b[K");
    }
    let report = report.map_err(|violation| anyhow!("a promise was not kept\n\n{violation}"))?;
    println!("{report}");
    Ok(report)
}

/// A fault that is never exercised finds nothing.
fn check_coverage(report: &Report) -> Result<()> {
    let missing: Vec<&str> = report.coverage.missing().into_iter().map(Seen::name).collect();
    let is_enough = report.coverage.count(Seen::Requests) >= ENOUGH;
    ensure!(!is_enough || missing.is_empty(), "never exercised: {}", missing.join("; "));
    Ok(())
}
