//! A peer as a process that connects once and then makes requests on command.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// The cost of a request of one peer.
#[derive(Debug, Clone, Copy)]
pub struct RequestCost {
    /// The median time, in nanoseconds.
    pub wall_ns: f64,
    /// The CPU time of the client per request, in nanoseconds.
    pub cpu_ns: f64,
}

/// The process of a peer.
pub struct PeerProcess {
    name: &'static str,
    child: Child,
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    /// The version that the peer reports.
    pub version: String,
}

impl PeerProcess {
    /// Starts the peer. Returns after its first verification.
    pub fn start(name: &'static str, mut command: Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start the peer {name}"))?;
        let commands = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().expect("it was piped"));
        let mut worker = Self { name, child, commands, answers, version: String::new() };
        let hello = worker.read()?;
        worker.version.push_str(hello["version"].as_str().unwrap_or("?"));
        Ok(worker)
    }

    /// Lets the peer make `count` requests. Returns `None` if it does not support such requests.
    pub fn perform(&mut self, job: &str, count: u32) -> Result<Option<RequestCost>> {
        let answer = self.answer(&format!("{job} {count}"))?;
        if answer.get("unsupported").is_some() {
            return Ok(None);
        }
        let figure =
            |name: &str| answer[name].as_f64().with_context(|| format!("no {name} from {}", self.name));
        Ok(Some(RequestCost { wall_ns: figure("median_ns")?, cpu_ns: figure("cpu_ns")? }))
    }

    /// Passes a line to the peer. Returns its answer.
    pub fn answer(&mut self, line: &str) -> Result<Value> {
        let commands = self.commands.as_mut().expect("open until it is dropped");
        writeln!(commands, "{line}").with_context(|| format!("the peer {} has exited", self.name))?;
        self.read()
    }

    fn read(&mut self) -> Result<Value> {
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            bail!("the peer {} exited; its error message is above", self.name);
        }
        serde_json::from_str(&line).with_context(|| format!("the peer {} printed {line:?}", self.name))
    }
}

impl Drop for PeerProcess {
    fn drop(&mut self) {
        // A worker exits at the end of its standard input.
        drop(self.commands.take());
        let _status = self.child.wait();
    }
}
