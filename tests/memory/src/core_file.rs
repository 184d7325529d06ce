//! A core file, made by `gcore` and looked through as the file that it is.
//!
//! Beside memory it holds the threads' registers, in which the last bytes that were copied may still be.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use tempfile::TempDir;

use crate::needles::Needles;
use crate::process::{Hit, Scan};

/// Lets `gcore` (Debian's gdb) write the core file of a process that runs, and looks through it.
///
/// # Errors
/// When gdb is not there or may not look at the process.
pub fn take(pid: u32, needles: &Needles) -> Result<Scan> {
    let folder = TempDir::new().context("a folder for the core file")?;
    let mut gcore = Command::new("gcore");
    gcore.arg("-o").arg(folder.path().join("core")).arg(pid.to_string());
    let output = gcore.output().context("gcore is not there (Debian: gdb)")?;
    let path = folder.path().join(format!("core.{pid}"));
    ensure!(
        output.status.success() && path.exists(),
        "gcore made no core file:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    scan(&path, needles)
}

/// Looks through a core file.
///
/// # Errors
/// When it cannot be read.
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
        Hit { address, ..Hit::new(place.to_owned(), 0, &bytes, find) }
    });
    Ok(Scan { hits: hits.collect(), bytes: bytes.len() as u64, hidden: Vec::new() })
}

struct Segment {
    file: std::ops::Range<u64>,
    address: u64,
    is_note: bool,
}

/// The program headers of a 64-bit little-endian ELF file; `None` when it is no such file.
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
    fn it_survives_files_that_are_no_core() {
        for bytes in [&b""[..], b"\x7fELF", b"\x7fELF\x02\x01", &[0xFF; 64]] {
            assert!(segments(bytes).is_none_or(|segments| segments.is_empty()));
        }
    }

    #[test]
    fn it_reads_the_segments_of_this_program() {
        let bytes = fs::read(std::env::current_exe().expect("this test")).expect("its file");
        assert!(segments(&bytes).expect("an ELF file").iter().any(|segment| segment.is_note));
    }
}
