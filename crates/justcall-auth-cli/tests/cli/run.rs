//! Runs the command with an environment of the test's choosing.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use justcall_auth_sandbox::{Sandbox, SandboxConfig};
use serde_json::Value;

/// How a run ended and what it wrote.
#[derive(Debug)]
pub struct Run {
    pub exit: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    /// Standard output as the one JSON object that it must be.
    pub fn json(&self) -> Value {
        assert_eq!(self.stdout.lines().count(), 1, "one line: {self:?}");
        assert_eq!(self.stderr, "", "nothing beside the JSON");
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Checks the exit code and the first words of the failure on standard error.
    #[track_caller]
    pub fn fails_with(&self, exit: i32, name: &str) {
        assert_eq!(self.exit, exit, "{self:?}");
        assert!(self.stderr.starts_with(&format!("✗ {name}: ")), "{self:?}");
        assert!(self.stderr.contains("\n→ "), "a remedy: {self:?}");
        assert_eq!(self.stdout, "", "a failure writes nothing to standard output");
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            exit: output.status.code().expect("no signal ended it"),
            stdout: String::from_utf8(output.stdout).expect("UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }
}

/// The command, with nothing of the test's own environment.
pub fn command(arguments: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_justcall-auth"));
    command.args(arguments).env_clear().envs(variables.iter().copied()).stdin(Stdio::null());
    // Sockets on Windows do not work without it.
    if let Some(root) = std::env::var_os("SystemRoot") {
        command.env("SystemRoot", root);
    }
    command
}

/// Runs the command to its end.
pub fn run(arguments: &[&str], variables: &[(&str, &str)]) -> Run {
    command(arguments, variables).output().expect("the command starts").into()
}

/// A sandbox, and the arguments that lead to it.
pub struct Service {
    pub sandbox: Sandbox,
    pub address: Vec<String>,
}

impl Service {
    pub fn start() -> Self {
        Self::with(SandboxConfig::default())
    }

    pub fn with(config: SandboxConfig) -> Self {
        let sandbox = Sandbox::start(config).expect("a sandbox");
        let ca_file = sandbox.ca_file().expect("it speaks TLS").to_str().expect("UTF-8").to_owned();
        let address = vec!["--base-url".into(), sandbox.url().into(), "--ca-file".into(), ca_file];
        Self { sandbox, address }
    }

    /// `arguments` and those that lead here.
    pub fn arguments<'a>(&'a self, arguments: &[&'a str]) -> Vec<&'a str> {
        arguments.iter().copied().chain(self.address.iter().map(String::as_str)).collect()
    }

    /// Runs the command against this service with `key` and `secret` in the environment.
    pub fn run_as(&self, key: &str, secret: &str, arguments: &[&str]) -> Run {
        run(&self.arguments(arguments), &[("JUSTCALL_API_KEY", key), ("JUSTCALL_API_SECRET", secret)])
    }

    /// Runs the command against this service with the first account's pair.
    pub fn run(&self, arguments: &[&str]) -> Run {
        self.run_as(self.sandbox.api_key(), self.sandbox.api_secret(), arguments)
    }

    pub fn control(&self, method: &str, path: &str, body: &Value) -> Value {
        self.sandbox.control(method, path, body).expect("the sandbox accepts it")
    }

    /// How many requests came.
    pub fn requests(&self) -> usize {
        self.control("GET", "requests", &Value::Null).as_array().expect("a list").len()
    }
}

/// A file with `text` in `folder`, and the source that names it.
pub fn file(folder: &Path, name: &str, text: &str) -> (PathBuf, String) {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("the folder can be written");
    let source = format!("file:{}", path.display());
    (path, source)
}

/// Runs `command` with `input` on its standard input.
pub fn feed(mut command: Command, input: impl AsRef<[u8]>) -> Run {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let mut stdin = child.stdin.take().expect("it was piped");
    // One that fails before it reads closes its end.
    let _ = std::io::Write::write_all(&mut stdin, input.as_ref());
    drop(stdin);
    child.wait_with_output().expect("it ends").into()
}
