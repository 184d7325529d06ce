//! The client: its configuration, and the state that it shares with the other clients of its process.

mod call;

use std::sync::Arc;
use std::time::Duration;

use justcall_auth_protocol::account::Account;
use justcall_auth_protocol::credentials::Credentials;
use justcall_auth_protocol::error::{Error, ErrorKind};
use justcall_auth_protocol::exchange as rules;
use justcall_auth_protocol::metrics::open_metrics;
use justcall_auth_protocol::request::Request;
use justcall_auth_protocol::response::Response;
use justcall_auth_protocol::service::RateLimit;
use justcall_auth_protocol::{Moment, Policy, Refresh, Shared};
use justcall_auth_secret::{ForkOwned, Level, PerProcess};

use crate::cancel::Cancel;
use crate::clock;
use crate::config::Config;
use crate::context::CallContext;
use crate::exchange::Exchange;
use crate::machine::Driven;
use crate::observe::Observe;
use crate::protection::ProtectionReport;
use crate::shared_state::{SharedSource, SharedState};
use crate::source::{ProcessEnvironment, Source};
use crate::state::Recorder;
use crate::transport::{Settings, Transport};
pub use call::Call;

/// A client of the JustCall API. Thread-safe; clones share everything.
///
/// Clients of one process share the pair if their source, base URL and expected account are equal. They share
/// connections if their CA file and proxy are equal. A child of `fork()` creates both again at its first call.
///
/// `env:` is compared when a client is created: if the environment then holds another pair than the one that other
/// clients read there, the new client has a separate pair. `default:` is resolved at the same time. An existing client
/// reads the environment again only after the service rejected its pair, or in [`Client::reload`].
#[derive(Debug, Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    policy: Arc<Policy>,
    source: Source,
    settings: Settings,
    memory: Level,
    observer: Option<Arc<dyn Observe>>,
    recorder: Option<Arc<Recorder>>,
    shutdown: Cancel,
    /// The handles of the clients that this one was derived from.
    origins: Vec<Cancel>,
    /// Shared with the clients that are derived from this one.
    session: Arc<PerProcess<Session>>,
}

/// The part of the process's shared state that a client uses.
#[derive(Debug)]
struct Session {
    source: Arc<SharedSource>,
    transport: Arc<Transport>,
}

impl Session {
    fn new(source: &Source, policy: &Policy, settings: &Settings, memory: Level) -> Self {
        let process = SharedState::current();
        let shared = process.shared_source(source, policy, memory, &ProcessEnvironment);
        // A new client must re-read the source even if another client read it long ago. The environment was compared
        // when the source was resolved.
        if !source.is_environment() {
            shared.shared.keyring.request_refresh();
        }
        Self { source: shared, transport: process.transport(settings) }
    }
}

impl Client {
    /// Creates a client. Reads the CA file, if one is set. The pair is read at the first call.
    ///
    /// # Errors
    /// Fails with `invalid_argument` if the CA file cannot be read or contains no certificate, or if calls would use a
    /// proxy of the environment that is not usable.
    pub fn new(config: &Config) -> Result<Self, Error> {
        let policy = Arc::new(config.policy.clone());
        let source = resolve(config);
        // The settings of the transport are equal to these, and certificates take memory.
        let transport = SharedState::current().transport(&config.settings(&ProcessEnvironment)?);
        let settings = transport.settings().clone();
        let client = Self(Arc::new(Inner {
            policy,
            source,
            settings,
            memory: config.memory,
            observer: config.observer.clone(),
            recorder: config.state.clone().map(|file| Arc::new(Recorder::new(file))),
            shutdown: Cancel::new(),
            origins: Vec::new(),
            session: Arc::new(PerProcess::new()),
        }));
        // Read the environment now: its pair counts as it is when the client is created.
        client.session();
        Ok(client)
    }

