//! The sockets of a sandbox.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::connection::{self, Role, Server};
use crate::StartError;
use crate::control::ControlOrigin;

/// How often to try another port that is free at every address.
const PORT_ATTEMPTS: usize = 32;
/// How many bytes of an unread request the system holds. Linux allows twice as much.
#[cfg(unix)]
const RECEIVE_BUFFER: usize = 256 * 1024;
/// How long to wait if the process has no file descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// The bound sockets of a sandbox.
pub(crate) struct Listeners {
    api: Vec<TcpListener>,
    control: TcpListener,
    console: Option<TcpListener>,
    /// The first address of the API.
    pub(crate) api_address: SocketAddr,
    /// The address of the control calls.
    pub(crate) control_address: SocketAddr,
    /// The address of the console, if there is one.
    pub(crate) console_address: Option<SocketAddr>,
}

impl Listeners {
    /// Binds the addresses of the API, and at the first one a port for control calls and, if asked, one for the console.
    pub(crate) fn bind(addresses: &[SocketAddr], console: bool) -> Result<Self, StartError> {
        let first = *addresses.first().ok_or(StartError::NoAddress)?;
        if let Some(open) = addresses.iter().find(|address| !address.ip().is_loopback()) {
            return Err(StartError::NotLoopback(*open));
        }
        let api = bind_all(addresses)?;
        let control = bind(SocketAddr::new(first.ip(), 0))?;
        let console = console.then(|| bind(SocketAddr::new(first.ip(), 0))).transpose()?;
        let at =
            |listener: &TcpListener| listener.local_addr().map_err(|error| StartError::Listen(first, error));
        Ok(Self {
            api_address: at(&api[0])?,
            control_address: at(&control)?,
            console_address: console.as_ref().map(at).transpose()?,
            api,
            control,
            console,
        })
    }

    /// Accepts and serves until `stop` is sent or its sender is dropped, then drops every connection.
    pub(crate) async fn serve(self, server: Server, stop: oneshot::Receiver<()>) -> io::Result<()> {
        let server = Arc::new(server);
        let mut tasks = JoinSet::new();
        for listener in self.api {
            tasks.spawn(accept(from_std(listener)?, Arc::clone(&server), Role::Api));
        }
        if let (Some(listener), Some(address)) = (self.console, self.console_address) {
            let origin = ControlOrigin { scheme: "http", port: address.port() };
            tasks.spawn(accept(from_std(listener)?, Arc::clone(&server), Role::Console(origin)));
        }
        tasks.spawn(accept(from_std(self.control)?, server, Role::Control));
        let _ = stop.await;
        Ok(())
    }
}

/// Binds every address. Those without a port get the port of the first.
fn bind_all(addresses: &[SocketAddr]) -> Result<Vec<TcpListener>, StartError> {
    let mut attempt = 1;
    loop {
        match bind_once(addresses) {
            // A port that is free at the first address can be taken at another one.
            Err(StartError::Listen(_, error))
                if error.kind() == io::ErrorKind::AddrInUse
                    && addresses[0].port() == 0
                    && attempt < PORT_ATTEMPTS =>
            {
                attempt += 1;
            }
            result => return result,
        }
    }
}

fn bind_once(addresses: &[SocketAddr]) -> Result<Vec<TcpListener>, StartError> {
    let mut bound: Vec<TcpListener> = Vec::with_capacity(addresses.len());
    for address in addresses {
        let mut address = *address;
        if let (0, Some(first)) = (address.port(), bound.first()) {
            address.set_port(first.local_addr().map_err(|error| StartError::Listen(address, error))?.port());
        }
        bound.push(bind(address)?);
    }
    Ok(bound)
}

fn bind(address: SocketAddr) -> Result<TcpListener, StartError> {
    let listener = TcpListener::bind(address).map_err(|error| StartError::Listen(address, error))?;
    listener.set_nonblocking(true).map_err(|error| StartError::Listen(address, error))?;
    bound_what_it_holds(&listener).map_err(|error| StartError::Listen(address, error))?;
    Ok(listener)
}

/// Limits the bytes of unread requests that the system holds. Without it, they grow with the load of the machine to
/// `tcp_rmem`, up to 32 MiB, and a client could send a whole request that a fault is meant to cut off.
#[cfg(unix)]
fn bound_what_it_holds(listener: &TcpListener) -> io::Result<()> {
    Ok(rustix::net::sockopt::set_socket_recv_buffer_size(listener, RECEIVE_BUFFER)?)
}

#[cfg(not(unix))]
fn bound_what_it_holds(_: &TcpListener) -> io::Result<()> {
    Ok(())
}

fn from_std(listener: TcpListener) -> io::Result<tokio::net::TcpListener> {
    tokio::net::TcpListener::from_std(listener)
}

async fn accept(listener: tokio::net::TcpListener, server: Arc<Server>, role: Role) {
    loop {
        match listener.accept().await {
            Ok((tcp, peer)) => {
                tokio::spawn(connection::serve(Arc::clone(&server), tcp, peer.ip(), role));
            }
            // The connection ended before it was accepted, or the system lacks a resource for a moment.
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}
