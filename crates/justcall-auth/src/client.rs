//! The client: the only driver. It does what the exchange says, in one loop.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use justcall_auth_protocol::account::Account;
use justcall_auth_protocol::credentials::Credentials;
use justcall_auth_protocol::error::{Error, ErrorKind};
use justcall_auth_protocol::exchange::{Action, Exchange, Policy};
use justcall_auth_protocol::keyring::Keyring;
use justcall_auth_protocol::request::Request;
use justcall_auth_protocol::response::Response;

use crate::clock;
use crate::config::Config;
use crate::interrupt::Interrupt;
use crate::source::{ProcessEnvironment, Source};
use crate::transport::{Outgoing, Transport};

/// The longest that a waiting call goes without looking whether it was interrupted.
pub(crate) const INTERRUPT_INTERVAL: Duration = Duration::from_millis(50);

/// A client of the JustCall API. Thread-safe; cloning shares the pair and the connections.
#[derive(Debug, Clone)]
pub struct Client(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    policy: Arc<Policy>,
    source: Source,
    keyring: Arc<Keyring>,
    transport: Transport,
}

impl Client {
    /// A client as `config` says. Reads the CA file, if one is set; the pair is read at the first call.
    ///
    /// # Errors
    /// `invalid_argument` when the CA file cannot be read or holds no certificate.
    pub fn new(config: &Config) -> Result<Self, Error> {
        Ok(Self(Arc::new(Inner {
            policy: Arc::new(config.policy.clone()),
            source: config.source.clone(),
            keyring: Arc::new(Keyring::new()),
            transport: Transport::new(config.ca_file.as_deref())?,
        })))
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
    /// Asks `/v2/account` and, where the service has no such page, `/v2.1/users?per_page=1`, which proves the pair
    /// without telling the account's details.
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
        let held = match self.0.keyring.current() {
            Some(held) => held,
            None => self.0.keyring.install_first(self.load()?),
        };
        Ok(held.credentials().clone())
    }

    /// A call with more said about it than what to ask.
    pub fn call(&self) -> Call<'_> {
        Call { client: self, interrupt: None }
    }

    fn load(&self) -> Result<Credentials, Error> {
        self.0.source.load(&ProcessEnvironment)
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
        let inner = &self.client.0;
        let exchange = Exchange::verify(inner.policy.clone(), inner.keyring.clone(), &clock::now());
        self.drive(exchange)?.into_account()
    }

    /// As [`Client::request`].
    ///
    /// # Errors
    /// As [`Client::request`], and `cancelled`.
    pub fn request(self, request: Request) -> Result<Response, Error> {
        let inner = &self.client.0;
        let exchange = Exchange::request(inner.policy.clone(), inner.keyring.clone(), request, &clock::now());
        self.drive(exchange)?.into_response()
    }

    fn drive(self, mut exchange: Exchange) -> Result<Exchange, Error> {
        loop {
            match exchange.next(&clock::now())? {
                Action::Load => exchange.loaded(self.client.load()),
                Action::Send => self.send(&mut exchange)?,
                Action::Wait(wait) => self.wait(wait)?,
                Action::Done => return Ok(exchange),
            }
        }
    }

    fn send(&self, exchange: &mut Exchange) -> Result<(), Error> {
        let credentials = exchange.authorization()?;
        let outgoing = Outgoing {
            url: exchange.url(),
            request: exchange.outgoing(),
            credentials: &credentials,
            max_body: exchange.max_body(),
            deadline: exchange.deadline().and_then(clock::instant),
            interrupt: self.interrupt.clone(),
        };
        match self.client.0.transport.send(&outgoing) {
            Ok(response) => exchange.answered(response, &clock::now()),
            Err(error) => exchange.not_answered(error, &clock::now()),
        }
        Ok(())
    }

    fn wait(&self, wait: Duration) -> Result<(), Error> {
        if self.interrupt.as_ref().is_some_and(|interrupt| interrupt.interrupted()) {
            return Err(Error::new(ErrorKind::Cancelled));
        }
        // The exchange says again how long, so a short sleep is enough.
        thread::sleep(if self.interrupt.is_some() { wait.min(INTERRUPT_INTERVAL) } else { wait });
        Ok(())
    }
}
