//! What it costs to protect the pair: the work itself, the header for a program's own HTTP, whole calls beside the same
//! calls with the pair on the heap, and the allocator that wipes.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::build::Programs;
use crate::server::{Server, pinned};
use crate::statistics::{Ratio, in_rounds, median};
use crate::worker::Worker;

/// How the pair is kept, with the number that the C header has for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    Heap,
    Locked,
    SecretMem,
}

impl Level {
    const ALL: [Self; 3] = [Self::Heap, Self::Locked, Self::SecretMem];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Heap => "heap",
            Self::Locked => "locked",
            Self::SecretMem => "secretmem",
        }
    }

    /// Such that nothing less is taken.
    const fn asked(self) -> (&'static str, &'static str) {
        match self {
            Self::Heap => ("heap", "2"),
            Self::Locked => ("strict", "1"),
            Self::SecretMem => ("secretmem", "3"),
        }
    }
}

/// A piece of work that takes far less than a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// All that a call does with its pair.
    Call,
    /// `justcall_client_authorization`.
    Header,
}

/// What a piece of work takes at a level.
pub struct WorkRow {
    pub work: Work,
    pub level: Level,
    /// In microseconds, with the interval of the rounds' medians.
    pub time: Ratio,
}

/// What a whole verification takes beside another.
pub struct CallRow {
    pub name: &'static str,
    /// The name of the row that its ratio is taken to.
    pub baseline: &'static str,
    pub wall_ns: f64,
    pub cpu_ns: f64,
    pub wall: Ratio,
    pub cpu: Ratio,
}

/// All of it.
#[derive(Default)]
pub struct Memory {
    pub works: Vec<WorkRow>,
    pub calls: Vec<CallRow>,
}

/// The baseline of the levels.
pub const HEAP: &str = "heap";
/// As it is delivered, and what shows the allocator's part.
pub const WIPING: &str = "locked";
pub const SECRETMEM: &str = "secretmem";
const LEAVING: &str = "locked, an allocator that does not wipe";

const CALLS: [(&str, &str, Level, &str); 4] = [
    (HEAP, "ours", Level::Heap, HEAP),
    (WIPING, "ours", Level::Locked, HEAP),
    (SECRETMEM, "ours", Level::SecretMem, HEAP),
    (LEAVING, "ours-disable-wiping-allocator", Level::Locked, WIPING),
];

/// Fewer rounds tell too little of a few per cent.
const ROUNDS: u32 = 20;
/// Of a piece of work, a hundred at a time.
const BATCHES: u32 = 200;

/// Runs the rounds.
pub fn measure(programs: &Programs, server: &Server, rounds: u32, requests: u32) -> Result<Memory> {
    let rounds = rounds.max(ROUNDS);
    let works = works(programs, server, rounds)?;
    Ok(Memory { works, calls: calls(programs, server, rounds, requests)? })
}

fn works(programs: &Programs, server: &Server, rounds: u32) -> Result<Vec<WorkRow>> {
    let mut workers = Vec::new();
    for level in Level::ALL {
        let mut rust = pinned(&programs.secret_worker);
        rust.arg(level.asked().0);
        workers.push((Work::Call, level, Worker::start("bench_secret", rust)?));
        let c = worker(&programs.workers.join("ours"), server, level);
        workers.push((Work::Header, level, Worker::start(level.name(), c)?));
    }
    let mut times = vec![Vec::new(); workers.len()];
    in_rounds(rounds, workers.len(), |index, counts| {
        let (work, _, worker) = &mut workers[index];
        let job = if *work == Work::Call { "secret" } else { "header" };
        let cost = worker.perform(job, BATCHES)?.context("the worker cannot do it")?;
        if counts {
            times[index].push(cost.wall_ns / 1e3);
        }
        Ok(())
    })?;
    let row = |((work, level, _), times): (&(Work, Level, Worker), &Vec<f64>)| WorkRow {
        work: *work,
        level: *level,
        time: Ratio::of_one(times),
    };
    Ok(workers.iter().zip(&times).map(row).collect())
}

fn calls(programs: &Programs, server: &Server, rounds: u32, requests: u32) -> Result<Vec<CallRow>> {
    let mut workers = CALLS
        .iter()
        .map(|(name, program, level, _)| {
            Worker::start(name, worker(&programs.workers.join(program), server, *level))
        })
        .collect::<Result<Vec<_>>>()?;
    let mut costs = vec![(Vec::new(), Vec::new()); workers.len()];
    in_rounds(rounds, workers.len(), |index, counts| {
        let cost = workers[index].perform("verify", requests)?.context("the worker cannot verify")?;
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

fn worker(program: &Path, server: &Server, level: Level) -> Command {
    let mut command = pinned(program);
    command.arg(server.url()).arg(server.ca_file()).env("JUSTCALL_BENCH_MEMORY", level.asked().1);
    command
}
