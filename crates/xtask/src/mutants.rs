//! `cargo xtask mutants`: small faults are put into the exchange and the keyring, one at a time; the tests must notice.
//!
//! Two runs of cargo-mutants. In the first one every fault meets the quick tests, with few random cases. What survives
//! meets all tests of the crate in the second one, the unit tests and the simulation included.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use xtask_demo::run;

/// What is changed.
const FILES: [&str; 3] = [
    "crates/justcall-auth-protocol/src/exchange/**",
    "crates/justcall-auth-protocol/src/keyring/**",
    "crates/justcall-auth-protocol/src/refresh.rs",
];
/// The tests that take seconds together. Each needs to be built for every fault, so the others wait for the second run.
const QUICK: [&str; 5] = ["delivery", "driver", "exchange", "rotation", "usage"];
/// Two of them take longer than all the others.
const SLOW: [&str; 2] = ["it_holds_calls_for_the_whole_wait", "it_ends_the_wait_when_it_is_over"];
/// The faults that no test can notice, each with its reason.
const EQUIVALENT: &str = "tests/equivalent-mutants.txt";
/// As many of the faults that compile must be noticed, in percent.
const REQUIRED: usize = 95;

/// What to run.
#[derive(clap::Args)]
pub struct Options {
    /// How many faults are tried at the same time.
    #[arg(long, value_name = "NUMBER", default_value_t = 2)]
    jobs: usize,
    /// Only faults whose name contains this regular expression.
    #[arg(long, value_name = "REGEX")]
    only: Option<String>,
}

/// What became of a fault.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Caught,
    Survived,
    /// It does not compile.
    Unviable,
}

/// Runs cargo-mutants twice, and prints how many faults of each file the tests noticed.
pub fn run(root: &Path, options: &Options) -> Result<()> {
    let folder = run::target_dir(root).join("mutants-report");
    // The second run skips what an earlier one noticed, and that must be the first run of these two.
    drop(fs::remove_dir_all(&folder));
    fs::create_dir_all(&folder)?;
    let quick: Vec<String> = QUICK.iter().map(|test| format!("--test={test}")).collect();
    let mut outcomes = BTreeMap::new();
    run::step("Mutants: the quick tests", || mutate(root, options, &folder, &quick, &mut outcomes))?;
    if outcomes.values().any(|outcome| *outcome == Outcome::Survived) {
        let all = ["--lib".to_owned(), "--tests".to_owned()];
        run::step("Mutants: all tests", || mutate(root, options, &folder, &all, &mut outcomes))?;
    }
    report(root, options, &outcomes)
}

/// Runs cargo-mutants with the tests that `tests` name, and adds what it found to `outcomes`.
fn mutate(
    root: &Path,
    options: &Options,
    folder: &Path,
    tests: &[String],
    outcomes: &mut BTreeMap<String, Outcome>,
) -> Result<()> {
    let jobs = options.jobs.to_string();
    let mut command = run::cargo(root, &["mutants", "--package=justcall-auth-protocol", "--profile=mutants"]);
    command.args(["--no-config", "--jobs", &jobs, "--output"]).arg(folder);
    command.args(FILES.iter().flat_map(|file| ["--file", file]));
    command.args(options.only.iter().flat_map(|only| ["--re", only]));
    command.args(tests.iter().map(|test| format!("--cargo-arg={test}")));
    if outcomes.is_empty() {
        command.env("PROPTEST_CASES", "40").args(["--", "--"]);
        command.args(SLOW.iter().flat_map(|test| ["--skip", test]));
    } else {
        command.arg("--iterate");
    }
    // It fails when a fault survives; the report decides about that.
    command.status().context("cargo-mutants is needed: cargo install --locked cargo-mutants@27.1.0")?;
    let found =
        fs::read_to_string(folder.join("mutants.out/outcomes.json")).context("cargo-mutants failed")?;
    let found: Value = serde_json::from_str(&found)?;
    for outcome in found["outcomes"].as_array().context("outcomes.json has no outcomes")? {
        let summary = outcome["summary"].as_str().unwrap_or_default();
        let Some(name) = outcome["scenario"]["Mutant"]["name"].as_str() else {
            ensure!(summary == "Success", "the tests fail without any fault: {summary}");
            continue;
        };
        let outcome = match summary {
            // Tests that do not end are tests that fail.
            "CaughtMutant" | "Timeout" => Outcome::Caught,
            "Unviable" => Outcome::Unviable,
            _ => Outcome::Survived,
        };
        outcomes.insert(name.to_owned(), outcome);
    }
    Ok(())
}

/// Prints a line a file, then the survivors; fails if there are too many, or one that is not listed as equivalent.
fn report(root: &Path, options: &Options, outcomes: &BTreeMap<String, Outcome>) -> Result<()> {
    let list = fs::read_to_string(root.join(EQUIVALENT)).context(EQUIVALENT)?;
    let mut files: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for (name, outcome) in outcomes.iter().filter(|(_, outcome)| **outcome != Outcome::Unviable) {
        let (caught, viable) = files.entry(name.split(':').next().unwrap_or_default()).or_default();
        *caught += usize::from(*outcome == Outcome::Caught);
        *viable += 1;
    }
    for (file, (caught, viable)) in &files {
        println!("{caught:>4} of {viable:>4}  {file}");
    }
    let caught: usize = files.values().map(|(caught, _)| caught).sum();
    let viable: usize = files.values().map(|(_, viable)| viable).sum();
    println!("{caught:>4} of {viable:>4}  of {} in all", outcomes.len());
    let survivors = outcomes.iter().filter(|(_, outcome)| **outcome == Outcome::Survived);
    let is_listed = |name: &str| list.lines().any(|line| line == without_position(name));
    let unlisted: Vec<&str> =
        survivors.map(|(name, _)| name.as_str()).filter(|name| !is_listed(name)).collect();
    ensure!(unlisted.is_empty(), "not noticed, and not in {EQUIVALENT}:\n{}", unlisted.join("\n"));
    // Of a few chosen faults, the share says nothing.
    let is_enough = options.only.is_some() || caught * 100 >= viable * REQUIRED;
    ensure!(is_enough, "less than {REQUIRED} % were noticed");
    Ok(())
}

/// The name without line and column, which every edit of the file changes.
fn without_position(name: &str) -> String {
    let mut parts = name.splitn(4, ':');
    let file = parts.next().unwrap_or_default();
    format!("{file}:{}", parts.nth(2).unwrap_or_default())
}
