//! The steps of a call one at a time, taken with the parts that a call uses, so that a check of one is a check of the
//! other.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use http::Uri;
use justcall_auth_protocol::error::Error;
use justcall_auth_protocol::response::Response;
use justcall_auth_protocol::service;
use rustls::ProtocolVersion;

use super::call::{Call, Phase};
use super::certificate::Certificate;
use super::connection::{Connector, refuse_plain_text_beyond_loopback};
use super::resolve::{AddressBook, host_and_port};
use super::wire::Wire;
use super::{Proxy, Settings, Transport, failure, read};
use crate::patience::Patience;

/// The way from here to the service.
#[derive(Debug)]
pub(crate) struct Way {
    connector: Connector,
    addresses: Arc<AddressBook>,
    uri: Uri,
    proxy: Option<Proxy>,
}

/// A connection on the way, as far as it has come.
#[derive(Debug)]
pub(crate) struct Reached {
    wire: Wire,
    /// The other end of the connection.
    pub peer: SocketAddr,
    /// This end.
    pub local: SocketAddr,
}

/// What was agreed on in a TLS handshake.
#[derive(Debug)]
pub(crate) struct Secured {
    /// `TLS 1.3` or `TLS 1.2`.
    pub version: &'static str,
    /// The service's own certificate.
    pub certificate: Option<Certificate>,
}

impl Way {
    /// The way to the service at `url`.
    pub fn new(settings: Settings, url: &str) -> Result<Self, Error> {
        let uri: Uri = url.parse().map_err(|_| Error::invalid_argument("The URL cannot be sent."))?;
        let proxy = settings.proxy.clone();
        let addresses = Arc::new(AddressBook::default());
        Ok(Self { connector: Connector::new(settings, addresses.clone()), addresses, uri, proxy })
    }

    /// Whom to connect to first: the proxy, else the service.
    pub fn first_host_and_port(&self) -> (&str, u16) {
        self.proxy.as_ref().map_or_else(|| host_and_port(&self.uri), Proxy::host_and_port)
    }

    /// Every address of that host.
    pub fn resolve(&self, patience: &Patience) -> Result<Vec<SocketAddr>, Error> {
        let (host, port) = self.first_host_and_port();
        self.first_step(patience, Phase::Resolve, |call| self.addresses.addresses(host, port, call))
    }

    /// A connection to one of its addresses.
    pub fn connect(&self, addresses: &[SocketAddr], patience: &Patience) -> Result<Reached, Error> {
        let (host, _) = self.first_host_and_port();
        self.first_step(patience, Phase::Connect, |call| {
            if self.uri.scheme_str() == Some("http") {
                refuse_plain_text_beyond_loopback(addresses, call)?;
            }
            let wire = self.connector.reach(host, addresses, call)?;
            let (local, peer) = wire.ends()?;
            Ok(Reached { wire, peer, local })
        })
    }

    /// The tunnel through the proxy, where there is one.
    pub fn tunnel(&self, reached: &mut Reached, patience: &Patience) -> Result<(), Error> {
        let Some(proxy) = &self.proxy else { return Ok(()) };
        let (host, port) = host_and_port(&self.uri);
        self.first_step(patience, Phase::Connect, |call| proxy.connect(&mut reached.wire, host, port, call))
    }

    /// A step with the proxy, else with the service.
    fn first_step<T>(
        &self,
        patience: &Patience,
        phase: Phase,
        work: impl FnOnce(&Call) -> io::Result<T>,
    ) -> Result<T, Error> {
        step(patience, phase, |call| match &self.proxy {
            Some(proxy) => call.with_proxy(proxy.address(), || work(call)),
            None => work(call),
        })
    }

    /// The TLS handshake; the connection ends with it.
    pub fn secure(&self, mut reached: Reached, patience: &Patience) -> Result<Secured, Error> {
        let (host, _) = host_and_port(&self.uri);
        step(patience, Phase::Connect, |call| {
            let mut tls = self.connector.shake_hands(host, &mut reached.wire, call)?;
            let version = match tls.protocol_version() {
                Some(ProtocolVersion::TLSv1_2) => "TLS 1.2",
                _ => "TLS 1.3",
            };
            let certificate = tls.peer_certificates().and_then(|chain| chain.first()).map(Certificate::read);
            tls.send_close_notify();
            // The farewell is a courtesy.
            let _sent = tls.write_tls(&mut reached.wire);
            Ok(Secured { version, certificate })
        })
    }
}

fn step<T>(patience: &Patience, phase: Phase, step: impl FnOnce(&Call) -> io::Result<T>) -> Result<T, Error> {
    let call = Call::begin(patience.clone());
    call.enter(phase);
    step(&call).map_err(|error| failure::explain(&error.into(), &call))
}

impl Transport {
    /// Asks for the head of `url` without a pair: what every answer tells, such as its date, is told then as well.
    pub fn head_without_pair(&self, url: &str, patience: Patience) -> Result<Response, Error> {
        let call = Call::begin(patience);
        let builder = service::HEADERS
            .iter()
            .filter(|(name, _)| *name != "content-type")
            .fold(http::Request::head(url), |builder, (name, value)| builder.header(*name, *value));
        let request = builder.body(()).map_err(|_| Error::invalid_argument("The URL cannot be sent."))?;
        let answer = self.agent.run(request).map_err(|error| failure::explain(&error, &call))?;
        read(answer, 0, &call)
    }
}
