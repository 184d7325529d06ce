//! Strikes a writer at one system call after the other, each time in a fresh folder, and looks at what it left.

use std::collections::BTreeMap;
use std::path::Path;

use tempfile::TempDir;

use crate::strace::{Blow, Call, End, Program, calls, strike};

/// Which pair is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    Old,
    New,
}

/// What is swept.
pub struct Writer<'a> {
    /// Fills an empty folder and says what to run in it.
    pub prepare: &'a dyn Fn(&Path) -> Program,
    /// Which pair a folder holds, or what is wrong with it.
    pub look: &'a dyn Fn(&Path) -> Result<Held, String>,
}

/// What a sweep found.
#[derive(Debug, Default)]
pub struct Found {
    /// How many runs were struck with the old pair left, and how many with the new one.
    pub old: usize,
    pub new: usize,
    /// How many different calls.
    pub names: usize,
    /// What was wrong, and after which call.
    pub wrong: Vec<String>,
}

/// Calls whose failure a program can answer for: what fails to give memory ends it.
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

/// Strikes `writer` at every call it makes; with `is_short` at every one after its last word with the network.
pub fn sweep(writer: &Writer, blow: Blow, is_short: bool) -> Found {
    let mut found = Found::default();
    let log = tempfile::NamedTempFile::new().expect("a file");
    let all = calls(&(writer.prepare)(folder().path()), log.path());
    let mut points = points(&all, is_short);
    if blow == Blow::Fail {
        points.retain(|name, _| FALLIBLE.contains(&name.as_str()));
    }
    found.names = points.len();
    for (name, (first, last)) in points {
        // A run may make a call or two more than the one that was listed.
        for nth in first..last + 10 {
            let folder = folder();
            let end = strike(&(writer.prepare)(folder.path()), blow, &name, nth);
            match (end, (writer.look)(folder.path())) {
                (_, Err(wrong)) => found.wrong.push(format!("{name} {nth}, {end:?}: {wrong}")),
                (End::Success, Ok(Held::Old)) => {
                    found.wrong.push(format!("{name} {nth}: it says that it is done"));
                }
                (End::Success, Ok(Held::New)) => {}
                (_, Ok(Held::Old)) => found.old += 1,
                (_, Ok(Held::New)) => found.new += 1,
            }
            let is_over = if blow == Blow::Kill { end != End::Killed } else { nth >= last };
            if is_over {
                break;
            }
        }
    }
    found
}

/// For every name of a call, which ones of that name to be killed at.
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
