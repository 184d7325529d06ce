//! Separate checks of everything that a call depends on, for `justcall-auth doctor` and for programs that report why
//! they cannot start.
//!
//! Every check uses the same parts as a call (sources, name look-up, proxy, connections, TLS), so a check that succeeds
//! here succeeds in a call. Only [`Diagnostics::verify`] sends the pair.

use std::time::Duration;

use justcall_auth_protocol::account::Account;
use justcall_auth_protocol::credentials::Credentials;
use justcall_auth_protocol::date;
use justcall_auth_protocol::error::{Error, ErrorKind};
use justcall_auth_protocol::service::{self, RateLimit};

use crate::client::Client;
use crate::clock;
use crate::config::Config;
use crate::context::CallContext;
use crate::diagnose::{self, Code, Finding};
use crate::shared_state::SharedState;
use crate::source::{
    CHOICE, DefaultSource, LoadedSource, ProcessEnvironment, Source, choice, default_sources,
};
use crate::transport::step_context;
pub use crate::transport::{Certificate, NamedProxy, ProxyException, Route, TcpConnection, TlsInfo};

/// The checks of one client configuration.
#[derive(Debug, Clone)]
pub struct Diagnostics {
    config: Config,
}

/// A pair, and the default sources that were searched for it.
#[derive(Debug, Clone)]
pub struct FoundPair {
    /// The pair and its source.
    pub loaded: LoadedSource,
    /// The default sources that precede it and hold no pair.
    pub passed_over: Vec<String>,
}

/// The difference between the clock of this machine and that of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Skew {
    /// The difference, to about a second.
    pub size: Duration,
    /// True if the clock of this machine is ahead.
    pub is_ahead: bool,
}

impl Skew {
    /// The difference from which webhooks with the default tolerance fail as stale, and certificates may count as
    /// expired.
    const LIMIT: Duration = Duration::from_secs(300);

    /// Returns true if the difference is large enough to make calls or webhooks fail.
    pub fn is_harmful(&self) -> bool {
        self.size >= Self::LIMIT
    }
}

/// The result of a verification.
#[derive(Debug, Clone)]
pub struct Verification {
    /// The account of the pair, or the reason why it is not known.
    pub account: Result<Account, Error>,
    /// The rate limit of the account, as the last response reports it.
    pub rate_limit: RateLimit,
}

impl Diagnostics {
    /// Creates the checks of `config`. Reads the CA file, if one is set.
    ///
    /// # Errors
    /// `invalid_argument` if the CA file cannot be read or holds no certificate.
    pub fn new(config: &Config) -> Result<Self, Error> {
        config.roots()?;
        Ok(Self { config: config.clone() })
    }

    /// Reads the pair from the source.
    ///
    /// # Errors
    /// Fails as [`Source::load`] does.
    pub fn source(&self) -> Result<FoundPair, Error> {
        let source = &self.config.source;
        let loaded = source.load_within(&ProcessEnvironment, &self.context())?;
        let chosen = choice(&ProcessEnvironment).is_some();
        let passed_over =
            if matches!(source, Source::Default) && !chosen { empty_places() } else { Vec::new() };
        Ok(FoundPair { loaded, passed_over })
    }

    /// Returns findings about misleading settings: a variable without effect, other default sources with another pair.
    pub fn surroundings(&self) -> Vec<Finding> {
        let is_default = matches!(self.config.source, Source::Default);
        let mut found = diagnose::diagnose_environment(&ProcessEnvironment);
        // The check of the source reports the findings about the pair.
        found.retain(|finding| match finding.code() {
            Code::WebhookSecretVariable => true,
            Code::SourcesDisagree => is_default,
            _ => false,
        });
        found
    }

    /// Returns the route that calls take to the service.
    ///
    /// # Errors
    /// `invalid_argument` if calls would go through a proxy of the environment that cannot be used.
    pub fn route(&self) -> Result<Route, Error> {
        let named_proxy = self.config.named_proxy(&ProcessEnvironment)?;
        let settings = self.config.settings(&ProcessEnvironment)?;
        let system_roots = SharedState::current().system_roots();
        let policy = &self.config.policy;
        Route::new(settings, named_proxy, system_roots, &policy.base_url.join("/"), policy.timeout)
    }

