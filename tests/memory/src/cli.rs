//! The command, looked at while it waits for an answer that does not come. It keeps no client, so there is no other moment.

use std::process::{Child, Command, Stdio};

use anyhow::Result;
use serde_json::{Value, json};

use crate::matrix::Outcome;
use crate::pair::Pair;
use crate::process::{Scan, stop};
use crate::programs::Programs;
use crate::rights::{ensure_limited, limited};
use crate::sandbox::Sandbox;

/// Looks at `justcall-auth verify` in the middle of its call. The control is the same command without the right to lock
/// memory: there the pair rests on the heap.
///
/// # Errors
/// When it cannot be run or looked at.
pub fn judge(programs: &Programs, sandbox: &Sandbox) -> Result<Outcome> {
    let (scan, core) = waiting(programs, sandbox, false)?;
    let (heap, _) = waiting(programs, sandbox, true)?;
    let mut outcome = Outcome { heap: Some(heap.hits.len()), ..Outcome::default() };
    outcome.complain_of(&scan, &core);
    outcome.expect(!heap.hits.is_empty(), "the control: on the heap nothing is found");
    Ok(outcome)
}

/// Its memory and a core file while it waits.
fn waiting(programs: &Programs, sandbox: &Sandbox, is_limited: bool) -> Result<(Scan, Scan)> {
    sandbox.heal()?;
    let pair = Pair::make(sandbox)?;
    sandbox.control("DELETE", "requests", &Value::Null)?;
    sandbox.fault(&json!({"fault": "hang"}))?;
    let mut command = Command::new(programs.cli());
    command.arg("verify").args(["--base-url", sandbox.url(), "--ca-file", sandbox.ca_file()]);
    command.args(["--source", &format!("file:{}", pair.file()), "--timeout", "60", "--proxy", ""]);
    let mut command = if is_limited { limited(&command, 0) } else { command };
    let running = Running(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?);
    let pid = running.0.id();
    sandbox.await_requests(1)?;
    if is_limited {
        ensure_limited(pid, 0)?;
    }
    let scan = stop(pid)?.scan(&pair.needles)?;
    let core = crate::core_file::take(pid, &pair.needles)?;
    drop(running);
    sandbox.heal()?;
    Ok((scan, core))
}

/// Ended with this value.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _status = self.0.wait();
    }
}
