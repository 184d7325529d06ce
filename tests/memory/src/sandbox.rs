//! The service, in a separate process, so that its copies of the pair are not in the target.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::process::{StoppedProcess, stop};

/// A running `justcall-auth-sandbox`. It exits when this value is dropped, or when this process ends.
pub struct SandboxProcess {
    child: Child,
    line: Value,
}

impl SandboxProcess {
    /// Starts the command at `program`.
    ///
    /// # Errors
    /// If it does not start.
    pub fn start(program: &Path) -> Result<Self> {
        let mut command = Command::new(program);
        command.arg("--until-stdin-closes").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("cannot start {}", program.display()))?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("it was piped")).read_line(&mut line)?;
        let line = serde_json::from_str(&line).context("the sandbox did not print where it listens")?;
        Ok(Self { child, line })
    }

    fn member(&self, name: &str) -> &str {
        self.line[name].as_str().unwrap_or_default()
    }

    /// Returns the base URL of the API.
    pub fn url(&self) -> &str {
        self.member("url")
    }

    /// Returns the CA file that clients must trust.
    pub fn ca_file(&self) -> &str {
        self.member("ca_file")
    }

    /// Makes a control call with curl.
    ///
    /// # Errors
    /// If the sandbox refuses it.
    pub fn control(&self, method: &str, path: &str, body: &Value) -> Result<Value> {
        let url = format!("{}{path}", self.member("control_url"));
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--fail-with-body", "--cacert", self.ca_file()]);
        curl.args(["--request", method]);
        if !body.is_null() {
            curl.args(["--data", &body.to_string()]);
        }
        let output = curl.arg(url).output().context("cannot run curl (debian-packages.txt)")?;
        let response = String::from_utf8_lossy(&output.stdout);
        ensure!(output.status.success(), "the sandbox refused {method} {path}: {response}");
        serde_json::from_str(&response).context("the sandbox's response is not JSON")
    }

    /// Lets the sandbox deliver a webhook for `https://a.b/c`, signed with the secret of the account of `key`. Returns its
    /// signature, and its time in seconds since the epoch.
    ///
    /// # Errors
    /// If no webhook is delivered.
    pub fn webhook(&self, key: &str) -> Result<(String, String)> {
        let receiver = TcpListener::bind("127.0.0.1:0").context("cannot bind a port")?;
        let delivery = json!({
            "url": format!("http://{}/", receiver.local_addr()?),
            "webhook_url": "https://a.b/c",
            "api_key": key,
            "timestamp_form": "epoch_s",
        });
        thread::scope(|scope| {
            let delivered = scope.spawn(|| self.control("POST", "webhooks", &delivery));
            let (stream, _) = receiver.accept()?;
            let (mut reader, mut head) = (BufReader::new(&stream), String::new());
            while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head)? > 0 {}
            let header = |name: &str| {
                let mut fields = head.lines().filter_map(|line| line.split_once(": "));
                let field = fields.find(|(named, _)| named.eq_ignore_ascii_case(name));
                field
                    .map(|(_, value)| value.to_owned())
                    .with_context(|| format!("the webhook has no header {name}"))
            };
            let length = header("content-length")?.parse()?;
            io::copy(&mut reader.take(length), &mut io::sink())?;
            (&stream).write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")?;
            delivered.join().expect("the thread returns errors and does not panic")?;
            Ok((header("x-justcall-signature")?, header("x-justcall-request-timestamp")?))
        })
    }

    /// Adds a fault, which lasts until [`SandboxProcess::clear_faults`].
    ///
    /// # Errors
    /// If the sandbox refuses it.
    pub fn fault(&self, fault: &Value) -> Result<()> {
        self.control("POST", "faults", fault).map(drop)
    }

    /// Removes all faults.
    ///
    /// # Errors
    /// If the sandbox has exited.
    pub fn clear_faults(&self) -> Result<()> {
        self.control("DELETE", "faults", &Value::Null).map(drop)
    }

    /// Returns the number of recorded requests.
    ///
    /// # Errors
    /// If the sandbox has exited.
    pub fn requests(&self) -> Result<usize> {
        let requests = self.control("GET", "requests", &Value::Null)?;
        Ok(requests.as_array().map_or(0, Vec::len))
    }

    /// Waits until `count` requests are recorded.
    ///
    /// # Errors
    /// If they do not come within 20 seconds.
    pub fn await_requests(&self, count: usize) -> Result<()> {
        let begun = Instant::now();
        while self.requests()? < count {
            ensure!(
                begun.elapsed() < Duration::from_secs(20),
                "the sandbox received fewer than {count} requests"
            );
        }
        Ok(())
    }

    /// Stops the sandbox's process until the result is dropped, so that it does not read what is sent to it.
    ///
    /// # Errors
    /// If the sandbox has exited.
    pub fn freeze(&self) -> Result<StoppedProcess> {
        stop(self.child.id())
    }
}

impl Drop for SandboxProcess {
    fn drop(&mut self) {
        // The sandbox exits when its standard input is closed.
        drop(self.child.stdin.take());
        let _status = self.child.wait();
    }
}
