//! Lets every system call of a case fail once.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result, ensure};
use justcall_auth_sandbox::{Sandbox, SandboxConfig};
use tempfile::NamedTempFile;

use crate::errnos::{FALLIBLE, fallible};
use crate::judge::{Failed, Verdict, judge};
use crate::programs::Programs;
use crate::run::{Case, Conditions, Outcome, run};
use crate::strace::{self, Injection};

/// How many of the failures are tried.
#[derive(Debug, Clone)]
pub enum Extent {
    /// Every call with one of its errors, in turn, and the first and the last call of each name with all of them.
    Full,
    /// The first call of each of these names, with all its errors.
    Sample(&'static [&'static str]),
    /// The first call of this name, with its first error.
    First(&'static str),
    /// Every call of this name, with its first error.
    Every(&'static str),
}

/// A run with a failed call.
#[derive(Debug)]
pub struct FailedRun {
    /// The case.
    pub case: Case,
    /// The call that failed.
    pub injection: Injection,
    /// The verdict, or `None` if the call was not made between the markers: two runs are not the same in every call.
    pub verdict: Option<Verdict>,
}

/// The number of open descriptors after a run without a failure, and the failures to try.
struct Plan {
    case: Case,
    descriptors: Option<usize>,
    /// The number of calls between the markers.
    calls: usize,
    injections: Vec<Injection>,
}

/// The results of all cases.
#[derive(Debug, Default)]
pub struct Sweep {
    /// The cases, each with the number of its calls between the markers.
    pub cases: Vec<(Case, usize)>,
    /// The runs with a failed call.
    pub runs: Vec<FailedRun>,
}

/// Threads for each processor: most runs wait for a timeout.
const THREADS: usize = 4;
/// After so many tasks the progress is printed.
const SHOWN: usize = 200;

/// Runs `work` on each of `tasks`, on several threads, each with its sandbox. Prints the progress of many tasks.
///
/// # Errors
/// If a sandbox cannot be started, or `work` fails.
pub fn in_parallel<T: Sync, R: Send>(
    tasks: &[T],
    work: impl Fn(&Sandbox, &T) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    let (next, results) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let worker = || -> Result<()> {
        let sandbox = Sandbox::start(SandboxConfig::default()).context("cannot start a sandbox")?;
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(task) = tasks.get(at) else { return Ok(()) };
            let result = work(&sandbox, task)?;
            let mut results = results.lock().expect("no thread panics with it");
            results.push((at, result));
            if results.len() % SHOWN == 0 {
                eprintln!("  {} of {}", results.len(), tasks.len());
            }
        }
    };
    let threads = THREADS * std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().expect("a worker does not panic"))
    })?;
    let mut results = results.into_inner().expect("no thread panicked with it");
    results.sort_by_key(|(at, _)| *at);
    Ok(results.into_iter().map(|(_, result)| result).collect())
}

/// Sweeps `cases`. `bug` is the bug that `targets/target.c` plants, or `none`.
///
/// # Errors
/// If a program cannot be run, or a run without a failure does not succeed.
pub fn sweep(programs: &Programs, cases: &[Case], extent: &Extent, bug: &'static str) -> Result<Sweep> {
    let plans = in_parallel(cases, |sandbox, case| plan(programs, *case, sandbox, extent))?;
    let tasks: Vec<_> = plans
        .iter()
        .flat_map(|plan| plan.injections.iter().map(move |injection| (plan, *injection)))
        .collect();
    let runs = in_parallel(&tasks, |sandbox, (plan, injection)| {
        let log = NamedTempFile::new()?;
        let outcome = traced(programs, plan.case, sandbox, strace::inject(log.path(), injection), bug)?;
        let injected = strace::injected(log.path(), plan.case.program)?;
        let call = fallible(injection.name).context("only fallible calls are planned")?;
        let failed = Failed::Call { call, errno: injection.errno, again: injected.after };
        let verdict = judge(plan.case, failed, &outcome, plan.descriptors);
        // A program that breaks a promise does so whether or not its call is in the log.
        let verdict = (injected.between || !verdict.broken.is_empty()).then_some(verdict);
        Ok(FailedRun { case: plan.case, injection: *injection, verdict })
    })?;
    Ok(Sweep { cases: plans.iter().map(|plan| (plan.case, plan.calls)).collect(), runs })
}

