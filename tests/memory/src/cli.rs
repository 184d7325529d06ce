//! The command, looked at while it waits for an answer that does not come. It keeps no client, so there is no other moment.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::matrix::{IN_FLIGHT, Outcome};
use crate::pair::Pair;
use crate::process::{Scan, stop};
use crate::programs::Programs;
use crate::rights::{ensure_limited, limited};
use crate::sandbox::Sandbox;

/// Looks at `justcall-auth verify` in the middle of its call. The control is the same command without the right to lock
/// memory: there the pair rests on the heap, which is one copy more.
///
/// # Errors
/// When it cannot be run or looked at.
pub fn judge(programs: &Programs, sandbox: &Sandbox) -> Result<Outcome> {
    let (scan, core) = waiting(programs, sandbox, false)?;
    let (heap, _) = waiting(programs, sandbox, true)?;
    let mut outcome = Outcome { copies: scan.hits.len(), core_copies: core.hits.len(), ..Outcome::default() };
    outcome.heap = Some(heap.hits.len());
    outcome.note(&scan.hits);
    outcome.note(&core.hits);
    outcome.complain_of_flight(&scan.hits, IN_FLIGHT);
    let copies = scan.hits.len();
    outcome.expect(heap.hits.len() > copies, "the control: on the heap there is no copy more");
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
    let begun = Instant::now();
    while sandbox.requests()? == 0 {
        ensure!(begun.elapsed() < Duration::from_secs(20), "the command sends nothing");
    }
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
