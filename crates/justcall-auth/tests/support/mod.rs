//! What several tests need: a sandbox with clients of it, a proxy, an example to run.
#![allow(dead_code, reason = "each test uses some of it")]

use std::io::Read as _;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use justcall_auth::{Client, Config, Credentials};
use justcall_auth_sandbox::{Sandbox, SandboxConfig};
use serde_json::Value;

/// Longer than anything here takes, so that a hang fails in place of lasting.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub fn sandbox() -> Sandbox {
    Sandbox::start(SandboxConfig::default()).expect("a sandbox")
}

/// The first pair of the sandbox.
pub fn pair(sandbox: &Sandbox) -> Credentials {
    Credentials::new(sandbox.api_key().as_bytes(), sandbox.api_secret().as_bytes())
        .expect("the sandbox's pair is good")
}

/// For a client of the sandbox whose source is still to be set.
pub fn bare_config(sandbox: &Sandbox) -> Config {
    let mut config = Config::new();
    config.set_base_url(sandbox.url()).expect("the sandbox's URL is good").set_timeout(PATIENCE);
    if let Some(ca_file) = sandbox.ca_file() {
        config.set_ca_file(ca_file).expect("a path");
    }
    config
}

/// For a client with the first pair of the sandbox, which makes one attempt for each call.
pub fn config(sandbox: &Sandbox) -> Config {
    let mut config = bare_config(sandbox);
    config.set_credentials(pair(sandbox)).set_max_retries(0);
    config
}

/// A client of [`config`].
pub fn client(sandbox: &Sandbox) -> Client {
    Client::new(&config(sandbox)).expect("a client")
}

/// The requests that have reached the sandbox.
pub fn requests(sandbox: &Sandbox) -> Vec<Value> {
    sandbox.control("GET", "requests", &Value::Null).expect("the record").as_array().expect("a list").clone()
}

pub fn wait_until(what: &str, mut reached: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !reached() {
        assert!(begun.elapsed() < PATIENCE, "{what} never happened");
        std::thread::yield_now();
    }
}

/// Reads one request without a body; `None` at the end of the connection.
pub fn read_request(mut stream: &TcpStream) -> Option<()> {
    let (mut request, mut byte) = (Vec::new(), [0]);
    while !request.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        request.push(byte[0]);
    }
    Some(())
}

/// The program of an example, which cargo builds beside this test.
pub fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("this test's path");
    test.ancestors().nth(2).expect("deps is in the profile's folder").join("examples").join(name)
}

/// A real tinyproxy on a random port, with its log.
pub struct Tinyproxy {
    child: Child,
    port: u16,
    folder: tempfile::TempDir,
}

impl Tinyproxy {
    /// Starts one; `extra` is added to its configuration.
    pub fn start(extra: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        // The port is free now; if another process takes it first, tinyproxy ends and the test says so.
        let port =
            TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port();
        let (file, log) = (folder.path().join("conf"), folder.path().join("log"));
        let text = format!(
            "Port {port}\nListen 127.0.0.1\nTimeout 30\nLogFile \"{}\"\nLogLevel Connect\nMaxClients 20\n{extra}\n",
            log.display()
        );
        std::fs::write(&file, text).expect("its configuration");
        let child = Command::new("tinyproxy")
            .arg("-d")
            .arg("-c")
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let child = child.expect("tinyproxy is installed (debian-packages.txt)");
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed() < PATIENCE, "tinyproxy never started");
            std::thread::yield_now();
        }
        Self { child, port, folder }
    }

    /// The port that it listens at.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What it has written about its work.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Tinyproxy {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _status = self.child.wait();
    }
}
