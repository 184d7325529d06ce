//! Runs the sandbox's command, for the demo and for tests in other languages.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::run;

/// A running `justcall-auth-sandbox`. It exits when this value is dropped, or when this process ends.
pub struct RunningSandbox {
    child: Child,
    /// The line that it printed when it was ready.
    pub about: Value,
}

impl RunningSandbox {
    /// Starts the command in `binaries`.
    pub fn start(binaries: &Path) -> Result<Self> {
        let mut command = Command::new(binaries.join("justcall-auth-sandbox"));
        command.arg("--until-stdin-closes").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().context("cannot start justcall-auth-sandbox")?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("it was piped")).read_line(&mut line)?;
        let about = serde_json::from_str(&line).context("the sandbox did not print where it listens")?;
        Ok(Self { child, about })
    }

    /// Returns a member of the line that it printed.
    pub fn member(&self, name: &str) -> &str {
        self.about[name].as_str().unwrap_or_default()
    }

    /// Makes a control call.
    pub fn control(&self, path: &str, body: &str) -> Result<Value> {
        let url = format!("{}{path}", self.member("control_url"));
        let ca_file = self.member("ca_file");
        let arguments =
            ["--silent", "--show-error", "--fail-with-body", "--cacert", ca_file, "--data", body, &url];
        let response = run::output(Command::new("curl").args(arguments))?;
        let response: Value =
            serde_json::from_str(&response).context("the sandbox's response is not JSON")?;
        ensure!(response.is_object(), "the sandbox responded {response}");
        Ok(response)
    }
}

impl Drop for RunningSandbox {
    fn drop(&mut self) {
        // The sandbox exits when its standard input is closed.
        drop(self.child.stdin.take());
        let _status = self.child.wait();
    }
}
