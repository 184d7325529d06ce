//! The driver: performs the actions of the exchange in one loop, over the built-in transport.

use std::sync::Arc;
use std::time::Duration;

use justcall_auth_protocol::account::Account;
use justcall_auth_protocol::credentials::Credentials;
use justcall_auth_protocol::error::Error;
use justcall_auth_protocol::exchange as rules;
use justcall_auth_protocol::request::Request;
use justcall_auth_protocol::response::Response;
use justcall_auth_protocol::url::BaseUrl;
use justcall_auth_protocol::{Moment, Policy, Refresh, RefreshAction, Shared};
use justcall_auth_secret::RegisterWipe;

use super::Client;
use crate::cancel::Cancel;
use crate::clock;
use crate::context::CallContext;
use crate::exchange::{Action, Exchange};
use crate::interrupt::Interrupt;
use crate::options::CallOptions;
use crate::protection::ProtectionReport;
use crate::transport::{Outgoing, Transport};

/// A call before it starts. Its methods start it.
#[derive(Debug, Clone)]
pub struct Call<'a> {
    client: &'a Client,
    /// The client's handle, which [`Client::shutdown`] fires.
    shutdown: Cancel,
    options: CallOptions,
}

impl<'a> Call<'a> {
    pub(crate) fn new(client: &'a Client, shutdown: Cancel) -> Self {
        Self { client, shutdown, options: CallOptions::new() }
    }

    /// Lets `interrupt` cancel the call.
    #[must_use]
    pub fn with_interrupt(mut self, interrupt: Arc<dyn Interrupt>) -> Self {
        self.options.set_interrupt(interrupt);
        self
    }

    /// Lets `cancel` cancel the call at any time, also while the call waits.
    #[must_use]
    pub fn with_cancel(mut self, cancel: Cancel) -> Self {
        self.options.add_cancel(cancel);
        self
    }

