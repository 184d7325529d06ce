//! Real processes through twenty resets: docs/evidence/rotation.md and its pictures.

use std::fmt::Write as _;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use super::report::Report;
use super::stage::Stage;

const EXPLANATION: &str = "\
Four C programs with the shared library and four Python programs with the module, eight threads each, call over TLS at a fixed rate, with
`rotation_wait` 10 s. The service's pair is reset twenty times, and each reset invalidates the old pair immediately. After 0 to 3 s the
new pair is written to each program's source. The first run has files that are replaced as sources, the second one folders whose `..data`
is swapped. The figures come from the calls that the programs report, the requests that the service recorded, and the reads of the
sources that the kernel reports. The baseline is a run without resets, directly before.
";

pub fn run(stage: &Stage<'_>) -> Result<()> {
    let (programs, venv) = (stage.libraries()?, stage.with_module()?);
    let report = Report::begin(
        "A reset without a maintenance window",
        "cargo xtask test --full --part rotation",
        "none: the times of the resets are fixed",
        "a client without `rotation_wait`, whose calls fail: found by `cargo test -p justcall-auth-rotation-tests`",
    );
    let mut rotation = Command::new(programs.join("rotation"));
    rotation.arg(stage.root.join("docs/evidence")).env("JUSTCALL_LIB_DIR", programs);
    rotation.env("JUSTCALL_PYTHON", venv.program("python"));
    let output = rotation.stderr(Stdio::inherit()).output().context("cannot start the rotation")?;
    let table = String::from_utf8_lossy(&output.stdout);
    ensure!(table.lines().count() > 2, "the rotation printed no rows");
    let mut text = format!("{EXPLANATION}\n{table}");
    for source in ["file", "dir"] {
        write!(text, "\n![Twenty resets, the pair from {source}:](rotation-{source}.svg)\n")?;
    }
    report.write(stage.root, "rotation", &text)?;
    ensure!(output.status.success(), "a reset was not bridged as promised: see docs/evidence/rotation.md");
    Ok(())
}
