//! Lets every allocation of a case fail once, with `targets/failing_malloc.c`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Context as _, Result, ensure};
use justcall_auth_sandbox::Sandbox;

use crate::judge::{Failed, Verdict, judge};
use crate::programs::Programs;
use crate::run::{Case, Conditions, Outcome, run};
use crate::sweep::in_parallel;

/// The results of a case.
#[derive(Debug)]
pub struct AllocationSweep {
    /// The case.
    pub case: Case,
    /// The number of allocations between the markers.
    pub allocations: usize,
    /// The allocation that failed, from 1, with the verdict on the run.
    pub runs: Vec<(usize, Verdict)>,
}

/// Lets allocations of `cases` fail, one in a run: at most `most` of a case, evenly spread. `bug` is the bug that
/// `targets/target.c` plants, or `none`.
///
/// # Errors
/// If a program cannot be run, or a run without a failure does not succeed.
pub fn sweep(
    programs: &Programs,
    cases: &[Case],
    most: usize,
    bug: &'static str,
) -> Result<Vec<AllocationSweep>> {
    let plans = in_parallel(cases, |sandbox, case| {
        let outcome = run_with_failure(programs, *case, sandbox, 0, "none")?;
        let verdict = judge(*case, Failed::Nothing, &outcome, None);
        ensure!(verdict.result == "ok" && verdict.broken.is_empty(), "{case:?}: {verdict:?}\n{outcome:?}");
        let line = outcome.stderr.lines().find_map(|line| line.strip_prefix("allocations "));
        let allocations: usize = line.context("the allocator was not preloaded")?.parse()?;
        let descriptors = outcome.line("descriptors").and_then(|line| line.first()?.parse().ok());
        Ok((*case, allocations, descriptors))
    })?;
    let mut tasks = Vec::new();
    for (at, (_, allocations, _)) in plans.iter().enumerate() {
        let step = allocations.div_ceil(most).max(1);
        tasks.extend((1..=*allocations).step_by(step).map(|nth| (at, nth)));
    }
    let runs = in_parallel(&tasks, |sandbox, (at, nth)| {
        let (case, _, descriptors) = plans[*at];
        let outcome = run_with_failure(programs, case, sandbox, *nth, bug)?;
        Ok((*at, *nth, judge(case, Failed::Allocation, &outcome, descriptors)))
    })?;
    let of = |index: usize| {
        runs.iter().filter(move |(at, ..)| *at == index).map(|(_, nth, verdict)| (*nth, verdict.clone()))
    };
    let sweeps = plans.iter().enumerate();
    Ok(sweeps
        .map(|(at, (case, allocations, _))| AllocationSweep {
            case: *case,
            allocations: *allocations,
            runs: of(at).collect(),
        })
        .collect())
}

fn run_with_failure(
    programs: &Programs,
    case: Case,
    sandbox: &Sandbox,
    nth: usize,
    bug: &'static str,
) -> Result<Outcome> {
    let environment = vec![
        ("LD_PRELOAD", programs.failing_malloc()),
        ("FAILING_MALLOC", nth.to_string().into()),
        // Python's own allocator would hide allocations.
        ("PYTHONMALLOC", "malloc".into()),
    ];
    run(programs, case, sandbox, &Conditions { before: Vec::new(), environment, bug })
}

/// Returns the promises that were broken, each with its case and allocation.
pub fn broken(sweeps: &[AllocationSweep]) -> Vec<String> {
    let mut all = Vec::new();
    for sweep in sweeps {
        let (program, scenario) = (sweep.case.program.name(), sweep.case.scenario.name());
        for (nth, verdict) in sweep.runs.iter().filter(|(_, verdict)| !verdict.broken.is_empty()) {
            all.push(format!("{program}, {scenario}, allocation {nth}: {}", verdict.broken.join("; ")));
        }
    }
    all
}

/// Returns a row for each case, as Markdown.
pub fn report(sweeps: &[AllocationSweep]) -> String {
    let mut text = String::from(
        "| program | between the markers | allocations | failures | results | broken promises |\n|---|---|---|---|---|---|\n",
    );
    for AllocationSweep { case, allocations, runs } in sweeps {
        let mut results: BTreeMap<&str, usize> = BTreeMap::new();
        for (_, verdict) in runs {
            *results.entry(&verdict.result).or_default() += 1;
        }
        let results: Vec<_> = results.iter().map(|(result, count)| format!("{result} {count}")).collect();
        let wrong = runs.iter().filter(|(_, verdict)| !verdict.broken.is_empty()).count();
        let _infallible = writeln!(
            text,
            "| {} | {} | {allocations} | {} | {} | {wrong} |",
            case.program.name(),
            case.scenario.name(),
            runs.len(),
            results.join(", "),
        );
    }
    text
}
