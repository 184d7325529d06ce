//! Runs a program through a scenario, and collects what it did.

use std::io::{Read, Write as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use justcall_auth_sandbox::Sandbox;
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};

use crate::programs::{Program, Programs};
use crate::scenario::{PairLeft, Scenario, Stage};

/// The time limit of a run. A call has a timeout of 6 s, and so has the next one.
const DEADLINE: Duration = Duration::from_secs(40);
const PAUSE: Duration = Duration::from_millis(2);

/// A program and what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Case {
    /// The program.
    pub program: Program,
    /// What it does.
    pub scenario: Scenario,
}

/// The way in which a program runs.
#[derive(Debug, Clone, Default)]
pub struct Conditions {
    /// The words before the command line, such as those of strace.
    pub before: Vec<String>,
    /// Environment variables beside those of the scenario.
    pub environment: Vec<(&'static str, PathBuf)>,
    /// The bug that `targets/target.c` plants.
    pub bug: &'static str,
}

/// The end of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It exited with this status.
    Exit(i32),
    /// This signal ended it.
    Signal(i32),
    /// It was still running at the deadline, and was killed.
    Deadline,
}

/// What a program did.
#[derive(Debug)]
pub struct Outcome {
    /// Its end.
    pub end: End,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error, with that of strace.
    pub stderr: String,
    /// The requests that the service received after the beginning.
    pub requests: Vec<Value>,
    /// The pair that the source holds at the end, or the fault of what it holds.
    pub pair: Result<PairLeft, String>,
    /// The secrets that no output may contain.
    pub secrets: Vec<String>,
}

impl Outcome {
    /// Returns the numbers of the line that begins with `what`.
    pub fn line(&self, what: &str) -> Option<Vec<&str>> {
        let line = self.stdout.lines().find_map(|line| line.strip_prefix(what)?.strip_prefix(' '));
        line.map(|line| line.split(' ').collect())
    }
}

/// Runs a case.
///
/// # Errors
/// If the program cannot be started or the sandbox fails. A failure of the program is part of the outcome.
pub fn run(programs: &Programs, case: Case, sandbox: &Sandbox, conditions: &Conditions) -> Result<Outcome> {
    let Case { program, scenario } = case;
    let mut stage = Stage::prepare(programs, program, scenario, sandbox, conditions.bug)?;
    // The command does not wait until it is to begin.
    let before = last_request(sandbox)?;
    let mut running = Running::start(programs, &stage, conditions)?;
    let is_ready = program == Program::Cli || running.wait_for_ready();
    let since = if program == Program::Cli { before } else { last_request(sandbox)? };
    if is_ready {
        begin(program, scenario, sandbox, &mut stage, &mut running)?;
    }
    let end = running.finish()?;
    let requests = sandbox.control("GET", &format!("requests?since={since}"), &Value::Null)?;
    let outcome = Outcome {
        end,
        stdout: text_of(&running.stdout),
        stderr: text_of(&running.stderr),
        requests: requests.as_array().cloned().unwrap_or_default(),
        pair: stage.check_pair().map_err(|error| format!("{error:#}")),
        secrets: stage.secrets().map(str::to_owned).collect(),
    };
    sandbox.control("POST", "clear", &json!({}))?;
    Ok(outcome)
}

/// Lets the program begin, with the pair as the scenario needs it.
fn begin(
    program: Program,
    scenario: Scenario,
    sandbox: &Sandbox,
    stage: &mut Stage,
    running: &mut Running,
) -> Result<()> {
    if program == Program::Cli {
        return running.write(&stage.input);
    }
    if scenario.is_after_reset() {
        stage.reset(sandbox)?;
    }
    if scenario == Scenario::Reset {
        stage.write_new()?;
    }
    running.write("\n")?;
    if scenario == Scenario::Held {
        sleep(Duration::from_millis(300));
        stage.write_new()?;
    }
    Ok(())
}

/// Returns the number of the last request that the sandbox received.
fn last_request(sandbox: &Sandbox) -> Result<u64> {
    let requests = sandbox.control("GET", "requests", &Value::Null)?;
    let last = requests.as_array().and_then(|requests| requests.last());
    last.map_or(Ok(0), |request| request["n"].as_u64().context("a request has a number"))
}

/// A running program, with all its processes in one group.
struct Running {
    child: Child,
    stdout: Arc<Mutex<Vec<u8>>>,
    stderr: Arc<Mutex<Vec<u8>>>,
    readers: Vec<JoinHandle<()>>,
}

impl Running {
    fn start(programs: &Programs, stage: &Stage, conditions: &Conditions) -> Result<Self> {
        let mut words = conditions.before.iter().map(PathBuf::from).chain(stage.words.iter().cloned());
        let mut command = Command::new(words.next().context("a command line has a program")?);
        command.args(words).env_clear().envs(stage.environment.iter().map(|(name, value)| (name, value)));
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("LD_LIBRARY_PATH", programs.libraries()).current_dir(stage.folder());
        command.envs(conditions.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut child = command.spawn().with_context(|| format!("cannot start {command:?}"))?;
        let (stdout, stderr) = (Arc::default(), Arc::default());
        let readers = vec![
            read_into(child.stdout.take().context("it was piped")?, &stdout),
            read_into(child.stderr.take().context("it was piped")?, &stderr),
        ];
        Ok(Self { child, stdout, stderr, readers })
    }

    /// Returns false if the program ends, or does nothing for long, before it is ready.
    fn wait_for_ready(&mut self) -> bool {
        let begun = Instant::now();
        while begun.elapsed() < DEADLINE && !text_of(&self.stdout).contains("ready\n") {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return text_of(&self.stdout).contains("ready\n");
            }
            sleep(PAUSE);
        }
        begun.elapsed() < DEADLINE
    }

    /// Writes the standard input and closes it. A program that has ended reads nothing, which is no error here.
    fn write(&mut self, input: &str) -> Result<()> {
        let mut stdin = self.child.stdin.take().context("it was piped")?;
        let _unread = stdin.write_all(input.as_bytes());
        Ok(())
    }

    /// Waits for the end of the program. Ends all its processes at the deadline.
    fn finish(&mut self) -> Result<End> {
        let begun = Instant::now();
        let end = loop {
            if let Some(status) = self.child.try_wait()? {
                break end_of(status);
            }
            if begun.elapsed() > DEADLINE {
                self.kill();
                self.child.wait()?;
                break End::Deadline;
            }
            sleep(PAUSE);
        };
        for reader in self.readers.drain(..) {
            reader.join().map_err(|_| anyhow::anyhow!("a reader panicked"))?;
        }
        Ok(end)
    }

    fn kill(&self) {
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            // Fails if every process has ended.
            let _ended = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.readers.is_empty() {
            self.kill();
            let _reaped = self.child.wait();
        }
    }
}

/// strace ends like the program that it runs, by the same signal.
fn end_of(status: ExitStatus) -> End {
    match (status.code(), status.signal()) {
        (Some(code @ 128..), _) => End::Signal(code - 128),
        (Some(code), _) => End::Exit(code),
        (None, signal) => End::Signal(signal.unwrap_or_default()),
    }
}

fn read_into(mut from: impl Read + Send + 'static, to: &Arc<Mutex<Vec<u8>>>) -> JoinHandle<()> {
    let to = to.clone();
    spawn(move || {
        let mut piece = [0; 4096];
        while let Ok(length @ 1..) = from.read(&mut piece) {
            to.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&piece[..length]);
        }
    })
}

fn text_of(bytes: &Mutex<Vec<u8>>) -> String {
    String::from_utf8_lossy(&bytes.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
}
