//! The configuration of a client.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use justcall_auth_protocol::Policy;
use justcall_auth_protocol::credentials::Credentials;
use justcall_auth_protocol::error::Error;
use justcall_auth_protocol::request::Request;
use justcall_auth_protocol::url::BaseUrl;
use justcall_auth_secret::Level;
use rustls::RootCertStore;

use crate::observe::Observe;
use crate::source::{Environment, Load, Source};
use crate::state::StateFile;
use crate::transport::{NamedProxy, Proxy, Settings, roots_in, roots_of};

/// The settings of a [`Client`](crate::Client). A setting that is not set keeps its default.
#[derive(Clone, Default)]
pub struct Config {
    pub(crate) source: Source,
    pub(crate) policy: Policy,
    pub(crate) authorities: Authorities,
    pub(crate) proxy: ProxyChoice,
    pub(crate) local_address: Option<IpAddr>,
    pub(crate) memory: Level,
    pub(crate) observer: Option<Arc<dyn Observe>>,
    pub(crate) state: Option<StateFile>,
}

/// The certificate authorities to trust.
#[derive(Debug, Clone, Default)]
pub(crate) enum Authorities {
    /// The authorities of the system.
    #[default]
    System,
    /// The authorities in this file, which is read when a client is created.
    File(PathBuf),
    /// These authorities.
    Given(Arc<RootCertStore>),
}

/// The choice of a proxy.
#[derive(Debug, Clone, Default)]
pub(crate) enum ProxyChoice {
    /// The proxy of the environment.
    #[default]
    Environment,
    /// No proxy.
    Direct,
    /// A proxy from the configuration.
    Configured(Proxy),
}

impl Config {
    /// Creates a configuration with the defaults: the pair from `default:`, the JustCall service, a timeout of 30
    /// seconds, 2 retries.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the source of the pair; see [`Source::parse`] for the spellings. The source is read at the first call.
    ///
    /// # Errors
    /// Fails with `invalid_argument` if the spelling is not valid. The message lists the valid ones.
    pub fn set_source(&mut self, spelling: &str) -> Result<&mut Self, Error> {
        self.source = Source::parse(spelling)?;
        Ok(self)
    }

    /// Sets a pair that the program already has, instead of a source.
    pub fn set_credentials(&mut self, credentials: Credentials) -> &mut Self {
        self.source = Source::Fixed(credentials);
        self
    }

    /// Sets the address of the service: `https://host[:port][/prefix]`. `http://` is allowed only for a loopback
    /// address.
    ///
    /// # Errors
    /// Fails with `invalid_argument` if the URL is not valid. The message states the reason.
    pub fn set_base_url(&mut self, url: &str) -> Result<&mut Self, Error> {
        self.policy.base_url = BaseUrl::parse(url)?;
        Ok(self)
    }

    /// Sets the path that `verify` requests with GET, instead of `/v2/account` and its alternative.
    ///
    /// # Errors
    /// Fails with `invalid_argument` if it is not a path such as `/v2.1/users?per_page=1`.
    pub fn set_verify_path(&mut self, path: &str) -> Result<&mut Self, Error> {
        Request::new("GET", path)?;
        self.policy.verify_path = Some(path.to_owned());
        Ok(self)
    }

    /// Sets the time limit of a whole call, with its retries and waits. Zero means no limit.
    pub fn set_timeout(&mut self, timeout: Duration) -> &mut Self {
        self.policy.timeout = timeout;
        self
    }

    /// Sets how many retries a call may make, of all kinds together.
    pub fn set_max_retries(&mut self, retries: u32) -> &mut Self {
        self.policy.max_retries = retries;
        self
    }

    /// Sets a function that loads the pair, instead of a source: for pairs in a database or another keychain.
    pub fn set_source_callback(&mut self, callback: Arc<dyn Load>) -> &mut Self {
        self.source = Source::Callback(callback);
        self
    }

