//! Reports of programs of `tests/faults` that print their results: docs/evidence/servers.md and docs/evidence/soak.md.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use xtask_demo::packages;
use xtask_demo::run::{cargo, succeed, target_dir};

use crate::python::{self, Venv};

/// A program and its report.
pub struct Printed {
    program: &'static str,
    arguments: &'static [&'static str],
    title: &'static str,
    seed: &'static str,
    explanation: &'static str,
}

/// Real servers, networks and clocks.
pub const SERVERS: Printed = Printed {
    program: "servers",
    arguments: &[],
    title: "Real servers, networks and clocks",
    seed: "none: every vector is tried in every language",
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
    /// Runs the program and writes the report. Returns false if a promise was broken.
    pub fn run(&self, root: &Path, programs: &Path, venv: &Venv, machine: &[(&str, String)]) -> Result<bool> {
        let begun = Instant::now();
        let mut command = Command::new(programs.join(self.program));
        command.args(self.arguments);
        command.env("JUSTCALL_LIB_DIR", programs).env("JUSTCALL_PYTHON", venv.program("python"));
        let output = command.stderr(Stdio::inherit()).output().context(self.program)?;
        let tables = String::from_utf8_lossy(&output.stdout);
        ensure!(tables.contains("each noticed"), "the planted bugs were not reported");
        let mut text = format!(
            "# {}\n\nWritten by `cargo xtask test --full` and `cargo xtask {}`: change that, not this file.\n\n| what | which |\n|---|---|\n",
            self.title, self.program
        );
        for (name, value) in machine {
            writeln!(text, "| {name} | {value} |")?;
        }
        let build = if programs.ends_with("debug") { "debug" } else { "release" };
        let words = [&[self.program], self.arguments].concat().join(" ");
        writeln!(text, "| build | {build} |\n| command | `{words}`, of `tests/faults` |")?;
        writeln!(text, "| seed | {} |\n| duration | {} s |", self.seed, begun.elapsed().as_secs())?;
        write!(text, "\n{}\n{}\n", self.explanation, tables.trim())?;
        fs::write(root.join(self.page()), text)?;
        Ok(output.status.success())
    }

    /// Runs the program with the debug builds.
    pub fn alone(&self, root: &Path, machine: &[(&str, String)]) -> Result<()> {
        packages::ensure(root, packages::TESTS)?;
        let venv = python::venv(root)?;
        python::install_module(root, &venv)?;
        let mut build = cargo(root, &["build", "--quiet", "-p", "justcall-auth-ffi"]);
        succeed(build.args(["-p", "justcall-auth-cli", "-p", "justcall-auth-fault-tests"]))?;
        let is_good = self.run(root, &target_dir(root).join("debug"), &venv, machine)?;
        ensure!(is_good, "a promise was broken: see {}", self.page());
        Ok(())
    }

    /// Returns the path of the report.
    pub fn page(&self) -> String {
        format!("docs/evidence/{}.md", self.program)
    }
}
