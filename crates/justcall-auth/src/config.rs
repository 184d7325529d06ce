//! How a client is set up.

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

/// The settings of a [`Client`](crate::Client). What is not set keeps its default.
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

/// Which certificate authorities to trust.
#[derive(Debug, Clone, Default)]
pub(crate) enum Authorities {
    /// The system's.
    #[default]
    System,
    /// Those of this file, which is read when a client is made.
    File(PathBuf),
    /// These.
    Given(Arc<RootCertStore>),
}

/// Which proxy to take.
#[derive(Debug, Clone, Default)]
pub(crate) enum ProxyChoice {
    /// The environment's.
    #[default]
    Environment,
    /// None at all.
    Direct,
    /// This one.
    Given(Proxy),
}

impl Config {
    /// The defaults: the pair from `default:`, the service itself, a timeout of 30 seconds, 2 retries.
    pub fn new() -> Self {
        Self::default()
    }

    /// Where the pair comes from; see [`Source::parse`] for the spellings. It is read at the first call.
    ///
    /// # Errors
    /// `invalid_argument`, with the spellings that there are.
    pub fn set_source(&mut self, spelling: &str) -> Result<&mut Self, Error> {
        self.source = Source::parse(spelling)?;
        Ok(self)
    }

    /// A pair that the program already holds, in place of a source.
    pub fn set_credentials(&mut self, credentials: Credentials) -> &mut Self {
        self.source = Source::Fixed(credentials);
        self
    }

    /// Where the service is: `https://host[:port][/prefix]`; `http://` only for a loopback address.
    ///
    /// # Errors
    /// `invalid_argument`, saying what is wrong.
    pub fn set_base_url(&mut self, url: &str) -> Result<&mut Self, Error> {
        self.policy.base_url = BaseUrl::parse(url)?;
        Ok(self)
    }

    /// What `verify` asks with GET, in place of `/v2/account` and its stand-in.
    ///
    /// # Errors
    /// `invalid_argument` unless it is a path such as `/v2.1/users?per_page=1`.
    pub fn set_verify_path(&mut self, path: &str) -> Result<&mut Self, Error> {
        Request::new("GET", path)?;
        self.policy.verify_path = Some(path.to_owned());
        Ok(self)
    }

    /// The limit of a whole call, second attempts and waits included. Zero: no limit.
    pub fn set_timeout(&mut self, timeout: Duration) -> &mut Self {
        self.policy.timeout = timeout;
        self
    }

    /// How many second attempts a call may make, of every kind together.
    pub fn set_max_retries(&mut self, retries: u32) -> &mut Self {
        self.policy.max_retries = retries;
        self
    }

    /// A function that gives the pair, in place of a source: pairs in a database, another keychain.
    pub fn set_source_callback(&mut self, callback: Arc<dyn Load>) -> &mut Self {
        self.source = Source::Callback(callback);
        self
    }

    /// Sets the account that the pair must belong to; the service as measured does not reveal it, and every call fails then.
    ///
    /// With a pair of another account, or of one that the service does not reveal, every call fails with `wrong_account`,
    /// and only the account is asked for.
    ///
    /// # Errors
    /// `invalid_argument` if `id` is 0. To expect no particular account, do not set it.
    pub fn set_expected_account(&mut self, id: u64) -> Result<&mut Self, Error> {
        if id == 0 {
            return Err(Error::invalid_argument(
                "No account has the number 0. To expect no particular account, do not set it.",
            ));
        }
        self.policy.expected_account = Some(id);
        Ok(self)
    }

    /// How long calls are held for another pair, from the moment that the service rejected the one in use; meanwhile the
    /// source is looked at up to four times a second. A reset then fails no call, if the new pair comes in that time and
    /// before the calls' own timeout. Zero, the default: a call fails when its source gives no other pair at once.
    pub fn set_rotation_wait(&mut self, wait: Duration) -> &mut Self {
        self.policy.rotation_wait = wait;
        self
    }

    /// Who is told what happens to the pair and to calls.
    pub fn set_observer(&mut self, observer: Arc<dyn Observe>) -> &mut Self {
        self.observer = Some(observer);
        self
    }

    /// How long webhooks that are signed with the previous pair pass after a reset; 15 minutes unless set. Zero: not at
    /// all. Where the source says that the previous pair was compromised they never do.
    pub fn set_webhook_overlap(&mut self, overlap: Duration) -> &mut Self {
        self.policy.overlap = overlap;
        self
    }