    /// Sets the account that the pair must belong to.
    ///
    /// Every call fails with `wrong_account` if the pair belongs to another account, or if the service does not name
    /// the account; then only the account is requested. The service as measured does not name it, so every call fails
    /// there.
    ///
    /// # Errors
    /// Fails with `invalid_argument` if `id` is 0. To expect no particular account, do not set it.
    pub fn set_expected_account(&mut self, id: u64) -> Result<&mut Self, Error> {
        if id == 0 {
            return Err(Error::invalid_argument(
                "No account has the number 0. To accept every account, do not set the expected account.",
            ));
        }
        self.policy.expected_account = Some(id);
        Ok(self)
    }

    /// Sets how long calls wait for another pair after the service rejected the pair in use. Meanwhile the source is
    /// refreshed up to four times a second. A reset then fails no call if the new pair arrives in this time and before
    /// the timeout of the call. Zero, the default, means that a call fails if its source supplies no other pair at
    /// once.
    pub fn set_rotation_wait(&mut self, wait: Duration) -> &mut Self {
        self.policy.rotation_wait = wait;
        self
    }

    /// Sets the receiver of events about the pair and about calls.
    pub fn set_observer(&mut self, observer: Arc<dyn Observe>) -> &mut Self {
        self.observer = Some(observer);
        self
    }

    /// Sets how long webhooks signed with the previous pair are accepted after a reset; 15 minutes by default. Zero
    /// means never. If the source states that the previous pair was compromised, its webhooks are never accepted.
    pub fn set_webhook_overlap(&mut self, overlap: Duration) -> &mut Self {
        self.policy.overlap = overlap;
        self
    }

    /// Sets the file in which clients record, at most once an hour, that their pair is used. `justcall-auth status`
    /// reads it to list pairs that are no longer used. There is no file by default: the library writes nothing to disk
    /// unless asked. A call never fails because the file cannot be written.
    ///
    /// # Errors
    /// Fails with `invalid_argument` if the path is empty.
    pub fn set_state_file(&mut self, path: impl AsRef<Path>) -> Result<&mut Self, Error> {
        let path = path.as_ref();
        if path.as_os_str().is_empty() {
            return Err(Error::invalid_argument("The path of the state file is empty."));
        }
        self.state = Some(StateFile::at(path));
        Ok(self)
    }

    /// Sets the age from which an event reports a pair as due for rotation, once a pair; 90 days by default. Zero means
    /// never.
    pub fn set_rotation_due(&mut self, age: Duration) -> &mut Self {
        self.policy.rotation_due = age;
        self
    }

    /// Sets the proxy, as `http://[user:password@]host[:port]`. An empty text means no proxy. User name and password
    /// are percent-encoded. Calls go through a tunnel (CONNECT), so the proxy never receives the pair. Plain `http://`
    /// base URLs never use a proxy.
    ///
    /// By default the environment variable `HTTPS_PROXY` names the proxy, except for loopback hosts and for hosts that
    /// an entry of `NO_PROXY` covers: `*`; a domain, with its subdomains; an address; a network such as `10.0.0.0/8`. A
    /// domain or an address may have a port. Commas or blanks separate entries. Both variables are read when the client
    /// is created. A proxy that is not usable is an error only if the base URL would use it.
    ///
    /// # Errors
    /// Fails with `invalid_argument` if it is not such a URL.
    pub fn set_proxy(&mut self, url: &str) -> Result<&mut Self, Error> {
        self.proxy =
            if url.is_empty() { ProxyChoice::Direct } else { ProxyChoice::Configured(Proxy::parse(url)?) };
        Ok(self)
    }

    /// Sets the largest response body that calls read, in bytes after decompression. The default is 32 MiB. A longer body
    /// fails the call with `invalid_response`. Calls read at most 64 KiB of an error response and of a response that
    /// verifies the pair. Zero means no limit.
    pub fn set_max_response_length(&mut self, length: usize) -> &mut Self {
        self.policy.max_response_length = if length == 0 { usize::MAX } else { length };
        self
    }

