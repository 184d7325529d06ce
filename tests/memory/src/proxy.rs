//! A real tinyproxy.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use tempfile::TempDir;

/// A running tinyproxy on a random port. Dropping this value ends it.
pub struct ProxyProcess {
    child: Child,
    port: u16,
    _folder: TempDir,
}

impl ProxyProcess {
    /// Starts tinyproxy. Returns when it accepts connections.
    ///
    /// # Errors
    /// If it is not installed or does not start.
    pub fn start() -> Result<Self> {
        let folder = TempDir::new()?;
        // The port is free now. If another process takes it first, which is rare, tinyproxy exits and this fails.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let file = folder.path().join("conf");
        let log = folder.path().join("log");
        std::fs::write(
            &file,
            format!(
                "Port {port}\nListen 127.0.0.1\nTimeout 30\nLogFile \"{}\"\nMaxClients 20\n",
                log.display()
            ),
        )?;
        let mut command = Command::new("tinyproxy");
        command.arg("-d").arg("-c").arg(&file).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().context("cannot run tinyproxy (Debian: tinyproxy-bin)")?;
        let mut proxy = Self { child, port, _folder: folder };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            ensure!(proxy.child.try_wait()?.is_none(), "tinyproxy exited");
            ensure!(begun.elapsed() < Duration::from_secs(20), "tinyproxy does not listen");
            std::thread::yield_now();
        }
        Ok(proxy)
    }

    /// Returns the proxy's URL.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for ProxyProcess {
    fn drop(&mut self) {
        let _killed = self.child.kill();
        let _status = self.child.wait();
    }
}
