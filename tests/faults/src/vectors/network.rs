//! A network of one process, with its own loopback interface, routes and name server: `unshare -Urnm`.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use tempfile::TempDir;

use super::caller::CallerProgram;
use super::names;
use super::run::{self, Outcome};
use super::vector::Vector;

/// The first argument of the program `servers` when it runs a vector inside of a network.
pub const INSIDE: &str = "--inside";

/// Runs a vector in a separate network, by `runner`, which is the program `servers`.
///
/// # Errors
/// If a row is not the expected one, or the network cannot be set up.
pub fn run_apart(
    runner: &Path,
    vector: &Vector,
    program: &CallerProgram,
    certificates: &Path,
) -> Result<Outcome> {
    let mut command = Command::new("unshare");
    command.arg("-Urnm").arg(runner).arg(INSIDE).arg(vector.json.to_string()).arg(certificates);
    command.arg(&program.libraries).args(&program.words);
    let output = command.env_remove("RUST_BACKTRACE").output().context("cannot start unshare")?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr).trim_end());
    Outcome::parse(&String::from_utf8_lossy(&output.stdout))
}

/// Runs a vector in the network of this process, as [`run_apart`] asks in `arguments`. Prints the outcome.
///
/// # Errors
/// If a row is not the expected one, or the network cannot be set up.
pub fn run_inside(arguments: &[String]) -> Result<()> {
    let [json, certificates, libraries, words @ ..] = arguments else {
        bail!("{INSIDE} JSON CERTIFICATES LIBRARIES PROGRAM…")
    };
    let vector = Vector::parse("", 0, &serde_json::from_str(json)?)?;
    let folder = TempDir::new()?;
    shell("ip link set lo up")?;
    for command in vector.network.iter().flatten() {
        shell(command)?;
    }
    if let Some(names) = &vector.names {
        names::serve(names)?;
        let file = folder.path().join("resolv.conf");
        fs::write(&file, format!("nameserver {}\noptions timeout:1 attempts:1\n", names::ADDRESS))?;
        shell(&format!("mount --bind {} /etc/resolv.conf", file.display()))?;
    }
    let words = words.iter().map(Into::into).collect();
    let program = CallerProgram { words, libraries: libraries.into() };
    let outcome = run::run_here(&vector, &program, Path::new(certificates))?;
    println!("{}", outcome.print());
    Ok(())
}

/// Runs a command, which must succeed.
///
/// # Errors
/// If it fails.
pub fn shell(command: &str) -> Result<()> {
    let output = Command::new("sh").args(["-c", command]).output().context("sh")?;
    ensure!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
