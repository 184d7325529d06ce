//! One failed system call, or one failed allocation: docs/evidence/faults.md.

use std::fmt::Write as _;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use super::report::Report;
use super::stage::Stage;

const SYSCALLS: &str = "\
`strace` lets one system call of a run fail, between two markers that the program sets around a call of the library (the command: from
the start of `main` to its exit). First it lists the calls between the markers. Then it lets every one of them fail once with one of the
errors of its row, in turn, and the first and the last call of each name with all of them. *not reached* counts runs that made fewer
calls of that name than the listed run. A run must end within its deadline, with `ok` or an error that fits the call. The next call of
the same client, which nothing disturbs, must succeed. No output contains eight bytes of a secret, the source holds one whole pair, no
more descriptors are open than after a run without a failure, no POST is delivered twice, `request_sent` is never false for a request
that the service received, and success is reported only if the service answered. Only a failed memory call may end the program, by
abort() after the line on standard error that the header announces. *exit 1* is the command whose standard output cannot be written.
";

const ALLOCATIONS: &str = "\
A preloaded allocator lets one allocation between the markers fail, in each run another one: in C every one, in Python an even share,
because the interpreter allocates too. The header promises that the library reports `out_of_memory` if an argument or a response does
not fit into memory, and that it prints a line and calls abort() if a small allocation fails (*abort, announced*). No allocation of
64 KiB or more may end the program. *interpreter*: Python itself raised `MemoryError` before or after the call, or pyo3 called the name
of an argument unknown that it had no memory to decode, and no request was sent. Otherwise the promises are those of the system calls.
";

/// Runs both sweeps.
pub fn run(stage: &Stage<'_>) -> Result<()> {
    let (programs, venv) = (stage.libraries()?, stage.with_module()?);
    let report = Report::begin(
        "One failure at a time",
        "cargo xtask test --full --part faults",
        "none: every failure is tried in its order",
        "seven, at the end of each section: each was noticed",
    );
    let mut is_good = true;
    let mut sections = String::new();
    for (name, title, explanation) in [
        ("syscalls", "Every system call fails once", SYSCALLS),
        ("allocations", "Every allocation fails once", ALLOCATIONS),
    ] {
        let mut sweep = Command::new(programs.join(name));
        sweep.env("JUSTCALL_LIB_DIR", programs).env("JUSTCALL_PYTHON", venv.program("python"));
        let output =
            sweep.stderr(Stdio::inherit()).output().with_context(|| format!("cannot start {name}"))?;
        let tables = String::from_utf8_lossy(&output.stdout);
        ensure!(tables.contains("each noticed"), "{name} did not report its planted bugs");
        is_good &= output.status.success();
        write!(sections, "\n## {title}\n\n{explanation}\n{tables}")?;
    }
    report.write(stage.root, "faults", sections.trim_start())?;
    ensure!(is_good, "a failure did not have its documented result: see docs/evidence/faults.md");
    Ok(())
}
