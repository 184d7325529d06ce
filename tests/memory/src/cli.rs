//! Scans the command while it waits for a response. It exits after one call, so there is no other moment.

use std::process::{Child, Command, Stdio};

use anyhow::Result;
use serde_json::{Value, json};

use crate::matrix::RowOutcome;
use crate::pair::TestPair;
use crate::process::{Scan, stop};
use crate::programs::TestPrograms;
use crate::rights::{ensure_limited, limited};
use crate::sandbox::SandboxProcess;

/// Scans `justcall-auth verify` during its call. The positive control is the same command without the right to lock
/// memory, which keeps the pair on the heap.
///
/// # Errors
/// If the command cannot be run or scanned.
pub fn judge(programs: &TestPrograms, sandbox: &SandboxProcess) -> Result<RowOutcome> {
    let (scan, core) = waiting(programs, sandbox, false)?;
    let (heap, _) = waiting(programs, sandbox, true)?;
    let mut outcome = RowOutcome { heap: Some(heap.hits.len()), ..RowOutcome::default() };
    outcome.complain_of(&scan, &core);
    outcome.expect(!heap.hits.is_empty(), "control: no copy is found on the heap");
    Ok(outcome)
}

/// Scans the memory and a core file of the command while it waits.
fn waiting(programs: &TestPrograms, sandbox: &SandboxProcess, is_limited: bool) -> Result<(Scan, Scan)> {
    sandbox.clear_faults()?;
    let pair = TestPair::create(sandbox)?;
    sandbox.control("DELETE", "requests", &Value::Null)?;
    sandbox.fault(&json!({"fault": "hang"}))?;
    let mut command = Command::new(programs.cli());
    command.arg("verify").args(["--base-url", sandbox.url(), "--ca-file", sandbox.ca_file()]);
    command.args(["--source", &format!("file:{}", pair.file()), "--timeout", "60", "--proxy", ""]);
    let mut command = if is_limited { limited(&command, 0) } else { command };
    let running =
        RunningCommand(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?);
    let pid = running.0.id();
    sandbox.await_requests(1)?;
    if is_limited {
        ensure_limited(pid, 0)?;
    }
    let scan = stop(pid)?.scan(&pair.needles)?;
    let core = crate::core_file::dump_and_scan(pid, &pair.needles)?;
    drop(running);
    sandbox.clear_faults()?;
    Ok((scan, core))
}

/// A running command. Dropping this value kills it.
struct RunningCommand(Child);

impl Drop for RunningCommand {
    fn drop(&mut self) {
        let _killed = self.0.kill();
        let _status = self.0.wait();
    }
}
