//! Measures the cost of protecting the pair: the secret work itself, building the header, whole calls compared with the
//! same calls with the pair on the heap, and the wiping allocator.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::build::BenchPrograms;
use crate::server::{Server, pinned};
use crate::statistics::{Ratio, in_rounds, median};
use crate::worker::PeerProcess;

/// The protection level of the pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProtectionLevel {
    Heap,
    Locked,
    SecretMem,
}

impl ProtectionLevel {
    const ALL: [Self; 3] = [Self::Heap, Self::Locked, Self::SecretMem];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Heap => "heap",
            Self::Locked => "locked",
            Self::SecretMem => "secretmem",
        }
    }

    /// Returns the level to request, by name and by number of `justcall_auth.h`: one that permits no lower level.
    const fn requested(self) -> (&'static str, &'static str) {
        match self {
            Self::Heap => ("heap", "2"),
            Self::Locked => ("strict", "1"),
            Self::SecretMem => ("secretmem", "3"),
        }
    }
}

/// Work that takes far less time than a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// The secret work of a call.
    Call,
    /// `justcall_client_authorization`.
    Header,
}

/// The time of a piece of work at a protection level.
pub struct WorkRow {
    pub work: Work,
    pub level: ProtectionLevel,
    /// In microseconds, with the interval of the rounds' medians.
    pub time: Ratio,
}

/// The cost of a verification, compared with that of another row.
pub struct CallRow {
    pub name: &'static str,
    /// The name of the row that the ratios are taken to.
    pub baseline: &'static str,
    pub wall_ns: f64,
    pub cpu_ns: f64,
    pub wall: Ratio,
    pub cpu: Ratio,
}

/// The figures of this part.
#[derive(Default)]
pub struct Memory {
    pub works: Vec<WorkRow>,
    pub calls: Vec<CallRow>,
}

/// The baseline of the levels.
pub const HEAP: &str = "heap";
/// The default level of a release build, and the baseline of [`NOT_WIPING`].
pub const WIPING: &str = "locked";
pub const SECRETMEM: &str = "secretmem";
const NOT_WIPING: &str = "locked, without the wiping allocator";

/// The rows of whole calls: name, program, level, baseline.
const CALLS: [(&str, &str, ProtectionLevel, &str); 4] = [
    (HEAP, "ours", ProtectionLevel::Heap, HEAP),
    (WIPING, "ours", ProtectionLevel::Locked, HEAP),
    (SECRETMEM, "ours", ProtectionLevel::SecretMem, HEAP),
    (NOT_WIPING, "ours-disable-wiping-allocator", ProtectionLevel::Locked, WIPING),
];

/// Fewer rounds cannot show a difference of a few per cent.
const ROUNDS: u32 = 20;
/// How many batches of a hundred a worker measures in a round.
const BATCHES: u32 = 200;

pub fn measure(programs: &BenchPrograms, server: &Server, rounds: u32, requests: u32) -> Result<Memory> {
    let rounds = rounds.max(ROUNDS);
    let works = works(programs, server, rounds)?;
    Ok(Memory { works, calls: calls(programs, server, rounds, requests)? })
}

fn works(programs: &BenchPrograms, server: &Server, rounds: u32) -> Result<Vec<WorkRow>> {
    let mut workers = Vec::new();
    for level in ProtectionLevel::ALL {
        let mut rust = pinned(&programs.secret_worker);
        rust.arg(level.requested().0);
        workers.push((Work::Call, level, PeerProcess::start("bench_secret", rust)?));
        let c = worker(&programs.workers.join("ours"), server, level);
        workers.push((Work::Header, level, PeerProcess::start(level.name(), c)?));
    }
    let mut times = vec![Vec::new(); workers.len()];
    in_rounds(rounds, workers.len(), |index, counts| {
        let (work, _, worker) = &mut workers[index];
        let job = if *work == Work::Call { "secret" } else { "header" };
        let cost =
            worker.perform(job, BATCHES)?.with_context(|| format!("the worker does not support {job}"))?;
        if counts {
            times[index].push(cost.wall_ns / 1e3);
        }
        Ok(())
    })?;
    let row = |((work, level, _), times): (&(Work, ProtectionLevel, PeerProcess), &Vec<f64>)| WorkRow {
        work: *work,
        level: *level,
        time: Ratio::of_one(times),
    };
    Ok(workers.iter().zip(&times).map(row).collect())
}

fn calls(programs: &BenchPrograms, server: &Server, rounds: u32, requests: u32) -> Result<Vec<CallRow>> {
    let mut workers = CALLS
        .iter()
        .map(|(name, program, level, _)| {
            PeerProcess::start(name, worker(&programs.workers.join(program), server, *level))
        })
        .collect::<Result<Vec<_>>>()?;
    let mut costs = vec![(Vec::new(), Vec::new()); workers.len()];
    in_rounds(rounds, workers.len(), |index, counts| {
        let cost =
            workers[index].perform("verify", requests)?.context("the worker does not support verify")?;
        if counts {
            costs[index].0.push(cost.wall_ns);
            costs[index].1.push(cost.cpu_ns);
        }
        Ok(())
    })?;
    CALLS
        .iter()
        .zip(&costs)
        .map(|((name, _, _, baseline), (wall, cpu))| {
            let base = CALLS.iter().position(|(other, ..)| other == baseline).context("no baseline")?;
            Ok(CallRow {
                name,
                baseline,
                wall_ns: median(wall),
                cpu_ns: median(cpu),
                wall: Ratio::of(wall, &costs[base].0),
                cpu: Ratio::of(cpu, &costs[base].1),
            })
        })
        .collect()
}

fn worker(program: &Path, server: &Server, level: ProtectionLevel) -> Command {
    let mut command = pinned(program);
    command.arg(server.url()).arg(server.ca_file()).env("JUSTCALL_BENCH_MEMORY", level.requested().1);
    command
}
