//! Counts what a request costs: instructions by callgrind, allocations by a preloaded allocator. Unlike times, counts are
//! the same on a busy machine. Only the client counts.
//!
//! A worker makes few requests in one run and many in another. The difference is free of start, handshake and end.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::server::{Dialect, SecretKind, Server, pinned};

/// How many requests the two runs make. The first ones of a connection cost more.
pub const FEW: u32 = 100;
pub const MANY: u32 = 400;

/// The cost of a request.
#[derive(Debug, Clone, Copy)]
pub struct Counts {
    /// Instructions in user space.
    pub instructions: f64,
    pub allocations: f64,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Countable {
    /// The worker's command.
    pub job: &'static str,
    pub secret: SecretKind,
    pub dialect: Dialect,
}

impl Countable {
    /// A verification of each kind.
    pub fn verifications() -> Vec<Self> {
        let of = |secret| Dialect::ALL.map(|dialect| Self { job: "verify", secret, dialect });
        let more = Self { job: "verify", secret: SecretKind::Hexadecimal, dialect: Dialect::MoreHeaders };
        SecretKind::ALL.into_iter().flat_map(of).chain([more]).collect()
    }

    /// Returns a name for tables and for the baseline.
    pub fn name(self) -> String {
        format!("{}, {} secret, {}", self.job, self.secret.name(), self.dialect.name())
    }
}

pub const OURS: &str = "justcall-auth";
pub const LIBCURL: &str = "libcurl";

/// A row of the report.
pub struct CountRow {
    pub peer: &'static str,
    pub what: Countable,
    pub counts: Counts,
}

/// Counts the C peers, from the lower bound to libcurl.
pub fn measure(workers: &Path, server: &Server) -> Result<Vec<CountRow>> {
    let mut rows = Vec::new();
    for what in Countable::verifications() {
        for (peer, worker) in [("raw OpenSSL", "raw"), (OURS, "ours"), (LIBCURL, "libcurl")] {
            let counts = count(workers, worker, server, what)?;
            rows.push(CountRow { peer, what, counts });
        }
    }
    Ok(rows)
}

/// Counts the requests of one worker.
pub fn count(workers: &Path, worker: &str, server: &Server, what: Countable) -> Result<Counts> {
    let difference = |count: &dyn Fn(u32) -> Result<f64>| -> Result<f64> {
        Ok((count(MANY)? - count(FEW)?) / f64::from(MANY - FEW))
    };
    Ok(Counts {
        instructions: difference(&|requests| instructions(workers, worker, server, what, requests))?,
        allocations: difference(&|requests| allocations(workers, worker, server, what, requests))?,
    })
}

fn instructions(
    workers: &Path,
    worker: &str,
    server: &Server,
    what: Countable,
    requests: u32,
) -> Result<f64> {
    let mut command = pinned("valgrind");
    command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(workers.join(worker));
    let said = run(command, server, what, requests)?;
    let total =
        said.lines().find_map(|line| line.split_once("Collected : ")).context("no count by callgrind")?;
    Ok(total.1.trim().parse()?)
}

fn allocations(workers: &Path, worker: &str, server: &Server, what: Countable, requests: u32) -> Result<f64> {
    let mut command = pinned(workers.join(worker));
    command.env("LD_PRELOAD", workers.join("count_allocations.so"));
    let said = run(command, server, what, requests)?;
    let line = said.lines().find(|line| line.starts_with('{')).context("no count of allocations")?;
    let report: Value = serde_json::from_str(line)?;
    report["allocations"].as_f64().context("no count of allocations")
}

/// Runs a worker with one command. Returns what it said on standard error.
pub fn run(mut command: Command, server: &Server, what: Countable, requests: u32) -> Result<String> {
    command.arg(server.url_of(what.dialect)).arg(server.ca_file());
    command.env("JUSTCALL_API_SECRET", what.secret.secret());
    if what.dialect == Dialect::NoAccountPage {
        command.env("JUSTCALL_BENCH_PATH", what.dialect.path());
    }
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot start a worker")?;
    writeln!(child.stdin.take().expect("it was piped"), "{} {requests}", what.job)?;
    let output = child.wait_with_output()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if !output.status.success() || String::from_utf8_lossy(&output.stdout).contains("unsupported") {
        bail!("a worker failed: {said}");
    }
    Ok(said)
}
