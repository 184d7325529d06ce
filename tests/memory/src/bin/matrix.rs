//! `matrix [WORD …]`: looks at every moment and prints the table in Markdown; fails when one is not as it must be. With words,
//! only at the moments whose row has them all: a part of the name, `Python`, `secretmem`.

use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;
use justcall_auth_memory_tests::cli;
use justcall_auth_memory_tests::matrix::{Outcome, judge, sample};
use justcall_auth_memory_tests::programs::{Kind, Programs};
use justcall_auth_memory_tests::rows::{Level, Plan, ROWS};
use justcall_auth_memory_tests::sandbox::Sandbox;

/// How often a program that makes calls without pause is stopped and looked at.
const SAMPLES: usize = 200;

fn main() -> Result<ExitCode> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let programs = Programs::find()?;
    let sandbox = Sandbox::start(&programs.sandbox())?;
    let mut table = Table { words, is_good: true };
    let (mut looks, mut seen) = (0, 0);
    println!(
        "| moment | program | level | threads | buffers | copies | in the core file | at level heap | verdict |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for plan in plans(&programs) {
        let has_panic = plan.kind == Kind::CWithTestPanic;
        for row in ROWS.iter().filter(|row| row.needs_panic == has_panic) {
            table.row(row.name, plan, || judge(&programs, &sandbox, row, plan));
        }
        if !has_panic {
            let name = format!("sampled {SAMPLES} times while verifying");
            if let Some(outcome) = table.row(&name, plan, || sample(&programs, &sandbox, plan, SAMPLES)) {
                looks += SAMPLES;
                seen += outcome.seen();
            }
        }
    }
    let plan = Plan { kind: Kind::Cli, level: Level::Locked, threads: 1, buffers: None };
    table.row("waiting for an answer", plan, || cli::judge(&programs, &sandbox));
    if looks > 0 {
        let verdict = if seen > 0 { "good" } else { "the control: of calls under way nothing was ever seen" };
        println!(
            "| the {looks} samples together | all | all | all | all | {seen} seen | – | – | {verdict} |"
        );
        table.is_good &= seen > 0;
    }
    Ok(if table.is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Every program, level, number of threads and size of buffers.
fn plans(programs: &Programs) -> Vec<Plan> {
    let sizes = [None, Some(8 << 10), Some(32 << 10), Some(128 << 10)];
    let sizes = if programs.has_buffers { &sizes[..] } else { &sizes[..1] };
    let mut plans = Vec::new();
    for kind in [Kind::C, Kind::CWithTestPanic, Kind::Python] {
        for level in [Level::Locked, Level::SecretMem] {
            for threads in [1, 4] {
                plans.extend(sizes.iter().map(|buffers| Plan { kind, level, threads, buffers: *buffers }));
            }
        }
    }
    plans
}

struct Table {
    words: Vec<String>,
    is_good: bool,
}

impl Table {
    /// Adds what `look` gives, if the row is asked for and can be reached.
    fn row(&mut self, name: &str, plan: Plan, look: impl FnOnce() -> Result<Outcome>) -> Option<Outcome> {
        let buffers = plan.buffers.map_or("default".to_owned(), |size| format!("{} KiB", size >> 10));
        let (kind, level, threads) = (plan.kind.name(), plan.level.name(), plan.threads);
        let head = format!("| {name} | {kind} | {level} | {threads} | {buffers} |");
        if !self.words.iter().all(|word| head.contains(word)) {
            return None;
        }
        let begun = Instant::now();
        let outcome = look();
        eprintln!("{head} {:.1} s", begun.elapsed().as_secs_f64());
        match outcome {
            Ok(outcome) => {
                let verdict =
                    if outcome.complaints.is_empty() { "good".into() } else { outcome.complaints.join("; ") };
                let at_heap = outcome.heap.map_or("–".to_owned(), |copies| copies.to_string());
                println!("{head} {} | {} | {at_heap} | {verdict} |", outcome.copies, outcome.core_copies);
                self.is_good &= outcome.complaints.is_empty();
                for (place, count) in &outcome.places {
                    eprintln!("    {count} × {place}");
                }
                Some(outcome)
            }
            Err(error) => {
                println!("{head} – | – | – | not yet: {} |", format!("{error:#}").replace('\n', " "));
                self.is_good = false;
                None
            }
        }
    }
}
