//! Measures the phases of a program that starts, verifies and ends: where the time of its first call goes.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::Value;
use xtask_demo::run::output;

use crate::server::{Server, pinned};
use crate::statistics::median;

/// The certificates of the system, whose roots a program reads without `ca_file`.
const SYSTEM_ROOTS: &str = "/etc/ssl/certs/ca-certificates.crt";

/// The medians of one program, in microseconds.
pub struct PhaseRow {
    pub program: &'static str,
    /// From its start to `main`.
    pub load: f64,
    /// Creating the client.
    pub open: f64,
    /// The first call: the look-up of the name, the connection, the handshake, and a call.
    pub first: f64,
    /// How much longer the first call takes with the roots of the system.
    pub roots: f64,
    /// Another call.
    pub next: f64,
}

pub fn measure(workers: &Path, server: &Server, rounds: u32) -> Result<Vec<PhaseRow>> {
    let folder = tempfile::tempdir()?;
    let all_roots = folder.path().join("roots.pem");
    let own = fs::read_to_string(server.ca_file())?;
    fs::write(&all_roots, own + &fs::read_to_string(SYSTEM_ROOTS).context(SYSTEM_ROOTS)?)?;
    let peers = [("raw OpenSSL", "raw"), ("justcall-auth", "ours"), ("libcurl", "libcurl")];
    peers
        .into_iter()
        .map(|(program, worker)| {
            let one = phases(workers, worker, server, &server.ca_file(), rounds)?;
            let all = phases(workers, worker, server, &all_roots, rounds)?;
            let roots = (all[1] + all[2]) - (one[1] + one[2]);
            Ok(PhaseRow { program, load: one[0], open: one[1], first: one[2], roots, next: one[3] })
        })
        .collect()
}

fn phases(workers: &Path, worker: &str, server: &Server, roots: &Path, rounds: u32) -> Result<[f64; 4]> {
    let mut figures: [Vec<f64>; 4] = Default::default();
    for _ in 0..rounds.max(10) {
        let mut command = pinned(workers.join("once"));
        command.arg(workers.join(worker)).arg(server.url()).arg(roots).arg("phases");
        let answer: Value = serde_json::from_str(&output(&mut command)?)?;
        for (name, figures) in ["load_ns", "open_ns", "first_ns", "next_ns"].iter().zip(&mut figures) {
            figures.push(answer[name].as_f64().with_context(|| format!("no {name}"))? / 1e3);
        }
    }
    Ok(figures.map(|one| median(&one)))
}