    /// Sets the local IP address of connections, such as `192.0.2.7`, for an account that restricts API access to certain
    /// addresses. Addresses of the service or the proxy of the other family (IPv4, IPv6) are skipped. If empty, the
    /// default, the system chooses the address.
    ///
    /// # Errors
    /// Fails with `invalid_argument` if `address` is not an IP address. If this machine does not have the address, calls
    /// fail with `connection_failed`.
    pub fn set_local_address(&mut self, address: &str) -> Result<&mut Self, Error> {
        self.local_address = match address {
            "" => None,
            address => Some(address.parse().map_err(|_| {
                Error::invalid_argument("The local address is not an IP address.").with_hint(
                    "Pass an address such as 192.0.2.7 or 2001:db8::7, without a name, port or network.",
                )
            })?),
        };
        Ok(self)
    }

    /// Sets how the pair is protected at rest. If the system refuses the level, the first call fails with
    /// `memory_protection`. [`Level::Auto`] accepts the best level that the system grants;
    /// [`Client::protection`](crate::Client::protection) reports it.
    pub fn set_memory_protection(&mut self, level: Level) -> &mut Self {
        self.memory = level;
        self
    }

    /// Returns the settings that the connections of the client depend on.
    ///
    /// # Errors
    /// Fails with `invalid_argument` if the CA file is not usable, or if calls would use a proxy of the environment
    /// that is not usable.
    pub(crate) fn settings(&self, environment: &dyn Environment) -> Result<Settings, Error> {
        Ok(Settings {
            roots: self.roots()?,
            proxy: self.named_proxy(environment)?.and_then(NamedProxy::into_used),
            local_address: self.local_address,
            max_response_length: self.policy.max_response_length,
        })
    }

    /// The certificate authorities to trust in place of the system's.
    ///
    /// # Errors
    /// `invalid_argument` when the CA file is not usable.
    pub(crate) fn roots(&self) -> Result<Option<Arc<RootCertStore>>, Error> {
        Ok(match &self.authorities {
            Authorities::System => None,
            Authorities::File(path) => Some(Arc::new(roots_in(path)?)),
            Authorities::Given(roots) => Some(roots.clone()),
        })
    }

    /// Returns the named proxy, also if calls do not use it.
    ///
    /// # Errors
    /// Fails with `invalid_argument` if calls would use a proxy of the environment that is not usable.
    pub(crate) fn named_proxy(&self, environment: &dyn Environment) -> Result<Option<NamedProxy>, Error> {
        let url = self.policy.base_url.join("/");
        let uri =
            url.parse().map_err(|_| Error::invalid_argument("The base URL cannot be used for requests."))?;
        match &self.proxy {
            ProxyChoice::Environment => NamedProxy::of_environment(environment, &uri),
            ProxyChoice::Direct => Ok(None),
            ProxyChoice::Configured(proxy) => Ok(Some(NamedProxy::configured(proxy.clone(), &uri))),
        }
    }

    /// Sets a PEM file of certificate authorities to trust instead of the system's. The file is read when the client is
    /// created; creation fails if a certificate in it is not usable. By default the files of `SSL_CERT_FILE` and
    /// `SSL_CERT_DIR` count, if these are set and not empty; certificates in them that are not usable are skipped.
    ///
    /// # Errors
    /// Fails with `invalid_argument` if the path is empty.
    pub fn set_ca_file(&mut self, path: impl AsRef<Path>) -> Result<&mut Self, Error> {
        let path = path.as_ref();
        if path.as_os_str().is_empty() {
            return Err(Error::invalid_argument("The path of the CA file is empty."));
        }
        self.authorities = Authorities::File(path.to_owned());
        Ok(self)
    }

    /// Sets the certificate authorities to trust in place of the system's, as text in PEM form: for programs that have them
    /// in memory. Replaces a CA file, and is replaced by one.
    ///
    /// # Errors
    /// `invalid_argument` if there is no certificate in `pem`, or one that cannot be used, or if `pem` is longer than 8 MiB.
    pub fn set_ca_pem(&mut self, pem: &[u8]) -> Result<&mut Self, Error> {
        self.authorities = Authorities::Given(Arc::new(roots_of(pem)?));
        Ok(self)
    }
}

/// The observer has no representation, because it is code of the program.
impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config")
            .field("source", &self.source)
            .field("policy", &self.policy)
            .field("authorities", &self.authorities)
            .field("proxy", &self.proxy)
            .field("local_address", &self.local_address)
            .field("memory", &self.memory)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}
