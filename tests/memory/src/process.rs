//! Stops a process and searches its memory.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::maps::Map;
use crate::needles::{Find, LONGEST, Needles};

/// How many bytes are read at a time.
const CHUNK: usize = 1 << 20;
const PAGE: usize = 4096;
/// More time than any process needs to stop, so that a hang becomes a failure.
const STOP_LIMIT: Duration = Duration::from_secs(20);

/// A stopped process. Dropping this value resumes it.
pub struct StoppedProcess {
    pid: u32,
}

/// The result of searching a process or a core file.
#[derive(Debug, Clone, Default)]
pub struct Scan {
    /// The finds.
    pub hits: Vec<MemoryHit>,
    /// The number of bytes that were read.
    pub bytes: u64,
    /// The number of bytes that the kernel refuses to read (EIO), by mapping: pages of `memfd_secret`.
    pub hidden: Vec<(String, u64)>,
}

/// A find in a process or a core file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemoryHit {
    /// The mapping's name and permissions, or the part of a core file.
    pub place: String,
    /// The address of the first byte in the process, or 0 if it is not in memory.
    pub address: u64,
    /// The description of the find.
    pub what: String,
    /// The text before it, with other bytes as dots, which helps to identify the buffer.
    pub before: String,
}

impl MemoryHit {
    /// Creates the hit of a find in `bytes`, which are at `address`.
    pub(crate) fn new(place: String, address: u64, bytes: &[u8], find: &Find) -> Self {
        let before = &bytes[find.offset.saturating_sub(24)..find.offset];
        let printable =
            |byte: &u8| if byte.is_ascii_graphic() || *byte == b' ' { char::from(*byte) } else { '.' };
        Self {
            place,
            address: address + find.offset as u64,
            what: find.what.clone(),
            before: before.iter().map(printable).collect(),
        }
    }
}

/// Stops the process and waits until each of its threads has stopped.
///
/// # Errors
/// If there is no such process, this process must not stop it, or it does not stop.
pub fn stop(pid: u32) -> Result<StoppedProcess> {
    send(pid, Signal::STOP)?;
    let stopped = StoppedProcess { pid };
    let begun = Instant::now();
    while !threads(pid)?.iter().all(|state| matches!(state, 'T' | 't' | 'Z')) {
        if begun.elapsed() > STOP_LIMIT {
            bail!("process {pid} does not stop");
        }
        std::thread::yield_now();
    }
    Ok(stopped)
}

fn send(pid: u32, signal: Signal) -> Result<()> {
    let number = i32::try_from(pid).ok().and_then(Pid::from_raw).context("not a process id")?;
    kill_process(number, signal).with_context(|| format!("cannot send a signal to process {pid}"))
}

/// Returns the state of each thread, as the kernel's letter.
fn threads(pid: u32) -> Result<Vec<char>> {
    let mut states = Vec::new();
    for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
        // A thread that has ended meanwhile is ignored.
        let Ok(stat) = fs::read_to_string(thread?.path().join("stat")) else { continue };
        states.extend(stat.rsplit(") ").next().and_then(|rest| rest.chars().next()));
    }
    Ok(states)
}

/// Returns the stack pointer of each thread.
fn stack_pointers(pid: u32) -> Result<Vec<u64>> {
    let mut pointers = Vec::new();
    for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
        // The stack pointer is the last but one word, both in a system call and outside.
        let Ok(state) = fs::read_to_string(thread?.path().join("syscall")) else { continue };
        let pointer = state.split_whitespace().rev().nth(1).and_then(|word| word.strip_prefix("0x"));
        pointers.extend(pointer.and_then(|digits| u64::from_str_radix(digits, 16).ok()));
    }
    Ok(pointers)
}

impl StoppedProcess {
    /// Searches every readable mapping.
    ///
    /// # Errors
    /// If memory cannot be read for another reason than EIO.
    pub fn scan(&self, needles: &Needles) -> Result<Scan> {
        let memory =
            File::open(format!("/proc/{}/mem", self.pid)).context("cannot open the process's memory")?;
        let mut scan = Scan::default();
        let mut buffer = vec![0; CHUNK + LONGEST];
        let mut maps = Map::all(self.pid)?;
        let stacks = stack_pointers(self.pid)?;
        for map in &mut maps {
            if map.name == "anonymous" && stacks.iter().any(|at| (map.start..map.end).contains(at)) {
                "[stack of a thread]".clone_into(&mut map.name);
            }
        }
        for map in maps.iter().filter(|map| map.is_readable()) {
            scan_map(&memory, map, needles, &mut buffer, &mut scan)
                .with_context(|| format!("reading {map} of process {}", self.pid))?;
        }
        Ok(scan)
    }
}

impl Drop for StoppedProcess {
    fn drop(&mut self) {
        // Fails if the process has exited.
        let _resumed = send(self.pid, Signal::CONT);
    }
}

fn scan_map(
    memory: &File,
    map: &Map,
    needles: &Needles,
    buffer: &mut [u8],
    scan: &mut Scan,
) -> io::Result<()> {
    let mut hidden = 0;
    // The end of the previous chunk is searched again with this one, to find copies across the boundary.
    let mut kept = 0;
    let mut at = map.start;
    while at < map.end {
        let room = usize::try_from(map.end - at).unwrap_or(usize::MAX).min(CHUNK);
        let read = match memory.read_at(&mut buffer[kept..kept + room], at) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error()) => {
                hidden += PAGE as u64;
                kept = 0;
                at += PAGE as u64;
                continue;
            }
            Err(error) => return Err(error),
        };
        let bytes = &buffer[..kept + read];
        let address = at - kept as u64;
        for find in needles.find(bytes) {
            let hit = MemoryHit::new(map.to_string(), address, bytes, &find);
            push(&mut scan.hits, hit, find.offset + find.length <= kept);
        }
        scan.bytes += read as u64;
        at += read as u64;
        let end = kept + read;
        kept = end.min(LONGEST);
        buffer.copy_within(end - kept..end, 0);
    }
    buffer.fill(0);
    if hidden > 0 {
        scan.hidden.push((map.to_string(), hidden));
    }
    Ok(())
}

/// Adds `hit`. Ignores it if it was seen in the previous chunk, and replaces it if only its first part was seen there.
fn push(hits: &mut Vec<MemoryHit>, hit: MemoryHit, was_seen: bool) {
    if was_seen {
        return;
    }
    if let Some(first_part) = hits.last_mut().filter(|last| last.address == hit.address) {
        *first_part = hit;
        return;
    }
    hits.push(hit);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hit(address: u64, what: &str) -> MemoryHit {
        MemoryHit { place: "[heap] rw-p".into(), address, what: what.into(), before: String::new() }
    }

    #[test]
    fn it_counts_a_copy_across_two_chunks_once() {
        let mut hits = vec![];
        push(&mut hits, hit(10, "bytes 0 to 20"), false);
        push(&mut hits, hit(10, "secret"), false);
        push(&mut hits, hit(10, "secret"), true);
        push(&mut hits, hit(90, "secret"), false);
        assert_eq!(hits, [hit(10, "secret"), hit(90, "secret")]);
    }
}
