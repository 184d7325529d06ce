//! A connection in the pool of ureq: a channel to the service, and buffers.

use std::fmt;
use std::io;
use std::mem;
use std::net::SocketAddr;
use std::sync::Arc;

use http::Uri;
use justcall_auth_protocol::error::Error;
use justcall_auth_secret::RegisterWipe;
use once_cell::sync::OnceCell;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};
use ureq::unversioned::transport::{Buffers, ConnectionDetails, NextTimeout, Transport};

use super::authorities::SystemRoots;
use super::buffers::GrowingBuffers;
use super::call::{self, CallState, Phase};
use super::channel::Channel;
use super::connect::connect_any;
use super::proxy::Proxy;
use super::resolve::{AddressBook, host_and_port, without_brackets};
use super::settings::Settings;
use super::socket::Socket;
use super::{exhaustion, tls};

/// Opens connections.
pub(super) struct Connector {
    settings: Settings,
    addresses: Arc<AddressBook>,
    system_roots: Arc<SystemRoots>,
    handshake: OnceCell<Arc<ClientConfig>>,
}

impl Connector {
    pub fn new(settings: Settings, addresses: Arc<AddressBook>, system_roots: Arc<SystemRoots>) -> Self {
        Self { settings, addresses, system_roots, handshake: OnceCell::new() }
    }

    /// Returns the proxy of all connections.
    pub fn proxy(&self) -> Option<&Proxy> {
        self.settings.proxy.as_ref()
    }

    fn open(&self, details: &ConnectionDetails<'_>, call: &CallState) -> io::Result<Connection> {
        let channel = self.open_channel(details.uri, details.needs_tls(), call)?;
        let buffers =
            GrowingBuffers::new(details.config.input_buffer_size(), details.config.output_buffer_size());
        Ok(Connection { channel, buffers, just_read: false })
    }

    /// Connects to the host of `uri`, through the proxy if there is one.
    pub fn open_channel(&self, uri: &Uri, is_encrypted: bool, call: &CallState) -> io::Result<Channel> {
        let (host, port) = host_and_port(uri);
        let mut socket = if let Some(proxy) = self.proxy() {
            self.tunnel(proxy, host, port, call)?
        } else {
            let addresses = self.look_up(host, port, call)?;
            if !is_encrypted {
                refuse_plain_text_beyond_loopback(&addresses, call)?;
            }
            self.connect_tcp(host, &addresses, call)?
        };
        let tls = if is_encrypted { Some(self.shake_hands(host, &mut socket, call)?) } else { None };
        Ok(Channel::new(socket, tls))
    }

    /// Connects to the service through `proxy`. The proxy looks up the name of the service, because this machine may
    /// have no name service.
    fn tunnel(&self, proxy: &Proxy, host: &str, port: u16, call: &CallState) -> io::Result<Socket> {
        call.with_proxy(proxy.address(), || {
            let (proxy_host, proxy_port) = proxy.host_and_port();
            let addresses = self.look_up(proxy_host, proxy_port, call)?;
            let mut socket = self.connect_tcp(proxy_host, &addresses, call)?;
            proxy.connect(&mut socket, host, port, call)?;
            Ok(socket)
        })
    }

    fn look_up(&self, host: &str, port: u16, call: &CallState) -> io::Result<Vec<SocketAddr>> {
        call.enter(Phase::Resolve);
        let addresses = self.addresses.addresses(host, port, call)?;
        call.enter(Phase::Connect);
        Ok(addresses)
    }

    /// Connects to one of `addresses`.
    pub fn connect_tcp(&self, host: &str, addresses: &[SocketAddr], call: &CallState) -> io::Result<Socket> {
        connect_any(addresses, self.settings.local_address, call)
            .map(Socket::new)
            .inspect_err(|_| self.addresses.forget(host))
    }

    /// Makes a TLS handshake with `host` over `socket`.
    pub fn shake_hands(
        &self,
        host: &str,
        socket: &mut Socket,
        call: &CallState,
    ) -> io::Result<Box<ClientConnection>> {
        let host = without_brackets(host).to_owned();
        let name = ServerName::try_from(host).map_err(|_| {
            let url = call.peer().url_name();
            call.fail(Error::invalid_argument(format!("{url} contains an invalid host name.")))
        })?;
        let config = self.handshake.get_or_try_init(|| self.configure()).map_err(|error| call.fail(error))?;
        let mut tls = ClientConnection::new(config.clone(), name).map_err(io::Error::other)?;
        tls::shake_hands(&mut tls, socket)?;
        Ok(Box::new(tls))
    }

