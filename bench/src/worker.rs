//! A peer as a process that connects once and then obeys commands.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// What some requests of one peer cost.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    /// The median of their times, in nanoseconds.
    pub wall_ns: f64,
    /// Their CPU time, of the client alone, by the request, in nanoseconds.
    pub cpu_ns: f64,
}

/// A running peer.
pub struct Worker {
    name: &'static str,
    child: Child,
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    /// What it says of its version.
    pub version: String,
}

impl Worker {
    /// Starts it; it has verified once when this returns.
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

    /// Has it make `count` requests; nothing when it cannot make such ones.
    pub fn perform(&mut self, job: &str, count: u32) -> Result<Option<Cost>> {
        let commands = self.commands.as_mut().expect("open until it is dropped");
        writeln!(commands, "{job} {count}").with_context(|| format!("the peer {} is gone", self.name))?;
        let answer = self.read()?;
        if answer.get("unsupported").is_some() {
            return Ok(None);
        }
        let figure =
            |name: &str| answer[name].as_f64().with_context(|| format!("no {name} from {}", self.name));
        Ok(Some(Cost { wall_ns: figure("median_ns")?, cpu_ns: figure("cpu_ns")? }))
    }

    fn read(&mut self) -> Result<Value> {
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            bail!("the peer {} ended; what it said is above", self.name);
        }
        serde_json::from_str(&line).with_context(|| format!("the peer {} said {line:?}", self.name))
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // The end of its standard input is what ends it.
        drop(self.commands.take());
        let _status = self.child.wait();
    }
}
