//! The memory of processes, searched from outside: docs/evidence/report.md.

use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use super::report::Report;
use super::stage::Stage;

const EXPLANATION: &str = "\
A scanner in another process stops the program, reads every readable mapping through `/proc/PID/mem`, and searches for the
`Authorization` value, the secret, any eight bytes of it, its base64 at every alignment and its hex. Then it searches a core file
written by `gcore`, registers included. *copies* and *in the core file* count the finds, which must be zero. Only a program that makes
calls without pause may have two copies per thread at a time: the pair read from protected memory and the request's head, or that head
and the TLS record before its encryption. They exist for microseconds, so not every row of samples sees one. The last line counts those
of all samples. Every row has two positive controls: the scan finds a planted copy in memory and in the core file, and it finds the pair
in the same program at level heap (*at level heap*). The command accepts no planted copy, so its control is the same command without the
right to lock memory. At level secretmem the kernel refuses to read the pair's pages (EIO) in every row in which the client holds the
pair. At other levels it refuses none.
";

pub fn run(stage: &Stage<'_>) -> Result<()> {
    let (libraries, with_panic, venv) = (stage.libraries()?, stage.with_panic()?, stage.with_module()?);
    let report = Report::begin(
        "Plain copies of the secret in memory",
        "cargo xtask test --full --part memory",
        "none: every row is run",
        "a copy in memory and in the core file, and the pair at level heap: found in every row",
    );
    let mut matrix = Command::new(libraries.join("matrix"));
    matrix.env("JUSTCALL_LIB_DIR", libraries).env("JUSTCALL_PANIC_LIB_DIR", with_panic);
    matrix.env("JUSTCALL_PYTHON", venv.program("python")).env_remove("RUST_BACKTRACE");
    matrix.env("JUSTCALL_BAO", venv.program("bao")).env("JUSTCALL_TEST_BUFFERS", "1");
    let output = matrix.stderr(Stdio::inherit()).output().context("cannot start the matrix")?;
    let table = String::from_utf8_lossy(&output.stdout);
    ensure!(table.lines().count() > 2, "the matrix printed no rows");
    report.write(stage.root, "report", &format!("{EXPLANATION}\n{table}"))?;
    ensure!(output.status.success(), "a moment is not as it must be: see docs/evidence/report.md");
    Ok(())
}
