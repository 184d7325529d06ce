//! `matrix [WORD …]`: looks at every moment and prints the table in Markdown; fails when one is not as it must be. With words,
//! only at the moments whose row has them all: a part of the name, `Python`, `secretmem`.

use std::process::ExitCode;
use std::thread;
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
    // Each has a sandbox of its own, for its failures are everybody's; most of the time all of them wait.
    let parts = thread::scope(|scope| {
        let parts: Vec<_> = plans(&programs)
            .into_iter()
            .map(|plans| scope.spawn(|| Part::look(&words, &programs, plans)))
            .collect();
        parts
            .into_iter()
            .map(|part| part.join().expect("it gives an error, where one is"))
            .collect::<Result<Vec<_>>>()
    })?;
    println!(
        "| moment | program | level | threads | buffers | copies | in the core file | at level heap | verdict |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for row in parts.iter().flat_map(|part| &part.rows) {
        println!("{row}");
    }
    let mut is_good = parts.iter().all(|part| part.is_good);
    let looks: usize = parts.iter().map(|part| part.looks).sum();
    if looks > 0 {
        let seen: usize = parts.iter().map(|part| part.seen).sum();
        let verdict = if seen > 0 { "good" } else { "the control: of calls under way nothing was ever seen" };
        println!(
            "| the {looks} samples together | all | all | all | all | {seen} seen | – | – | {verdict} |"
        );
        is_good &= seen > 0;
    }
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Every program, level, number of threads and size of buffers, in parts of one program and level.
fn plans(programs: &Programs) -> Vec<Vec<Plan>> {
    let sizes = [None, Some(8 << 10), Some(32 << 10), Some(128 << 10)];
    let sizes = if programs.has_buffers { &sizes[..] } else { &sizes[..1] };
    let mut parts = Vec::new();
    for kind in [Kind::C, Kind::CWithTestPanic, Kind::Python] {
        for level in [Level::Locked, Level::SecretMem] {
            let of =
                |threads| sizes.iter().map(move |buffers| Plan { kind, level, threads, buffers: *buffers });
            parts.push([1, 4].into_iter().flat_map(of).collect());
        }
    }
    parts.push(vec![Plan { kind: Kind::Cli, level: Level::Locked, threads: 1, buffers: None }]);
    parts
}

/// The rows of some plans.
struct Part<'a> {
    words: &'a [String],
    rows: Vec<String>,
    is_good: bool,
    /// How many samples were taken, and how many copies they saw.
    looks: usize,
    seen: usize,
}

impl<'a> Part<'a> {
    fn look(words: &'a [String], programs: &Programs, plans: Vec<Plan>) -> Result<Self> {
        let sandbox = Sandbox::start(&programs.sandbox())?;
        let mut part = Self { words, rows: Vec::new(), is_good: true, looks: 0, seen: 0 };
        for plan in plans {
            if plan.kind == Kind::Cli {
                part.row("waiting for an answer", plan, || cli::judge(programs, &sandbox));
                continue;
            }
            for row in ROWS.iter().filter(|row| row.is_for(plan.kind)) {
                part.row(row.name, plan, || judge(programs, &sandbox, row, plan));
            }
            if plan.kind != Kind::CWithTestPanic {
                let name = format!("sampled {SAMPLES} times while verifying");
                if let Some(outcome) = part.row(&name, plan, || sample(programs, &sandbox, plan, SAMPLES)) {
                    part.looks += SAMPLES;
                    part.seen += outcome.seen();
                }
            }
        }
        Ok(part)
    }

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
        let took = begun.elapsed().as_secs_f64();
        let (text, outcome) = match outcome {
            Ok(outcome) => {
                let verdict =
                    if outcome.complaints.is_empty() { "good".into() } else { outcome.complaints.join("; ") };
                let at_heap = outcome.heap.map_or("–".to_owned(), |copies| copies.to_string());
                self.is_good &= outcome.complaints.is_empty();
                let text = format!("{} | {} | {at_heap} | {verdict}", outcome.copies, outcome.core_copies);
                (text, Some(outcome))
            }
            Err(error) => {
                self.is_good = false;
                (format!("– | – | – | not yet: {}", format!("{error:#}").replace('\n', " ")), None)
            }
        };
        eprintln!("{head} {text} | {took:.1} s");
        for (place, count) in outcome.iter().flat_map(|outcome| &outcome.places) {
            eprintln!("    {count} × {place}");
        }
        self.rows.push(format!("{head} {text} |"));
        outcome
    }
}
