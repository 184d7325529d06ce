//! A program that uses the library on command, one line at a time, so that a test can stop it at any moment.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};

use crate::core_file;
use crate::needles::Needles;
use crate::process::{Scan, stop};

/// A running target. Dropping this value kills it.
pub struct TargetProcess {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl TargetProcess {
    /// Starts `command`, which then waits for commands on standard input.
    ///
    /// # Errors
    /// If it does not start.
    pub fn start(mut command: Command) -> Result<Self> {
        // A pair from the environment, a proxy or a backtrace would change the contents of memory.
        for variable in ["JUSTCALL_API_KEY", "JUSTCALL_API_SECRET", "JUSTCALL_CREDENTIALS", "RUST_BACKTRACE"]
        {
            command.env_remove(variable);
        }
        for variable in ["https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY"] {
            command.env_remove(variable);
        }
        for name in ["ADDR", "TOKEN", "NAMESPACE", "CACERT"] {
            command.env_remove(format!("VAULT_{name}")).env_remove(format!("BAO_{name}"));
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {command:?}"))?;
        let input = child.stdin.take().expect("it was piped");
        let output = BufReader::new(child.stdout.take().expect("it was piped"));
        Ok(Self { child, input, output })
    }

    /// Returns the process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a command without waiting for its result.
    fn send(&mut self, command: &str) -> Result<()> {
        writeln!(self.input, "{command}").with_context(|| format!("cannot send `{command}` to the target"))
    }

    /// Waits for the result of a command.
    fn result(&mut self) -> Result<String> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        match line.trim_end().split_once(' ').unwrap_or((line.trim_end(), "")) {
            ("done", result) => Ok(result.to_owned()),
            ("", _) => bail!("the target has exited: {:?}", self.child.try_wait()),
            _ => bail!("the target printed: {}", line.trim_end()),
        }
    }

    /// Sends a command. Returns its result.
    ///
    /// # Errors
    /// If the target does not understand the command, or has exited.
    pub fn run(&mut self, command: &str) -> Result<String> {
        self.send(command)?;
        self.result().with_context(|| format!("the command was `{command}`"))
    }

    /// Sends a command, whose result must be `expected`.
    ///
    /// # Errors
    /// If the result is another one, so that the target is not at the intended moment.
    pub fn must(&mut self, command: &str, expected: &str) -> Result<()> {
        let result = self.run(command)?;
        ensure!(result == expected, "`{command}` gave `{result}`, not `{expected}`");
        Ok(())
    }

    /// Stops the target and searches its memory.
    ///
    /// # Errors
    /// If its memory cannot be read.
    pub fn scan(&self, needles: &Needles) -> Result<Scan> {
        stop(self.pid())?.scan(needles)
    }

    /// Writes a core file of the target and searches it.
    ///
    /// # Errors
    /// If `gcore` cannot write one.
    pub fn scan_core(&self, needles: &Needles) -> Result<Scan> {
        core_file::dump_and_scan(self.pid(), needles)
    }
}

impl Drop for TargetProcess {
    fn drop(&mut self) {
        let _killed = self.child.kill();
        let _status = self.child.wait();
    }
}
