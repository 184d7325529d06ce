//! `scan PID` or `scan --core FILE`: searches a process or a core file for the pair on standard input, `key:secret`, and
//! prints where it is. Exits with status 1 if it is there.

use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use justcall_auth_memory_tests::{core_file, needles::Needles, process};
use zeroize::Zeroizing;

fn main() -> Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let needles = needles()?;
    let scan = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--core", file] => core_file::scan(Path::new(file), &needles)?,
        [pid] => process::stop(pid.parse().context("PID is not a number")?)?.scan(&needles)?,
        _ => bail!("usage: scan PID, or scan --core FILE, with the pair on standard input"),
    };
    for hit in &scan.hits {
        println!("{:#x} {}: {} (after `{}`)", hit.address, hit.place, hit.what, hit.before);
    }
    for (map, bytes) in &scan.hidden {
        println!("hidden: {bytes} bytes of {map}");
    }
    println!("{} copies in {} bytes", scan.hits.len(), scan.bytes);
    Ok(if scan.hits.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn needles() -> Result<Needles> {
    // Large enough for the longest pair: a buffer that grows would leave an unwiped copy behind.
    let mut pair = Zeroizing::new(vec![0; 2048]);
    let mut length = 0;
    while let Some(room) = pair.get_mut(length..).filter(|room| !room.is_empty()) {
        match std::io::stdin().lock().read(room)? {
            0 => break,
            read => length += read,
        }
    }
    let pair = pair[..length].trim_ascii_end();
    let colon =
        pair.iter().position(|byte| *byte == b':').context("standard input is not a pair key:secret")?;
    Ok(Needles::new(&pair[..colon], &pair[colon + 1..])?)
}
