//! A connection as ureq's pool keeps it: the wire, perhaps TLS over it, and buffers that are wiped after use.

use std::fmt;
use std::io::{self, Read, Write};
use std::sync::Arc;

use justcall_auth_protocol::error::Error;
use rustls::ClientConnection;
use rustls::pki_types::ServerName;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, LazyBuffers, NextTimeout, Transport};
use zeroize::Zeroize;

use super::call::{self, Phase, State};
use super::connect::connect_any;
use super::resolve::{AddressCache, host_and_port};
use super::tls::Trust;
use super::wire::{Waiting, Wire};

/// Makes connections.
#[derive(Debug)]
pub(super) struct Connector {
    trust: Trust,
    addresses: Arc<AddressCache>,
}

impl Connector {
    pub fn new(trust: Trust, addresses: Arc<AddressCache>) -> Self {
        Self { trust, addresses }
    }

    fn open(&self, details: &ConnectionDetails<'_>, call: &State) -> io::Result<Connection> {
        call.enter(Phase::Connect);
        if !details.needs_tls() {
            refuse_plain_text_beyond_loopback(details, call)?;
        }
        let (host, port) = host_and_port(details.uri);
        let socket = connect_any(&details.addrs, call).inspect_err(|_| self.addresses.forget(host, port))?;
        let mut wire = Wire::new(socket);
        let tls = if details.needs_tls() { Some(self.handshake(host, &mut wire, call)?) } else { None };
        let buffers =
            LazyBuffers::new(details.config.input_buffer_size(), details.config.output_buffer_size());
        Ok(Connection { wire, tls, buffers })
    }

    fn handshake(&self, host: &str, wire: &mut Wire, call: &State) -> io::Result<Box<ClientConnection>> {
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(host).map_err(|_| {
            call.fail(Error::invalid_argument("The host in the base URL is not a host name."))
        })?;
        let config = self.trust.config().map_err(|error| call.fail(error))?;
        let mut tls = ClientConnection::new(config, name).map_err(io::Error::other)?;
        tls.complete_io(wire)?;
        Ok(Box::new(tls))
    }
}

/// The secret never leaves this machine unencrypted, whatever name the base URL gives to a host.
fn refuse_plain_text_beyond_loopback(details: &ConnectionDetails<'_>, call: &State) -> io::Result<()> {
    match details.addrs.iter().find(|address| !address.ip().to_canonical().is_loopback()) {
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
}

impl Transport for Connection {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), ureq::Error> {
        call::current().enter(Phase::Send);
        let output = &mut self.buffers.output()[..amount];
        let result = match &mut self.tls {
            Some(tls) => rustls::Stream::new(tls.as_mut(), &mut self.wire).write_all(output),
            None => self.wire.write_all(output),
        };
        // It may have held the header; ureq fills it anew for every write.
        output.zeroize();
        Ok(result?)
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, ureq::Error> {
        call::current().enter(Phase::Receive);
        let input = self.buffers.input_append_buf();
        let amount = match &mut self.tls {
            Some(tls) => rustls::Stream::new(tls.as_mut(), &mut self.wire).read(input)?,
            None => self.wire.read(input)?,
        };
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    /// Asked before an idle connection is used again: one that the service closed must not cost a request.
    fn is_open(&mut self) -> bool {
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
