//! nginx, haproxy and stunnel on a free port, with the configuration of a vector.

use std::fs::{self, File};
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde_json::{Map, Value};
use tempfile::TempDir;

use super::vector::texts;

/// The limit of each wait, for a loaded machine.
const LIMIT: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(5);
/// How long a server has to start to reload.
const SIGNAL_AGAIN: Duration = Duration::from_secs(2);
/// How many ports are tried, because another process may take a free port first.
const TRIES: usize = 5;

/// A server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerKind {
    /// nginx, with TLS, in front of the sandbox or alone.
    Nginx,
    /// haproxy, with TLS, in front of the sandbox or alone.
    Haproxy,
    /// stunnel, which ends TLS in front of the sandbox.
    Stunnel,
}

impl ServerKind {
    /// Returns the server with this name.
    ///
    /// # Errors
    /// If there is none.
    pub fn parse(name: &str) -> Result<Self> {
        Ok(match name {
            "nginx" => Self::Nginx,
            "haproxy" => Self::Haproxy,
            "stunnel" => Self::Stunnel,
            other => bail!("unknown server {other:?}"),
        })
    }

    /// Returns the program of Debian's package.
    pub fn program(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Haproxy => "haproxy",
            Self::Stunnel => "stunnel4",
        }
    }

    fn template(self) -> &'static str {
        match self {
            Self::Nginx => include_str!("../../servers/nginx.conf"),
            Self::Haproxy => include_str!("../../servers/haproxy.cfg"),
            Self::Stunnel => include_str!("../../servers/stunnel.conf"),
        }
    }

    /// The sections of the template that a vector fills, with the lines of those that it leaves out.
    fn sections(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Nginx => &[
                ("main", ""),
                ("http", ""),
                ("listen", "127.0.0.1:{port} ssl"),
                ("server", "location / { proxy_pass http://127.0.0.1:{sandbox}; }"),
            ],
            Self::Haproxy => &[
                ("global", ""),
                ("bind", ""),
                ("frontend", ""),
                ("backend", "server sandbox 127.0.0.1:{sandbox}"),
            ],
            Self::Stunnel => &[("global", ""), ("service", "connect = 127.0.0.1:{sandbox}")],
        }
    }

    fn command(self, configuration: &Path) -> Command {
        let mut command = Command::new(self.program());
        match self {
            Self::Nginx => command.arg("-c").arg(configuration),
            // A master process, which can reload, in the foreground.
            Self::Haproxy => command.args(["-W", "-db", "-f"]).arg(configuration),
            Self::Stunnel => command.arg(configuration),
        };
        // Debian installs them into /usr/sbin, which only root's PATH includes.
        let search = format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default());
        command.env("PATH", search);
        command
    }
}

/// What a configuration refers to.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    /// The folder of the certificates.
    pub certificates: &'a Path,
    /// The name of the server's certificate.
    pub certificate: &'a str,
    /// The port of the sandbox, which speaks plain HTTP.
    pub sandbox: u16,
}

/// A running server. Dropping this value ends all its processes.
pub struct Server {
    kind: ServerKind,
    child: Child,
    folder: TempDir,
    port: u16,
}

impl Server {
    /// Starts a server. Returns when it listens.
    ///
    /// # Errors
    /// If it is not installed or refuses its configuration.
    pub fn start(kind: ServerKind, sections: &Map<String, Value>, around: Surroundings) -> Result<Self> {
        let mut last = None;
        for _ in 0..TRIES {
            match Self::try_start(kind, sections, around) {
                Ok(server) => return Ok(server),
                Err(error) => last = Some(error),
            }
        }
        Err(last.context("it was tried")?)
    }

