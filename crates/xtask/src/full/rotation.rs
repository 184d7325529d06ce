//! Real processes through twenty resets: docs/evidence/rotation.md and its pictures.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use crate::python::Venv;

const EXPLANATION: &str = "\
Four C programs with the shared library and four Python programs with the module, eight threads each, call over TLS at a fixed rate, with
`rotation_wait` 10 s. The service's pair is reset twenty times, and each reset invalidates the old pair immediately. After 0 to 3 s the
new pair is written to each program's source. The first run has files that are replaced as sources, the second one folders whose `..data`
is swapped. The figures come from the calls that the programs report, the requests that the service recorded, and the reads of the
sources that the kernel reports. The baseline is a run without resets, directly before. As a positive control, `cargo xtask test` checks
that calls fail without `rotation_wait`.
";

/// Runs the processes and writes the report. Returns false if a promise was not kept.
pub fn run(root: &Path, programs: &Path, venv: &Venv, machine: &[(&str, String)]) -> Result<bool> {
    let mut rotation = Command::new(programs.join("rotation"));
    rotation.arg(root.join("docs/evidence")).env("JUSTCALL_LIB_DIR", programs);
    rotation.env("JUSTCALL_PYTHON", venv.program("python"));
    let output = rotation.stderr(Stdio::inherit()).output().context("cannot start the rotation")?;
    let table = String::from_utf8_lossy(&output.stdout);
    ensure!(table.lines().count() > 2, "the rotation printed no rows");
    let mut text = String::from(
        "# A reset without a maintenance window\n\nWritten by `cargo xtask test --full`: change that, not this file.\n\n| what | which |\n|---|---|\n",
    );
    for (name, value) in machine {
        writeln!(text, "| {name} | {value} |")?;
    }
    write!(text, "\n{EXPLANATION}\n{table}")?;
    for source in ["file", "dir"] {
        write!(text, "\n![Twenty resets, the pair from {source}:](rotation-{source}.svg)\n")?;
    }
    fs::write(root.join("docs/evidence/rotation.md"), text)?;
    Ok(output.status.success())
}
