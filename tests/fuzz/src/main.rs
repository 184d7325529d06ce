//! `justcall-auth-fuzz-targets`: runs the targets on stable Rust.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail, ensure};
use clap::Parser;
use justcall_auth_fuzz_targets::runner::{self, Outcome, Plan};
use justcall_auth_fuzz_targets::{PLANTED, TARGETS, Target};

/// Runs the seeds and the corpus of each target, then variations of them.
#[derive(Parser)]
#[command(name = "justcall-auth-fuzz-targets")]
struct Options {
    /// The targets. Without a name, all of them.
    names: Vec<String>,
    /// How many seconds to run each target.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// How many targets run at the same time.
    #[arg(long, default_value_t = 2)]
    jobs: usize,
    /// The seed of the variations. Another one for each run, unless it is given.
    #[arg(long)]
    seed: Option<u64>,
    /// Run only this input.
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// Write the seeds of the targets into folders with their names under this one, and the tokens into files beside
    /// them, for libFuzzer.
    #[arg(long, value_name = "FOLDER")]
    write_seeds: Option<PathBuf>,
    /// The folder for inputs that fail.
    #[arg(long, value_name = "FOLDER", default_value = "target/fuzz-failures")]
    failures: PathBuf,
    /// Print the names of the targets and what must hold for them, as JSON.
    #[arg(long)]
    list: bool,
}

fn main() -> ExitCode {
    run(&Options::parse()).unwrap_or_else(|error| {
        eprintln!("✗ {error:#}");
        ExitCode::FAILURE
    })
}

fn run(options: &Options) -> Result<ExitCode> {
    let targets = targets(&options.names)?;
    if options.list {
        let list: Vec<_> = TARGETS.iter().chain([PLANTED]).map(|one| (one.name, one.about)).collect();
        println!("{}", serde_json::to_string(&list)?);
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(folder) = &options.write_seeds {
        targets.iter().try_for_each(|target| write_seeds(folder, target))?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(input) = &options.input {
        let [target] = targets[..] else { bail!("--input needs the name of one target") };
        (target.check)(&fs::read(input).with_context(|| input.display().to_string())?);
        println!("{} holds for {}", target.name, input.display());
        return Ok(ExitCode::SUCCESS);
    }
    fuzz(options, &targets)
}

/// Returns the targets with these names, or all of them.
fn targets(names: &[String]) -> Result<Vec<&'static Target>> {
    if names.is_empty() {
        return Ok(TARGETS.iter().collect());
    }
    names
        .iter()
        .map(|name| Target::named(name).with_context(|| format!("there is no target {name}")))
        .collect()
}

/// Runs the targets, and the control, and prints a line for each.
fn fuzz(options: &Options, targets: &[&'static Target]) -> Result<ExitCode> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).context("a clock before 1970")?;
    let plan = Plan {
        duration: Duration::from_secs(options.seconds),
        jobs: options.jobs,
        seed: options.seed.unwrap_or(now.as_secs()),
        failures: options.failures.clone(),
    };
    println!("seed {}, {} s each", plan.seed, options.seconds);
    let outcomes = runner::run(targets, &plan)?;
    for outcome in &outcomes {
        print(outcome);
    }
    let failed = outcomes.iter().find_map(|outcome| Some((outcome, outcome.failure.as_ref()?)));
    let Some((outcome, path)) = failed else { return Ok(ExitCode::SUCCESS) };
    let target = Target::named(outcome.name).context("it was run")?;
    ensure!(target.name == PLANTED.name, "{}", runner::repeat(target, path));
    Ok(ExitCode::FAILURE)
}

fn print(outcome: &Outcome) {
    let Outcome { name, executions, known, failure } = outcome;
    let result = failure.as_ref().map_or("holds".to_owned(), |path| format!("FAILS: {}", path.display()));
    println!("{name:>9}  {executions:>9} executions, {known:>4} known inputs  {result}");
}

/// Writes the seeds and the tokens of a target.
fn write_seeds(folder: &std::path::Path, target: &Target) -> Result<()> {
    let seeds = folder.join(target.name);
    fs::create_dir_all(&seeds)?;
    for (number, seed) in (target.seeds)().iter().enumerate() {
        fs::write(seeds.join(format!("seed-{number:03}")), seed)?;
    }
    let mut dictionary = String::new();
    for token in target.tokens {
        dictionary.push('"');
        for byte in token.bytes() {
            write!(dictionary, "\\x{byte:02x}")?;
        }
        dictionary.push_str("\"\n");
    }
    Ok(fs::write(folder.join(format!("{}.dict", target.name)), dictionary)?)
}
