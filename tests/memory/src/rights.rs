//! Runs commands without the right to lock memory. The limit does not apply to `CAP_IPC_LOCK`, which root has, so
//! capabilities are dropped as well.

use std::fs;
use std::process::Command;

use anyhow::{Result, ensure};

/// Returns `command` with a limit of `bytes` on locked memory and without capabilities.
pub fn limited(command: &Command, bytes: u32) -> Command {
    let mut limited = Command::new("prlimit");
    limited.arg(format!("--memlock={bytes}:{bytes}"));
    if rustix::process::geteuid().is_root() {
        limited.args(["setpriv", "--bounding-set=-all", "--inh-caps=-all"]);
    }
    limited.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => limited.env(name, value),
            None => limited.env_remove(name),
        };
    }
    limited
}

/// Checks that the limit applies to the process: it is set, and the process has no capabilities.
///
/// # Errors
/// If the process may lock more.
pub fn ensure_limited(pid: u32, bytes: u32) -> Result<()> {
    let limits = fs::read_to_string(format!("/proc/{pid}/limits"))?;
    let limit = limits.lines().find_map(|line| line.strip_prefix("Max locked memory"));
    let limit = limit.and_then(|words| words.split_whitespace().next()).unwrap_or_default();
    ensure!(limit == bytes.to_string(), "the limit on locked memory is {limit}");
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let capabilities = status.lines().find_map(|line| line.strip_prefix("CapEff:")).unwrap_or_default();
    ensure!(
        capabilities.trim().bytes().all(|digit| digit == b'0'),
        "the process has the capabilities {capabilities}"
    );
    Ok(())
}
