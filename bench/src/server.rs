//! The service that all peers call: one nginx on loopback with temporary certificates.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};
use std::{fs, thread};

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

use xtask_demo::run::output;

/// A fictitious key in the format of real ones.
pub const KEY: &str = "4e1c0b6f5d2a49788c3be0f1a2d45c6b7e8f9012";

/// The kinds of secrets that are measured: the response is searched for the secret, which costs more if common
/// characters occur in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretKind {
    Hexadecimal,
    UrlSafeBase64,
}

impl SecretKind {
    pub const ALL: [Self; 2] = [Self::Hexadecimal, Self::UrlSafeBase64];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Hexadecimal => "hexadecimal",
            Self::UrlSafeBase64 => "URL-safe base64",
        }
    }

    /// Returns a fictitious secret of this kind.
    pub const fn secret(self) -> &'static str {
        match self {
            Self::Hexadecimal => "b05d7e2f91c44a63a8d0f6e5c7b3921804fa6d1e",
            Self::UrlSafeBase64 => "b05d-e2f91c44a_3a8d0f6e5c-b3921804fa6d_e",
        }
    }

    fn authorization(self) -> String {
        format!("{KEY}:{}", self.secret())
    }
}

/// What the service is known to do with `GET /v2/account`: the document describes the page, and the measured service
/// does not have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    AccountPage,
    NoAccountPage,
    /// The account page, with [`MORE_HEADERS`] more headers in its responses: what a header costs.
    MoreHeaders,
}

/// How many headers a response has in addition, with [`Dialect::MoreHeaders`].
pub const MORE_HEADERS: u32 = 10;

impl Dialect {
    /// The two that services speak.
    pub const ALL: [Self; 2] = [Self::AccountPage, Self::NoAccountPage];

    pub const fn name(self) -> &'static str {
        match self {
            Self::AccountPage => "account page",
            Self::NoAccountPage => "no account page",
            Self::MoreHeaders => "10 more headers",
        }
    }

    /// Returns the path that a careful user of another client asks for.
    pub const fn path(self) -> &'static str {
        match self {
            Self::AccountPage | Self::MoreHeaders => "/v2/account",
            Self::NoAccountPage => "/v2.1/users?per_page=1",
        }
    }
}

/// Returns the last processor. Client and server share it, so that no wake-up crosses processors and the clock
/// frequency is the same.
fn processor() -> String {
    let count = thread::available_parallelism().map_or(1, usize::from);
    (count - 1).to_string()
}

/// Returns a command that runs `program` on the shared processor. The kernel ends it when this process ends.
pub fn pinned(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "taskset", "--cpu-list", &processor()]).arg(program);
    prepare(&mut command);
    command
}

/// Returns a command that runs `program` on all processors, for workers with threads.
pub fn unpinned(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]).arg(program);
    prepare(&mut command);
    command
}

/// The peers must trust only the bench's CA, use no proxy, and get the pair from the environment.
fn prepare(command: &mut Command) {
    for variable in
        ["CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR", "JUSTCALL_CREDENTIALS"]
    {
        command.env_remove(variable);
    }
    for variable in ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        command.env_remove(variable);
    }
    // `cargo run` sets this to the folders of the debug build, which take precedence over a program's run path.
    command.env_remove("LD_LIBRARY_PATH");
    command.env("JUSTCALL_API_KEY", KEY).env("JUSTCALL_API_SECRET", SecretKind::Hexadecimal.secret());
}

/// A running nginx. Dropping this value ends it.
pub struct Server {
    nginx: Child,
    folder: TempDir,
    /// The port of each dialect.
    ports: [u16; 3],
}

impl Server {
    /// Creates certificates and starts nginx. Returns when it accepts connections.
    pub fn start(root: &Path) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        certificates(folder.path()).context("cannot create certificates with openssl")?;
        // All are held until all are known, so that they differ.
        let bind = || TcpListener::bind("127.0.0.1:0");
        let free = [bind()?, bind()?, bind()?];
        let ports =
            [free[0].local_addr()?.port(), free[1].local_addr()?.port(), free[2].local_addr()?.port()];
        drop(free);
        let template = fs::read_to_string(root.join("bench/nginx.conf")).context("bench/nginx.conf")?;
        let configuration = template
            .replace("{folder}", &folder.path().display().to_string())
            .replace("{port}", &ports[0].to_string())
            .replace("{port_without_account}", &ports[1].to_string())
            .replace("{port_with_more_headers}", &ports[2].to_string())
            .replace("{more_headers}", &more_headers())
            .replace("{pairs}", &SecretKind::ALL.map(SecretKind::authorization).join("|"));
        let path = folder.path().join("nginx.conf");
        fs::write(&path, configuration)?;
        // Debian installs nginx into /usr/sbin, which only root's PATH includes.
        let search = format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default());
        let nginx =
            pinned("nginx").env("PATH", search).arg("-c").arg(&path).spawn().context("cannot start nginx")?;
        let mut server = Self { nginx, folder, ports };
        server.wait_until_ready()?;
        Ok(server)
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.ports[1])).is_err() {
            if self.nginx.try_wait()?.is_some() || begun.elapsed() > Duration::from_secs(10) {
                bail!("nginx did not start");
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// Returns the base URL. It has a host name, not an address, so that the times include resolving it.
    pub fn url(&self) -> String {
        self.url_of(Dialect::AccountPage)
    }

    /// Returns the base URL of a service that speaks `dialect`.
    pub fn url_of(&self, dialect: Dialect) -> String {
        format!("https://localhost:{}", self.ports[dialect as usize])
    }

    /// Returns the path of the CA file that the peers trust.
    pub fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Returns the `Authorization` value that the server accepts.
    pub fn authorization() -> String {
        SecretKind::Hexadecimal.authorization()
    }
}

fn more_headers() -> String {
    let header = |number| format!("add_header X-More-{number} \"a value of usual length\";");
    (0..MORE_HEADERS).map(header).collect::<Vec<_>>().join(" ")
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ended = self.nginx.kill().and_then(|()| self.nginx.wait());
    }
}

fn certificates(folder: &Path) -> Result<()> {
    let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
    let make = |arguments: &[&str]| {
        output(Command::new("openssl").current_dir(folder).args(["req", "-x509"]).args(key).args(arguments))
    };
    let authority = ["-subj", "/CN=bench CA", "-addext", "basicConstraints=critical,CA:TRUE"];
    make(&[&authority[..], &["-keyout", "ca.key", "-out", "ca.pem"]].concat())?;
    let server = ["-subj", "/CN=localhost", "-addext", "basicConstraints=critical,CA:FALSE"];
    let names = ["-addext", "subjectAltName=DNS:localhost", "-CA", "ca.pem", "-CAkey", "ca.key"];
    make(&[&server[..], &names, &["-keyout", "server.key", "-out", "server.pem"]].concat())?;
    Ok(())
}
