//! `matrix [WORD …]`: scans programs at every moment and prints a table in Markdown. Exits with status 1 if a row has a
//! complaint. With words, runs only the rows that contain all of them, such as a part of the name, `Python`, `secretmem`.

use std::process::ExitCode;
use std::thread;
use std::time::Instant;

use anyhow::Result;
use justcall_auth_memory_tests::cli;
use justcall_auth_memory_tests::matrix::{RowOutcome, judge, sample};
use justcall_auth_memory_tests::programs::{ProgramKind, TestPrograms};
use justcall_auth_memory_tests::rows::{ROWS, ScanPlan, TargetLevel};
use justcall_auth_memory_tests::sandbox::SandboxProcess;

/// How often a program that makes calls without pause is stopped and scanned.
const SAMPLES: usize = 200;

fn main() -> Result<ExitCode> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let programs = TestPrograms::find()?;
    // Each part has a separate sandbox, because a sandbox's faults apply to all its clients. The parts run at the same
    // time, because each of them waits most of the time.
    let parts = thread::scope(|scope| {
        let parts: Vec<_> = plans(&programs)
            .into_iter()
            .map(|plans| scope.spawn(|| MatrixPart::run(&words, &programs, plans)))
            .collect();
        parts
            .into_iter()
            .map(|part| part.join().expect("a part returns errors and does not panic"))
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
    let samples: usize = parts.iter().map(|part| part.samples).sum();
    if samples > 0 {
        let seen: usize = parts.iter().map(|part| part.seen).sum();
        let verdict = if seen > 0 { "good" } else { "control: no sample saw a copy of a call in progress" };
        println!(
            "| the {samples} samples together | all | all | all | all | {seen} seen | – | – | {verdict} |"
        );
        is_good &= seen > 0;
    }
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Returns every combination of program, level, number of threads and size of buffers, in parts of one program and level.
fn plans(programs: &TestPrograms) -> Vec<Vec<ScanPlan>> {
    let sizes = [None, Some(8 << 10), Some(32 << 10), Some(128 << 10)];
    let sizes = if programs.has_buffers { &sizes[..] } else { &sizes[..1] };
    let mut parts = Vec::new();
    for kind in [ProgramKind::C, ProgramKind::CWithTestPanic, ProgramKind::Python] {
        for level in [TargetLevel::Locked, TargetLevel::SecretMem] {
            let of = |threads| {
                sizes.iter().map(move |buffers| ScanPlan { kind, level, threads, buffers: *buffers })
            };
            parts.push([1, 4].into_iter().flat_map(of).collect());
        }
    }
    parts.push(vec![ScanPlan {
        kind: ProgramKind::Cli,
        level: TargetLevel::Locked,
        threads: 1,
        buffers: None,
    }]);
    parts
}

/// The rows of one program at one level.
struct MatrixPart<'a> {
    words: &'a [String],
    rows: Vec<String>,
    is_good: bool,
    /// The number of samples.
    samples: usize,
    /// The number of copies that the samples saw.
    seen: usize,
}

impl<'a> MatrixPart<'a> {
    fn run(words: &'a [String], programs: &TestPrograms, plans: Vec<ScanPlan>) -> Result<Self> {
        let sandbox = SandboxProcess::start(&programs.sandbox())?;
        let mut part = Self { words, rows: Vec::new(), is_good: true, samples: 0, seen: 0 };
        for plan in plans {
            if plan.kind == ProgramKind::Cli {
                part.row("waiting for an answer", plan, || cli::judge(programs, &sandbox));
                continue;
            }
            for row in ROWS.iter().filter(|row| row.is_for(plan.kind)) {
                part.row(row.name, plan, || judge(programs, &sandbox, row, plan));
            }
            if plan.kind != ProgramKind::CWithTestPanic {
                let name = format!("sampled {SAMPLES} times while verifying");
                if let Some(outcome) = part.row(&name, plan, || sample(programs, &sandbox, plan, SAMPLES)) {
                    part.samples += SAMPLES;
                    part.seen += outcome.seen();
                }
            }
        }
        Ok(part)
    }

    /// Runs `scan` and adds its row, if the words select it. Returns `None` if they do not, or if `scan` fails.
    fn row(
        &mut self,
        name: &str,
        plan: ScanPlan,
        scan: impl FnOnce() -> Result<RowOutcome>,
    ) -> Option<RowOutcome> {
        let buffers = plan.buffers.map_or("default".to_owned(), |size| format!("{} KiB", size >> 10));
        let (kind, level, threads) = (plan.kind.name(), plan.level.name(), plan.threads);
        let head = format!("| {name} | {kind} | {level} | {threads} | {buffers} |");
        if !self.words.iter().all(|word| head.contains(word)) {
            return None;
        }
        let begun = Instant::now();
        let outcome = scan();
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
                (format!("– | – | – | failed: {}", format!("{error:#}").replace('\n', " ")), None)
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
