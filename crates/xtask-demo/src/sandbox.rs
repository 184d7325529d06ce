//! A sandbox for a demo or a test in another language: the command, started and stopped.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::run;

/// A running `justcall-auth-sandbox`; it stops with this value, or with this process however that ends.
pub struct Sandbox {
    child: Child,
    /// The line that it printed once it was ready.
    pub about: Value,
}

impl Sandbox {
    /// Starts the command in `binaries`.
    pub fn start(binaries: &Path) -> Result<Self> {
        let mut command = Command::new(binaries.join("justcall-auth-sandbox"));
        command.arg("--until-stdin-closes").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().context("cannot start justcall-auth-sandbox")?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("it was piped")).read_line(&mut line)?;
        let about = serde_json::from_str(&line).context("the sandbox did not say where it listens")?;
        Ok(Self { child, about })
    }

    /// A member of the line that it printed.
    pub fn member(&self, name: &str) -> &str {
        self.about[name].as_str().unwrap_or_default()
    }

    /// Makes a control call.
    pub fn control(&self, path: &str, body: &str) -> Result<Value> {
        let url = format!("{}{path}", self.member("control_url"));
        let ca_file = self.member("ca_file");
        let arguments =
            ["--silent", "--show-error", "--fail-with-body", "--cacert", ca_file, "--data", body, &url];
        let answer = run::output(Command::new("curl").args(arguments))?;
        let answer: Value = serde_json::from_str(&answer).context("the sandbox's answer is not JSON")?;
        ensure!(answer.is_object(), "the sandbox answered {answer}");
        Ok(answer)
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // Closing its standard input is what stops it.
        drop(self.child.stdin.take());
        let _status = self.child.wait();
    }
}