    /// Creates a client with default settings: the pair from the environment, and the JustCall service.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub fn from_environment() -> Result<Self, Error> {
        Self::new(&Config::new())
    }

    /// Returns a client with other settings that shares everything else with this one: the pair, the connections, the
    /// observer. `None` keeps a setting. [`Config`] describes the settings.
    ///
    /// [`Client::shutdown`] of this client cancels the calls of the other one too, but not the other way round.
    #[must_use]
    pub fn with_options(
        &self,
        timeout: Option<Duration>,
        max_retries: Option<u32>,
        rotation_wait: Option<Duration>,
    ) -> Self {
        let own = &*self.0;
        let policy = Policy {
            timeout: timeout.unwrap_or(own.policy.timeout),
            max_retries: max_retries.unwrap_or(own.policy.max_retries),
            rotation_wait: rotation_wait.unwrap_or(own.policy.rotation_wait),
            ..Policy::clone(&own.policy)
        };
        Self(Arc::new(Inner {
            policy: Arc::new(policy),
            source: own.source.clone(),
            settings: own.settings.clone(),
            memory: own.memory,
            observer: own.observer.clone(),
            recorder: own.recorder.clone(),
            shutdown: Cancel::new(),
            origins: own.origins.iter().chain([&own.shutdown]).cloned().collect(),
            session: own.session.clone(),
        }))
    }

    /// Asks the service whether the pair is valid. Returns its account.
    ///
    /// Requests `/v2/account`. If the service has no such page or rejects the pair there, requests
    /// `/v2.1/users?per_page=1`, which proves the pair but does not return the account's details.
    ///
    /// If the service names the account, a pair that the source supplies later must belong to it: the new pair is
    /// proven before any other request uses it, and the call fails with `wrong_account` if the accounts differ. If the
    /// account is not known, because no call verified the pair or the service does not name it, a pair of another
    /// account is used without notice. To prevent that, set the expected account.
    ///
    /// # Errors
    /// Fails with any row of the error table, except those for arguments and webhooks.
    pub fn verify(&self) -> Result<Account, Error> {
        self.call().verify()
    }

    /// Sends a request. Returns the response. A status of 300 or more is an error, which contains the response.
    ///
    /// A body compressed with gzip is expanded. A response that cannot be parsed fails with `invalid_response`: its
    /// body is not the gzip data that `Content-Encoding` announces, has another encoding, or its headers are folded
    /// over several lines.
    ///
    /// # Errors
    /// As [`Client::verify`].
    pub fn request(&self, request: Request) -> Result<Response, Error> {
        self.call().request(request)
    }

    /// Returns the pair in use. Reads the source if no call has read it yet.
    ///
    /// # Errors
    /// Fails as the source does: `credentials_missing`, `credentials_malformed` or `source_unavailable`.
    pub fn credentials(&self) -> Result<Credentials, Error> {
        self.call().credentials()
    }

    /// Proves `credentials` as [`Client::verify`] does. If they are valid, all clients that share the pair use them
    /// from now on. Does not write the source: make sure that it supplies the same pair. If the call fails, the pair in
    /// use stays unchanged.
    ///
    /// # Errors
    /// Fails as [`Client::verify`] does, for `credentials`.
    pub fn replace(&self, credentials: &Credentials) -> Result<Account, Error> {
        self.call().replace(credentials)
    }

    /// Reads the source now. Does not contact the service. Returns true if the source supplies a pair other than the
    /// current one: the next call proves that pair, and it is used from then on.
    ///
    /// # Errors
    /// Fails as the source does, see [`Client::credentials`]; the pair in use stays.
    pub fn reload(&self) -> Result<bool, Error> {
        self.call().reload()
    }

    /// Cancels every call of this client, in progress or later, with `cancelled`. Clones are the same client. Other
    /// clients that share the pair are not affected.
    pub fn shutdown(&self) {
        self.0.shutdown.fire();
    }

    /// Creates an exchange: a call over the caller's own HTTP client.
    pub fn exchange(&self, request: Request) -> Exchange {
        self.call().exchange(request)
    }

    /// Returns how the pair is protected at rest, and why a requested protection was refused. Reads the source if no
    /// call has read it yet.
    ///
    /// # Errors
    /// Fails as [`Client::credentials`] does, or with `memory_protection`.
    pub fn protection(&self) -> Result<ProtectionReport, Error> {
        self.call().protection()
    }

    /// Returns what the clients with this client's pair have done, and the state of the pair, as OpenMetrics 1.0 text.
    /// Prometheus and most monitoring systems read it, with the type `application/openmetrics-text; version=1.0.0;
    /// charset=utf-8`.
    ///
    /// The text counts calls by outcome, requests by method and status, response times, retries, events, and webhook
    /// deliveries by result (those verified with the secrets of these clients). It contains the rest of the account's
    /// rate limit, and the pair's generation, age, rejection and last use. It contains nothing about the pair before a
    /// call has read it. Sends nothing and reads no source. The text contains no secret and nothing that identifies the
    /// pair.
    pub fn usage(&self) -> String {
        let shared = self.shared().0;
        open_metrics(&shared.metrics, &shared.keyring, &self.0.policy, &clock::now())
    }

    /// Returns the generation of the pair in use: 1 for the first pair, one more for each pair that replaced it. Clients
    /// with the same source share it. Returns 0 if no call has read a pair yet. Reads no source and does not block.
    pub fn generation(&self) -> u64 {
        self.shared().0.keyring.current().map_or(0, |version| version.generation())
    }

    /// Returns the account's rate limit, as reported by the last response to a client with the same source. A figure that
    /// no response has reported is `None`. Sends nothing and does not block.
    pub fn rate_limit(&self) -> RateLimit {
        self.shared().0.metrics.rate_limit()
    }

    /// Returns the hint of the key in use, see [`Credentials::key_hint`], or `None` if no call has read a pair yet. Reads
    /// no source and does not block.
    pub fn key_hint(&self) -> Option<String> {
        self.shared().0.keyring.current().map(|version| version.credentials().key_hint().to_owned())
    }

    /// Creates a request for `target`: a path, as for [`Request::new`], or a URL under the client's base URL, such as
    /// the `next_page_link` of a response.
    ///
    /// # Errors
    /// Fails as [`Request::new`] does, and with `invalid_argument` if `target` is a URL that is not under the base URL.
    pub fn new_request(&self, method: &str, target: &str) -> Result<Request, Error> {
        Request::under(&self.0.policy.base_url, method, target)
    }

    /// Creates a call that can be cancelled separately from the client.
    pub fn call(&self) -> Call<'_> {
        let call = Call::new(self, self.0.shutdown.clone());
        self.0.origins.iter().cloned().fold(call, Call::with_cancel)
    }

    /// Returns this process's session. A child of `fork()` creates a new one, because the inherited one may be locked
    /// for ever.
    fn session(&self) -> Arc<ForkOwned<Session>> {
        let Inner { source, policy, settings, memory, .. } = &*self.0;
        self.0.session.get_or_make(|| Session::new(source, policy, settings, *memory))
    }

    /// Creates an exchange of this process. Also returns the transport that the built-in driver sends with.
    pub(crate) fn begin(
        &self,
        begin: impl FnOnce(Shared, &Moment) -> rules::Exchange,
        context: &CallContext,
    ) -> (Exchange, Arc<Transport>) {
        let session = self.session();
        let now = clock::now();
        session.source.renew_login_if_due(now.monotonic);
        let exchange = begin(session.source.shared.clone(), &now);
        let driven = Driven::new(exchange, session.source.clone(), self.0.observer.clone(), context);
        (Exchange::new(driven, self.0.recorder.clone()), session.transport.clone())
    }

    /// Creates a refresh of this process.
    pub(crate) fn begin_refresh(
        &self,
        begin: impl FnOnce(Shared, &Moment) -> Refresh,
        context: &CallContext,
    ) -> Driven<Refresh> {
        let source = self.shared_source();
        let now = clock::now();
        source.renew_login_if_due(now.monotonic);
        let refresh = begin(source.shared.clone(), &now);
        Driven::new(refresh, source, self.0.observer.clone(), context)
    }

    /// Returns the pair in use if no refresh or proof is due.
    pub(crate) fn settled(&self) -> Option<Credentials> {
        let session = self.session();
        let now = clock::monotonic();
        session.source.renew_login_if_due(now);
        let version = session.source.shared.keyring.settled(now)?;
        // In a load callback, the caller must take the usual path, which detects that the call would wait for itself.
        if session.source.detector.is_entered() {
            return None;
        }
        Some(version.credentials().clone())
    }

    /// Returns the shared state of calls, and how long webhooks signed with a replaced pair are accepted.
    pub(crate) fn shared(&self) -> (Shared, Duration) {
        (self.session().source.shared.clone(), self.0.policy.overlap)
    }

    /// Returns the state that the clients with this source share.
    pub(crate) fn shared_source(&self) -> Arc<SharedSource> {
        self.session().source.clone()
    }

    /// Returns true if the pair comes from the environment.
    pub(crate) fn reads_environment(&self) -> bool {
        self.0.source.is_environment()
    }

    pub(crate) fn policy(&self) -> &Arc<Policy> {
        &self.0.policy
    }

    pub(crate) fn memory(&self) -> Level {
        self.0.memory
    }
}

/// Returns the source for a client of `config`, chosen now. If no source has a pair yet, the first call searches again
/// and reports the failure.
fn resolve(config: &Config) -> Source {
    let source = &config.source;
    match source.resolve(&ProcessEnvironment) {
        Ok(resolved) => resolved,
        // Another client has read the environment before it was cleared.
        Err(error) if error.kind() == ErrorKind::CredentialsMissing => {
            let environment = Source::environment();
            let is_known = SharedState::current().knows_source(&environment, &config.policy, config.memory);
            if is_known { environment } else { source.clone() }
        }
        Err(_) => source.clone(),
    }
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("policy", &self.policy)
            .field("source", &self.source)
            .field("settings", &self.settings)
            .field("memory", &self.memory)
            .finish_non_exhaustive()
    }
}
