//! The configuration of a sandbox.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use crate::Dialect;

/// The configuration of a sandbox. The default suits most tests.
#[derive(Clone, Debug)]
pub struct SandboxConfig {
    /// The addresses of the API: at least one, loopback addresses only. Port 0 chooses a free port. The first
    /// address is the one in [`Sandbox::url`](crate::Sandbox::url). Others with port 0 get the port of
    /// the first, so that `127.0.0.1:0` with `[::1]:0` is `localhost` in both families. Default:
    /// `127.0.0.1:0`.
    pub listen: Vec<SocketAddr>,
    /// Serves plain HTTP instead of HTTPS. Default: false.
    pub http: bool,
    /// The file for the certificate of the sandbox's authority (PEM). The file of an earlier sandbox is
    /// overwritten, a file with anything else is refused. The file stays when the sandbox ends. Default,
    /// `None`: a new file in the temporary directory, removed at the end.
    pub ca_file: Option<PathBuf>,
    /// The description of the service to follow. Default: [`Dialect::Article`].
    pub dialect: Dialect,
    /// Also serves the console, a page for a browser, on a separate port. It uses plain HTTP, since a browser does not
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
