//! A connection as ureq's pool keeps it: the wire, perhaps TLS over it, and buffers that are wiped after use.

use std::fmt;
use std::io::{self, Read, Write};
use std::mem;
use std::net::SocketAddr;
use std::sync::Arc;

use justcall_auth_protocol::error::Error;
use justcall_auth_secret::RegisterWipe;
use once_cell::sync::OnceCell;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};
use ureq::unversioned::transport::{Buffers, ConnectionDetails, LazyBuffers, NextTimeout, Transport};

use super::call::{self, Phase, State};
use super::connect::connect_any;
use super::echo::Listener;
use super::resolve::{AddressCache, host_and_port};
use super::wire::{Waiting, Wire};
use super::{Settings, tls};
use crate::process::Process;

/// Makes connections.
pub(super) struct Connector {
    settings: Settings,
    addresses: Arc<AddressCache>,
    handshake: OnceCell<Arc<ClientConfig>>,
}

impl Connector {
    pub fn new(settings: Settings, addresses: Arc<AddressCache>) -> Self {
        Self { settings, addresses, handshake: OnceCell::new() }
    }

    fn open(&self, details: &ConnectionDetails<'_>, call: &State) -> io::Result<Connection> {
        let (host, port) = host_and_port(details.uri);
        let proxy = self.settings.proxy.as_ref().filter(|proxy| proxy.is_for(details.uri));
        let mut wire = if let Some(proxy) = proxy {
            let (proxy_host, proxy_port) = proxy.host_and_port();
            // Behind a proxy this machine may know no names: the proxy looks the service's up.
            let addresses = self.look_up(proxy_host, proxy_port, call)?;
            let mut wire = self.reach(proxy_host, proxy_port, &addresses, call)?;
            proxy.connect(&mut wire, host, port, call)?;
            wire
        } else {
            let addresses = self.look_up(host, port, call)?;
            if !details.needs_tls() {
                refuse_plain_text_beyond_loopback(&addresses, call)?;
            }
            self.reach(host, port, &addresses, call)?
        };
        let tls = if details.needs_tls() { Some(self.shake_hands(host, &mut wire, call)?) } else { None };
        let buffers =
            LazyBuffers::new(details.config.input_buffer_size(), details.config.output_buffer_size());
        Ok(Connection {
            wire,
            tls,
            buffers,
            sealed: Vec::new(),
            listener: Listener::default(),
            just_read: false,
        })
    }

    fn look_up(&self, host: &str, port: u16, call: &State) -> io::Result<Vec<SocketAddr>> {
        call.enter(Phase::Resolve);
        let addresses = self.addresses.addresses(host, port, call)?;
        call.enter(Phase::Connect);
        Ok(addresses)
    }

    /// A connection to one of `addresses`.
    pub fn reach(&self, host: &str, port: u16, addresses: &[SocketAddr], call: &State) -> io::Result<Wire> {
        connect_any(addresses, call).map(Wire::new).inspect_err(|_| self.addresses.forget(host, port))
    }

    /// A TLS session with `host` over `wire`.
    pub fn shake_hands(
        &self,
        host: &str,
        wire: &mut Wire,
        call: &State,
    ) -> io::Result<Box<ClientConnection>> {
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(host).map_err(|_| {
            call.fail(Error::invalid_argument("The host in the base URL is not a host name."))
        })?;
        let config = self.handshake.get_or_try_init(|| self.configure()).map_err(|error| call.fail(error))?;
        let mut tls = ClientConnection::new(config.clone(), name).map_err(io::Error::other)?;
        tls.complete_io(wire)?;
        Ok(Box::new(tls))
    }

    /// Reads the system's authorities only when there is a handshake to make.
    fn configure(&self) -> Result<Arc<ClientConfig>, Error> {
        let roots = match &self.settings.roots {
            Some(roots) => roots.clone(),
            None => Process::current().system_roots()?,
        };
        Ok(Arc::new(tls::config(roots)))
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector").field("proxy", &self.settings.proxy).finish_non_exhaustive()
    }
}

