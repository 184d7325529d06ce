//! The client: settings, and what it shares with the other clients of its process.

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

/// A client of the JustCall API. Thread-safe; cloning shares everything.
///
/// Clients of one process share the pair if their source, base URL and expected account are equal, and connections
/// if their CA file and proxy are. A child of `fork()` makes its own of both at its first call.
///
/// `env:` is compared when a client is made: if the environment holds another pair than the one that the other clients
/// read there, the new client has a separate pair. `default:` is resolved then. An open client reads the environment
/// again only after the service rejected its pair, or when [`Client::reload`] is called.
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
    session: PerProcess<Session>,
}

/// What a client uses of its process.
#[derive(Debug)]
struct Session {
    source: Arc<SharedSource>,
    transport: Arc<Transport>,
}

impl Session {
    fn new(source: &Source, policy: &Policy, settings: &Settings, memory: Level) -> Self {
        let process = SharedState::current();
        let shared = process.shared_source(source, policy, memory, &ProcessEnvironment);
        // A new client must re-read the source even if another client read it long ago. What the environment holds was
        // compared.
        if !source.is_environment() {
            shared.shared.keyring.request_refresh();
        }
        Self { source: shared, transport: process.transport(settings) }
    }
}

impl Client {
    /// A client as `config` says. Reads the CA file, if one is set; the pair is read at the first call.
    ///
    /// # Errors
    /// `invalid_argument` when the CA file cannot be read or holds no certificate, or when calls would go through a proxy of
    /// the environment that cannot be used.
    pub fn new(config: &Config) -> Result<Self, Error> {
        let policy = Arc::new(config.policy.clone());
        let source = resolve(config);
        let settings = config.settings(&ProcessEnvironment)?;
        let client = Self(Arc::new(Inner {
            policy,
            source,
            settings,
            memory: config.memory,
            observer: config.observer.clone(),
            recorder: config.state.clone().map(|file| Arc::new(Recorder::new(file))),
            shutdown: Cancel::new(),
            session: PerProcess::new(),
        }));
        // Now: the pair in the environment counts as it is when a client is made.
        client.session();
        Ok(client)
    }

