//! Searches a core file that `gcore` writes.
//!
//! Beside memory it contains the threads' registers, which may still hold the last bytes that were copied.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use tempfile::TempDir;

use crate::needles::Needles;
use crate::process::{MemoryHit, Scan};

/// Writes a core file of a running process with `gcore` (Debian: gdb), and searches it.
///
/// # Errors
/// If gdb is not installed, or must not trace the process.
pub fn dump_and_scan(pid: u32, needles: &Needles) -> Result<Scan> {
    let folder = TempDir::new().context("cannot create a folder for the core file")?;
    let mut gcore = Command::new("gcore");
    gcore.arg("-o").arg(folder.path().join("core")).arg(pid.to_string());
    let output = gcore.output().context("cannot run gcore (Debian: gdb)")?;
    let path = folder.path().join(format!("core.{pid}"));
    ensure!(
        output.status.success() && path.exists(),
        "gcore wrote no core file:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    scan(&path, needles)
}

/// Searches a core file.
///
/// # Errors
/// If it cannot be read.
pub fn scan(path: &Path, needles: &Needles) -> Result<Scan> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let segments = segments(&bytes).unwrap_or_default();
    let finds = needles.find(&bytes);
    let hits = finds.iter().map(|find| {
        let offset = find.offset as u64;
        let of = segments.iter().find(|segment| segment.file.contains(&offset));
        let (place, address) = match of {
            Some(Segment { is_note: true, .. }) => ("core file, registers", 0),
            Some(segment) => ("core file, memory", segment.address + (offset - segment.file.start)),
            None => ("core file", 0),
        };
        MemoryHit { address, ..MemoryHit::new(place.to_owned(), 0, &bytes, find) }
    });
    Ok(Scan { hits: hits.collect(), bytes: bytes.len() as u64, hidden: Vec::new() })
}

struct Segment {
    file: std::ops::Range<u64>,
    address: u64,
    is_note: bool,
}

/// Returns the program headers of a 64-bit little-endian ELF file. Returns `None` for any other file.
fn segments(bytes: &[u8]) -> Option<Vec<Segment>> {
    const NOTE: u32 = 4;
    bytes.starts_with(b"\x7fELF\x02\x01").then_some(())?;
    let long = |at: usize| Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?));
    let short = |at: usize| Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
    let table = usize::try_from(long(32)?).ok()?;
    let (size, count) = (usize::from(short(54)?), usize::from(short(56)?));
    (0..count)
        .map(|number| {
            let header = table + number * size;
            let kind = u32::from_le_bytes(bytes.get(header..header + 4)?.try_into().ok()?);
            let start = long(header + 8)?;
            Some(Segment {
                file: start..start + long(header + 32)?,
                address: long(header + 16)?,
                is_note: kind == NOTE,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_returns_no_segments_for_a_file_that_is_not_a_core_file() {
        for bytes in [&b""[..], b"\x7fELF", b"\x7fELF\x02\x01", &[0xFF; 64]] {
            assert!(segments(bytes).is_none_or(|segments| segments.is_empty()));
        }
    }

    #[test]
    fn it_reads_the_segments_of_this_program() {
        let bytes =
            fs::read(std::env::current_exe().expect("the path of this test")).expect("its file can be read");
        assert!(segments(&bytes).expect("an ELF file").iter().any(|segment| segment.is_note));
    }
}
