//! A process of ours, stopped and looked through.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::maps::Map;
use crate::needles::{Find, LONGEST, Needles};

/// How much is read at a time.
const CHUNK: usize = 1 << 20;
const PAGE: usize = 4096;
/// Longer than any process takes to stop, so that a hang fails in place of lasting.
const PATIENCE: Duration = Duration::from_secs(20);

/// A process that is stopped until this is dropped.
pub struct Stopped {
    pid: u32,
}

/// What a look at a whole process gave.
#[derive(Debug, Clone, Default)]
pub struct Scan {
    /// Everything that was found.
    pub hits: Vec<Hit>,
    /// How many bytes were read.
    pub bytes: u64,
    /// What the kernel refuses to read (EIO): pages of `memfd_secret`, by map.
    pub hidden: Vec<(String, u64)>,
}

/// A find in a process or a core file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// The map's name and permissions, or the part of a core file.
    pub place: String,
    /// Its first byte's in the process; 0 when it is in no memory.
    pub address: u64,
    /// What was found.
    pub what: String,
    /// The text just before it, other bytes as dots: it tells whose buffer it is.
    pub before: String,
}

impl Hit {
    /// Of a find in `bytes`, which lie at `address`.
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

/// Stops the process and waits until each of its threads stands.
///
/// # Errors
/// When there is no such process, or it is not ours.
pub fn stop(pid: u32) -> Result<Stopped> {
    send(pid, Signal::STOP)?;
    let stopped = Stopped { pid };
    let begun = Instant::now();
    while !threads(pid)?.iter().all(|state| matches!(state, 'T' | 't' | 'Z')) {
        if begun.elapsed() > PATIENCE {
            bail!("process {pid} does not stop");
        }
        std::thread::yield_now();
    }
    Ok(stopped)
}

fn send(pid: u32, signal: Signal) -> Result<()> {
    let number = i32::try_from(pid).ok().and_then(Pid::from_raw).context("not a process's number")?;
    kill_process(number, signal).with_context(|| format!("cannot send a signal to process {pid}"))
}

/// The state of each thread, as the kernel's letter.
fn threads(pid: u32) -> Result<Vec<char>> {
    let mut states = Vec::new();
    for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
        // A thread that ended meanwhile needs no stopping.
        let Ok(stat) = fs::read_to_string(thread?.path().join("stat")) else { continue };
        states.extend(stat.rsplit(") ").next().and_then(|rest| rest.chars().next()));
    }
    Ok(states)
}

/// Where each thread's stack is in use.
fn stack_pointers(pid: u32) -> Result<Vec<u64>> {
    let mut pointers = Vec::new();
    for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
        // The stack pointer is the last but one word, in a system call or not.
        let Ok(state) = fs::read_to_string(thread?.path().join("syscall")) else { continue };
        let pointer = state.split_whitespace().rev().nth(1).and_then(|word| word.strip_prefix("0x"));
        pointers.extend(pointer.and_then(|digits| u64::from_str_radix(digits, 16).ok()));
    }
    Ok(pointers)
}

impl Stopped {
    /// Looks through every readable map.
    ///
    /// # Errors
    /// When memory cannot be read for another reason than that it is hidden.
    pub fn scan(&self, needles: &Needles) -> Result<Scan> {
        let memory = File::open(format!("/proc/{}/mem", self.pid)).context("the process's memory")?;
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

impl Drop for Stopped {
    fn drop(&mut self) {
        // One that is gone needs no resuming.
        let _gone = send(self.pid, Signal::CONT);
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
    // What the chunk before ended with is looked at again with this one: something may lie across.
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
            let hit = Hit::new(map.to_string(), address, bytes, &find);
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

/// Adds `hit`, unless the chunk before had it: whole, or its first part.
fn push(hits: &mut Vec<Hit>, hit: Hit, was_seen: bool) {
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

    fn hit(address: u64, what: &str) -> Hit {
        Hit { place: "[heap] rw-p".into(), address, what: what.into(), before: String::new() }
    }

    #[test]
    fn it_counts_what_lies_across_two_chunks_once() {
        let mut hits = vec![];
        push(&mut hits, hit(10, "bytes 0 to 20"), false);
        push(&mut hits, hit(10, "secret"), false);
        push(&mut hits, hit(10, "secret"), true);
        push(&mut hits, hit(90, "secret"), false);
        assert_eq!(hits, [hit(10, "secret"), hit(90, "secret")]);
    }
}
