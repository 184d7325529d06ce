//! The client: the only driver. It does what the exchange says, in one loop.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use arc_swap::ArcSwap;
use justcall_auth_protocol::account::Account;
use justcall_auth_protocol::credentials::Credentials;
use justcall_auth_protocol::error::{Error, ErrorKind};
use justcall_auth_protocol::exchange::{Action, Exchange, Policy};
use justcall_auth_protocol::keyring::Keyring;
use justcall_auth_protocol::request::Request;
use justcall_auth_protocol::response::Response;
use justcall_auth_secret::{Level, RegisterWipe};

use crate::clock;
use crate::config::Config;
use crate::interrupt::Interrupt;
use crate::patience::{Impatience, Patience};
use crate::process::Process;
use crate::protection::ProtectionReport;
use crate::source::{ProcessEnvironment, Source};
use crate::transport::{Outgoing, Settings, Transport};

/// A client of the JustCall API. Thread-safe; cloning shares everything.
///
/// Clients of one process share the pair when their source, base URL and expected account are equal, and connections
/// when their CA file and proxy are. A child of `fork()` makes its own of both at its first call.
#[derive(Debug, Clone)]
pub struct Client(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    policy: Arc<Policy>,
    source: Source,
    settings: Settings,
    memory: Level,
    session: ArcSwap<Session>,
}

/// What a client uses of its process.
#[derive(Debug)]
struct Session {
    process: u32,
    keyring: Arc<Keyring>,
    transport: Arc<Transport>,
}

impl Session {
    fn new(source: &Source, policy: &Policy, settings: &Settings, memory: Level) -> Self {
        let process = Process::current();
        let keyring = process.keyring(source, policy, memory);
        // Who makes a client expects its source to count, also where another client has read it long ago.
        keyring.look_again();
        Self { process: process.id(), keyring, transport: process.transport(settings) }
    }
}

impl Client {
    /// A client as `config` says. Reads the CA file, if one is set; the pair is read at the first call.
    ///
    /// # Errors
    /// `invalid_argument` when the CA file cannot be read or holds no certificate, or when the environment names a
    /// proxy that cannot be used.
    pub fn new(config: &Config) -> Result<Self, Error> {
        let policy = Arc::new(config.policy.clone());
        let source = config.source.clone();
        let settings = config.settings(&ProcessEnvironment)?;
        let session = ArcSwap::from_pointee(Session::new(&source, &policy, &settings, config.memory));
        Ok(Self(Arc::new(Inner { policy, source, settings, memory: config.memory, session })))
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
    /// # Errors
    /// Every row of the table but those of arguments and webhooks.
    pub fn verify(&self) -> Result<Account, Error> {
        self.call().verify()
    }

    /// Sends a request and brings back its answer. A status of 300 or more is an error, with the answer in it.
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
        let session = self.session();
        let held = match session.keyring.current() {
            Some(held) => held,
            None => session.keyring.install(self.load(&Patience::default())?, clock::monotonic()),
        };
        Ok(held.credentials().clone())
    }

    /// How the pair is protected while it rests, and why not better; reads the source if no call has done so yet.
    ///
    /// # Errors
    /// As [`Client::credentials`], and `memory_protection`.
    pub fn protection(&self) -> Result<ProtectionReport, Error> {
        Ok(ProtectionReport::new(self.0.memory, &self.credentials()?))
    }

    /// A call with more said about it than what to ask.
    pub fn call(&self) -> Call<'_> {
        Call { client: self, interrupt: None }
    }

    /// This process's session; a child of `fork()` starts one of its own, for the inherited one may be locked for ever.
    fn session(&self) -> Arc<Session> {
        let session = self.0.session.load_full();
        if session.process == std::process::id() {
            return session;
        }
        let own = Arc::new(Session::new(&self.0.source, &self.0.policy, &self.0.settings, self.0.memory));
        self.0.session.compare_and_swap(&session, own);
        self.0.session.load_full()
    }

    fn load(&self, patience: &Patience) -> Result<Credentials, Error> {
        self.0.source.load_within(&ProcessEnvironment, patience)?.credentials.kept_at(self.0.memory)
    }
}

/// One call that is about to be made.
pub struct Call<'a> {
    client: &'a Client,
    interrupt: Option<Arc<dyn Interrupt>>,
}

impl Call<'_> {
    /// Lets `interrupt` end the call early, with `cancelled`.
    #[must_use]
    pub fn interrupted_by(self, interrupt: Arc<dyn Interrupt>) -> Self {
        Self { interrupt: Some(interrupt), ..self }
    }

    /// As [`Client::verify`].
    ///
    /// # Errors
    /// As [`Client::verify`], and `cancelled`.
    pub fn verify(self) -> Result<Account, Error> {
        self.verify_telling(&mut None)
    }

    /// As [`Call::verify`]; `last` becomes the last answer that came, whatever came of it.
    pub(crate) fn verify_telling(self, last: &mut Option<Response>) -> Result<Account, Error> {
        let session = self.client.session();
        let exchange = Exchange::verify(self.client.0.policy.clone(), session.keyring.clone(), &clock::now());
        self.drive(&session, exchange, last)?.into_account()
    }

    /// As [`Client::request`].
    ///
    /// # Errors
    /// As [`Client::request`], and `cancelled`.
    pub fn request(self, request: Request) -> Result<Response, Error> {
        let session = self.client.session();
        let policy = self.client.0.policy.clone();
        let exchange = Exchange::request(policy, session.keyring.clone(), request, &clock::now());
        self.drive(&session, exchange, &mut None)?.into_response()
    }

    fn drive(
        self,
        session: &Session,
        mut exchange: Exchange,
        last: &mut Option<Response>,
    ) -> Result<Exchange, Error> {
        let _last = RegisterWipe;
        let patience = Patience::new(exchange.deadline(), self.interrupt.clone());
        loop {
            match exchange.next(&clock::now())? {
                Action::Load => exchange.loaded(self.client.load(&patience), &clock::now()),
                Action::Send => send(session, &mut exchange, &patience, last)?,
                Action::Wait(wait) => pause(wait, &patience)?,
                Action::Done => return Ok(exchange),
            }
        }
    }
}

fn send(
    session: &Session,
    exchange: &mut Exchange,
    patience: &Patience,
    last: &mut Option<Response>,
) -> Result<(), Error> {
    let credentials = exchange.authorization()?;
    let outgoing = Outgoing {
        url: exchange.url(),
        request: exchange.outgoing(),
        credentials: &credentials,
        max_body: exchange.max_body(),
        patience: patience.clone(),
    };
    match session.transport.send(&outgoing) {
        Ok(response) => exchange.answered(last.insert(response).clone(), &clock::now()),
        Err(error) => exchange.not_answered(error, &clock::now()),
    }
    Ok(())
}

/// Sleeps for a while of `wait`; the exchange says again how much is left.
fn pause(wait: Duration, patience: &Patience) -> Result<(), Error> {
    if patience.check_interrupt() == Err(Impatience::Interrupted) {
        return Err(Error::new(ErrorKind::Cancelled));
    }
    // Past the deadline the exchange knows what to do.
    thread::sleep(wait.min(patience.slice().unwrap_or_default()));
    Ok(())
}
