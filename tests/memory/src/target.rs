//! A program that uses the library and does what it is told, one line at a time: so the moments are ours to choose.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};

use crate::core_file;
use crate::needles::Needles;
use crate::process::{Scan, stop};

/// A running target; it ends with this value.
pub struct Target {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Target {
    /// Starts `command`, which waits for what to do.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(mut command: Command) -> Result<Self> {
        // A pair from somewhere else, a proxy or a backtrace would change what is measured.
        for variable in ["JUSTCALL_API_KEY", "JUSTCALL_API_SECRET", "JUSTCALL_CREDENTIALS", "RUST_BACKTRACE"]
        {
            command.env_remove(variable);
        }
        for variable in ["https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY"] {
            command.env_remove(variable);
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

    /// Its number.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Tells it what to do, without waiting until it is done.
    ///
    /// # Errors
    /// When it is gone.
    pub fn tell(&mut self, what: &str) -> Result<()> {
        writeln!(self.input, "{what}").with_context(|| format!("the target took no `{what}`"))
    }

    /// Waits until it has done what it was told; what it says of it.
    ///
    /// # Errors
    /// When it says that it could not, or is gone.
    pub fn done(&mut self) -> Result<String> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        match line.trim_end().split_once(' ').unwrap_or((line.trim_end(), "")) {
            ("done", said) => Ok(said.to_owned()),
            ("", _) => bail!("the target is gone: {:?}", self.child.try_wait()),
            _ => bail!("the target says: {}", line.trim_end()),
        }
    }

    /// Lets it do `what`.
    ///
    /// # Errors
    /// When it cannot.
    pub fn say(&mut self, what: &str) -> Result<String> {
        self.tell(what)?;
        self.done().with_context(|| format!("when told to `{what}`"))
    }

    /// Lets it do `what`, which must come out as `expected`.
    ///
    /// # Errors
    /// When it comes out otherwise: then the moment is not the one that is meant.
    pub fn must(&mut self, what: &str, expected: &str) -> Result<()> {
        let said = self.say(what)?;
        ensure!(said == expected, "`{what}` came out as `{said}`, not `{expected}`");
        Ok(())
    }

    /// Looks through its memory, while it is stopped.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn scan(&self, needles: &Needles) -> Result<Scan> {
        stop(self.pid())?.scan(needles)
    }

    /// Looks through a core file of it.
    ///
    /// # Errors
    /// When none can be made.
    pub fn core(&self, needles: &Needles) -> Result<Scan> {
        core_file::take(self.pid(), needles)
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _status = self.child.wait();
    }
}
