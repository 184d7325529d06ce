//! The simulation for longer than in CI: docs/evidence/simulation.md.

use std::fmt::Write as _;

use anyhow::{Context as _, Result, ensure};
use xtask_demo::run::{cargo, output_shown, package_in_profile, succeed};

use super::report::Report;
use super::stage::Stage;

const REQUESTS: &str = "120000000";
/// The fewest resets of a pair that the run must have.
const RESETS: u64 = 1_000_000;

const EXPLANATION: &str = "\
The product's exchange and keyring run, unchanged, in a simulated world of processes, clients, sources, a network and a service. Each
episode has another seed, so one number repeats it. [Its page](../../tests/simulation/README.md) lists the promises that are checked, and
what each check leaves out. No promise was broken. The second table counts how often each fault and each branch happened; the run fails
if one never did.
";

pub fn run(stage: &Stage<'_>) -> Result<()> {
    let planted =
        "one for each promise: `cargo test -p justcall-auth-simulation --test planted` found every one";
    let command = format!("cargo xtask simulate --requests {REQUESTS} --coverage");
    let mut report = Report::begin("Requests in a simulated world", &command, "1", planted);
    let name = "justcall-auth-simulation";
    succeed(&mut cargo(stage.root, &["test", "--quiet", "-p", name, "--test", "planted"]))?;
    let mut simulate = package_in_profile("release", name, &["--requests", REQUESTS, "--coverage"]);
    let printed = output_shown(simulate.current_dir(stage.root))?;
    let summary = printed.lines().next().context("the simulation printed nothing")?;
    let mut counts = String::new();
    let mut resets = 0;
    for (count, what) in printed.lines().skip(1).filter_map(|line| line.trim().split_once("  ")) {
        writeln!(counts, "| {what} | {count} |")?;
        if what.trim() == "resets of a pair" {
            resets = count.parse()?;
        }
    }
    ensure!(resets >= RESETS, "the simulation had {resets} resets, fewer than {RESETS}");
    report.add("result", summary.to_owned());
    report.write(stage.root, "simulation", &format!("{EXPLANATION}\n| what | times |\n|---|---|\n{counts}"))
}
