//! Kills a writer at one system call after the other, each time in a fresh folder, and looks at what it left.

use std::collections::BTreeMap;
use std::path::Path;

use tempfile::TempDir;

use crate::strace::{Call, End, Program, calls, kill};

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
    /// How many runs were killed with the old pair left, and how many with the new one.
    pub old: usize,
    pub new: usize,
    /// How many different calls.
    pub names: usize,
    /// What was wrong, and after which call.
    pub wrong: Vec<String>,
}

/// Kills `writer` at every call it makes; with `is_short` at every one after its last word with the network.
pub fn sweep(writer: &Writer, is_short: bool) -> Found {
    let mut found = Found::default();
    let log = tempfile::NamedTempFile::new().expect("a file");
    let folder = folder();
    let all = calls(&(writer.prepare)(folder.path()), log.path());
    let points = points(&all, is_short);
    found.names = points.len();
    for (name, (first, last)) in points {
        // A run may make a call or two more than the one that was listed.
        for nth in first..last + 10 {
            let folder = self::folder();
            let end = kill(&(writer.prepare)(folder.path()), &name, nth);
            match (end, (writer.look)(folder.path())) {
                (_, Err(wrong)) => found.wrong.push(format!("{name} {nth}, {end:?}: {wrong}")),
                (End::Killed, Ok(Held::Old)) => found.old += 1,
                (End::Killed, Ok(Held::New)) => found.new += 1,
                (End::Success, Ok(Held::New)) => {}
                other => found.wrong.push(format!("{name} {nth}: {other:?}")),
            }
            if end != End::Killed {
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
