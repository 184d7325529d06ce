//! A program that reads commands as lines, and answers in lines.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use anyhow::{Context as _, Result, ensure};

/// A running program. Dropping this value ends it.
pub struct Piped {
    /// The process.
    pub child: Child,
    /// Its standard input, until [`close`](Self::close).
    pub stdin: Option<ChildStdin>,
    /// The lines of its standard output.
    pub lines: Receiver<String>,
}

impl Piped {
    /// Starts a program.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start(mut command: Command) -> Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("cannot start {command:?}"))?;
        let stdin = child.stdin.take();
        let stdout = BufReader::new(child.stdout.take().context("it was piped")?);
        let (sender, lines) = channel();
        thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Ok(Self { child, stdin, lines })
    }

    /// Closes its standard input, so that it ends.
    pub fn close(&mut self) {
        drop(self.stdin.take());
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// If it fails.
    pub fn succeed(&mut self) -> Result<()> {
        let status = self.child.wait()?;
        ensure!(status.success(), "the program ended with {status}");
        Ok(())
    }
}

impl Drop for Piped {
    fn drop(&mut self) {
        // It has ended, unless something failed.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}
