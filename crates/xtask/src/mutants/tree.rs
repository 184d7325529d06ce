//! A copy of the sources in which one mutant after the other is built and tested.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use xtask_demo::run::{self, command, output, succeed};

use super::Mutant;
use super::record::{Outcome, Record};
use super::scope::{Phase, Scope};

/// The version of cargo-mutants: another one makes other mutants.
const VERSION: &str = "27.1.0";
const PROFILE: &str = "--profile=mutants";

pub struct Tree {
    folder: PathBuf,
    /// Where cargo-mutants writes its logs.
    logs: PathBuf,
    /// The command of OpenBao, for tests of sources.
    bao: PathBuf,
}

impl Tree {
    /// Makes the tree with this number, or brings it to the commit of `root`. What was built before stays.
    pub fn prepare(root: &Path, parent: &Path, number: usize, bao: &Path) -> Result<Self> {
        let folder = parent.join(format!("tree-{number}"));
        fs::create_dir_all(parent)?;
        if !folder.is_dir() {
            let mut clone = command(parent, "git", &["clone", "--quiet", "--shared", "--no-checkout"]);
            succeed(clone.arg(root).arg(&folder))?;
        }
        let commit = output(&mut command(root, "git", &["rev-parse", "HEAD"]))?;
        succeed(command(&folder, "git", &["fetch", "--quiet"]).arg(root).arg("HEAD"))?;
        // A killed run leaves its mutant in the file.
        succeed(&mut command(
            &folder,
            "git",
            &["checkout", "--quiet", "--force", "--detach", commit.trim()],
        ))?;
        let logs = parent.join(format!("logs-{number}"));
        fs::create_dir_all(&logs)?;
        Ok(Self { folder, logs, bao: bao.to_owned() })
    }

    /// Runs the tests of `phase` without a mutant. Returns how long they take once they are built.
    pub fn time(&self, scope: &Scope, phase: &Phase) -> Result<Duration> {
        let test = || {
            let mut test = self.cargo(&["test", "--quiet", PROFILE, "-p", phase.package]);
            test.args(phase.programs);
            test
        };
        succeed(test().arg("--no-run").stdout(Stdio::null()).stderr(Stdio::null()))?;
        let begun = Instant::now();
        let mut tests = test();
        tests.arg("--").args(phase.arguments).envs(environment(phase));
        output(&mut tests).with_context(|| format!("{}: the tests fail without a mutant", scope.name))?;
        Ok(begun.elapsed())
    }

    /// Tests `mutants` with the tests of `phase`.
    pub fn test(
        &self,
        scope: &Scope,
        phase: &Phase,
        mutants: &[&Mutant],
        limit: Duration,
    ) -> Result<Vec<Record>> {
        let names: Vec<String> = mutants.iter().map(|mutant| escape(&mutant.name)).collect();
        let mut command = self.cargo_mutants(scope.package);
        command.args(["--in-place", "--baseline=skip", PROFILE, "--build-timeout=900", "--timeout"]);
        command.arg(limit.as_secs().to_string()).arg("--output").arg(&self.logs);
        // Mutants that delete a field of a struct pass every `--re`, so the file is named, too.
        command.arg("--re").arg(format!("^(?:{})$", names.join("|")));
        command.args(mutants.iter().take(1).flat_map(|mutant| ["--file", mutant.path()]));
        let tested = if phase.package.is_empty() { scope.package } else { phase.package };
        command.arg(format!("--test-package={tested}"));
        command.args(phase.programs.iter().map(|program| format!("--cargo-arg={program}")));
        command.args(["--", "--"]).args(phase.arguments).envs(environment(phase));
        let (printed, outcomes) = (self.logs.join("printed"), self.logs.join("mutants.out/outcomes.json"));
        // cargo-mutants could fail before it writes its own.
        drop(fs::remove_file(&outcomes));
        let file = fs::File::create(&printed)?;
        // cargo-mutants fails if a mutant survives, so its status states little.
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file).status().with_context(needed)?;
        let found = fs::read_to_string(&outcomes)
            .with_context(|| format!("cargo-mutants failed: {}", printed.display()))?;
        let found: Value = serde_json::from_str(&found)?;
        let outcomes = found["outcomes"].as_array().context("outcomes.json has no outcomes")?;
        let records = mutants.iter().map(|mutant| {
            let is_its = |outcome: &&Value| outcome["scenario"]["Mutant"]["name"] == mutant.name.as_str();
            let outcome =
                outcomes.iter().find(is_its).with_context(|| format!("{} was not tested", mutant.name))?;
            let phases = outcome["phase_results"].as_array().context("an outcome has phases")?;
            let seconds = phases.iter().filter_map(|phase| phase["duration"].as_f64()).sum();
            let is_built = phases.last().is_some_and(|last| last["phase"] == "Test");
            ensure!(is_built || outcome["summary"] != "Timeout", "the build of {} did not end", mutant.name);
            Ok(Record::new(mutant, summary(&outcome["summary"])?, seconds))
        });
        records.collect()
    }

    /// Fails if another version of cargo-mutants is installed, or none.
    pub fn check_version(&self) -> Result<()> {
        let found = output(&mut self.cargo(&["mutants", "--version"])).with_context(needed)?;
        ensure!(
            found.trim() == format!("cargo-mutants {VERSION}"),
            "{} is installed. {}",
            found.trim(),
            needed()
        );
        Ok(())
    }

    /// Lists the mutants of a package, as JSON.
    pub fn list(&self, package: &str) -> Result<String> {
        output(self.cargo_mutants(package).args(["--list", "--json"])).with_context(needed)
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn cargo_mutants(&self, package: &str) -> Command {
        let mut mutants = self.cargo(&["mutants", "--no-config", "--colors=never"]);
        mutants.arg(format!("--package={package}"));
        mutants
    }

    fn cargo(&self, arguments: &[&str]) -> Command {
        let mut cargo = run::cargo(&self.folder, arguments);
        cargo.env_remove("CARGO_TARGET_DIR").env("JUSTCALL_BAO", &self.bao);
        cargo
    }
}

fn needed() -> String {
    format!("cargo-mutants is needed: cargo install --locked cargo-mutants@{VERSION}")
}

fn environment(phase: &Phase) -> impl Iterator<Item = (&'static str, &'static str)> {
    phase.cases.map(|cases| ("PROPTEST_CASES", cases)).into_iter()
}

fn summary(summary: &Value) -> Result<Outcome> {
    match summary.as_str().unwrap_or_default() {
        // A test that does not end detects its mutant.
        "CaughtMutant" | "Timeout" => Ok(Outcome::Caught),
        "MissedMutant" => Ok(Outcome::Survived),
        "Unviable" => Ok(Outcome::Unviable),
        other => anyhow::bail!("cargo-mutants ended with {other}"),
    }
}

/// Returns a regular expression that matches only `name`. `\<` would be the start of a word.
fn escape(name: &str) -> String {
    let is_special = |letter| r"\.+*?()|[]{}^$#&-~".contains(letter);
    name.chars().flat_map(|letter| is_special(letter).then_some('\\').into_iter().chain([letter])).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn it_matches_a_name_literally() {
        assert_eq!(
            super::escape("a.rs:1: replace * with f -> Vec<u8>"),
            r"a\.rs:1: replace \* with f \-> Vec<u8>"
        );
    }
}
