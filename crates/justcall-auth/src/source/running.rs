//! A program that was started: waited for as long as there is time, killed with all that it started, or left alone.

use std::io;
use std::process::{Child, ChildStdout, Command, ExitStatus};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use justcall_auth_secret::PerProcess;

use crate::context::{CallContext, StopReason};

/// Programs of this process that gave their output and went on. They are reaped when the next one is started.
static LEFT: PerProcess<Mutex<Vec<Child>>> = PerProcess::new();
/// As many are left alone; the oldest of more is killed.
const MAX_LEFT: usize = 16;

/// How long to sleep at first while a program ends; twice as long each time.
const FIRST_STEP: Duration = Duration::from_millis(1);
/// How long a killed program may take to die before it is left.
const DEATH: Duration = Duration::from_millis(200);

/// A program that runs, or has ended.
pub(super) struct Running {
    child: Child,
    /// Whether it leads a process group, which is killed as a whole.
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

    /// The pipe of its standard output.
    pub fn take_output(&mut self) -> ChildStdout {
        self.child.stdout.take().expect("it was piped, and is taken once")
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        if self.ended.is_none() {
            self.ended = self.child.try_wait().transpose();
        }
        self.ended.is_some()
    }

    /// Waits for its end. `None` where a host that reaps all children has taken the status.
    pub fn end(&mut self, context: &CallContext) -> Result<Option<ExitStatus>, StopReason> {
        let mut step = FIRST_STEP;
        while !self.has_ended() {
            thread::sleep(context.slice()?.min(step));
            context.check_interrupt()?;
            step *= 2;
        }
        Ok(self.ended.as_ref().and_then(|ended| ended.as_ref().ok().copied()))
    }

    /// Lets it go on.
    pub fn leave(mut self) {
        if self.has_ended() {
            return;
        }
        let left = LEFT.get_or_make(Mutex::default);
        let mut left = left.lock().unwrap_or_else(PoisonError::into_inner);
        if left.len() >= MAX_LEFT {
            let mut oldest = left.remove(0);
            if matches!(oldest.try_wait(), Ok(None)) {
                let _gone_already = oldest.kill();
            }
        }
        left.push(self.child);
    }

    /// Kills it, and what it started where that is certain.
    pub fn kill(mut self) {
        if self.has_ended() {
            return;
        }
        if !(self.is_leader && kill_group(&self.child)) {
            let _gone_already = self.child.kill();
        }
        // One that the kernel cannot stop at once is not waited for any longer.
        let _may_be_left = self.end(&CallContext::default().at_most(DEATH));
        self.leave();
    }
}

fn reap() {
    let left = LEFT.get_or_make(Mutex::default);
    let mut left = left.lock().unwrap_or_else(PoisonError::into_inner);
    left.retain_mut(|child| matches!(child.try_wait(), Ok(None)));
}

/// Lets the program lead a process group of its own, unless there is a terminal: only programs of the foreground group may
/// ask on it for a password.
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
