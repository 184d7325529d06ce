//! `rotation FOLDER`: runs four processes in C and four in Python, eight threads each, through twenty resets, with pairs
//! from a file and from a folder. Prints each promise with the figure found as Markdown, draws a chart of each run into
//! FOLDER, and fails if a promise was not kept.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use justcall_auth_rotation_tests::chart::draw;
use justcall_auth_rotation_tests::judge::{Promise, judge, p99};
use justcall_auth_rotation_tests::run::{PlannedReset, RunOutcome, RunPlan, run};
use justcall_auth_rotation_tests::source::SourceKind;
use justcall_auth_rotation_tests::worker::{CallLoad, WorkerLanguage, WorkerPrograms};

const RESETS: u64 = 20;
/// The time from one reset to the next, in milliseconds.
const EVERY: u64 = 6000;
/// Calls outside the gaps take at most this multiple of the time in a run without resets.
const MAX_RATIO: f64 = 1.25;

fn main() -> Result<ExitCode> {
    let folder: PathBuf = std::env::args_os().nth(1).context("usage: rotation FOLDER")?.into();
    let programs = WorkerPrograms::find()?;
    let mut is_good = true;
    println!("| source | promise | found | verdict |\n|---|---|---|---|");
    for (kind, name) in [(SourceKind::File, "file"), (SourceKind::Dir, "dir")] {
        eprintln!("{name}: a run without resets");
        let control = run(&programs, plan(kind, Vec::new(), 30))?;
        eprintln!("{name}: {RESETS} resets");
        // The sources get the new pair after 0 to 3 s.
        let resets = (0..RESETS)
            .map(|reset| PlannedReset { after_ms: 2000 + reset * EVERY, lag_ms: reset * 1579 % 3001 })
            .collect();
        let outcome = run(&programs, plan(kind, resets, (2000 + RESETS * EVERY) / 1000))?;
        for promise in judge(&outcome).into_iter().chain([slower(&control, &outcome)]) {
            is_good &= promise.kept;
            let verdict = if promise.kept { "good" } else { "**not kept**" };
            println!("| {name} | {} | {} | {verdict} |", promise.what, promise.found);
        }
        let title = format!("{RESETS} resets, 4 C and 4 Python processes of 8 threads, pair from {name}:");
        std::fs::write(folder.join(format!("rotation-{name}.svg")), draw(&outcome, &title))?;
    }
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn plan(kind: SourceKind, resets: Vec<PlannedReset>, seconds: u64) -> RunPlan {
    let every = 250_000_000;
    let calls = usize::try_from(seconds * 4).expect("a short run");
    let workers = [[WorkerLanguage::C; 4], [WorkerLanguage::Python; 4]].concat();
    RunPlan { kind, workers, load: CallLoad { threads: 8, calls, every, wait_ms: 10_000 }, resets }
}

#[expect(clippy::cast_precision_loss, reason = "a ratio")]
fn slower(control: &RunOutcome, outcome: &RunOutcome) -> Promise {
    let (without, with) = (p99(control), p99(outcome));
    let ratio = with as f64 / without as f64;
    let found = format!("{ratio:.2} ({:.1} ms, {:.1} ms)", with as f64 / 1e6, without as f64 / 1e6);
    Promise {
        what: "99th percentile of calls outside the gaps, at most 1.25 × that of a run without resets",
        found,
        kept: ratio <= MAX_RATIO,
        needs_quiet: true,
    }
}