    /// Creates the TLS configuration. The authorities of the system are read only if a handshake needs them.
    fn configure(&self) -> Result<Arc<ClientConfig>, Error> {
        let roots = match &self.settings.roots {
            Some(roots) => roots.clone(),
            None => self
                .system_roots
                .get()
                .map_err(|error| exhaustion::descriptors().map_or(error, |exhausted| exhausted.error()))?,
        };
        Ok(Arc::new(tls::config(roots)))
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector").field("proxy", &self.settings.proxy).finish_non_exhaustive()
    }
}

/// Fails if an address is not loopback, so that the secret is never sent over a network unencrypted. A host name in the
/// base URL proves nothing.
pub(super) fn refuse_plain_text_beyond_loopback(
    addresses: &[SocketAddr],
    call: &CallState,
) -> io::Result<()> {
    match addresses.iter().find(|address| !address.ip().to_canonical().is_loopback()) {
        None => Ok(()),
        Some(_) => Err(call.fail(
            Error::invalid_argument(format!(
                "{} is http:// and its host is not a loopback address, so the secret would be sent unencrypted.",
                call.peer().url_name()
            ))
            .with_hint("Use https://."),
        )),
    }
}

impl ureq::unversioned::transport::Connector for Connector {
    type Out = Connection;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        _: Option<()>,
    ) -> Result<Option<Connection>, ureq::Error> {
        Ok(Some(self.open(details, &call::current())?))
    }
}

/// An open connection.
pub(super) struct Connection {
    channel: Channel,
    buffers: GrowingBuffers,
    /// True if the last read returned bytes and no check has run since.
    just_read: bool,
}

impl Transport for Connection {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), ureq::Error> {
        // The call waits from here on, so registers that encryption used must be wiped.
        let _last = RegisterWipe;
        let call = call::current();
        call.enter(Phase::Send);
        call.send_output(self.buffers.written(amount), |piece| self.channel.send(piece, &call))?;
        Ok(())
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, ureq::Error> {
        let call = call::current();
        call.enter(Phase::Send);
        call.check_placed()?;
        let received = self.channel.receive(self.buffers.input_append_buf(), &call);
        let amount = received.inspect_err(|error| call.note_loss(error.kind()))?;
        self.buffers.input_appended(amount);
        self.just_read = amount > 0;
        Ok(amount > 0)
    }

    /// Returns true if the idle connection can be reused. A connection that the service closed must not cost a request.
    ///
    /// ureq also calls this before it puts a connection into its pool, after it has consumed all input. Bytes have just arrived then, so the check is
    /// skipped, which saves a system call for each request. The check runs when the connection is taken out.
    ///
    /// A connection over which the service sent the secret back is not reused, because its buffers contain it. Neither
    /// is one whose request was not sent completely.
    fn is_open(&mut self) -> bool {
        self.buffers.rest();
        let is_clean = self.channel.rest() && !call::current().was_echoed();
        is_clean && (mem::take(&mut self.just_read) || self.channel.is_alive())
    }

    fn is_tls(&self) -> bool {
        self.channel.is_tls()
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("channel", &self.channel).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::super::call::{CurrentCall, Peer};
    use super::*;
    use crate::context::CallContext;

    #[test]
    fn it_names_the_url_that_would_send_the_secret_unencrypted() {
        let local = SocketAddr::from(([127, 0, 0, 1], 80));
        let other = SocketAddr::from(([203, 0, 113, 1], 80));
        for (peer, name) in [(Peer::Service, "The base URL is "), (Peer::Vault, "The address of Vault is ")] {
            let call = CurrentCall::begin_with(CallContext::default(), peer, None, 0);
            refuse_plain_text_beyond_loopback(&[local], &call).expect("it stays on this machine");
            refuse_plain_text_beyond_loopback(&[local, other], &call).expect_err("it leaves this machine");
            let error = call.failure().expect("the reason");
            assert!(error.message().starts_with(name), "{error}");
        }
    }
}
