//! Measures how the cost of a request depends on threads, pairs and sizes, and the memory of what is idle.

use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::server::{Server, pinned, unpinned};
use crate::statistics::{Ratio, in_rounds, median};
use crate::worker::PeerProcess;

/// The workers that support all kinds of threads, ours first.
const PEERS: [(&str, &str); 2] = [("justcall-auth", "ours"), ("libcurl", "libcurl")];
/// How many requests all threads make together in a round.
const REQUESTS: u32 = 3200;
/// The numbers of threads of the row that must be flat.
const THREADS: [u32; 5] = [1, 2, 8, 32, 64];
const TENANTS: [u32; 3] = [1, 100, 10_000];
const SIZES: [u32; 4] = [1 << 10, 1 << 14, 1 << 20, 1 << 24];

/// Threads that begin their calls in one way.
pub struct ThreadRow {
    pub kind: &'static str,
    pub threads: u32,
    /// Requests a second of justcall-auth, and its ratio to libcurl.
    pub per_second: f64,
    pub rate: Ratio,
    /// The time in milliseconds that 99 % of its calls do not exceed, and its ratio to libcurl.
    pub p99_ms: f64,
    pub p99: Ratio,
}

/// The cost of a call in one size of something.
pub struct SizeRow {
    pub what: String,
    pub wall_us: f64,
    pub cpu_us: f64,
    /// The ratio of the processor time to that of the first row of its kind, for each unit: a call, or a byte.
    pub to_first: f64,
    /// The ratio of the processor time to libcurl, where it has the same.
    pub to_libcurl: Option<f64>,
}

/// Bytes on the heap.
pub struct Idle {
    pub client: f64,
    pub connection: f64,
    pub connections: f64,
}

/// All figures of this file.
pub struct Scale {
    pub threads: Vec<ThreadRow>,
    pub sizes: Vec<SizeRow>,
    pub idle: Idle,
}

pub fn measure(workers: &Path, server: &Server, rounds: u32) -> Result<Scale> {
    let kinds = THREADS.map(|threads| ("free", threads));
    let threads = kinds
        .into_iter()
        .chain([("paced", 32), ("bursts", 32)])
        .map(|(kind, threads)| thread_row(workers, server, kind, threads, rounds.min(10)))
        .collect::<Result<_>>()?;
    let mut sizes = tenants(workers, server)?;
    sizes.extend(bodies(workers, server)?);
    Ok(Scale { threads, sizes, idle: idle(workers, server)? })
}

fn thread_row(
    workers: &Path,
    server: &Server,
    kind: &'static str,
    threads: u32,
    rounds: u32,
) -> Result<ThreadRow> {
    let mut peers = PEERS
        .iter()
        .map(|(name, worker)| {
            let mut command = unpinned(workers.join(worker));
            command.arg(server.url()).arg(server.ca_file());
            PeerProcess::start(name, command)
        })
        .collect::<Result<Vec<_>>>()?;
    // Each thread of the paced kind makes 50 requests a second.
    let each = if kind == "paced" { 50 } else { (REQUESTS / threads).max(50) };
    let line = format!("threads {kind} {threads} {each}");
    let mut rates = [Vec::new(), Vec::new()];
    let mut p99s = [Vec::new(), Vec::new()];
    in_rounds(rounds, peers.len(), |index, counts| {
        let answer = peers[index].answer(&line)?;
        let figure = |name: &str| answer[name].as_f64().with_context(|| format!("no {name}"));
        if counts {
            rates[index].push(figure("per_second")?);
            p99s[index].push(figure("p99_ns")?);
        }
        Ok(())
    })?;
    Ok(ThreadRow {
        kind,
        threads,
        per_second: median(&rates[0]),
        rate: Ratio::of(&rates[0], &rates[1]),
        p99_ms: median(&p99s[0]) / 1e6,
        p99: Ratio::of(&p99s[0], &p99s[1]),
    })
}

/// Runs one command several times. Returns the medians of the time and of the processor time, in nanoseconds.
fn repeated(peer: &mut PeerProcess, line: &str) -> Result<(f64, f64)> {
    let (mut walls, mut cpus) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        let answer = peer.answer(line)?;
        walls.push(answer["median_ns"].as_f64().context("no median")?);
        cpus.push(answer["cpu_ns"].as_f64().context("no processor time")?);
    }
    Ok((median(&walls), median(&cpus)))
}

fn start(workers: &Path, server: &Server, worker: &'static str) -> Result<PeerProcess> {
    let mut command = pinned(workers.join(worker));
    command.arg(server.url()).arg(server.ca_file());
    PeerProcess::start(worker, command)
}

fn tenants(workers: &Path, server: &Server) -> Result<Vec<SizeRow>> {
    let mut rows: Vec<SizeRow> = Vec::new();
    let mut first = None;
    for tenants in TENANTS {
        let mut peer = start(workers, server, "ours")?;
        let (wall, cpu) = repeated(&mut peer, &format!("tenants {tenants} {}", tenants.max(2000)))?;
        rows.push(SizeRow {
            what: format!("{tenants} pairs"),
            wall_us: wall / 1e3,
            cpu_us: cpu / 1e3,
            to_first: cpu / *first.get_or_insert(cpu),
            to_libcurl: None,
        });
    }
    Ok(rows)
}

fn bodies(workers: &Path, server: &Server) -> Result<Vec<SizeRow>> {
    let mut rows = Vec::new();
    let mut per_byte = None;
    let (mut ours, mut libcurl) = (start(workers, server, "ours")?, start(workers, server, "libcurl")?);
    for size in SIZES {
        let line = format!("size {size} {}", (64 * 1024 * 1024 / size).clamp(4, 500));
        let (wall, cpu) = repeated(&mut ours, &line)?;
        let (_, other) = repeated(&mut libcurl, &line)?;
        // A small body costs little beside the call itself, so bytes are compared from 1 MiB on.
        let own = cpu / f64::from(size);
        let is_large = size >= 1 << 20;
        rows.push(SizeRow {
            what: if is_large { format!("{} MiB", size >> 20) } else { format!("{} KiB", size >> 10) },
            wall_us: wall / 1e3,
            cpu_us: cpu / 1e3,
            to_first: if is_large { own / *per_byte.get_or_insert(own) } else { f64::NAN },
            to_libcurl: Some(cpu / other),
        });
    }
    Ok(rows)
}

/// Measures with the counting allocator, in a process for each figure.
pub fn idle(workers: &Path, server: &Server) -> Result<Idle> {
    let ask = |line: &str| -> Result<Value> {
        let mut command = pinned(workers.join("ours"));
        command.arg(server.url()).arg(server.ca_file());
        command.env("LD_PRELOAD", workers.join("count_allocations.so"));
        // Its last line, on standard error, is for the counts.
        PeerProcess::start("ours", command)?.answer(line)
    };
    let connections = ask("connections")?;
    let figure = |answer: &Value, name: &str| answer[name].as_f64().with_context(|| format!("no {name}"));
    Ok(Idle {
        client: figure(&ask("tenants 1000 1000")?, "bytes")?,
        connection: figure(&connections, "bytes")?,
        connections: figure(&connections, "connections")?,
    })
}
