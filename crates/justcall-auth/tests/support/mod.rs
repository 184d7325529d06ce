//! Support for several tests: a sandbox with its clients, a proxy, the path of an example.
#![allow(dead_code, reason = "each test uses a part")]

use std::io::Read as _;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use justcall_auth::{Client, Config, Credentials};
use justcall_auth_sandbox::{Sandbox, SandboxConfig};
use serde_json::Value;

/// The limit of each wait, so that a hang fails instead of blocking.
pub const TIME_LIMIT: Duration = Duration::from_secs(60);

pub fn sandbox() -> Sandbox {
    Sandbox::start(SandboxConfig::default()).expect("a sandbox")
}

/// Returns the first pair of the sandbox.
pub fn pair(sandbox: &Sandbox) -> Credentials {
    Credentials::new(sandbox.api_key().as_bytes(), sandbox.api_secret().as_bytes())
        .expect("the sandbox's pair is good")
}

/// Returns a configuration for the sandbox, without a source.
pub fn bare_config(sandbox: &Sandbox) -> Config {
    let mut config = Config::new();
    config.set_base_url(sandbox.url()).expect("the sandbox's URL is good").set_timeout(TIME_LIMIT);
    if let Some(ca_file) = sandbox.ca_file() {
        config.set_ca_file(ca_file).expect("a path");
    }
    config
}

/// Returns a configuration with the first pair of the sandbox and one attempt for each call.
pub fn config(sandbox: &Sandbox) -> Config {
    let mut config = bare_config(sandbox);
    config.set_credentials(pair(sandbox)).set_max_retries(0);
    config
}

/// Creates a client of [`config`].
pub fn client(sandbox: &Sandbox) -> Client {
    Client::new(&config(sandbox)).expect("a client")
}

/// Returns the requests that have reached the sandbox.
pub fn requests(sandbox: &Sandbox) -> Vec<Value> {
    sandbox.control("GET", "requests", &Value::Null).expect("the record").as_array().expect("a list").clone()
}

pub fn wait_until(what: &str, mut reached: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !reached() {
        assert!(begun.elapsed() < TIME_LIMIT, "{what} never happened");
        std::thread::yield_now();
    }
}

/// Returns the path of an example, which cargo builds beside this test.
pub fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("this test's path");
    test.ancestors().nth(2).expect("deps is in the profile's folder").join("examples").join(name)
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

/// A tinyproxy on a random port, with its log.
pub struct Tinyproxy {
    child: Child,
    port: u16,
    folder: tempfile::TempDir,
}

impl Tinyproxy {
    /// Starts a tinyproxy; `extra` is added to its configuration.
    pub fn start(extra: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        // The port is free now. If another process takes it first, tinyproxy ends and the test fails.
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
            assert!(begun.elapsed() < TIME_LIMIT, "tinyproxy never started");
            std::thread::yield_now();
        }
        Self { child, port, folder }
    }

    /// Returns the port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the log.
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