    fn try_start(kind: ServerKind, sections: &Map<String, Value>, around: Surroundings) -> Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let folder = TempDir::new()?;
        let path = folder.path().join("configuration");
        fs::write(&path, configuration(kind, sections, around, port, folder.path())?)?;
        let mut command = kind.command(&path);
        command.stdin(Stdio::null()).process_group(0);
        command.stdout(File::create(folder.path().join("stdout"))?);
        command.stderr(File::create(folder.path().join("stderr"))?);
        let child = command.spawn().with_context(|| format!("cannot start {}", kind.program()))?;
        let mut server = Self { kind, child, folder, port };
        let begun = Instant::now();
        while !is_listening(port)? {
            if server.child.try_wait()?.is_some() || begun.elapsed() > LIMIT {
                bail!("{} did not start: {}", kind.program(), server.read("stderr"));
            }
            sleep(PAUSE);
        }
        Ok(server)
    }

    /// Returns the port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the requests that it recorded, each as its method, URI, status and connection. stunnel records none.
    pub fn seen(&self) -> Option<Vec<String>> {
        let file = match self.kind {
            ServerKind::Nginx => "seen.log",
            ServerKind::Haproxy => "stdout",
            ServerKind::Stunnel => return None,
        };
        // nginx has no method for a request that is no HTTP.
        let is_request = |line: &&str| !(line.starts_with("- ") && line.contains(" 400 "));
        let log = self.read(file);
        // A line without its end is still being written.
        let whole = log.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let requests = whole.lines().filter_map(|line| line.strip_prefix("seen ")).filter(is_request);
        Some(requests.map(str::to_owned).collect())
    }

    /// Lets it read its configuration again. Returns when other processes serve.
    ///
    /// # Errors
    /// If it does not do so in time, or cannot.
    pub fn reload(&self) -> Result<()> {
        await_that("the first worker", || Ok(!self.workers()?.is_empty() && self.is_ready(1)))?;
        let before = self.workers()?;
        let loads = self.loads();
        let signal = if self.kind == ServerKind::Haproxy { Signal::USR2 } else { Signal::HUP };
        // haproxy may lose a signal while it reaps a former worker.
        let mut next_signal = Instant::now();
        let reloaded = await_that("a new worker", || {
            if Instant::now() >= next_signal {
                kill_process(self.pid()?, signal)?;
                next_signal = Instant::now() + SIGNAL_AGAIN;
            }
            Ok(self.workers()?.iter().any(|worker| !before.contains(worker)) && self.is_ready(loads + 1))
        });
        reloaded.with_context(|| self.read("stderr"))
    }

    /// Returns true if the master has loaded the configuration so many times. haproxy's master accepts no signal before.
    fn is_ready(&self, times: usize) -> bool {
        self.kind != ServerKind::Haproxy || self.loads() >= times
    }

    fn loads(&self) -> usize {
        self.read("stderr").matches("Loading success").count()
    }

    /// Ends it.
    ///
    /// # Errors
    /// If it does not end in time.
    pub fn stop(&mut self) -> Result<()> {
        if self.child.try_wait()?.is_some() {
            return Ok(());
        }
        kill_process(self.pid()?, Signal::TERM)?;
        let child = &mut self.child;
        await_that("the end of the server", || Ok(child.try_wait()?.is_some()))
    }

    /// Waits until no client has an open connection to it.
    ///
    /// # Errors
    /// If it does not close them in time.
    pub fn await_close(&self) -> Result<()> {
        await_that("the end of the connections", || {
            let remote = format!(":{:04X}", self.port);
            Ok(!sockets()?.iter().any(|(_, to, state)| to.ends_with(&remote) && state == ESTABLISHED))
        })
    }

    fn pid(&self) -> Result<Pid> {
        i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).context("a process id")
    }

    /// Returns the processes that the master started.
    fn workers(&self) -> Result<Vec<u32>> {
        let pid = self.child.id();
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))?;
        Ok(children.split_whitespace().filter_map(|child| child.parse().ok()).collect())
    }

    fn read(&self, file: &str) -> String {
        fs::read(self.folder.path().join(file))
            .map(|text| String::from_utf8_lossy(&text).into_owned())
            .unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Ok(group) = self.pid() {
            // Fails if every process has ended.
            let _ended = kill_process_group(group, Signal::KILL);
        }
        let _reaped = self.child.wait();
    }
}

/// Waits until `reached` returns true.
///
/// # Errors
/// If that takes too long, or `reached` fails.
pub fn await_that(what: &str, mut reached: impl FnMut() -> Result<bool>) -> Result<()> {
    let begun = Instant::now();
    while !reached()? {
        ensure!(begun.elapsed() < LIMIT, "{what} never came");
        sleep(PAUSE);
    }
    Ok(())
}

fn configuration(
    kind: ServerKind,
    sections: &Map<String, Value>,
    around: Surroundings,
    port: u16,
    folder: &Path,
) -> Result<String> {
    // A comment names the placeholders.
    let is_comment = |line: &&str| line.starts_with(['#', ';']);
    let mut text = kind.template().lines().filter(|line| !is_comment(line)).collect::<Vec<_>>().join("\n");
    text.push('\n');
    for (name, usual) in kind.sections() {
        let lines = sections.get(*name).map_or_else(|| Ok(vec![(*usual).to_owned()]), texts)?;
        let lines: Vec<String> = match *name {
            "listen" => lines.iter().map(|line| format!("listen {line};")).collect(),
            _ => lines,
        };
        text = text.replace(&format!("{{{name}}}"), &lines.join("\n"));
    }
    if let Some(unknown) = sections.keys().find(|key| !kind.sections().iter().any(|(name, _)| name == key)) {
        bail!("{} has no section {unknown:?}", kind.program());
    }
    for (name, value) in [
        ("{certificates}", around.certificates.display().to_string()),
        ("{certificate}", around.certificate.to_owned()),
        ("{sandbox}", around.sandbox.to_string()),
        ("{port}", port.to_string()),
        ("{folder}", folder.display().to_string()),
    ] {
        text = text.replace(name, &value);
    }
    Ok(text)
}

const ESTABLISHED: &str = "01";
const LISTENING: &str = "0A";

/// Returns the kernel's table: the local address, the remote address and the state of each socket.
fn sockets() -> Result<Vec<(String, String, String)>> {
    let mut sockets = Vec::new();
    for table in ["/proc/self/net/tcp", "/proc/self/net/tcp6"].map(PathBuf::from) {
        let rows = fs::read_to_string(table)?;
        for row in rows.lines().skip(1) {
            let mut columns = row.split_whitespace().skip(1).map(str::to_owned);
            if let (Some(local), Some(remote), Some(state)) = (columns.next(), columns.next(), columns.next())
            {
                sockets.push((local, remote, state));
            }
        }
    }
    Ok(sockets)
}

/// Asks the kernel, because a connection would be a part of the test.
fn is_listening(port: u16) -> Result<bool> {
    let local = format!(":{port:04X}");
    Ok(sockets()?.iter().any(|(at, _, state)| at.ends_with(&local) && state == LISTENING))
}
