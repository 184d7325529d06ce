//! `cargo xtask fuzz`: the targets of `tests/fuzz` under libFuzzer, and docs/evidence/fuzzing.md.
//!
//! The results of a target are kept under target/full-fuzz, with the hash of the code that it runs. A run goes on where an
//! earlier one of the same code ended.

mod build;
mod campaign;
mod corpus;
mod report;

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use xtask_demo::run::{self, step};

use campaign::{Campaign, Progress};

/// What each target gets in `--full`, in seconds of processor time.
const FULL_SECONDS: u64 = 600;
/// The control: a target that does not hold.
const PLANTED: &str = "planted";

/// The options of the command.
#[derive(clap::Args)]
pub struct FuzzOptions {
    /// The targets. Without a name, all of them, and the report is written.
    names: Vec<String>,
    /// How many seconds of processor time each target gets.
    #[arg(long, value_name = "NUMBER", default_value_t = FULL_SECONDS)]
    seconds: u64,
    /// The seed of the first run of each target.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u32,
    /// How many targets run at the same time.
    #[arg(long, value_name = "NUMBER", default_value_t = 2)]
    jobs: usize,
    /// Then add small inputs that reach more code than the known ones to fuzz/corpus.
    #[arg(long)]
    keep: bool,
}

impl FuzzOptions {
    /// What `--full` runs.
    pub fn full() -> Self {
        Self { names: Vec::new(), seconds: FULL_SECONDS, seed: 1, jobs: 2, keep: false }
    }
}

/// A target: its name, and what must hold for it.
type Named = (String, String);

/// Runs the targets. Writes the report if all of them were run.
pub fn run(root: &Path, options: &FuzzOptions) -> Result<()> {
    let report = report::begin(options);
    let folder = run::target_dir(root).join("full-fuzz");
    let programs = step("the targets with libFuzzer", || build::programs(root))?;
    let seeds = folder.join("seeds");
    let targets = build::targets(root, &seeds)?;
    let selected: Vec<&Named> = targets
        .iter()
        .filter(|(name, _)| name != PLANTED)
        .filter(|(name, _)| options.names.is_empty() || options.names.contains(name))
        .collect();
    ensure!(
        selected.len() >= options.names.len(),
        "a target does not exist: see `--list` of justcall-auth-fuzz-targets"
    );
    let campaign = Campaign {
        root,
        programs: &programs,
        folder: &folder,
        seeds: &seeds,
        seconds: options.seconds,
        seed: options.seed,
    };
    let planted = step("the planted bug", || campaign.find_planted(PLANTED))?;
    let names: Vec<&str> = selected.iter().map(|(name, _)| name.as_str()).collect();
    let all = step(&format!("{} targets, {} s each", names.len(), options.seconds), || {
        campaign.run_all(&names, options.jobs)
    })?;
    if options.keep {
        step("new inputs for the corpus", || {
            names
                .iter()
                .try_for_each(|name| corpus::keep(root, &programs, &seeds, &campaign.home(name)?, name))
        })?;
    }
    if options.names.is_empty() {
        let rows: Vec<(&Named, &Progress)> = selected.into_iter().zip(&all).collect();
        report::write(report, root, &rows, planted)?;
    }
    let failures: Vec<&PathBuf> = all.iter().filter_map(|progress| progress.failure.as_ref()).collect();
    ensure!(failures.is_empty(), "inputs fail, and each needs a test: {failures:?}");
    Ok(())
}
