//! A copy of the sources in which one mutant after the other is built and tested.

use std::collections::HashMap;
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
/// Attributes of functions that are not compiled on Linux on x86-64, without a model checker.
const OTHER_SYSTEMS: [&str; 10] = [
    "#[cfg(windows)]",
    "#[cfg(not(unix))]",
    "#[cfg(not(target_os = \"linux\"))]",
    "#[cfg(not(any(unix",
    "#[cfg(target_arch = \"aarch64\")]",
    "#[cfg(not(any(target_arch",
    "#[cfg(not(all(unix",
    "#[cfg(shuttle)]",
    "#[cfg(target_family = \"wasm\")]",
    "#[cfg(target_vendor = \"apple\")]",
];
const PROFILE: &str = "--profile=mutants";

pub struct Tree {
    folder: PathBuf,
    /// Where cargo-mutants writes its logs.
    logs: PathBuf,
}

impl Tree {
    /// Makes the tree with this number, or brings it to the commit of `root`. What was built before stays.
    pub fn prepare(root: &Path, parent: &Path, number: usize) -> Result<Self> {
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
        Ok(Self { folder, logs })
    }

    /// Returns the mutants of a package, without those in tests and in functions for other systems: both survive because
    /// they are not compiled into what is tested.
    pub fn mutants(&self, package: &str) -> Result<Vec<Mutant>> {
        let mut hashes = HashMap::new();
        let tracked =
            output(&mut command(&self.folder, "git", &["ls-files", "--stage", "--abbrev=12", "crates"]))?;
        for line in tracked.lines() {
            let (columns, path) = line.split_once('\t').context("git ls-files --stage has a tab")?;
            let hash = columns.split(' ').nth(1).context("git ls-files --stage has a hash")?;
            hashes.insert(path, hash);
        }
        let mut list = self.cargo_mutants(package);
        let list = output(list.args(["--list", "--json"])).with_context(needed)?;
        let list: Value = serde_json::from_str(&list)?;
        let mut sources: HashMap<&str, String> = HashMap::new();
        let mut mutants = Vec::new();
        for mutant in list.as_array().context("a list")? {
            let name = mutant["name"].as_str().context("a mutant has a name")?.to_owned();
            let path = mutant["file"].as_str().context("a mutant has a file")?;
            let file = (*hashes.get(path).with_context(|| format!("{path} is not tracked"))?).to_owned();
            if !sources.contains_key(path) {
                sources.insert(path, fs::read_to_string(self.folder.join(path))?);
            }
            let line = mutant["function"]["span"]["start"]["line"].as_u64();
            let line = line.and_then(|line| usize::try_from(line).ok()).unwrap_or_default();
            if !name.contains(" tests::") && !is_for_another_system(&sources[path], line) {
                mutants.push(Mutant { name, file });
            }
        }
        Ok(mutants)
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

    fn cargo_mutants(&self, package: &str) -> Command {
        let mut mutants = self.cargo(&["mutants", "--no-config", "--colors=never"]);
        mutants.arg(format!("--package={package}"));
        mutants
    }

    fn cargo(&self, arguments: &[&str]) -> Command {
        let mut cargo = run::cargo(&self.folder, arguments);
        cargo.env_remove("CARGO_TARGET_DIR");
        cargo
    }
}

/// Whether the attributes of the function that starts with them at `line` exclude Linux on x86-64.
fn is_for_another_system(source: &str, line: usize) -> bool {
    let lines = source.lines().skip(line.saturating_sub(1)).map(str::trim_start);
    let mut attributes = lines.take_while(|line| line.starts_with("#[") || line.starts_with("//"));
    attributes.any(|line| OTHER_SYSTEMS.iter().any(|attribute| line.starts_with(attribute)))
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
    fn it_knows_functions_for_other_systems() {
        let source = "#[cfg(unix)]\nfn a() {}\n\n#[cfg(windows)]\n/// Text.\nfn b() {\n}\nfn c() {}\n";
        assert_eq!(
            [1, 4, 8, 0].map(|line| super::is_for_another_system(source, line)),
            [false, true, false, false]
        );
    }

    #[test]
    fn it_matches_a_name_literally() {
        assert_eq!(
            super::escape("a.rs:1: replace * with f -> Vec<u8>"),
            r"a\.rs:1: replace \* with f \-> Vec<u8>"
        );
    }
}
