//! What a call depends on, looked at one thing at a time: for `justcall-auth doctor`, and for programs that want to say
//! why they cannot start.
//!
//! Every step is taken with the parts that a call uses — its sources, name look-up, proxy, connections, TLS — so what
//! works here works there. Only [`Diagnostics::verify`] sends the pair.

use std::net::SocketAddr;
use std::time::Duration;

use justcall_auth_protocol::account::Account;
use justcall_auth_protocol::credentials::Credentials;
use justcall_auth_protocol::date;
use justcall_auth_protocol::error::{Error, ErrorKind};
use justcall_auth_protocol::service::{self, RateLimit};

use crate::client::Client;
use crate::clock;
use crate::config::Config;
use crate::diagnose::{self, Code, Finding};
use crate::patience::Patience;
use crate::process::Process;
use crate::source::{CHOICE, Loaded, Place, ProcessEnvironment, Source, choice, usual_places};
pub use crate::transport::{Certificate, ProxyException};
use crate::transport::{Reached, Way, roots_in};

/// A client's configuration, to be tried out.
#[derive(Debug, Clone)]
pub struct Diagnostics {
    config: Config,
}

/// A pair, and where it was looked for.
#[derive(Debug, Clone)]
pub struct Found {
    /// The pair and its place.
    pub loaded: Loaded,
    /// The places that come before it and hold nothing.
    pub passed_over: Vec<String>,
}

/// Where the proxy was named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProxyOrigin {
    /// In the configuration.
    Configuration,
    /// In this environment variable.
    Variable(&'static str),
}

/// What a proxy is to calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxyUse {
    /// `host:port`, without the login. `None` if the proxy could not be used, which is an error only where calls would go
    /// through it.
    pub address: Option<String>,
    /// Where it was named.
    pub origin: ProxyOrigin,
    /// Why calls do not go through it; `None` if they do.
    pub exception: Option<ProxyException>,
}

/// How this machine's clock compares with the service's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Skew {
    /// How far the two are apart, to about a second.
    pub size: Duration,
    /// Whether this machine's clock is the one that is ahead.
    pub is_ahead: bool,
}

impl Skew {
    /// From here on signed webhooks are refused as stale where the window is as wide, and certificates as out of date.
    pub const LIMIT: Duration = Duration::from_secs(300);

    /// Whether it is large enough to make calls or webhooks fail.
    pub fn is_harmful(&self) -> bool {
        self.size >= Self::LIMIT
    }
}

/// What became of a verification.
#[derive(Debug, Clone)]
pub struct Verification {
    /// Whose the pair is, or why that is not known.
    pub account: Result<Account, Error>,
    /// What the last answer told of the account's rate limit.
    pub rate_limit: RateLimit,
}

impl Diagnostics {
    /// What `config` asks for. Reads the CA file, if one is set.
    ///
    /// # Errors
    /// `invalid_argument` when the CA file cannot be read or holds no certificate.
    pub fn new(config: &Config) -> Result<Self, Error> {
        config.ca_file.as_deref().map(roots_in).transpose()?;
        Ok(Self { config: config.clone() })
    }

    /// Reads the pair from the source.
    ///
    /// # Errors
    /// As [`Source::load`].
    pub fn source(&self) -> Result<Found, Error> {
        let source = &self.config.source;
        let loaded = source.load_within(&ProcessEnvironment, &self.patience())?;
        let chosen = choice(&ProcessEnvironment).is_some();
        let passed_over =
            if matches!(source, Source::Default) && !chosen { empty_places() } else { Vec::new() };
        Ok(Found { loaded, passed_over })
    }

    /// What around the pair is likely to mislead: a variable that means nothing, other places with another pair.
    pub fn surroundings(&self) -> Vec<Finding> {
        let is_default = matches!(self.config.source, Source::Default);
        let mut found = diagnose::diagnose(None, &ProcessEnvironment);
        // What is wrong with the pair itself, the source and the pair tell.
        found.retain(|finding| match finding.code() {
            Code::WebhookSecretVariable => true,
            Code::SourcesDisagree => is_default,
            _ => false,
        });
        found
    }

    /// Finds out which way calls take.
    ///
    /// # Errors
    /// `invalid_argument` when calls would go through a proxy of the environment that cannot be used.
    pub fn route(&self) -> Result<Route, Error> {
        let named = self.config.named_proxy(&ProcessEnvironment)?;
        let settings = self.config.settings(&ProcessEnvironment)?;
        let way = Way::new(settings, &self.config.policy.base_url.join("/"))?;
        let proxy = named.map(|named| ProxyUse {
            address: named.address(),
            origin: named.variable.map_or(ProxyOrigin::Configuration, ProxyOrigin::Variable),
            exception: named.exception,
        });
        Ok(Route { way, proxy, timeout: self.config.policy.timeout })
    }

    /// Compares this machine's clock with the date of an answer. Asks for the base URL's root without the pair; whatever
    /// the answer is, it has a date. `None` where it has none after all.
    ///
    /// # Errors
    /// Those of the connection: `timeout`, `connection_failed`, `tls_failed`, `invalid_response`.
    pub fn clock(&self) -> Result<Option<Skew>, Error> {
        let transport = Process::current().transport(&self.config.settings(&ProcessEnvironment)?);
        let url = self.config.policy.base_url.join("/");
        let before = clock::unix_time();
        let answer = transport.head_without_pair(&url, self.patience())?;
        let after = clock::unix_time();
        let service = answer.header("date").and_then(|date| date::http_date(date.trim()));
        Ok(service.map(|service| skew((before + after) / 2, service)))
    }

