//! A blocking HTTP client that hides nothing. It distinguishes a reset, an orderly close, and a TLS connection that
//! ends without `close_notify`.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use justcall_auth_sandbox::{Dialect, Sandbox, SandboxConfig};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::Value;

/// How long anything may take before a test counts as failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// Starts a sandbox with the default configuration.
pub fn sandbox() -> Sandbox {
    Sandbox::start(SandboxConfig::default()).expect("a sandbox on a free port starts")
}

/// Starts a sandbox with the measured dialect.
pub fn measured() -> Sandbox {
    let config = SandboxConfig { dialect: Dialect::Measured, ..SandboxConfig::default() };
    Sandbox::start(config).expect("a sandbox on a free port starts")
}

/// Starts a sandbox without TLS.
pub fn plain() -> Sandbox {
    let config = SandboxConfig { http: true, ..SandboxConfig::default() };
    Sandbox::start(config).expect("a sandbox on a free port starts")
}

/// Returns the Authorization value of a sandbox's first pair.
pub fn pair(sandbox: &Sandbox) -> String {
    format!("{}:{}", sandbox.api_key(), sandbox.api_secret())
}

/// Returns the Authorization value of an answer that contains a pair.
pub fn pair_in(answer: &Value) -> String {
    let half = |name: &str| answer[name].as_str().expect("the answer holds a pair").to_owned();
    format!("{}:{}", half("api_key"), half("api_secret"))
}

/// Makes a GET on a new connection and returns the answer.
pub fn get(sandbox: &Sandbox, authorization: &str, target: &str) -> Answer {
    let mut connection = Connection::open(sandbox).expect("it connects");
    connection.get(authorization, target).expect("it sends");
    connection.answer().expect("it is answered")
}

/// A connection to a server, encrypted or not.
pub enum Connection {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

/// How a connection ended.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    /// A `close_notify` under TLS, the end of the stream otherwise.
    Clean,
    /// The end of the stream under TLS, without a `close_notify`.
    Torn,
    /// ECONNRESET.
    Reset,
}

/// An answer with its headers in lower case.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("the body is JSON")
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the body is text")
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(candidate, _)| candidate == name).map(|(_, value)| value.as_str())
    }

    pub fn number(&self, name: &str) -> u64 {
        self.header(name).and_then(|value| value.parse().ok()).expect("the header is there and a number")
    }
}

impl Connection {
    /// Connects to a sandbox's API and completes the handshake.
    pub fn open(sandbox: &Sandbox) -> io::Result<Self> {
        Self::open_url(sandbox.url(), sandbox.ca_file())
    }

    /// Connects to a sandbox's control port.
    pub fn open_control(sandbox: &Sandbox) -> io::Result<Self> {
        Self::open_url(sandbox.control_url(), sandbox.ca_file())
    }

    /// Connects to a URL whose host is an address, trusting only the given authority.
    pub fn open_url(url: &str, ca_file: Option<&Path>) -> io::Result<Self> {
        let address = authority(url).parse().expect("the host is an address");
        Self::open_as(address, ServerName::IpAddress(address_ip(address)), ca_file)
    }

    /// Connects to an address and asks for a server of that name.
    pub fn open_as(
        address: SocketAddr,
        name: ServerName<'static>,
        ca_file: Option<&Path>,
    ) -> io::Result<Self> {
        let mut tcp = connect(address)?;
        let Some(ca_file) = ca_file else { return Ok(Self::Plain(tcp)) };
        let mut tls = ClientConnection::new(trusting(ca_file), name).map_err(io::Error::other)?;
        while tls.is_handshaking() {
            tls.complete_io(&mut tcp)?;
        }
        Ok(Self::Tls(Box::new(StreamOwned::new(tls, tcp))))
    }

    /// Sends a GET.
    pub fn get(&mut self, authorization: &str, target: &str) -> io::Result<()> {
        self.request("GET", target, &[("Authorization", authorization)], b"")
    }

    /// Sends a request with these headers after Host, and a Content-Length if there is a body.
    pub fn request(
        &mut self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> io::Result<()> {
        let mut head = format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\n");
        for (name, value) in headers {
            head.extend([name, ": ", value, "\r\n"]);
        }
        if !body.is_empty() {
            head.extend(["Content-Length: ", &body.len().to_string(), "\r\n"]);
        }
        self.send(&[head.as_bytes(), b"\r\n", body].concat())
    }

    /// Sends bytes unchanged.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)?;
        self.flush()
    }

