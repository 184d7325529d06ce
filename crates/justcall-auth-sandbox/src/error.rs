//! The errors of starting a sandbox and of control calls.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// The reason why a sandbox could not start.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// The configuration names no address to listen on.
    NoAddress,
    /// The address to listen on is not a loopback address. The sandbox serves this machine only.
    NotLoopback(SocketAddr),
    /// The address could not be bound.
    Listen(SocketAddr, io::Error),
    /// A key or certificate could not be created.
    Certificate(String),
    /// The authority's certificate could not be written to this file.
    CaFile(PathBuf, io::Error),
    /// The file for the authority's certificate has other contents. It was not changed.
    CaFileNotOurs(PathBuf),
    /// The server's thread or its event loop could not be started.
    Runtime(io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAddress => f.write_str("no address to listen on is configured"),
            Self::NotLoopback(address) => {
                write!(f, "{address} is not a loopback address; use 127.0.0.1 or [::1]")
            }
            Self::Listen(address, error) => write!(f, "cannot listen on {address}: {error}"),
            Self::Certificate(why) => write!(f, "cannot create a certificate: {why}"),
            Self::CaFile(path, error) => write!(f, "cannot write the CA file {}: {error}", path.display()),
            Self::CaFileNotOurs(path) => write!(
                f,
                "the CA file {} exists and is not one of a sandbox; it was not changed; name another file",
                path.display()
            ),
            Self::Runtime(error) => write!(f, "cannot start the server: {error}"),
        }
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Listen(_, error) | Self::CaFile(_, error) | Self::Runtime(error) => Some(error),
            Self::NoAddress | Self::NotLoopback(_) | Self::Certificate(_) | Self::CaFileNotOurs(_) => None,
        }
    }
}

/// The reason why a control call was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlError {
    status: u16,
    message: String,
}

impl ControlError {
    /// Returns the status that the same call gets over HTTP: 400, 404 or 409.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Returns the message, which names what was wrong.
    pub fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self { status: 400, message: message.into() }
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self { status: 404, message: message.into() }
    }

    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self { status: 409, message: message.into() }
    }

    #[expect(clippy::needless_pass_by_value, reason = "map_err passes it by value")]
    pub(crate) fn from_json(error: serde_json::Error) -> Self {
        Self::bad_request(error.to_string())
    }
}

impl fmt::Display for ControlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.status)
    }
}

impl std::error::Error for ControlError {}
