//! Real servers, networks and clocks: docs/evidence/servers.md.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use xtask_demo::packages;
use xtask_demo::run::{cargo, succeed, target_dir};

use crate::python::{self, Venv};

const EXPLANATION: &str = "\
Programs in Rust, C and Python make calls through nginx, haproxy and stunnel, in front of the sandbox or alone. In `networks` server and
program run under `unshare -Urnm`, with routes and a name server of that namespace. In `clocks` libfaketime moves the wall clock of the
program, and a time namespace its monotonic clock. A call is shown as the name of its row, the HTTP status and `request_sent`. Each row is
the expected one, the call ends within its timeout, no text contains the secret, and the log of the server shows as many requests as
expected: none if `request_sent` is false, at least one for a success, at most one for a POST. The languages have the same rows.
";

/// Runs every vector in every language and writes the report. Returns false if a row was not the expected one.
pub fn run(root: &Path, programs: &Path, venv: &Venv, machine: &[(&str, String)]) -> Result<bool> {
    let begun = Instant::now();
    let mut servers = Command::new(programs.join("servers"));
    servers.env("JUSTCALL_LIB_DIR", programs).env("JUSTCALL_PYTHON", venv.program("python"));
    let output = servers.stderr(Stdio::inherit()).output().context("cannot start the servers")?;
    let tables = String::from_utf8_lossy(&output.stdout);
    ensure!(tables.contains("each noticed"), "the planted bugs were not reported");
    let mut text = String::from(
        "# Real servers, networks and clocks\n\nWritten by `cargo xtask test --full` and `cargo xtask servers`: change that, not this file.\n\n| what | which |\n|---|---|\n",
    );
    for (name, value) in machine {
        writeln!(text, "| {name} | {value} |")?;
    }
    let build = if programs.ends_with("debug") { "debug" } else { "release" };
    writeln!(text, "| build | {build} |\n| command | `servers` of `tests/faults` |")?;
    writeln!(text, "| seed | none: every vector is tried in every language |")?;
    writeln!(text, "| duration | {} s |", begun.elapsed().as_secs())?;
    write!(text, "\n{EXPLANATION}\n{tables}")?;
    fs::write(root.join("docs/evidence/servers.md"), text)?;
    Ok(output.status.success())
}

/// Runs every vector with the debug builds.
pub fn alone(root: &Path, machine: &[(&str, String)]) -> Result<()> {
    packages::ensure(root, packages::TESTS)?;
    let venv = python::venv(root)?;
    python::install_module(root, &venv)?;
    let mut build = cargo(root, &["build", "--quiet", "-p", "justcall-auth-ffi", "-p", "justcall-auth-cli"]);
    succeed(build.args(["-p", "justcall-auth-fault-tests"]))?;
    let is_good = run(root, &target_dir(root).join("debug"), &venv, machine)?;
    ensure!(is_good, "a row is not the expected one: see docs/evidence/servers.md");
    Ok(())
}
