//! docs/evidence/fuzzing.md.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Result;

use super::campaign::Progress;
use super::{FuzzOptions, Named};
use crate::full::Report;

const EXPLANATION: &str = "\
libFuzzer runs each target of `tests/fuzz` with the address sanitizer, and prefers inputs that reach code which no earlier input reached.
It starts with the seeds, which come from the test vectors, and with the corpus in `fuzz/corpus`. *s* is processor time. *edges* are
branches of the code that were reached, the libraries included, *features* also count how often, and *inputs* are those that reached
something new. A target fails if it panics, if the sanitizer finds a memory error or a leak, or if an input takes over a minute.
`cargo xtask test` runs the same targets on stable Rust, ten seconds each. The results of a target are kept until its code changes. *commit* is that of its last run.
";

/// Begins the report.
pub fn begin(options: &FuzzOptions) -> Report {
    let FuzzOptions { seconds, seed, .. } = options;
    let command = format!("cargo xtask fuzz --seconds {seconds} --seed {seed}");
    let seed = format!("{seed}, and one more for each further slice of a target");
    let planted = "a target with a wrong claim, that blanks around a pair do not matter: found";
    let mut report = Report::begin("Fuzzing", &command, &seed, planted);
    report.add("processor time for each target", format!("{seconds} s"));
    report
}

/// Writes the report. `planted` is the number of executions until the planted bug was found.
pub fn write(mut report: Report, root: &Path, rows: &[(&Named, &Progress)], planted: u64) -> Result<()> {
    report.add("executions until the planted bug was found", planted.to_string());
    let executions: u64 = rows.iter().map(|(_, progress)| progress.executions).sum();
    report.add("executions of the targets", executions.to_string());
    let failed = rows.iter().filter(|(_, progress)| progress.failure.is_some());
    let failed: Vec<&str> = failed.map(|(named, _)| named.0.as_str()).collect();
    report.add("failures", if failed.is_empty() { "none".to_owned() } else { failed.join(", ") });
    let mut text = format!(
        "{EXPLANATION}\n| target | s | executions | edges | features | inputs | commit |\n|---|---|---|---|---|---|---|\n"
    );
    for ((name, _), progress) in rows {
        let Progress { executions, seconds, edges, features, inputs, commit, .. } = progress;
        writeln!(
            text,
            "| {name} | {seconds:.0} | {executions} | {edges} | {features} | {inputs} | {commit} |"
        )?;
    }
    text.push_str("\n## What must hold\n\n| target | for every input |\n|---|---|\n");
    for ((name, about), _) in rows {
        writeln!(text, "| {name} | {about} |")?;
    }
    report.write(root, "fuzzing", &text)
}
