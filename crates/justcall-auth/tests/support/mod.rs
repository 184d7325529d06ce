//! Support for several tests of the network.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The limit of each wait, so that a hang fails instead of blocking.
const TIME_LIMIT: Duration = Duration::from_secs(20);

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
