//! The connection steps of a call, one at a time. They use the parts of a call, so a step that succeeds here succeeds
//! in a call.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use justcall_auth_protocol::error::Error;
use rustls::ProtocolVersion;

use super::authorities::SystemRoots;
use super::call::{CurrentCall, Phase};
use super::certificate::Certificate;
use super::connection::{Connector, refuse_plain_text_beyond_loopback};
use super::failure;
use super::proxy::{NamedProxy, Proxy};
use super::resolve::{AddressBook, host_and_port};
use super::settings::Settings;
use super::socket::Socket;
use crate::context::CallContext;

/// The route from this machine to the service, directly or through a proxy.
#[derive(Debug)]
pub struct Route {
    connector: Connector,
    addresses: Arc<AddressBook>,
    uri: Uri,
    named_proxy: Option<NamedProxy>,
    /// The time limit of each step. Zero means none.
    timeout: Duration,
}

/// A TCP connection to the service or to the proxy.
#[derive(Debug)]
pub struct TcpConnection {
    socket: Socket,
    /// The address of the other end.
    pub peer: SocketAddr,
    /// The address of this end.
    pub local: SocketAddr,
}

/// The result of a TLS handshake with the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsInfo {
    /// `TLS 1.3` or `TLS 1.2`.
    pub version: &'static str,
    /// The certificate of the service, after verification.
    pub certificate: Option<Certificate>,
}

impl Route {
    /// Creates the route to the service at `url`. `named_proxy` is the proxy that `settings` was made from, whether
    /// calls go through it or not.
    pub(crate) fn new(
        settings: Settings,
        named_proxy: Option<NamedProxy>,
        system_roots: Arc<SystemRoots>,
        url: &str,
        timeout: Duration,
    ) -> Result<Self, Error> {
        let uri: Uri = url.parse().map_err(|_| Error::invalid_argument("The URL cannot be sent."))?;
        let addresses = Arc::new(AddressBook::default());
        let connector = Connector::new(settings, addresses.clone(), system_roots);
        Ok(Self { connector, addresses, uri, named_proxy, timeout })
    }

    /// Returns the named proxy, whether calls use it or not.
    pub fn proxy(&self) -> Option<&NamedProxy> {
        self.named_proxy.as_ref()
    }

    /// Returns the host of the first connection: that of the proxy, else that of the service.
    pub fn host(&self) -> &str {
        self.first_host_and_port().0
    }

    fn first_host_and_port(&self) -> (&str, u16) {
        self.connector.proxy().map_or_else(|| host_and_port(&self.uri), Proxy::host_and_port)
    }

    /// Returns every address of [`Route::host`].
    ///
    /// # Errors
    /// Fails with `connection_failed` and the reason `resolve`, or with `timeout`.
    pub fn resolve(&self) -> Result<Vec<SocketAddr>, Error> {
        let (host, port) = self.first_host_and_port();
        self.first_step(Phase::Resolve, |call| self.addresses.addresses(host, port, call))
    }

    /// Connects to the first of `addresses` that answers.
    ///
    /// # Errors
    /// Fails with `connection_failed` and the reason `connect`, or with `timeout`. Fails with `invalid_argument` if the
    /// base URL is `http://` and its host is not this machine.
    pub fn connect(&self, addresses: &[SocketAddr]) -> Result<TcpConnection, Error> {
        let (host, _) = self.first_host_and_port();
        self.first_step(Phase::Connect, |call| {
            if self.uri.scheme_str() == Some("http") {
                refuse_plain_text_beyond_loopback(addresses, call)?;
            }
            let socket = self.connector.connect_tcp(host, addresses, call)?;
            let (local, peer) = socket.ends()?;
            Ok(TcpConnection { socket, peer, local })
        })
    }

    /// Requests a tunnel to the service from the proxy at the other end of `connection`. Does nothing without a proxy.
    ///
    /// # Errors
    /// Fails with `connection_failed` and the response of the proxy, or with `timeout`.
    pub fn tunnel(&self, connection: &mut TcpConnection) -> Result<(), Error> {
        let Some(proxy) = self.connector.proxy() else { return Ok(()) };
        let (host, port) = host_and_port(&self.uri);
        self.first_step(Phase::Connect, |call| proxy.connect(&mut connection.socket, host, port, call))
    }

    /// Makes a TLS handshake with the service and closes the connection.
    ///
    /// # Errors
    /// Fails with `tls_failed`, `connection_failed` or `timeout`.
    pub fn secure(&self, mut connection: TcpConnection) -> Result<TlsInfo, Error> {
        let (host, _) = host_and_port(&self.uri);
        self.step(Phase::Connect, |call| {
            let mut tls = self.connector.shake_hands(host, &mut connection.socket, call)?;
            let version = match tls.protocol_version() {
                Some(ProtocolVersion::TLSv1_2) => "TLS 1.2",
                _ => "TLS 1.3",
            };
            let certificate = tls.peer_certificates().and_then(|chain| chain.first()).map(Certificate::read);
            tls.send_close_notify();
            // The closing message is optional, so a failed write is ignored.
            let _sent = tls.write_tls(&mut connection.socket);
            Ok(TlsInfo { version, certificate })
        })
    }

    /// Runs a step with the first host: if it fails and there is a proxy, the error names the proxy.
    fn first_step<T>(
        &self,
        phase: Phase,
        work: impl FnOnce(&CurrentCall) -> io::Result<T>,
    ) -> Result<T, Error> {
        self.step(phase, |call| match self.connector.proxy() {
            Some(proxy) => call.with_proxy(proxy.address(), || work(call)),
            None => work(call),
        })
    }

    fn step<T>(&self, phase: Phase, work: impl FnOnce(&CurrentCall) -> io::Result<T>) -> Result<T, Error> {
        let call = CurrentCall::begin(step_context(self.timeout));
        call.enter(phase);
        work(&call).map_err(|error| failure::explain(&error.into(), &call))
    }
}

/// Returns the context of a step that starts now, with the time limit of a whole call. Zero means none.
pub(crate) fn step_context(timeout: Duration) -> CallContext {
    if timeout.is_zero() { CallContext::default() } else { CallContext::default().at_most(timeout) }
}