/// Lists the calls of a case in a run without a failure, which must succeed.
fn plan(programs: &Programs, case: Case, sandbox: &Sandbox, extent: &Extent) -> Result<Plan> {
    let log = NamedTempFile::new()?;
    let outcome = traced(programs, case, sandbox, strace::list(log.path()), "none")?;
    let verdict = judge(case, Failed::Nothing, &outcome, None);
    ensure!(verdict.result == "ok" && verdict.broken.is_empty(), "{case:?}: {verdict:?}\n{outcome:?}");
    let found = strace::calls_between_markers(log.path(), case.program)?;
    let descriptors = outcome.line("descriptors").and_then(|line| line.first()?.parse().ok());
    let mut injections = Vec::new();
    for (name, numbers) in &found {
        let Some(call) = fallible(name) else { continue };
        for (index, nth) in numbers.iter().enumerate() {
            let is_edge = index == 0 || index + 1 == numbers.len();
            let errnos: Vec<&str> = match extent {
                Extent::Full if is_edge => call.errnos.to_vec(),
                Extent::Full => vec![call.errnos[index % call.errnos.len()]],
                Extent::Sample(names) if index == 0 && names.contains(&call.name) => call.errnos.to_vec(),
                Extent::First(name) if index == 0 && *name == call.name => vec![call.errnos[0]],
                Extent::Every(name) if *name == call.name => vec![call.errnos[0]],
                Extent::Sample(_) | Extent::First(_) | Extent::Every(_) => Vec::new(),
            };
            injections.extend(errnos.into_iter().map(|errno| Injection {
                name: call.name,
                nth: *nth,
                errno,
            }));
        }
    }
    Ok(Plan { case, descriptors, calls: found.values().map(Vec::len).sum(), injections })
}

fn traced(
    programs: &Programs,
    case: Case,
    sandbox: &Sandbox,
    options: Vec<String>,
    bug: &'static str,
) -> Result<Outcome> {
    let before = [vec!["strace".to_owned()], options, vec!["--".to_owned()]].concat();
    run(programs, case, sandbox, &Conditions { before, environment: Vec::new(), bug })
}

impl Sweep {
    /// Returns the promises that were broken, each with its case and call.
    pub fn broken(&self) -> Vec<String> {
        let of = |run: &FailedRun| {
            let Injection { name, nth, errno } = run.injection;
            let broken = run.verdict.as_ref().map(|verdict| verdict.broken.join("; ")).unwrap_or_default();
            let (program, scenario) = (run.case.program.name(), run.case.scenario.name());
            (!broken.is_empty()).then(|| format!("{program}, {scenario}, {name} {nth}, {errno}: {broken}"))
        };
        self.runs.iter().filter_map(of).collect()
    }

    /// Returns a row for each case, and a row for each call, as Markdown.
    pub fn report(&self) -> String {
        let mut text = String::from(
            "| program | between the markers | calls | failures | not reached | broken promises |\n|---|---|---|---|---|---|\n",
        );
        for (case, calls) in &self.cases {
            let runs: Vec<_> = self.runs.iter().filter(|run| run.case == *case).collect();
            let missed = runs.iter().filter(|run| run.verdict.is_none()).count();
            let broken = runs
                .iter()
                .filter(|run| run.verdict.as_ref().is_some_and(|verdict| !verdict.broken.is_empty()))
                .count();
            let (program, scenario) = (case.program.name(), case.scenario.name());
            let tried = runs.len() - missed;
            let _infallible =
                writeln!(text, "| {program} | {scenario} | {calls} | {tried} | {missed} | {broken} |");
        }
        text.push_str("\n| call | errors | program | failures | results |\n|---|---|---|---|---|\n");
        let mut rows: BTreeMap<_, BTreeMap<&str, usize>> = BTreeMap::new();
        for run in &self.runs {
            if let Some(verdict) = &run.verdict {
                let results = rows.entry((run.injection.name, run.case.program)).or_default();
                *results.entry(&verdict.result).or_default() += 1;
            }
        }
        for ((name, program), results) in rows {
            let call = FALLIBLE.iter().find(|call| call.name == name);
            let errnos = call.map(|call| call.errnos.join(", ")).unwrap_or_default();
            let tried: usize = results.values().sum();
            let results: Vec<_> = results.iter().map(|(result, count)| format!("{result} {count}")).collect();
            let _infallible = writeln!(
                text,
                "| `{name}` | {errnos} | {} | {tried} | {} |",
                program.name(),
                results.join(", ")
            );
        }
        text
    }
}
