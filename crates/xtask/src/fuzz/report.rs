//! docs/evidence/fuzzing.md.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::Result;

use super::campaign::Progress;
use super::{FuzzOptions, Named};

const REPORT: &str = "docs/evidence/fuzzing.md";

const EXPLANATION: &str = "\
libFuzzer runs each target of `tests/fuzz` with the address sanitizer, and prefers inputs that reach code which no earlier input reached.
It starts with the seeds, which come from the test vectors, and with the corpus in `fuzz/corpus`. *s* is processor time. *edges* are
branches of the code that were reached, the libraries included, *features* also count how often, and *inputs* are those that reached
something new. A target fails if it panics, if the sanitizer finds a memory error or a leak, or if an input takes over a minute.
`cargo xtask test` runs the same targets on stable Rust, ten seconds each. The planted bug is a target with a wrong claim: that blanks
around a pair do not matter.
";

/// Writes the report.
pub fn write(
    root: &Path,
    options: &FuzzOptions,
    machine: &[(&str, String)],
    rows: &[(&Named, &Progress)],
    planted: u64,
) -> Result<()> {
    let mut text = String::from(
        "# Fuzzing\n\nWritten by `cargo xtask fuzz`: change that, not this file.\n\n| what | which |\n|---|---|\n",
    );
    for (name, value) in machine {
        writeln!(text, "| {name} | {value} |")?;
    }
    let (seconds, seed) = (options.seconds, options.seed);
    let executions: u64 = rows.iter().map(|(_, progress)| progress.executions).sum();
    writeln!(text, "| command | `cargo xtask fuzz --seconds {seconds} --seed {seed}` |")?;
    writeln!(text, "| seed | {seed}, and one more for each further slice of a target |")?;
    writeln!(text, "| duration | {seconds} s of processor time for each target |")?;
    writeln!(text, "| executions | {executions} |")?;
    let failed: Vec<&str> = rows
        .iter()
        .filter(|(_, progress)| progress.failure.is_some())
        .map(|(named, _)| named.0.as_str())
        .collect();
    writeln!(
        text,
        "| failures | {} |",
        if failed.is_empty() { "none".to_owned() } else { failed.join(", ") }
    )?;
    writeln!(text, "| planted bug | found after {planted} executions |")?;
    write!(
        text,
        "\n{EXPLANATION}\n| target | s | executions | edges | features | inputs |\n|---|---|---|---|---|---|\n"
    )?;
    for ((name, _), progress) in rows {
        let Progress { executions, seconds, edges, features, inputs, .. } = progress;
        writeln!(text, "| {name} | {seconds:.0} | {executions} | {edges} | {features} | {inputs} |")?;
    }
    text.push_str("\n## What must hold\n\n| target | for every input |\n|---|---|\n");
    for ((name, about), _) in rows {
        writeln!(text, "| {name} | {about} |")?;
    }
    Ok(fs::write(root.join(REPORT), text)?)
}
