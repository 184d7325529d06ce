//! `cargo xtask mutants`: mutation tests.
//!
//! cargo-mutants puts one small fault at a time into the code, and a test must detect it. Each mutant first meets the tests
//! that take seconds. Only those that survive meet the others. A result is recorded as soon as there is one, and counts until
//! the code of the mutated file changes, so a run of hours can be interrupted, and goes on where the file of results is.

mod listing;
mod record;
mod report;
mod scope;
mod tree;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use xtask_demo::run;

use self::record::{Outcome, Record, Records};
use self::report::Tested;
use self::scope::{Phase, SCOPES, Scope};
use self::tree::Tree;
use crate::full::{Report, report as evidence};
use crate::python;

/// How many mutants a tree tests before their results are recorded.
const BATCH: usize = 20;
/// Of so many mutants, one must compile.
const CONTROLS: usize = 10;
/// A mutant counts as detected if its tests take so many times as long as without it.
const LIMIT_FACTOR: u32 = 10;
/// The tests of every mutant have at least this time.
const SHORTEST_LIMIT: Duration = Duration::from_secs(20);

/// The options of the command.
#[derive(clap::Args)]
pub struct MutantsOptions {
    /// Test only the mutants of this scope. May be given more than once.
    #[arg(long, value_name = "NAME", value_parser = clap::builder::PossibleValuesParser::new(scope::names()))]
    scope: Vec<String>,
    /// How many mutants are tested at the same time. Each needs its own tree, of about 2 GB.
    #[arg(long, value_name = "NUMBER", default_value_t = 2)]
    jobs: usize,
    /// The start of the random numbers that choose the sample of a scope.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// Test the survivors of earlier runs again, for example after a new test.
    #[arg(long)]
    again: bool,
}

impl MutantsOptions {
    /// The options of `cargo xtask test --full`.
    pub fn full() -> Self {
        Self { scope: Vec::new(), jobs: 2, seed: 1, again: false }
    }
}

/// Tests the mutants that have no result yet, and writes the report if no scope lacks one.
pub fn run(root: &Path, options: &MutantsOptions) -> Result<()> {
    ensure!(!evidence::has_changes(root)?, "the mutants are those of a commit: commit or stash the changes");
    let folder = run::target_dir(root).join("mutation");
    let bao = python::venv(root)?.program("bao");
    let trees = (0..options.jobs.max(1))
        .map(|number| Tree::prepare(root, &folder, number, &bao))
        .collect::<Result<Vec<_>>>()?;
    trees[0].check_version()?;
    let records = Mutex::new(Records::open(&root.join(record::RESULTS), options.again)?);
    let listed = report::listed(root)?;
    let report = Report::begin(
        "Mutation tests",
        &format!("cargo xtask mutants --seed {}", options.seed),
        &options.seed.to_string(),
        "every mutant is one. The control: a mutant that no test may meet survives, and without a mutant all tests pass",
    );
    let all =
        SCOPES.iter().map(|scope| listing::mutants(&trees[0], scope.package)).collect::<Result<Vec<_>>>()?;
    let mut tested = Vec::new();
    for (scope, all) in SCOPES.iter().zip(&all) {
        let is_selected = options.scope.is_empty() || options.scope.iter().any(|name| name == scope.name);
        let count = all.len();
        let chosen = scope.choose(all.clone(), options.seed);
        if is_selected {
            run::step(scope.about, || test(scope, &chosen, &trees, &records, &listed))?;
        }
        let records = records.lock().expect("no thread has panicked");
        let results: BTreeMap<_, _> = chosen
            .into_iter()
            .filter_map(|mutant| records.last(&mutant).map(|record| (mutant.name, record.clone())))
            .collect();
        tested.push(Tested { scope, count, results });
    }
    records.lock().expect("no thread has panicked").tidy(all.iter().flatten())?;
    report::write(root, report, &tested, &listed)
}

/// A mutant, as cargo-mutants names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Mutant {
    /// The file with line and column, then what is changed.
    name: String,
    /// The hash of the code in the file.
    file: String,
}

impl Mutant {
    fn path(&self) -> &str {
        self.name.split(':').next().unwrap_or_default()
    }
}

