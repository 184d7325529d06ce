//! Injects a fault at one system call after the other, each time in a fresh folder, and checks the remains.

use std::collections::BTreeMap;
use std::path::Path;

use tempfile::TempDir;

use crate::strace::{Call, End, Fault, Program, calls, inject};

/// The pair in a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PairLeft {
    Old,
    New,
}

/// A writer to sweep.
pub struct Writer<'a> {
    /// Fills an empty folder. Returns the program to run in it.
    pub prepare: &'a dyn Fn(&Path) -> Program,
    /// Returns the pair in a folder, or the fault of its content.
    pub inspect: &'a dyn Fn(&Path) -> Result<PairLeft, String>,
}

/// The result of a sweep.
#[derive(Debug, Default)]
pub struct SweepResult {
    /// The number of runs that left the old pair, and of those that left the new one.
    pub old: usize,
    pub new: usize,
    /// The number of different calls.
    pub names: usize,
    /// The faults, each with its call.
    pub wrong: Vec<String>,
}

/// Calls whose failure a program can handle. A failed allocation ends the program.
const FALLIBLE: &[&str] = &[
    "chmod",
    "copy_file_range",
    "fchmod",
    "fchown",
    "fgetxattr",
    "flistxattr",
    "flock",
    "fremovexattr",
    "fsetxattr",
    "fstat",
    "fsync",
    "getdents64",
    "link",
    "linkat",
    "lseek",
    "mkdir",
    "mkdirat",
    "newfstatat",
    "open",
    "openat",
    "read",
    "readlink",
    "readlinkat",
    "rename",
    "renameat",
    "renameat2",
    "sendfile",
    "statx",
    "symlink",
    "symlinkat",
    "write",
];

/// Injects the fault at every call of `writer`, or with `is_short` only after its last network call.
pub fn sweep(writer: &Writer, fault: Fault, is_short: bool) -> SweepResult {
    let mut result = SweepResult::default();
    let log = tempfile::NamedTempFile::new().expect("a file");
    let all = calls(&(writer.prepare)(folder().path()), log.path());
    let mut points = points(&all, is_short);
    if fault == Fault::Fail {
        points.retain(|name, _| FALLIBLE.contains(&name.as_str()));
    }
    result.names = points.len();
    for (name, (first, last)) in points {
        // A run may make a call or two more than the listed one.
        for nth in first..last + 10 {
            let folder = folder();
            let end = inject(&(writer.prepare)(folder.path()), fault, &name, nth);
            match (end, (writer.inspect)(folder.path())) {
                (_, Err(wrong)) => result.wrong.push(format!("{name} {nth}, {end:?}: {wrong}")),
                (End::Success, Ok(PairLeft::Old)) => {
                    result.wrong.push(format!("{name} {nth}: it reports success"));
                }
                (End::Success, Ok(PairLeft::New)) => {}
                (_, Ok(PairLeft::Old)) => result.old += 1,
                (_, Ok(PairLeft::New)) => result.new += 1,
            }
            let is_over = if fault == Fault::Kill { end != End::Killed } else { nth >= last };
            if is_over {
                break;
            }
        }
    }
    result
}

/// Returns the calls to test: a range of numbers for each name.
fn points(all: &[Call], is_short: bool) -> BTreeMap<String, (usize, usize)> {
    let local = all.iter().rposition(|call| call.is_network).map_or(0, |at| at + 1);
    let begin = if is_short { local } else { 0 };
    let mut points = BTreeMap::new();
    for (at, call) in all.iter().enumerate() {
        if at >= begin && !points.contains_key(&call.name) {
            let count = |calls: &[Call]| calls.iter().filter(|other| other.name == call.name).count();
            points.insert(call.name.clone(), (count(&all[..at]) + 1, count(all)));
        }
    }
    points
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}
