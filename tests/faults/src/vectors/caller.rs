//! A program that makes calls: `targets/caller.c` with the shared library, `targets/caller.py` with the module, or
//! `src/bin/caller.rs` with the crate.
//!
//! A program reads lines and prints a line for each:
//!
//! | line | what it does |
//! |---|---|
//! | `open BASE_URL CA_FILE SOURCE TIMEOUT_MS RETRIES` | creates a client, which replaces the last one |
//! | `verify` | verifies the pair |
//! | `get PATH`, `post PATH BYTES` | sends a request, `post` with a body of so many bytes |
//! | `webhook` | verifies the example of the official reference at the time of this machine |
//!
//! It prints `NAME HTTP_STATUS REQUEST_SENT RETRY_AFTER_MS TEXTS`: the name of the error or `ok`, 1 or 0, -1 if there is no
//! wait, and every text of the error.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::piped::Piped;

/// How much longer than its timeout a call may take on a loaded machine.
const GRACE: Duration = Duration::from_secs(30);

/// The language of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// Rust with the crate.
    Rust,
    /// C with the shared library.
    C,
    /// Python with the module.
    Python,
}

impl Language {
    /// All languages.
    pub const ALL: [Self; 3] = [Self::Rust, Self::C, Self::Python];

    /// Returns its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rust => "Rust",
            Self::C => "C",
            Self::Python => "Python",
        }
    }
}

/// The command line of a program, and its variables.
#[derive(Debug, Clone)]
pub struct CallerProgram {
    /// The words of the command line.
    pub words: Vec<PathBuf>,
    /// The folder of the shared library.
    pub libraries: PathBuf,
}

/// The row of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The name of the error, or `ok`.
    pub name: String,
    /// The HTTP status, or 0.
    pub http_status: u16,
    /// `request_sent`, which is true for a success.
    pub request_sent: bool,
    /// The wait that the service asks for.
    pub retry_after_ms: Option<u64>,
    /// The texts of the error.
    pub texts: String,
}

impl Row {
    fn parse(line: &str) -> Result<Self> {
        let mut words = line.splitn(5, ' ');
        let mut word = || words.next().with_context(|| format!("a row: {line:?}"));
        let (name, status, sent, wait) = (word()?, word()?, word()?, word()?);
        Ok(Self {
            name: name.to_owned(),
            http_status: status.parse()?,
            request_sent: sent == "1",
            retry_after_ms: wait.parse().ok(),
            texts: words.next().unwrap_or_default().to_owned(),
        })
    }
}

/// A running program. Dropping this value ends it.
pub struct Caller(Piped);

impl Caller {
    /// Starts a program. `before` are words before its command line.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start(
        program: &CallerProgram,
        before: &[String],
        variables: &[(&'static str, String)],
    ) -> Result<Self> {
        let mut words = before.iter().map(PathBuf::from).chain(program.words.iter().cloned());
        let mut command = Command::new(words.next().context("a command line has a program")?);
        command.args(words).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("LD_LIBRARY_PATH", &program.libraries).envs(variables.iter().cloned());
        Ok(Self(Piped::start(command)?))
    }

    /// Starts a call.
    ///
    /// # Errors
    /// If the program has ended.
    pub fn begin(&mut self, call: &str) -> Result<()> {
        let stdin = self.0.stdin.as_mut().context("the program was finished")?;
        writeln!(stdin, "{call}").context("the program has ended")
    }

    /// Returns the row of the call, which must end within `timeout`.
    ///
    /// # Errors
    /// If the call does not end in time, or the program ends.
    pub fn end(&mut self, timeout: Duration) -> Result<Row> {
        let line = self.0.lines.recv_timeout(timeout + GRACE).context("the call did not end in time")?;
        Row::parse(&line)
    }

    /// Makes a call.
    ///
    /// # Errors
    /// As [`begin`](Self::begin) and [`end`](Self::end).
    pub fn call(&mut self, call: &str, timeout: Duration) -> Result<Row> {
        self.begin(call)?;
        self.end(timeout)
    }

    /// Ends the program, which must then exit with success.
    ///
    /// # Errors
    /// If it does not.
    pub fn finish(mut self) -> Result<()> {
        self.0.close();
        ensure!(self.0.lines.recv().is_err(), "the program printed more than a line for each call");
        self.0.succeed()
    }
}
