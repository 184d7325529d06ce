//! Where results and failures go: standard output, standard error, with colour or as JSON.

use std::ffi::OsString;
use std::io::{self, IsTerminal as _, Write as _};

use anstream::AutoStream;
use clap::ColorChoice;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::arguments::Global;
use crate::unechoed::Unechoed;

/// How the user wants to read it.
#[derive(Debug)]
pub(crate) struct Output {
    json: bool,
    color: anstream::ColorChoice,
    unechoed: Unechoed,
}

impl Output {
    /// As `global` says; what among `arguments` may be a secret is never repeated.
    pub fn new(global: &Global, arguments: &[OsString]) -> Self {
        let color = match global.color {
            ColorChoice::Auto => anstream::ColorChoice::Auto,
            ColorChoice::Always => anstream::ColorChoice::Always,
            ColorChoice::Never => anstream::ColorChoice::Never,
        };
        Self { json: global.json, color, unechoed: Unechoed::among(arguments) }
    }

    /// JSON, where the arguments could not be read.
    pub fn json() -> Self {
        Self { json: true, ..Self::plain() }
    }

    /// Text, where the arguments could not be read.
    pub fn plain() -> Self {
        Self { json: false, color: anstream::ColorChoice::Auto, unechoed: Unechoed::default() }
    }

    /// Whether `--json` was given.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// What must not be repeated.
    pub fn unechoed(&self) -> &Unechoed {
        &self.unechoed
    }

    /// Prints a result: `text`, which may be styled, or the members of `object` beside `"ok": true`.
    pub fn success(&self, text: &str, mut object: Value) -> io::Result<()> {
        if !self.json {
            return self.print(text);
        }
        object["ok"] = Value::Bool(true);
        until_nobody_reads(print_json(&object))
    }

    /// Tells a failure: `text` on standard error, or `error` as JSON on standard output.
    pub fn failure(&self, text: &str, error: &Value) {
        let is_told = self.json && print_json(&json!({"ok": false, "error": error})).is_ok();
        if !is_told {
            self.diagnose(text);
        }
    }

    /// Writes `text` to standard error. When that fails there is nowhere left to say so.
    pub fn diagnose(&self, text: &str) {
        let _ = AutoStream::new(io::stderr().lock(), self.color).write_all(text.as_bytes());
    }

    /// Prints a part of a result, which may be styled.
    pub fn print(&self, text: &str) -> io::Result<()> {
        let mut stdout = AutoStream::new(io::stdout().lock(), self.color);
        until_nobody_reads(stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()))
    }

    /// Prints one JSON object, whether it tells a success or not.
    pub fn print_json(object: &Value) -> io::Result<()> {
        until_nobody_reads(print_json(object))
    }

    /// Prints the body of an answer: readable on a terminal, as it came elsewhere.
    pub fn body(&self, answer: &Answer) -> io::Result<()> {
        if io::stdout().is_terminal() {
            return self.print(&answer.readable());
        }
        let mut stdout = io::stdout().lock();
        until_nobody_reads(stdout.write_all(answer.body()).and_then(|()| stdout.flush()))
    }

    /// Writes the answer that a failure was read from to standard error, likewise.
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

    /// Whether somebody watches both outputs, on a terminal that can move its cursor.
    pub fn is_watched(&self) -> bool {
        let is_dumb = std::env::var_os("TERM").is_none_or(|terminal| terminal == "dumb");
        !self.json && io::stdout().is_terminal() && io::stderr().is_terminal() && !(cfg!(unix) && is_dumb)
    }
}

fn print_json(object: &Value) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{object}")?;
    stdout.flush()
}

/// A reader that has seen enough, such as `head`, is no failure.
fn until_nobody_reads(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}
