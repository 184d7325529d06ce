//! Commands that are killed at every system call: docs/evidence/killed.md.

use anyhow::{Result, ensure};
use xtask_demo::run::{self, cargo};

use super::report::Report;
use super::stage::Stage;

const EXPLANATION: &str = "\
`strace` kills the release build with SIGKILL at each system call from its start to its end, each time in a fresh folder. *old* and
*new* count the runs that left the old pair (for setup: no pair) and the new one. No run left a part of a pair, a file that others
could read, or different file permissions. Each following run succeeded and removed the remains. *Where a call fails*: strace makes one
file system call per run fail with EIO instead, and the command cleans up itself.

| what | different calls | old | new | wrong |
|---|---|---|---|---|
";

pub fn run(stage: &Stage<'_>) -> Result<()> {
    let programs = stage.libraries()?;
    let planted =
        "a writer that writes in place, and one whose temporary file others can read: found in the same run";
    let report = Report::begin(
        "Commands killed at every system call",
        "cargo xtask test --full --part killed",
        "none: every system call is tried",
        planted,
    );
    let mut test = cargo(stage.root, &["test", "--quiet", "-p", "justcall-auth-cli", "--test", "kill", "--"]);
    test.args(["--nocapture", "--test-threads=1"]).env("JUSTCALL_KILL_EVERYWHERE", "1");
    let printed = run::output(test.env("JUSTCALL_CLI", programs.join("justcall-auth")))?;
    // The test harness prints its progress as dots, also before a row.
    let rows: String =
        printed.lines().filter_map(|line| line.find('|').map(|at| format!("{}\n", &line[at..]))).collect();
    ensure!(!rows.is_empty(), "the test printed no rows");
    report.write(stage.root, "killed", &format!("{EXPLANATION}{rows}"))
}