    /// Limits the call, in place of the client's timeout. Zero: no limit. A request that has a timeout keeps it.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.options.set_timeout(timeout);
        self
    }

    /// Adds what is set in `options`.
    #[must_use]
    pub fn with_options(mut self, options: &CallOptions) -> Self {
        self.options.add(options);
        self
    }

    /// Verifies the pair, see [`Client::verify`].
    ///
    /// # Errors
    /// Fails as [`Client::verify`] does, or with `cancelled`.
    pub fn verify(self) -> Result<Account, Error> {
        self.verify_with_last_response(&mut None)
    }

    /// Verifies the pair, see [`Call::verify`]. Stores the last response in `last`, also if the call fails.
    pub(crate) fn verify_with_last_response(self, last: &mut Option<Response>) -> Result<Account, Error> {
        self.drive(rules::Exchange::verify, last)?.into_account()
    }

    /// Sends a request, see [`Client::request`].
    ///
    /// # Errors
    /// Fails as [`Client::request`] does, or with `cancelled`.
    pub fn request(self, request: Request) -> Result<Response, Error> {
        let begin = |policy, shared, now: &_| rules::Exchange::request(policy, shared, request, now);
        self.drive(begin, &mut None)?.into_response()
    }

    /// Waits, for a program that paces its calls. Sends nothing. The time limit does not apply.
    ///
    /// # Errors
    /// Fails with `cancelled`.
    pub fn wait(self, wait: Duration) -> Result<(), Error> {
        let end = clock::monotonic().saturating_add(wait);
        let context = self.context();
        loop {
            let left = end.saturating_sub(clock::monotonic());
            if left.is_zero() {
                return Ok(());
            }
            context.pause(left)?;
        }
    }

    /// Creates an exchange, see [`Client::exchange`]. The cancel handles and the interrupt of this call end the
    /// exchange and its reads of the source.
    pub fn exchange(self, request: Request) -> Exchange {
        let policy = self.policy();
        let begin = |shared, now: &_| rules::Exchange::request(policy, shared, request, now);
        self.client.begin(begin, &self.context()).0
    }

    /// Proves and uses `credentials`, see [`Client::replace`].
    ///
    /// # Errors
    /// Fails as [`Client::replace`] does, or with `cancelled`.
    pub fn replace(self, credentials: &Credentials) -> Result<Account, Error> {
        let protected = credentials.with_protection(self.client.memory())?;
        let begin = |policy, shared, now: &_| rules::Exchange::replace(policy, shared, protected, now);
        self.drive(begin, &mut None)?.into_account()
    }

    /// Reads the source now, see [`Client::reload`].
    ///
    /// # Errors
    /// Fails as [`Client::reload`] does, or with `cancelled`.
    pub fn reload(self) -> Result<bool, Error> {
        self.refresh(Refresh::reload)
    }

    /// Returns the pair in use, see [`Client::credentials`].
    ///
    /// # Errors
    /// Fails as [`Client::credentials`] does, or with `cancelled`.
    pub fn credentials(self) -> Result<Credentials, Error> {
        // A program with its own HTTP client calls this for every request. Mostly the pair is settled, and no refresh
        // is needed.
        if !self.options.is_cancelled() && !self.shutdown.is_fired() {
            if let Some(settled) = self.client.settled() {
                return Ok(settled);
            }
        }
        let version = self.find()?.0.keyring.current().expect("a call that finds a pair ends with one");
        Ok(version.credentials().clone())
    }

    /// Returns how the pair is protected, see [`Client::protection`].
    ///
    /// # Errors
    /// Fails as [`Client::protection`] does, or with `cancelled`.
    pub fn protection(self) -> Result<ProtectionReport, Error> {
        let memory = self.client.memory();
        Ok(ProtectionReport::new(memory, &self.credentials()?))
    }

    /// Waits until there is a pair. Returns the same as [`Client::shared`].
    pub(crate) fn find(self) -> Result<(Shared, Duration), Error> {
        let client = self.client;
        self.refresh(Refresh::find)?;
        Ok(client.shared())
    }

    /// Returns the client of this call.
    pub(crate) fn client(&self) -> &'a Client {
        self.client
    }

    /// The client's settings, with the time limit of this call.
    fn policy(&self) -> Arc<Policy> {
        let policy = self.client.policy();
        match self.options.timeout() {
            Some(timeout) => Arc::new(Policy { timeout, ..Policy::clone(policy) }),
            None => policy.clone(),
        }
    }

    /// The context of this call.
    fn context(self) -> CallContext {
        self.options.into_context().with_shutdown(self.shutdown)
    }

    fn drive(
        self,
        begin: impl FnOnce(Arc<Policy>, Shared, &Moment) -> rules::Exchange,
        last: &mut Option<Response>,
    ) -> Result<rules::Exchange, Error> {
        let _last = RegisterWipe;
        let policy = self.policy();
        let base_url = &self.client.policy().base_url;
        let begin = |shared, now: &_| begin(policy, shared, now);
        let (mut exchange, transport) = self.client.begin(begin, &self.context());
        loop {
            match exchange.next()? {
                Action::Load => exchange.load(),
                Action::Send { .. } => send(&transport, base_url, &mut exchange, last)?,
                Action::Wait(wait) => exchange.wait(wait),
                Action::Done => return Ok(exchange.into_rules()),
            }
        }
    }

    fn refresh(self, begin: impl FnOnce(&Policy, Shared, &Moment) -> Refresh) -> Result<bool, Error> {
        let _last = RegisterWipe;
        let policy = self.policy();
        let begin = |shared, now: &_| begin(&policy, shared, now);
        let mut refresh = self.client.begin_refresh(begin, &self.context());
        loop {
            match refresh.next()? {
                RefreshAction::Load => refresh.load(),
                RefreshAction::Wait(wait) => refresh.wait(wait),
                RefreshAction::Done(is_new_pair) => return Ok(is_new_pair),
            }
        }
    }
}

fn send(
    transport: &Transport,
    base_url: &BaseUrl,
    exchange: &mut Exchange,
    last: &mut Option<Response>,
) -> Result<(), Error> {
    let credentials = exchange.authorization()?;
    let outgoing = Outgoing {
        base_url,
        request: exchange.outgoing(),
        credentials: &credentials,
        max_body: exchange.max_body(),
        context: exchange.context().clone(),
    };
    let mark = exchange.enter_sending();
    let sent = transport.send(&outgoing);
    drop(mark);
    match sent {
        Ok(response) => exchange.answered(last.insert(response).clone()),
        Err(error) => exchange.failed_with(error),
    }
    Ok(())
}
