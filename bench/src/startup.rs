//! Measures time and memory of a program that starts, verifies once and exits.

use anyhow::{Context as _, Result};

use crate::build::BenchPrograms;
use crate::launcher::{Cost, launch};
use crate::requests::{Setting, peers};
use crate::server::Server;
use crate::statistics::{Ratio, median, rounds_of};

pub const OURS: &str = "justcall-auth verify";
pub const CURL: &str = "curl";
pub const NOTHING: &str = "python, nothing";

/// The result of one program.
pub struct StartupRow {
    pub name: &'static str,
    pub wall_ms: f64,
    pub cpu_ms: f64,
    pub peak_mib: f64,
    /// The ratio of its time to curl's, within a round.
    pub wall: Ratio,
    /// The ratio of its time to that of an interpreter that does nothing.
    pub to_python: Ratio,
    /// The ratio of its peak memory to curl's.
    pub peak: Ratio,
}

pub fn measure(programs: &BenchPrograms, server: &Server, rounds: u32) -> Result<Vec<StartupRow>> {
    let candidates = candidates(programs, server);
    let costs = rounds_of(rounds, candidates.len(), |index| launch(programs, &candidates[index].1))?;
    let curl = candidates.iter().position(|(name, _)| *name == CURL).context("no curl")?;
    let python = candidates.iter().position(|(name, _)| *name == NOTHING).context("no interpreter")?;
    let of = |index: usize, pick: fn(&Cost) -> f64| costs[index].iter().map(pick).collect::<Vec<_>>();
    let row = |(index, (name, _)): (usize, &(&'static str, Vec<String>))| StartupRow {
        name,
        wall_ms: median(&of(index, |cost| cost.wall_ns)) / 1e6,
        cpu_ms: median(&of(index, |cost| cost.cpu_ns)) / 1e6,
        peak_mib: median(&of(index, |cost| cost.peak_kib)) / 1024.0,
        wall: Ratio::of(&of(index, |cost| cost.wall_ns), &of(curl, |cost| cost.wall_ns)),
        to_python: Ratio::of(&of(index, |cost| cost.wall_ns), &of(python, |cost| cost.wall_ns)),
        peak: Ratio::of(&of(index, |cost| cost.peak_kib), &of(curl, |cost| cost.peak_kib)),
    };
    Ok(candidates.iter().enumerate().map(row).collect())
}

/// Returns the command lines that are measured, with their names.
fn candidates(programs: &BenchPrograms, server: &Server) -> Vec<(&'static str, Vec<String>)> {
    let (url, ca_file) = (server.url(), server.ca_file().display().to_string());
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let cli = programs.cli.display().to_string();
    let ours = words(&[&cli, "verify", "--source", "env:", "--base-url", &url, "--ca-file", &ca_file]);
    let header = format!("Authorization: {}", Server::authorization());
    let account = format!("{url}/v2/account");
    let curl = words(&[
        "curl",
        "--silent",
        "--fail",
        "--max-time",
        "30",
        "--cacert",
        &ca_file,
        "-H",
        &header,
        &account,
    ]);
    // A lower bound for the Python peers.
    let nothing = words(&[&programs.python.display().to_string(), "-c", "pass"]);
    let mut all = vec![(OURS, ours), (CURL, curl), (NOTHING, nothing)];
    for peer in peers(programs) {
        let command = peer.command(programs, server, Setting::USUAL);
        // The launcher is pinned, and its child inherits that, so the words that pin the peer are skipped.
        let arguments = command.get_args().skip_while(|word| *word != "--cpu-list").skip(2);
        let mut arguments: Vec<_> = arguments.map(|word| word.to_string_lossy().into_owned()).collect();
        arguments.push("once".to_owned());
        all.push((peer.name, arguments));
    }
    all
}