    /// Where clients write down, at most once an hour, that their pair is used, for `justcall-auth status` to tell pairs
    /// that nobody uses any more. None unless set: the library leaves nothing on a disk by itself. A call never fails
    /// because it cannot be written down.
    ///
    /// # Errors
    /// `invalid_argument` when the path is empty.
    pub fn set_state_file(&mut self, path: impl AsRef<Path>) -> Result<&mut Self, Error> {
        let path = path.as_ref();
        if path.as_os_str().is_empty() {
            return Err(Error::invalid_argument("The path of the state file is empty."));
        }
        self.state = Some(StateFile::at(path));
        Ok(self)
    }

    /// The age from which a pair is said to be due for rotation, once a pair. Zero: never. 90 days unless set.
    pub fn set_rotation_due(&mut self, age: Duration) -> &mut Self {
        self.policy.rotation_due = age;
        self
    }

    /// The proxy, as `http://[user:password@]host[:port]`; empty for none. User name and password are percent-encoded.
    /// It is asked for a tunnel (CONNECT) and never sees the pair. Plain `http://` base URLs never go through one.
    ///
    /// Unless set, the environment variable `HTTPS_PROXY` names the proxy, except for loopback hosts and for those that an
    /// entry of `NO_PROXY` covers: `*`; a domain, with all below it; an address; a network such as `10.0.0.0/8`; each of the
    /// first three but `*` also with a port. Entries are separated by commas or blanks. Both are read when the client is
    /// made, and a proxy that cannot be used is an error only if the base URL would use it.
    ///
    /// # Errors
    /// `invalid_argument` when it is no such URL.
    pub fn set_proxy(&mut self, url: &str) -> Result<&mut Self, Error> {
        self.proxy =
            if url.is_empty() { ProxyChoice::Direct } else { ProxyChoice::Given(Proxy::parse(url)?) };
        Ok(self)
    }

    /// Sets the largest body of a response that calls read, in bytes after decompression; 32 MiB unless set. A longer one
    /// fails the call with `invalid_response`. Of a failure's response, and of one that verifies the pair, at most 64 KiB
    /// are read. Zero: no limit.
    pub fn set_max_response_length(&mut self, length: usize) -> &mut Self {
        self.policy.max_response_length = if length == 0 { usize::MAX } else { length };
        self
    }

    /// Sets the IP address of this machine that connections come from, such as `192.0.2.7`, for an account that allows API
    /// calls from some addresses only. Addresses of the service, or of the proxy, that are of the other family (IPv4, IPv6)
    /// are skipped. Empty, the default: the system chooses.
    ///
    /// # Errors
    /// `invalid_argument` if it is not an IP address. Whether this machine has it shows when a connection is made: the call
    /// fails with `connection_failed`.
    pub fn set_local_address(&mut self, address: &str) -> Result<&mut Self, Error> {
        self.local_address = match address {
            "" => None,
            address => Some(address.parse().map_err(|_| {
                Error::invalid_argument("The local address is not an IP address.")
                    .with_hint("Pass an address such as 192.0.2.7 or 2001:db8::7: no name, port or network.")
            })?),
        };
        Ok(self)
    }

    /// How well the pair is protected while it rests. A level that the system refuses fails the first call with
    /// `memory_protection`; [`Level::Auto`] takes what it obtains, and [`Client::protection`](crate::Client::protection)
    /// says what that was.
    pub fn set_memory_protection(&mut self, level: Level) -> &mut Self {
        self.memory = level;
        self
    }

    /// What the connections of such a client depend on.
    ///
    /// # Errors
    /// `invalid_argument` when the CA file is not usable, or the environment's proxy if calls would go through it.
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

    /// The proxy that is named, whether calls go through it or not.
    ///
    /// # Errors
    /// `invalid_argument` when calls would go through a proxy of the environment that cannot be used.
    pub(crate) fn named_proxy(&self, environment: &dyn Environment) -> Result<Option<NamedProxy>, Error> {
        let url = self.policy.base_url.join("/");
        let uri = url.parse().map_err(|_| Error::invalid_argument("The base URL cannot be sent."))?;
        match &self.proxy {
            ProxyChoice::Environment => NamedProxy::of_environment(environment, &uri),
            ProxyChoice::Direct => Ok(None),
            ProxyChoice::Given(proxy) => Ok(Some(NamedProxy::given(proxy.clone(), &uri))),
        }
    }

    /// A PEM file of certificate authorities to trust in place of the system's. It is read when the client is made, and
    /// refused then if one certificate in it cannot be used. Without it, the files of `SSL_CERT_FILE` and `SSL_CERT_DIR`
    /// count, if they are set and not empty; certificates in those that cannot be used are passed over.
    ///
    /// # Errors
    /// `invalid_argument` when the path is empty.
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

/// Who is told is the program's own.
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
