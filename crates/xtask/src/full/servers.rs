//! Real servers, networks and clocks: docs/evidence/servers.md.

use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use super::report::Report;
use super::stage::Stage;

const EXPLANATION: &str = "\
Programs in Rust, C and Python make calls through nginx, haproxy and stunnel, in front of the sandbox or alone. In `networks` server and
program run under `unshare -Urnm`, with routes and a name server of that namespace. In `clocks` libfaketime moves the wall clock of the
program, and a time namespace its monotonic clock. A call is shown as the name of its row, the HTTP status and `request_sent`. Each row is
the expected one, the call ends within its timeout, no text contains the secret, and the log of the server shows as many requests as
expected: none if `request_sent` is false, at least one for a success, at most one for a POST. The languages have the same rows.

`failed` counts calls without a pause, GET and POST in turn, without retries, while the server reloads, and whose connection ended.
";

/// Runs every vector in every language.
pub fn run(stage: &Stage<'_>) -> Result<()> {
    let (programs, venv) = (stage.libraries()?, stage.with_module()?);
    let report = Report::begin(
        "Real servers, networks and clocks",
        "cargo xtask test --full --part servers",
        "none: every vector is tried in every language",
        "wrong values of an expected row, at the end: each was noticed",
    );
    let mut servers = Command::new(programs.join("servers"));
    servers.env("JUSTCALL_LIB_DIR", programs).env("JUSTCALL_PYTHON", venv.program("python"));
    let output = servers.stderr(Stdio::inherit()).output().context("cannot start the servers")?;
    let tables = String::from_utf8_lossy(&output.stdout);
    ensure!(tables.contains("each noticed"), "the planted bugs were not reported");
    report.write(stage.root, "servers", &format!("{EXPLANATION}\n{tables}"))?;
    ensure!(output.status.success(), "a call did not end in its row: see docs/evidence/servers.md");
    Ok(())
}
