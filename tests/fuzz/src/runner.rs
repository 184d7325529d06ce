//! Runs targets on stable Rust: the corpus first, then variations of it for some seconds.

use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use fastrand::Rng;

use crate::mutator;
use crate::target::Target;

/// An input that takes so long counts as one that never ends.
const ENDLESS: Duration = Duration::from_secs(60);

/// What to run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// How long to run each target. Zero runs only the seeds and the corpus.
    pub duration: Duration,
    /// How many targets run at the same time.
    pub jobs: usize,
    /// The seed of the variations.
    pub seed: u64,
    /// The folder for inputs that fail.
    pub failures: PathBuf,
}

/// The result of one target.
#[derive(Debug)]
pub struct Outcome {
    /// The name of the target.
    pub name: &'static str,
    /// How many inputs were run: seeds, corpus and variations.
    pub executions: u64,
    /// How many of them are seeds or in the corpus.
    pub known: usize,
    /// The input that failed, if one did.
    pub failure: Option<PathBuf>,
}

/// The input that a thread runs, and since when.
type Running = Mutex<Option<(Instant, &'static Target, Vec<u8>)>>;

/// Runs `targets`. Stops a target at the first input that fails, and saves that.
///
/// # Errors
/// Fails if the corpus cannot be read, or if an input cannot be saved.
pub fn run(targets: &[&'static Target], plan: &Plan) -> Result<Vec<Outcome>> {
    let next = AtomicUsize::new(0);
    let places: Vec<Running> = (0..plan.jobs.max(1)).map(|_| Mutex::default()).collect();
    let outcomes = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for place in &places {
            let (next, outcomes) = (&next, &outcomes);
            scope.spawn(move || {
                while let Some(target) = targets.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let outcome = run_target(target, plan, place);
                    lock(outcomes).push(outcome);
                }
            });
        }
        while lock(&outcomes).len() < targets.len() {
            thread::sleep(Duration::from_millis(20));
            for place in &places {
                end_if_endless(place, plan);
            }
        }
    });
    outcomes.into_inner().unwrap_or_else(PoisonError::into_inner).into_iter().collect()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends the process if an input does not end, because a thread cannot be stopped.
fn end_if_endless(place: &Running, plan: &Plan) {
    let running = lock(place);
    let Some((_, target, input)) = running.as_ref().filter(|(since, ..)| since.elapsed() > ENDLESS) else {
        return;
    };
    match save(&plan.failures, target, input) {
        Ok(path) => {
            eprintln!(
                "{} takes more than {} s\n{}",
                path.display(),
                ENDLESS.as_secs(),
                repeat(target, &path)
            );
        }
        Err(error) => eprintln!("{error:#}"),
    }
    std::process::exit(1);
}

fn run_target(target: &'static Target, plan: &Plan, place: &Running) -> Result<Outcome> {
    let mut known = (target.seeds)();
    known.extend(target.corpus()?.into_iter().map(|(_, bytes)| bytes));
    let mut outcome = Outcome { name: target.name, executions: 0, known: known.len(), failure: None };
    let mut holds = |input: &[u8]| {
        *lock(place) = Some((Instant::now(), target, input.to_vec()));
        let result = panic::catch_unwind(AssertUnwindSafe(|| (target.check)(input)));
        *lock(place) = None;
        outcome.executions += 1;
        result.is_ok()
    };
    let mut failed = known.iter().find(|input| !holds(input)).cloned();
    // Every target has its own variations, whatever else runs.
    let mut random = Rng::with_seed(plan.seed ^ fingerprint(target.name.as_bytes()));
    let end = Instant::now() + plan.duration;
    while failed.is_none() && Instant::now() < end {
        let input = mutator::vary(&known, target.tokens, &mut random);
        failed = (!holds(&input)).then_some(input);
    }
    outcome.failure = failed.map(|input| save(&plan.failures, target, &input)).transpose()?;
    Ok(outcome)
}

/// Saves an input that fails. Returns its path.
fn save(folder: &Path, target: &Target, input: &[u8]) -> Result<PathBuf> {
    fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    let path = folder.join(format!("{}-{:016x}", target.name, fingerprint(input)));
    fs::write(&path, input).with_context(|| path.display().to_string())?;
    Ok(path)
}

/// Returns the command that runs one input again.
pub fn repeat(target: &Target, path: &Path) -> String {
    format!(
        "Run it again with: cargo run -p justcall-auth-fuzz-targets -- {} --input {}",
        target.name,
        path.display()
    )
}

/// Returns a number that identifies `bytes` (FNV-1a).
fn fingerprint(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}