    /// A client with every default: the pair from the environment, the service itself.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub fn from_environment() -> Result<Self, Error> {
        Self::new(&Config::new())
    }

    /// Asks the service whether the pair is good, and whose it is.
    ///
    /// Asks `/v2/account` and, where the service has no such page or rejects the pair there, `/v2.1/users?per_page=1`,
    /// which proves the pair without telling the account's details.
    ///
    /// If the service names the account, a pair that the source gives later must belong to it: the pair proves that before
    /// anything else is sent with it, else the call fails with `wrong_account`. If the account is not known, because nothing
    /// was verified or the service does not name it, a pair of another account is used without notice. Set the expected
    /// account to rule that out.
    ///
    /// # Errors
    /// Every row of the table but those of arguments and webhooks.
    pub fn verify(&self) -> Result<Account, Error> {
        self.call().verify()
    }

    /// Sends a request and brings back its answer. A status of 300 or more is an error, with the answer in it.
    ///
    /// A body compressed with gzip is expanded. An answer that cannot be read is `invalid_response`: its body is not the gzip
    /// data that `Content-Encoding` promises or has another encoding, or its headers are folded over several lines.
    ///
    /// # Errors
    /// As [`Client::verify`].
    pub fn request(&self, request: Request) -> Result<Response, Error> {
        self.call().request(request)
    }

    /// The pair that calls are made with now; read from the source, if no call has done so yet.
    ///
    /// # Errors
    /// Those of the source: `credentials_missing`, `credentials_malformed`, `source_unavailable`.
    pub fn credentials(&self) -> Result<Credentials, Error> {
        self.call().credentials()
    }

    /// Proves `credentials` as [`Client::verify`] does and, where they are good, takes them into use for all clients that
    /// share the pair. The source is not written: see to it that it gives the same pair. Whatever comes of it, the pair in
    /// use loses nothing by it.
    ///
    /// # Errors
    /// As [`Client::verify`], about `credentials`.
    pub fn replace(&self, credentials: &Credentials) -> Result<Account, Error> {
        self.call().replace(credentials)
    }

    /// Looks at the source now, and asks nothing of the service. True when it gives another pair than before: the next
    /// call proves it, and it is in use from then on.
    ///
    /// # Errors
    /// Those of the source, as [`Client::credentials`]; the pair in use stays.
    pub fn reload(&self) -> Result<bool, Error> {
        self.call().reload()
    }

    /// Ends every call of this client, under way or begun later, with `cancelled`. Clones are the same client; others that
    /// share its pair are not affected.
    pub fn shutdown(&self) {
        self.0.shutdown.fire();
    }

    /// A call over HTTP of the caller's own.
    pub fn exchange(&self, request: Request) -> Exchange {
        self.call().exchange(request)
    }

    /// How the pair is protected while it rests, and why not better; reads the source if no call has done so yet.
    ///
    /// # Errors
    /// As [`Client::credentials`], and `memory_protection`.
    pub fn protection(&self) -> Result<ProtectionReport, Error> {
        self.call().protection()
    }

    /// What the clients that share this one's pair did so far, and how the pair is, as OpenMetrics 1.0 text: what
    /// Prometheus and most monitors read, with the type `application/openmetrics-text; version=1.0.0; charset=utf-8`.
    ///
    /// Calls by outcome, requests by method and status, how long answers took, second attempts, events, webhook deliveries
    /// by result (those that are verified with the secrets of these clients), what is left of the account's rate limit,
    /// the pair's generation and age, whether it is rejected, when it was used last. Nothing
    /// is said of the pair before a call has read it. Asks nothing and reads no source; the text holds
    /// no secret and nothing that identifies the pair.
    pub fn usage(&self) -> String {
        let shared = self.shared().0;
        open_metrics(&shared.metrics, &shared.keyring, &self.0.policy, &clock::now())
    }

    /// Returns the generation of the pair in use: 1 for the first pair that the clients which share it used, one more with
    /// each pair that was taken into use since. 0 if no call has read a pair yet. Reads no source and does not block.
    pub fn generation(&self) -> u64 {
        self.shared().0.keyring.current().map_or(0, |version| version.generation())
    }

    /// Returns the account's rate limit as the last response to a client that shares this one's pair reports it. A figure that
    /// no response has reported is absent. Asks nothing and does not block.
    pub fn rate_limit(&self) -> RateLimit {
        self.shared().0.metrics.rate_limit()
    }

    /// Returns the ends of the key of the pair in use, as [`Credentials::key_hint`]. `None` if no call has read a pair yet.
    /// Reads no source and does not block.
    pub fn key_hint(&self) -> Option<String> {
        self.shared().0.keyring.current().map(|version| version.credentials().key_hint().to_owned())
    }

    /// Creates a request for `target`: a path, as of [`Request::new`], or a URL under the client's base URL, such as the
    /// `next_page_link` of an answer.
    ///
    /// # Errors
    /// Those of [`Request::new`]; `invalid_argument` too if `target` is a URL that is not under the base URL.
    pub fn new_request(&self, method: &str, target: &str) -> Result<Request, Error> {
        Request::under(&self.0.policy.base_url, method, target)
    }

    /// A call with more said about it than what to ask.
    pub fn call(&self) -> Call<'_> {
        Call::new(self, self.0.shutdown.clone())
    }

    /// This process's session; a child of `fork()` starts one of its own, for the inherited one may be locked for ever.
    fn session(&self) -> Arc<ForkOwned<Session>> {
        let Inner { source, policy, settings, memory, .. } = &*self.0;
        self.0.session.get_or_make(|| Session::new(source, policy, settings, *memory))
    }

    /// Returns an exchange of this process, and what the built-in driver sends with.
    pub(crate) fn begin(
        &self,
        begin: impl FnOnce(Shared, &Moment) -> rules::Exchange,
        context: &CallContext,
    ) -> (Exchange, Arc<Transport>) {
        let session = self.session();
        let exchange = begin(session.source.shared.clone(), &clock::now());
        let driven = Driven::new(exchange, session.source.clone(), self.0.observer.clone(), context);
        (Exchange::new(driven, self.0.recorder.clone()), session.transport.clone())
    }

    /// Returns a refresh of this process.
    pub(crate) fn begin_refresh(
        &self,
        begin: impl FnOnce(Shared, &Moment) -> Refresh,
        context: &CallContext,
    ) -> Driven<Refresh> {
        let source = self.shared_source();
        let refresh = begin(source.shared.clone(), &clock::now());
        Driven::new(refresh, source, self.0.observer.clone(), context)
    }

    /// The pair in use, where nothing is to be found out first.
    pub(crate) fn settled(&self) -> Option<Credentials> {
        let session = self.session();
        let version = session.source.shared.keyring.settled(clock::monotonic())?;
        // Inside a load callback this is a call like every other.
        if session.source.detector.is_entered() {
            return None;
        }
        Some(version.credentials().clone())
    }

    /// Returns what the calls of this process share, and how long webhooks signed with a pair that was replaced count.
    pub(crate) fn shared(&self) -> (Shared, Duration) {
        (self.session().source.shared.clone(), self.0.policy.overlap)
    }

    /// Returns what the clients with this source share.
    pub(crate) fn shared_source(&self) -> Arc<SharedSource> {
        self.session().source.clone()
    }

    /// Whether the pair comes from the environment.
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

/// The source that a client of `config` reads, decided now. Where there is nothing yet, the first call looks again and
/// reports it.
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