/// The secret never leaves this machine unencrypted, whatever name the base URL gives to a host.
pub(super) fn refuse_plain_text_beyond_loopback(addresses: &[SocketAddr], call: &State) -> io::Result<()> {
    match addresses.iter().find(|address| !address.ip().to_canonical().is_loopback()) {
        None => Ok(()),
        Some(_) => Err(call.fail(
            Error::invalid_argument(
                "The base URL is http:// and its host is not on loopback: the secret would be sent in the clear.",
            )
            .hint_is("Use https://."),
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
    wire: Wire,
    tls: Option<Box<ClientConnection>>,
    buffers: LazyBuffers,
    /// TLS records that have not been sent yet: ciphertext, so nothing to wipe.
    sealed: Vec<u8>,
    /// Listens for the secret in what the service sends.
    listener: Listener,
    /// Nothing was asked since the last bytes came.
    just_read: bool,
}

impl Transport for Connection {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), ureq::Error> {
        // The call waits from here on, with what encryption left in the processor.
        let _last = RegisterWipe;
        let call = call::current();
        call.enter(Phase::Send);
        let output = &self.buffers.output()[..amount];
        let complete = call.complete(output);
        let output = complete.as_ref().map_or(output, AsRef::as_ref);
        match &mut self.tls {
            Some(tls) => seal(tls, &mut self.wire, &mut self.sealed, output)?,
            None => self.wire.write_all(output)?,
        }
        Ok(())
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, ureq::Error> {
        let call = call::current();
        call.enter(Phase::Send);
        call.check_placed()?;
        send(&mut self.wire, &mut self.sealed)?;
        call.enter(Phase::Receive);
        let input = self.buffers.input_append_buf();
        let amount = match &mut self.tls {
            Some(tls) => rustls::Stream::new(tls.as_mut(), &mut self.wire).read(input)?,
            None => self.wire.read(input)?,
        };
        if let Some(sent) = call.header() {
            if self.listener.hear(&mut input[..amount], sent) {
                call.mark_echoed();
            }
        }
        self.buffers.input_appended(amount);
        self.just_read = amount > 0;
        Ok(amount > 0)
    }

    /// Asked before an idle connection is used again: one that the service closed must not cost a request.
    ///
    /// ureq asks when it puts a connection into its pool, too. Bytes have just come then, so the answer is yes, and
    /// what has come since is seen when the connection is taken out: one system call a request less.
    ///
    /// A connection over which the service sent the secret back is not kept: its buffers hold it.
    fn is_open(&mut self) -> bool {
        if call::current().was_echoed() {
            return false;
        }
        self.listener.rest();
        if mem::take(&mut self.just_read) {
            return true;
        }
        loop {
            match (self.wire.peek(), &mut self.tls) {
                (Waiting::Nothing, _) => return true,
                (Waiting::End, _) | (Waiting::Bytes, None) => return false,
                // A session ticket is welcome, a farewell or an answer to nothing is not.
                (Waiting::Bytes, Some(tls)) => match take_in(tls, &mut self.wire) {
                    Ok(true) => {}
                    Ok(false) | Err(_) => return false,
                },
            }
        }
    }

    fn is_tls(&self) -> bool {
        self.tls.is_some()
    }
}

/// As much ciphertext as is kept for one system call: ureq hands over head and body apart, and a small request should
/// leave as one segment.
const MAX_SEALED: usize = 16 * 1024;

/// Encrypts `plain`; sends what has come together, once it is much. The rest is sent when an answer is awaited.
fn seal(tls: &mut ClientConnection, wire: &mut Wire, sealed: &mut Vec<u8>, plain: &[u8]) -> io::Result<()> {
    // rustls takes no more than its buffer holds at a time, 64 KiB.
    for chunk in plain.chunks(MAX_SEALED) {
        tls.writer().write_all(chunk)?;
        while tls.wants_write() {
            tls.write_tls(sealed)?;
        }
        if sealed.len() >= MAX_SEALED {
            send(wire, sealed)?;
        }
    }
    Ok(())
}

/// Sends what is kept. What a failure leaves unsent is never sent: ureq does not use such a connection again.
fn send(wire: &mut Wire, sealed: &mut Vec<u8>) -> io::Result<()> {
    let result = if sealed.is_empty() { Ok(()) } else { wire.write_all(sealed) };
    sealed.clear();
    result
}

/// Takes in the TLS messages that have come; true when the connection is still good for a request.
fn take_in(tls: &mut ClientConnection, wire: &mut Wire) -> io::Result<bool> {
    if tls.read_tls(wire)? == 0 {
        return Ok(false);
    }
    let state = tls.process_new_packets().map_err(io::Error::other)?;
    Ok(!state.peer_has_closed() && state.plaintext_bytes_to_read() == 0)
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("wire", &self.wire).finish_non_exhaustive()
    }
}