/// Whether `mutant` must meet the tests of the phase with this number.
fn meets(phase: usize, mutant: &Mutant, records: &Records, listed: &BTreeMap<String, String>) -> bool {
    let is_listed = listed.contains_key(&report::without_position(&mutant.name));
    records.is_waiting(mutant, phase) && (phase == 0 || !is_listed)
}

/// Tests `mutants` with one phase after the other, until each is detected or no phase is left. Those that are listed as
/// survivors meet only the first one, because the others take longest where no test fails.
fn test(
    scope: &Scope,
    mutants: &[Mutant],
    trees: &[Tree],
    records: &Mutex<Records>,
    listed: &BTreeMap<String, String>,
) -> Result<()> {
    for (number, phase) in scope.phases.iter().enumerate() {
        let waiting: Vec<&Mutant> = {
            let records = records.lock().expect("no thread has panicked");
            mutants.iter().filter(|mutant| meets(number, mutant, &records, listed)).collect()
        };
        if waiting.is_empty() {
            continue;
        }
        println!("  {}: {} of {} mutants", phase.about, waiting.len(), mutants.len());
        let controls = &waiting[..waiting.len().min(CONTROLS)];
        let of_files = waiting.chunk_by(|one, next| one.path() == next.path());
        let batches = Mutex::new(of_files.flat_map(|of_file| of_file.chunks(BATCH)));
        let progress = Mutex::new(Progress::new(waiting.len()));
        thread::scope(|threads| {
            let workers: Vec<_> = trees
                .iter()
                .map(|tree| {
                    let (batches, progress) = (&batches, &progress);
                    threads.spawn(move || {
                        let limit = control_runs(tree, scope, phase, controls)?;
                        loop {
                            let next = batches.lock().expect("no thread has panicked").next();
                            let Some(batch) = next else { return Ok(()) };
                            let found = tree.test(scope, phase, batch, limit)?;
                            progress.lock().expect("no thread has panicked").add(&found);
                            records.lock().expect("no thread has panicked").add(number, &found)?;
                        }
                    })
                })
                .collect();
            workers
                .into_iter()
                .map(|worker| worker.join().expect("a worker returns its error"))
                .collect::<Result<Vec<()>>>()
        })?;
    }
    Ok(())
}

/// Runs the tests without a mutant, and one mutant without the tests. Returns the time after which a mutant counts as
/// detected because its tests do not end.
fn control_runs(tree: &Tree, scope: &Scope, phase: &Phase, mutants: &[&Mutant]) -> Result<Duration> {
    let taken = tree.time(scope, phase)?;
    for mutant in mutants {
        let untested = tree.test(scope, &scope::NO_TEST, &[mutant], SHORTEST_LIMIT)?;
        match untested[0].outcome {
            Outcome::Survived => return Ok(SHORTEST_LIMIT.max(taken * LIMIT_FACTOR)),
            Outcome::Caught => bail!("{} was detected without a test", mutant.name),
            Outcome::Unviable => {}
        }
    }
    bail!("none of {} mutants compiles", mutants.len())
}

/// Prints how far a phase is.
struct Progress {
    begun: Instant,
    all: u32,
    done: u32,
    survived: u32,
}

impl Progress {
    fn new(all: usize) -> Self {
        Self {
            begun: Instant::now(),
            all: u32::try_from(all).expect("fewer mutants than 2^32"),
            done: 0,
            survived: 0,
        }
    }

    fn add(&mut self, found: &[Record]) {
        for record in found {
            self.done += 1;
            self.survived += u32::from(record.outcome == Outcome::Survived);
        }
        let left = self.begun.elapsed() / self.done * (self.all - self.done);
        let minutes = left.as_secs().div_ceil(60);
        println!("  {} of {}, {} survived; about {minutes} min left", self.done, self.all, self.survived);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listed_survivor_meets_only_the_first_phase() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut records = Records::open(&folder.path().join("results.txt"), false).expect("a file");
        let mutant = Mutant { name: "a.rs:1:2: replace + with -".to_owned(), file: "1".to_owned() };
        let listed = BTreeMap::from([("a.rs: replace + with -".to_owned(), "a reason".to_owned())]);
        assert!(meets(0, &mutant, &records, &listed));
        records.add(0, &[Record::new(&mutant, Outcome::Survived, 2.0)]).expect("it is written");
        assert!(meets(1, &mutant, &records, &BTreeMap::new()), "the control: it is not listed");
        assert!(!meets(1, &mutant, &records, &listed));
    }
}