    /// Asks the service whether `credentials` are good, as [`Client::verify`] does.
    pub fn verify(&self, credentials: &Credentials) -> Verification {
        let mut config = self.config.clone();
        config.credentials(credentials.clone());
        let mut last = None;
        let account = Client::new(&config).and_then(|client| client.call().verify_telling(&mut last));
        let rate_limit = last.as_ref().map(service::rate_limit).unwrap_or_default();
        Verification { account, rate_limit }
    }

    /// Whether calls are encrypted: all are, but those to an `http://` base URL on this machine.
    pub fn is_encrypted(&self) -> bool {
        self.config.policy.base_url.is_encrypted()
    }

    /// Every step has the time that a whole call has.
    fn patience(&self) -> Patience {
        patience(self.config.policy.timeout)
    }
}

impl Found {
    /// The files that were read and that other users of this machine can read as well.
    pub fn readable_by_others(&self) -> Vec<Finding> {
        self.loaded.files.iter().filter_map(|file| diagnose::readable_by_others(file)).collect()
    }
}

/// The way to the service, through a proxy or not.
#[derive(Debug)]
pub struct Route {
    way: Way,
    proxy: Option<ProxyUse>,
    timeout: Duration,
}

impl Route {
    /// The proxy that was named, whether calls go through it or not.
    pub fn proxy(&self) -> Option<&ProxyUse> {
        self.proxy.as_ref()
    }

    /// The host that is connected to: the proxy's, else the service's.
    pub fn host(&self) -> &str {
        self.way.first_host_and_port().0
    }

    /// Looks up the addresses of that host.
    ///
    /// # Errors
    /// `connection_failed` with the reason `resolve`, `timeout`.
    pub fn resolve(&self) -> Result<Vec<SocketAddr>, Error> {
        self.way.resolve(&patience(self.timeout))
    }

    /// Connects to the first of `addresses` that answers.
    ///
    /// # Errors
    /// `connection_failed` with the reason `connect`, `timeout`; `invalid_argument` when the base URL is `http://` and
    /// its host is not this machine.
    pub fn connect(&self, addresses: &[SocketAddr]) -> Result<Connection, Error> {
        self.way.connect(addresses, &patience(self.timeout)).map(Connection)
    }
}

/// A connection that carries nothing but what the checks send.
#[derive(Debug)]
pub struct Connection(Reached);

/// What was agreed on in a TLS handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secured {
    /// `TLS 1.3` or `TLS 1.2`.
    pub version: &'static str,
    /// The service's certificate, which was found good.
    pub certificate: Option<Certificate>,
}

impl Connection {
    /// The address of the other end.
    pub fn peer(&self) -> SocketAddr {
        self.0.peer
    }

    /// The address of this end.
    pub fn local(&self) -> SocketAddr {
        self.0.local
    }

    /// Asks the proxy of `route`, if it has one, for a tunnel to the service.
    ///
    /// # Errors
    /// `connection_failed` with what the proxy answered, `timeout`.
    pub fn tunnel(&mut self, route: &Route) -> Result<(), Error> {
        route.way.tunnel(&mut self.0, &patience(route.timeout))
    }

    /// Shakes hands with the service, and ends the connection.
    ///
    /// # Errors
    /// `tls_failed`, `connection_failed`, `timeout`.
    pub fn secure(self, route: &Route) -> Result<Secured, Error> {
        let secured = route.way.secure(self.0, &patience(route.timeout))?;
        Ok(Secured { version: secured.version, certificate: secured.certificate })
    }
}

/// For so long; zero means without a limit.
fn patience(timeout: Duration) -> Patience {
    if timeout.is_zero() { Patience::default() } else { Patience::default().at_most(timeout) }
}

/// A date tells whole seconds: half of one is its most likely rest.
fn skew(machine: Duration, service: Duration) -> Skew {
    let service = service + Duration::from_millis(500);
    Skew { size: machine.abs_diff(service), is_ahead: machine > service }
}

/// Those of the usual places that come before the one that holds a pair.
fn empty_places() -> Vec<String> {
    let is_empty = |place: &Place| {
        let loaded = place.source.load(&ProcessEnvironment);
        loaded.is_err_and(|error| error.kind() == ErrorKind::CredentialsMissing)
    };
    let empty = usual_places().take_while(is_empty).map(|place| place.name.to_owned());
    std::iter::once(CHOICE.to_owned()).chain(empty).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_tells_which_clock_is_ahead_and_when_that_does_harm() {
        let at = |millis| Duration::from_millis(1_800_000_000_000_u64 + millis);
        assert!(!skew(at(400), at(0)).is_harmful());
        let behind = skew(at(0), at(300_000));
        assert!(behind.is_harmful() && !behind.is_ahead);
        let ahead = skew(at(301_000), at(0));
        assert!(ahead.is_harmful() && ahead.is_ahead);
        assert!(!skew(at(299_000), at(0)).is_harmful());
    }
}
