//! `vault:`: a secret of HashiCorp Vault or OpenBao, in a key-value engine of version 2.
//!
//! A read of the source logs in if necessary ([`session`]), requests the secret ([`kv`]) from the first server that
//! answers ([`api`]), and closes the connection. [`write`] stores a new pair. No answer of Vault is quoted in a message,
//! because it may contain a secret.

mod api;
mod environment;
mod failure;
mod kv;
mod login;
mod session;
mod spelling;
mod write;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use justcall_auth_protocol::error::Error;
use justcall_auth_protocol::url::BaseUrl;

use super::{Environment, Fingerprints, LoadedSource};
use crate::context::CallContext;
use api::Api;
use login::Login;
use session::SessionStore;

pub(super) use spelling::parse;
pub use write::VaultSecret;

/// The time limit of a read or a write, with its login and all addresses.
const LIMIT: Duration = Duration::from_secs(10);

/// A secret of Vault, and the login that may read it. Clones share the token of the login.
#[derive(Clone)]
pub struct VaultSource {
    target: Arc<Target>,
    session: Arc<SessionStore>,
}

/// Everything that identifies the secret and the login.
#[derive(Clone)]
struct Target {
    /// The servers of one cluster, tried in this order.
    addresses: Vec<BaseUrl>,
    namespace: Option<String>,
    /// A file with the certificate authorities of the servers, instead of the system's.
    ca_file: Option<PathBuf>,
    /// The path of the engine.
    mount: String,
    /// The path of the secret in the engine.
    path: String,
    /// The fields of the key and the secret.
    fields: [String; 2],
    login: Login,
    /// True if the settings of the environment have been added.
    is_resolved: bool,
}

impl VaultSource {
    fn new(target: Target) -> Self {
        Self { target: Arc::new(target), session: Arc::default() }
    }

    /// Returns the source with the settings of the environment.
    ///
    /// # Errors
    /// Fails with `invalid_argument` if there is no valid address, or with `source_unavailable` if there is no token.
    pub(super) fn resolve(&self, environment: &dyn Environment) -> Result<Self, Error> {
        if self.target.is_resolved {
            return Ok(self.clone());
        }
        environment::resolve(&self.target, environment).map(Self::new)
    }

    pub(super) fn load(
        &self,
        environment: &dyn Environment,
        context: &CallContext,
    ) -> Result<LoadedSource, Error> {
        let source = self.resolve(environment)?;
        let mut api = Api::new(&source.target, environment, context);
        let (found, _) = kv::find(&mut api, &source.session)?;
        let current = found.map_err(|absent| absent.error)?;
        Ok(LoadedSource::new(current.pair(&source.target)?, source.target.place(Some(current.number))))
    }

    /// Returns true if the token should be renewed at `now`.
    pub(super) fn is_renewal_due(&self, now: Duration) -> bool {
        self.session.is_renewal_due(now)
    }

    /// Returns the fingerprint of the login in the environment, or `None` if the login is in files.
    pub(super) fn fingerprint(
        &self,
        environment: &dyn Environment,
        fingerprints: &Fingerprints,
    ) -> Option<u64> {
        self.target.login.fingerprint(environment, fingerprints)
    }
}

/// Reads the pair in an answer of Vault, as a read of the source with this spelling does.
#[cfg(feature = "test-parsers")]
pub(crate) fn parse_answer(spelling: &str, status: u16, body: &[u8]) -> Result<super::LoadedPair, Error> {
    let super::Source::Vault(source) = super::Source::parse(spelling)? else {
        return Err(Error::invalid_argument("The source is not one of Vault."));
    };
    let api = Api::new(&source.target, &super::ProcessEnvironment, &CallContext::default());
    kv::parse(&api, api::Answer::new(status, body))?.pair(&source.target)
}

impl Target {
    /// Returns the description of the secret.
    fn place(&self, version: Option<u64>) -> String {
        let address = self.addresses.first().map(BaseUrl::to_string).unwrap_or_default();
        self.place_at(&address, version)
    }

    /// Returns the description of the secret on the server at `address`.
    fn place_at(&self, address: &str, version: Option<u64>) -> String {
        let version = version.map(|version| format!(" (version {version})")).unwrap_or_default();
        format!("The secret {}/{}{version} in Vault at {address}", self.mount, self.path)
    }
}

/// Shows all that identifies the source, unambiguously. It contains no secret.
impl fmt::Debug for VaultSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let target = &*self.target;
        let addresses: Vec<String> = target.addresses.iter().map(BaseUrl::to_string).collect();
        f.debug_struct("Vault")
            .field("addresses", &addresses)
            .field("namespace", &target.namespace)
            .field("ca", &target.ca_file)
            .field("mount", &target.mount)
            .field("path", &target.path)
            .field("fields", &target.fields)
            .field("login", &target.login)
            .finish_non_exhaustive()
    }
}