    /// Compares this machine's clock with the date of a response. Sends HEAD for the root of the base URL, without the
    /// pair. Returns `None` if the response has no date.
    ///
    /// # Errors
    /// Fails as the connection does: `timeout`, `connection_failed`, `tls_failed`, `invalid_response`.
    pub fn clock(&self) -> Result<Option<Skew>, Error> {
        let transport = SharedState::current().transport(&self.config.settings(&ProcessEnvironment)?);
        let url = self.config.policy.base_url.join("/");
        let before = clock::unix_time();
        let answer = transport.head_without_pair(&url, self.context())?;
        let after = clock::unix_time();
        let service = answer.header("date").and_then(|date| date::http_date(date.trim()));
        Ok(service.map(|service| skew((before + after) / 2, service)))
    }

    /// Verifies `credentials` with the service, as [`Client::verify`] does.
    pub fn verify(&self, credentials: &Credentials) -> Verification {
        let mut config = self.config.clone();
        config.set_credentials(credentials.clone());
        let mut last = None;
        let account =
            Client::new(&config).and_then(|client| client.call().verify_with_last_response(&mut last));
        let rate_limit = last.as_ref().map(service::rate_limit).unwrap_or_default();
        Verification { account, rate_limit }
    }

    /// Returns true if calls are encrypted. Only calls to an `http://` base URL on this machine are not.
    pub fn is_encrypted(&self) -> bool {
        self.config.policy.base_url.is_encrypted()
    }

    /// Creates the context of a check that starts now.
    fn context(&self) -> CallContext {
        step_context(self.config.policy.timeout)
    }
}

/// Returns a finding for each file of `loaded` that other users of this machine can read.
pub fn readable_by_others(loaded: &LoadedSource) -> Vec<Finding> {
    loaded.files.iter().filter_map(|file| diagnose::readable_by_others(file)).collect()
}

/// Returns the skew. The date of a response has whole seconds, so half a second is its most likely fraction.
fn skew(machine: Duration, service: Duration) -> Skew {
    let service = service + Duration::from_millis(500);
    Skew { size: machine.abs_diff(service), is_ahead: machine > service }
}

/// Returns the default sources that precede the first one with a pair.
fn empty_places() -> Vec<String> {
    let is_empty = |place: &DefaultSource| {
        let loaded = place.source.load(&ProcessEnvironment);
        loaded.is_err_and(|error| error.kind() == ErrorKind::CredentialsMissing)
    };
    let empty = default_sources().take_while(is_empty).map(|place| place.name.to_owned());
    std::iter::once(CHOICE.to_owned()).chain(empty).collect()
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;

    #[test]
    fn it_reports_which_clock_is_ahead_and_when_the_difference_is_harmful() {
        let at = |millis| Duration::from_millis(1_800_000_000_000_u64 + millis);
        assert!(!skew(at(400), at(0)).is_harmful());
        let behind = skew(at(0), at(300_000));
        assert!(behind.is_harmful() && !behind.is_ahead);
        let ahead = skew(at(301_000), at(0));
        assert!(ahead.is_harmful() && ahead.is_ahead);
        assert!(!skew(at(299_000), at(0)).is_harmful());
    }

    #[test]
    fn it_reports_whether_calls_are_encrypted() {
        for (base_url, is_encrypted) in [("https://127.0.0.1:1", true), ("http://127.0.0.1:1", false)] {
            let mut config = Config::new();
            config.set_base_url(base_url).expect("a base URL");
            let diagnostics = Diagnostics::new(&config).expect("a good configuration");
            assert_eq!(diagnostics.is_encrypted(), is_encrypted, "{base_url}");
        }
    }

    #[test]
    fn it_connects_to_the_host_and_port_of_the_base_url_or_of_the_proxy() {
        let mut config = Config::new();
        config.set_base_url("http://127.0.0.1:8123").expect("a base URL");
        let first = |config: &Config| {
            let route =
                Diagnostics::new(config).and_then(|diagnostics| diagnostics.route()).expect("a route");
            (route.host().to_owned(), route.resolve().expect("an address"))
        };
        let address = |port: u16| vec![SocketAddr::from(([127, 0, 0, 1], port))];
        assert_eq!(first(&config), ("127.0.0.1".to_owned(), address(8123)));
        config.set_base_url("https://127.0.0.1:8123").expect("a base URL");
        config.set_proxy("http://127.0.0.1:3128").expect("a proxy");
        assert_eq!(first(&config), ("127.0.0.1".to_owned(), address(3128)));
    }
}
