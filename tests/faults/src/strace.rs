//! Lists the system calls between the markers, and lets one of them fail, with Debian's strace.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::programs::Program;

const BEGIN: &str = "/justcall-marker-begin";
const END: &str = "/justcall-marker-end";

/// One system call that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Injection {
    /// Its name.
    pub name: &'static str,
    /// Its number among the calls of its thread with this name, from 1.
    pub nth: usize,
    /// The error, such as `EIO`.
    pub errno: &'static str,
}

/// Returns the options with which strace lists all calls.
pub fn list(log: &Path) -> Vec<String> {
    vec!["-f".into(), "-qq".into(), "-e".into(), "signal=none".into(), "-o".into(), log.display().to_string()]
}

/// Returns the options with which strace lets one call fail. Only that call and the markers stop the program.
pub fn inject(log: &Path, injection: &Injection) -> Vec<String> {
    let Injection { name, nth, errno } = injection;
    let mut options = list(log);
    options.push("--seccomp-bpf".into());
    for filter in [format!("trace={name},access"), format!("inject={name}:error={errno}:when={nth}")] {
        options.extend(["-e".into(), filter]);
    }
    options
}

/// Reads the log of [`list`]. Returns the numbers of the calls between the markers, by name. A call of another thread is
/// left out if the call of the main thread with the same number is before the markers, because it would fail too.
///
/// # Errors
/// If the log cannot be read or has no markers.
pub fn calls_between_markers(log: &Path, program: Program) -> Result<BTreeMap<String, Vec<usize>>> {
    let text = fs::read_to_string(log).context("strace wrote no log")?;
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut before: BTreeMap<&str, usize> = BTreeMap::new();
    let mut found: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let mut replaced: Vec<&str> = Vec::new();
    let (mut main, mut is_between) = (None, false);
    for line in text.lines() {
        let Some((process, call)) = line.split_once(' ') else { continue };
        let call = call.trim_start();
        let main = *main.get_or_insert(process);
        let Some((name, arguments)) = call.split_once('(') else { continue };
        if !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') || replaced.contains(&process) {
            continue;
        }
        let count = counts.entry((process, name)).or_default();
        *count += 1;
        if process == main && is_end(program, call) {
            return Ok(found);
        }
        if is_between {
            let is_hidden = before.get(name).is_some_and(|before| *before >= *count);
            let numbers = found.entry(name.to_owned()).or_default();
            if !is_hidden && !numbers.contains(count) {
                numbers.push(*count);
            }
        } else if process == main {
            before.insert(name, *count);
        }
        is_between |= process == main && is_begin(program, call);
        // The program of a `command:` source makes its calls in this process from now on.
        if process != main && name == "execve" && arguments.ends_with("= 0") {
            replaced.push(process);
        }
    }
    anyhow::bail!("the log has no markers:\n{text}")
}

/// The failures that a log of [`inject`] shows. A call of another process or thread with the same number fails too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Injected {
    /// A call failed between the markers.
    pub between: bool,
    /// A call failed after them.
    pub after: bool,
}

/// Reads the log of [`inject`].
///
/// # Errors
/// If the log cannot be read.
pub fn injected(log: &Path, program: Program) -> Result<Injected> {
    let text = fs::read_to_string(log).context("strace wrote no log")?;
    let (mut is_between, mut is_after) = (program == Program::Cli, false);
    let mut injected = Injected::default();
    for line in text.lines() {
        is_between |= line.contains(BEGIN);
        is_after |= line.contains(END);
        let is_failed = line.contains("(INJECTED)");
        injected.between |= is_failed && is_between && !is_after;
        injected.after |= is_failed && is_after;
    }
    Ok(injected)
}

/// Returns true if the code under test begins after this call. The command has no markers: Rust's runtime sets the stack of
/// its signal handlers directly before `main`.
fn is_begin(program: Program, call: &str) -> bool {
    match program {
        Program::Cli => call.starts_with("sigaltstack({ss_sp="),
        _ => call.contains(BEGIN),
    }
}

fn is_end(program: Program, call: &str) -> bool {
    match program {
        Program::Cli => call.starts_with("exit_group("),
        _ => call.contains(END),
    }
}
