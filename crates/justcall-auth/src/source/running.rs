//! A running program: waiting with a time limit, killing it with its children, or detaching it.

use std::io;
use std::process::{Child, ChildStdout, Command, ExitStatus};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use justcall_auth_secret::PerProcess;

use crate::context::{CallContext, StopReason};

/// Detached programs, which run on after their output. They are reaped when the next program starts.
static DETACHED: PerProcess<Mutex<Vec<Child>>> = PerProcess::new();
/// The most detached programs; if there are more, the oldest is killed.
const MAX_DETACHED: usize = 16;

/// The first pause while a program ends. Each pause is twice as long as the last.
const FIRST_STEP: Duration = Duration::from_millis(1);
/// How long to wait for a killed program before it is detached.
const KILL_TIMEOUT: Duration = Duration::from_millis(200);

/// A program that runs or has ended.
pub(super) struct Running {
    child: Child,
    /// True if the program leads a process group, which is killed as a whole.
    is_leader: bool,
    ended: Option<io::Result<ExitStatus>>,
}

impl Running {
    /// Starts `command`.
    pub fn start(command: &mut Command) -> io::Result<Self> {
        reap();
        let is_leader = lead_group(command);
        Ok(Self { child: command.spawn()?, is_leader, ended: None })
    }

    /// Returns the pipe of the standard output.
    pub fn take_output(&mut self) -> ChildStdout {
        self.child.stdout.take().expect("it was piped, and is taken once")
    }

    /// Returns true if the program has ended.
    pub fn has_ended(&mut self) -> bool {
        if self.ended.is_none() {
            self.ended = self.child.try_wait().transpose();
        }
        self.ended.is_some()
    }

    /// Waits for the end. Returns `None` if a host that reaps all children has taken the status.
    pub fn end(&mut self, context: &CallContext) -> Result<Option<ExitStatus>, StopReason> {
        let mut step = FIRST_STEP;
        while !self.has_ended() {
            thread::sleep(context.slice()?.min(step));
            context.check_interrupt()?;
            step = step.saturating_mul(2);
        }
        Ok(self.ended.as_ref().and_then(|ended| ended.as_ref().ok().copied()))
    }

    /// Lets the program run on without this handle.
    pub fn detach(mut self) {
        if self.has_ended() {
            return;
        }
        let detached = DETACHED.get_or_make(Mutex::default);
        let mut detached = detached.lock().unwrap_or_else(PoisonError::into_inner);
        if detached.len() >= MAX_DETACHED {
            let mut oldest = detached.remove(0);
            if matches!(oldest.try_wait(), Ok(None)) {
                let _gone_already = oldest.kill();
            }
        }
        detached.push(self.child);
    }

    /// Kills the program, and its children if it leads a process group.
    pub fn kill(mut self) {
        if self.has_ended() {
            return;
        }
        if !(self.is_leader && kill_group(&self.child)) {
            let _gone_already = self.child.kill();
        }
        // A program that the kernel cannot stop at once is detached instead.
        let _may_be_left = self.end(&CallContext::default().at_most(KILL_TIMEOUT));
        self.detach();
    }
}

fn reap() {
    let detached = DETACHED.get_or_make(Mutex::default);
    let mut detached = detached.lock().unwrap_or_else(PoisonError::into_inner);
    detached.retain_mut(|child| matches!(child.try_wait(), Ok(None)));
}

/// Makes the program lead a new process group if there is no terminal. On a terminal, only programs of the foreground
/// group may ask for a password.
#[cfg(unix)]
fn lead_group(command: &mut Command) -> bool {
    use std::os::unix::process::CommandExt as _;
    let has_terminal = std::fs::File::open("/dev/tty").is_ok();
    if !has_terminal {
        command.process_group(0);
    }
    !has_terminal
}

#[cfg(not(unix))]
fn lead_group(_: &mut Command) -> bool {
    false
}

#[cfg(unix)]
fn kill_group(child: &Child) -> bool {
    use rustix::process::{Pid, Signal, kill_process_group};
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    group.is_some_and(|group| kill_process_group(group, Signal::KILL).is_ok())
}

#[cfg(not(unix))]
fn kill_group(_: &Child) -> bool {
    false
}
