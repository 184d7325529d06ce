//! Reports of programs of `tests/faults` that print their results: docs/evidence/servers.md and docs/evidence/soak.md.

use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use super::report::Report;
use super::stage::Stage;

/// A program and its report.
pub struct Printed {
    program: &'static str,
    arguments: &'static [&'static str],
    title: &'static str,
    seed: &'static str,
    planted: &'static str,
    explanation: &'static str,
}

/// Real servers, networks and clocks.
pub const SERVERS: Printed = Printed {
    program: "servers",
    arguments: &[],
    title: "Real servers, networks and clocks",
    seed: "none: every vector is tried in every language",
    planted: "wrong values of an expected row, at the end: each was noticed",
    explanation: "\
Programs in Rust, C and Python make calls through nginx, haproxy and stunnel, in front of the sandbox or alone. In `networks` server and
program run under `unshare -Urnm`, with routes and a name server of that namespace. In `clocks` libfaketime moves the wall clock of the
program, and a time namespace its monotonic clock. A call is shown as the name of its row, the HTTP status and `request_sent`. Each row is
the expected one, the call ends within its timeout, no text contains the secret, and the log of the server shows as many requests as
expected: none if `request_sent` is false, at least one for a success, at most one for a POST. The languages have the same rows.
",
};

/// Programs that call without a pause.
pub const SOAK: Printed = Printed {
    program: "soak",
    arguments: &["--seconds", "600"],
    title: "Ten minutes at full load",
    seed: "none: the order of the threads is that of the system",
    planted: "leaks, at the end: each was noticed",
    explanation: "\
A program in C and one in Python call at the same time and without a pause: eight threads each, which share a client, after ten thousand
clients that existed together. A round has a verification, a GET, a POST, a 404, a connection that is closed without a response, a webhook
with a wrong signature and a read of the source; one thread also creates and frees a client. Then a program in C has a thousand threads on
one client. The service is nginx with TLS. *failed* counts the calls that ended in another row than expected. After the first quarter,
resident memory may grow by 3 % and 512 KiB from the first half to the second half, locked memory not at all, and descriptors and threads
by 8, because connections end at random times.
",
};

impl Printed {
    /// Runs the program with the release builds, and writes the report.
    pub fn run(&self, stage: &Stage<'_>) -> Result<()> {
        let (programs, venv) = (stage.libraries()?, stage.with_module()?);
        let command = format!("cargo xtask test --full --part {}", self.program);
        let report = Report::begin(self.title, &command, self.seed, self.planted);
        let mut program = Command::new(programs.join(self.program));
        program.args(self.arguments);
        program.env("JUSTCALL_LIB_DIR", programs).env("JUSTCALL_PYTHON", venv.program("python"));
        let output = program.stderr(Stdio::inherit()).output().context(self.program)?;
        let tables = String::from_utf8_lossy(&output.stdout);
        ensure!(tables.contains("each noticed"), "the planted bugs were not reported");
        report.write(stage.root, self.program, &format!("{}\n{tables}", self.explanation))?;
        ensure!(output.status.success(), "a promise was broken: see docs/evidence/{}.md", self.program);
        Ok(())
    }
}
