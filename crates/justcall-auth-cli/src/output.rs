//! The output of results and failures: standard output and standard error, with colour or as JSON.

use std::ffi::OsString;
use std::io::{self, IsTerminal as _, Write as _};

use anstream::AutoStream;
use clap::ColorChoice;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::argument_mask::ArgumentMask;
use crate::arguments::Global;

/// The format of the output.
#[derive(Debug)]
pub(crate) struct Output {
    json: bool,
    color: anstream::ColorChoice,
    argument_mask: ArgumentMask,
}

impl Output {
    /// Creates the output for `global`. Arguments that may be a secret are masked.
    pub fn new(global: &Global, arguments: &[OsString]) -> Self {
        let color = match global.color {
            ColorChoice::Auto => anstream::ColorChoice::Auto,
            ColorChoice::Always => anstream::ColorChoice::Always,
            ColorChoice::Never => anstream::ColorChoice::Never,
        };
        Self { json: global.json, color, argument_mask: ArgumentMask::among(arguments) }
    }

    /// Creates JSON output, if the arguments cannot be parsed.
    pub fn json() -> Self {
        Self { json: true, ..Self::plain() }
    }

    /// Creates text output, if the arguments cannot be parsed.
    pub fn plain() -> Self {
        Self { json: false, color: anstream::ColorChoice::Auto, argument_mask: ArgumentMask::default() }
    }

    /// Returns true if `--json` is set.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Returns the mask for arguments that may be secret.
    pub fn argument_mask(&self) -> &ArgumentMask {
        &self.argument_mask
    }

    /// Prints a result: `text`, which may be styled, or the members of `object` beside `"ok": true`.
    pub fn success(&self, text: &str, mut object: Value) -> io::Result<()> {
        if !self.json {
            return self.print(text);
        }
        object["ok"] = Value::Bool(true);
        ignore_closed_reader(print_json(&object))
    }

    /// Reports a failure: prints `text` to standard error, or `error` as JSON to standard output.
    pub fn failure(&self, text: &str, error: &Value) {
        let is_reported = self.json && print_json(&json!({"ok": false, "error": error})).is_ok();
        if !is_reported {
            self.diagnose(text);
        }
    }

    /// Prints `text` to standard error. A failure to do so is ignored, because it cannot be reported.
    pub fn diagnose(&self, text: &str) {
        let _ = AutoStream::new(io::stderr().lock(), self.color).write_all(text.as_bytes());
    }

    /// Prints a part of a result, which may be styled.
    pub fn print(&self, text: &str) -> io::Result<()> {
        let mut stdout = AutoStream::new(io::stdout().lock(), self.color);
        ignore_closed_reader(stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()))
    }

    /// Prints one JSON object, for a success or a failure.
    pub fn print_json(object: &Value) -> io::Result<()> {
        ignore_closed_reader(print_json(object))
    }

    /// Prints the body of a response: readable on a terminal, unchanged otherwise.
    pub fn body(&self, answer: &Answer) -> io::Result<()> {
        if io::stdout().is_terminal() {
            return self.print(&answer.readable());
        }
        let mut stdout = io::stdout().lock();
        ignore_closed_reader(stdout.write_all(answer.body()).and_then(|()| stdout.flush()))
    }

    /// Prints the response of a failure to standard error in the same way.
    pub fn diagnose_answer(&self, answer: &Answer, include: bool) {
        if include {
            self.diagnose(&answer.head());
        }
        if io::stderr().is_terminal() {
            return self.diagnose(&answer.readable());
        }
        let mut stderr = io::stderr().lock();
        let end: &[u8] = if answer.body().is_empty() || answer.body().ends_with(b"\n") { b"" } else { b"\n" };
        let _ = stderr.write_all(answer.body()).and_then(|()| stderr.write_all(end));
    }

    /// Returns true if both outputs are terminals that can move the cursor.
    pub fn has_live_terminal(&self) -> bool {
        let is_dumb = std::env::var_os("TERM").is_none_or(|terminal| terminal == "dumb");
        !self.json && io::stdout().is_terminal() && io::stderr().is_terminal() && !(cfg!(unix) && is_dumb)
    }
}

fn print_json(object: &Value) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{object}")?;
    stdout.flush()
}

/// A reader that closes early, such as `head`, is not a failure.
fn ignore_closed_reader(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}
