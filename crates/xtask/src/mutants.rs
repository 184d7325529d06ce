//! `cargo xtask mutants`: mutation tests of the exchange and the keyring.
//!
//! cargo-mutants puts one small fault at a time into the code, and a test must detect it. The first run tries every mutant
//! with the quick tests and few random cases. The second run tries the surviving mutants with all tests of the crate, the
//! unit tests and the simulation included.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use xtask_demo::run;

/// The files that are mutated.
const FILES: [&str; 3] = [
    "crates/justcall-auth-protocol/src/exchange/**",
    "crates/justcall-auth-protocol/src/keyring/**",
    "crates/justcall-auth-protocol/src/refresh.rs",
];
/// The test files of the first run, which together take seconds. Every test file is built for every mutant, so the others
/// are left to the second run.
const QUICK: [&str; 5] = ["delivery", "driver", "exchange", "rotation", "usage"];
/// Tests of these files that the first run skips, because they take longer than all the others.
const SLOW: [&str; 2] = ["it_holds_calls_for_the_whole_wait", "it_ends_the_wait_when_it_is_over"];
/// The mutants that no test can detect, each with its reason.
const EQUIVALENT: &str = "tests/equivalent-mutants.txt";
/// The share of the mutants that compile that the tests must detect, in per cent.
const REQUIRED: usize = 95;

/// The options of the command.
#[derive(clap::Args)]
pub struct MutantsOptions {
    /// How many mutants are tested at the same time.
    #[arg(long, value_name = "NUMBER", default_value_t = 2)]
    jobs: usize,
    /// Test only mutants whose name matches this regular expression.
    #[arg(long, value_name = "REGEX")]
    only: Option<String>,
}

/// The result of a mutant.
#[derive(Clone, Copy, PartialEq, Eq)]
enum MutantOutcome {
    Caught,
    Survived,
    /// The mutant does not compile.
    Unviable,
}

/// Runs cargo-mutants twice, and prints how many mutants of each file the tests detected.
pub fn run(root: &Path, options: &MutantsOptions) -> Result<()> {
    let folder = run::target_dir(root).join("mutants-report");
    // The second run skips the mutants that an earlier run caught. Remains of another command must not count as one.
    drop(fs::remove_dir_all(&folder));
    fs::create_dir_all(&folder)?;
    let quick: Vec<String> = QUICK.iter().map(|test| format!("--test={test}")).collect();
    let mut outcomes = BTreeMap::new();
    run::step("Mutants: the quick tests", || mutate(root, options, &folder, &quick, &mut outcomes))?;
    if outcomes.values().any(|outcome| *outcome == MutantOutcome::Survived) {
        let all = ["--lib".to_owned(), "--tests".to_owned()];
        run::step("Mutants: all tests", || mutate(root, options, &folder, &all, &mut outcomes))?;
    }
    report(root, options, &outcomes)
}

/// Runs cargo-mutants with the tests that `tests` selects, and adds the results to `outcomes`.
fn mutate(
    root: &Path,
    options: &MutantsOptions,
    folder: &Path,
    tests: &[String],
    outcomes: &mut BTreeMap<String, MutantOutcome>,
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
    // cargo-mutants fails if a mutant survives. `report` decides whether that is an error, so the status is ignored.
    command.status().context("cargo-mutants is needed: cargo install --locked cargo-mutants@27.1.0")?;
    let found =
        fs::read_to_string(folder.join("mutants.out/outcomes.json")).context("cargo-mutants failed")?;
    let found: Value = serde_json::from_str(&found)?;
    for outcome in found["outcomes"].as_array().context("outcomes.json has no outcomes")? {
        let summary = outcome["summary"].as_str().unwrap_or_default();
        let Some(name) = outcome["scenario"]["Mutant"]["name"].as_str() else {
            ensure!(summary == "Success", "the tests fail without a mutant: {summary}");
            continue;
        };
        let outcome = match summary {
            // A test that does not end detects its mutant.
            "CaughtMutant" | "Timeout" => MutantOutcome::Caught,
            "Unviable" => MutantOutcome::Unviable,
            _ => MutantOutcome::Survived,
        };
        outcomes.insert(name.to_owned(), outcome);
    }
    Ok(())
}

/// Prints a line for each file. Fails if a survivor is not listed as equivalent, or if there are too many of them.
fn report(root: &Path, options: &MutantsOptions, outcomes: &BTreeMap<String, MutantOutcome>) -> Result<()> {
    let list = fs::read_to_string(root.join(EQUIVALENT)).context(EQUIVALENT)?;
    let mut files: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for (name, outcome) in outcomes.iter().filter(|(_, outcome)| **outcome != MutantOutcome::Unviable) {
        let (caught, viable) = files.entry(name.split(':').next().unwrap_or_default()).or_default();
        *caught += usize::from(*outcome == MutantOutcome::Caught);
        *viable += 1;
    }
    for (file, (caught, viable)) in &files {
        println!("{caught:>4} of {viable:>4}  {file}");
    }
    let caught: usize = files.values().map(|(caught, _)| caught).sum();
    let viable: usize = files.values().map(|(_, viable)| viable).sum();
    println!("{caught:>4} of {viable:>4}  of {} in all", outcomes.len());
    let survivors = outcomes.iter().filter(|(_, outcome)| **outcome == MutantOutcome::Survived);
    let is_listed = |name: &str| list.lines().any(|line| line == without_position(name));
    let unlisted: Vec<&str> =
        survivors.map(|(name, _)| name.as_str()).filter(|name| !is_listed(name)).collect();
    ensure!(unlisted.is_empty(), "not detected, and not listed in {EQUIVALENT}:\n{}", unlisted.join("\n"));
    // The share of a few selected mutants has no meaning.
    let is_enough = options.only.is_some() || caught * 100 >= viable * REQUIRED;
    ensure!(is_enough, "the tests detected less than {REQUIRED} % of the mutants");
    Ok(())
}

/// Returns the name without line and column, which every edit of the file changes.
fn without_position(name: &str) -> String {
    let mut parts = name.splitn(4, ':');
    let file = parts.next().unwrap_or_default();
    format!("{file}:{}", parts.nth(2).unwrap_or_default())
}
