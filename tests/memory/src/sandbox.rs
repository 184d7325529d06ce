//! The service, in a process of its own: its copies of the pair are not the target's.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::process::{Stopped, stop};

/// A running `justcall-auth-sandbox`; it ends with this value, or with this process however that ends.
pub struct Sandbox {
    child: Child,
    line: Value,
}

impl Sandbox {
    /// Starts the command at `program`.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(program: &Path) -> Result<Self> {
        let mut command = Command::new(program);
        command.arg("--until-stdin-closes").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("cannot start {}", program.display()))?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("it was piped")).read_line(&mut line)?;
        let line = serde_json::from_str(&line).context("the sandbox did not say where it listens")?;
        Ok(Self { child, line })
    }

    fn member(&self, name: &str) -> &str {
        self.line[name].as_str().unwrap_or_default()
    }

    /// Where the API is.
    pub fn url(&self) -> &str {
        self.member("url")
    }

    /// The authority that clients must trust.
    pub fn ca_file(&self) -> &str {
        self.member("ca_file")
    }

    /// Makes a control call with curl.
    ///
    /// # Errors
    /// When the sandbox refuses it.
    pub fn control(&self, method: &str, path: &str, body: &Value) -> Result<Value> {
        let url = format!("{}{path}", self.member("control_url"));
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--fail-with-body", "--cacert", self.ca_file()]);
        curl.args(["--request", method]);
        if !body.is_null() {
            curl.args(["--data", &body.to_string()]);
        }
        let output = curl.arg(url).output().context("curl is not there (debian-packages.txt)")?;
        let answer = String::from_utf8_lossy(&output.stdout);
        ensure!(output.status.success(), "the sandbox refused {method} {path}: {answer}");
        serde_json::from_str(&answer).context("the sandbox's answer is not JSON")
    }

    /// Lets it deliver a webhook for `https://a.b/c` that is signed with the secret of the account of `key`; its signature,
    /// and its time in seconds since the epoch.
    ///
    /// # Errors
    /// When none comes.
    pub fn webhook(&self, key: &str) -> Result<(String, String)> {
        let receiver = TcpListener::bind("127.0.0.1:0").context("a port")?;
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
                field.map(|(_, value)| value.to_owned()).with_context(|| format!("there is no {name}"))
            };
            let length = header("content-length")?.parse()?;
            io::copy(&mut reader.take(length), &mut io::sink())?;
            (&stream).write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")?;
            delivered.join().expect("it gives an error, where one is")?;
            Ok((header("x-justcall-signature")?, header("x-justcall-request-timestamp")?))
        })
    }

    /// Lets answers fail until [`Sandbox::heal`].
    ///
    /// # Errors
    /// When the sandbox does not understand it.
    pub fn fault(&self, fault: &Value) -> Result<()> {
        self.control("POST", "faults", fault).map(drop)
    }

    /// Ends all faults.
    ///
    /// # Errors
    /// When the sandbox is gone.
    pub fn heal(&self) -> Result<()> {
        self.control("DELETE", "faults", &Value::Null).map(drop)
    }

    /// How many requests have come, since it was asked to forget them.
    ///
    /// # Errors
    /// When the sandbox is gone.
    pub fn requests(&self) -> Result<usize> {
        let requests = self.control("GET", "requests", &Value::Null)?;
        Ok(requests.as_array().map_or(0, Vec::len))
    }

    /// Waits until so many requests have come.
    ///
    /// # Errors
    /// When they do not.
    pub fn await_requests(&self, count: usize) -> Result<()> {
        let begun = Instant::now();
        while self.requests()? < count {
            ensure!(begun.elapsed() < Duration::from_secs(20), "no {count} requests come");
        }
        Ok(())
    }

    /// Stops it: what is sent to it stays on the way.
    ///
    /// # Errors
    /// When it is gone.
    pub fn freeze(&self) -> Result<Stopped> {
        stop(self.child.id())
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // Closing its standard input is what stops it.
        drop(self.child.stdin.take());
        let _status = self.child.wait();
    }
}
