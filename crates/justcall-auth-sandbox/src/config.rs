//! How a sandbox is set up.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

/// How a sandbox is set up; the default suits most tests.
#[derive(Clone, Debug)]
pub struct SandboxConfig {
    /// Where the API is served: loopback addresses only, at least one; port 0 takes a free port. The first
    /// address is the one in [`Sandbox::url`](crate::Sandbox::url); further ones with port 0 take the port of
    /// the first, so that `127.0.0.1:0` with `[::1]:0` is `localhost` in both families. Default:
    /// `127.0.0.1:0`.
    pub listen: Vec<SocketAddr>,
    /// Serve plain HTTP instead of HTTPS. Default: false.
    pub http: bool,
    /// Where to write the certificate of the sandbox's own authority (PEM); an existing file is overwritten
    /// and the file stays when the sandbox ends. Default, `None`: a fresh file in the temporary directory,
    /// removed at the end.
    pub ca_file: Option<PathBuf>,
    /// Whose observations of the service to imitate. Default: [`Dialect::Article`].
    pub dialect: Dialect,
    /// Also serve the console, a page for a browser. It has a port of its own with plain HTTP, since a browser does not
    /// trust the sandbox's authority. Default: false.
    pub console: bool,
}

impl Default for SandboxConfig {
    fn default() -> Self {
        Self {
            listen: vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0))],
            http: false,
            ca_file: None,
            dialect: Dialect::default(),
            console: false,
        }
    }
}

/// The two descriptions of the service that differ, and both of which a client must cope with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
#[non_exhaustive]
pub enum Dialect {
    /// The help article "API Authentication": `GET /v2/account` exists, errors have the status `error`, rate
    /// limits come in `X-RateLimit-*` headers and `Retry-After`.
    #[default]
    Article,
    /// What was measured on the live service: `GET /v2/account` is 404, a refused pair gets `Unauthorized`
    /// with the status `failed`, rate limits come in `X-Rate-Limit-*` and `X-Rate-Limit-Burst-*` headers
    /// without `Retry-After`.
    Measured,
}
