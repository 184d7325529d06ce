//! Where results and failures go: standard output, standard error, with colour or as JSON.

use std::ffi::OsString;
use std::io::{self, Write as _};

use anstream::AutoStream;
use clap::ColorChoice;
use serde_json::{Value, json};

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
            return until_nobody_reads(self.print(text));
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

    fn print(&self, text: &str) -> io::Result<()> {
        let mut stdout = AutoStream::new(io::stdout().lock(), self.color);
        stdout.write_all(text.as_bytes())?;
        stdout.flush()
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