    /// Reads one answer with a Content-Length or in chunks.
    pub fn answer(&mut self) -> io::Result<Answer> {
        let mut answer = self.head()?;
        if answer.header("transfer-encoding") == Some("chunked") {
            loop {
                let size = usize::from_str_radix(&self.line()?, 16).map_err(io::Error::other)?;
                let mut chunk = vec![0; size + 2];
                self.read_exact(&mut chunk)?;
                answer.body.extend_from_slice(&chunk[..size]);
                if size == 0 {
                    return Ok(answer);
                }
            }
        }
        let length = answer.header("content-length").map_or(0, |value| value.parse().expect("a number"));
        answer.body = vec![0; length];
        self.read_exact(&mut answer.body)?;
        Ok(answer)
    }

    /// Reads the head of an answer.
    pub fn head(&mut self) -> io::Result<Answer> {
        let status_line = self.line()?;
        let status = status_line.split(' ').nth(1).and_then(|status| status.parse().ok());
        let mut headers = Vec::new();
        loop {
            let line = self.line()?;
            let Some((name, value)) = line.split_once(':') else { break };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        Ok(Answer { status: status.ok_or(ErrorKind::InvalidData)?, headers, body: Vec::new() })
    }

    /// Reads to the end of the connection. Returns the bytes, and how it ended.
    pub fn rest(&mut self) -> (Vec<u8>, End) {
        let mut bytes = Vec::new();
        let end = match self.read_to_end(&mut bytes) {
            Ok(_) => End::Clean,
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => End::Torn,
            Err(error) if error.kind() == ErrorKind::ConnectionReset => End::Reset,
            Err(error) => panic!("neither closed nor reset: {error}"),
        };
        (bytes, end)
    }

    /// Returns true if nothing arrives for a moment and the connection stays open.
    pub fn is_silent(&mut self) -> bool {
        self.tcp().set_read_timeout(Some(Duration::from_millis(100))).expect("a length of time");
        let error = self.read(&mut [0]).expect_err("nothing comes");
        self.tcp().set_read_timeout(Some(PATIENCE)).expect("a length of time");
        matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
    }

    pub fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(tcp) => tcp,
            Self::Tls(tls) => tls.get_ref(),
        }
    }

    /// Reads a line, without its end.
    pub fn line(&mut self) -> io::Result<String> {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            let mut byte = [0];
            self.read_exact(&mut byte)?;
            line.push(byte[0]);
        }
        line.truncate(line.len() - 2);
        String::from_utf8(line).map_err(io::Error::other)
    }
}

impl Read for Connection {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(tcp) => tcp.read(buffer),
            Self::Tls(tls) => tls.read(buffer),
        }
    }
}

impl Write for Connection {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(tcp) => tcp.write(bytes),
            Self::Tls(tls) => tls.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(tcp) => tcp.flush(),
            Self::Tls(tls) => tls.flush(),
        }
    }
}

/// Returns `host:port` of a URL.
pub fn authority(url: &str) -> &str {
    let rest = url.split_once("://").expect("a URL has a scheme").1;
    rest.split('/').next().expect("a split has a first part")
}

/// Returns the path of a URL.
pub fn path(url: &str) -> &str {
    let rest = url.split_once("://").expect("a URL has a scheme").1;
    rest.find('/').map_or("/", |begin| &rest[begin..])
}

/// Connects without a handshake.
pub fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let tcp = TcpStream::connect(address)?;
    tcp.set_read_timeout(Some(PATIENCE))?;
    tcp.set_write_timeout(Some(PATIENCE))?;
    Ok(tcp)
}

/// Waits until a condition holds. Fails the test if it never does.
pub fn eventually(mut holds: impl FnMut() -> bool) {
    let deadline = std::time::Instant::now() + PATIENCE;
    while !holds() {
        assert!(std::time::Instant::now() < deadline, "the condition never held");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn address_ip(address: SocketAddr) -> rustls::pki_types::IpAddr {
    address.ip().into()
}

fn trusting(ca_file: &Path) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    let certificate = CertificateDer::from_pem_file(ca_file).expect("the CA file is PEM");
    roots.add(certificate).expect("the CA file holds an authority");
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring serves the default versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
}
