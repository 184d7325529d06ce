//! Sources of pairs. Every language uses the same spellings: [`Source::parse`] reads them, [`SPELLINGS`] lists them.
//!
//! A source with an invalid pair is an error that names the source. It is never skipped in favour of another source.

mod callback;
mod change_detector;
mod command;
mod default;
mod dir;
mod dotenv;
mod env;
mod failure;
mod file;
mod fingerprints;
mod members;
mod misnamed;
mod parse;
mod regular_file;
mod rewrite;
mod rewrite_check;
mod running;
mod spellings;
mod text;
mod vault;

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use justcall_auth_protocol::credentials::Credentials;
use justcall_auth_protocol::error::{Error, ErrorKind};
pub use justcall_auth_protocol::keyring::LoadedPair;
use justcall_auth_protocol::printable::is_printable;
use justcall_auth_secret::WipedBuffer;

pub use callback::Load;
pub(crate) use change_detector::ChangeDetector;
pub(crate) use default::{CHOICE, DEFAULT_SOURCES, DefaultSource, choice, default_sources};
pub(crate) use fingerprints::Fingerprints;
pub use rewrite::Content;
pub use spellings::SPELLINGS;
pub use text::Form;
#[cfg(feature = "test-parsers")]
pub(crate) use text::parse_json;
#[cfg(feature = "test-parsers")]
pub(crate) use vault::parse_answer as parse_vault_answer;
pub use vault::{VaultSecret, VaultSource};

use crate::context::CallContext;
use crate::options::CallOptions;

/// The environment of a source. It is an argument, so that tests need not change the environment of the process.
pub trait Environment {
    /// Returns the variable `name`, if it is set.
    fn variable(&self, name: &str) -> Option<OsString>;

    /// Wipes and removes the variable `name`.
    fn scrub(&self, name: &str) {
        let _ = name;
    }
}

/// The environment of a test.
#[cfg(test)]
impl Environment for &[(&str, &str)] {
    fn variable(&self, name: &str) -> Option<OsString> {
        self.iter().find(|(variable, _)| *variable == name).map(|(_, value)| value.into())
    }
}

/// Returns the value of a variable that is a setting. Removes one line break at its end, as `$(cat FILE)` and editors
/// sometimes leave it. An empty value counts as not set, because `X=${X}` in a compose file creates it.
pub(crate) fn setting(environment: &dyn Environment, name: &str) -> Option<OsString> {
    let value = environment.variable(name)?;
    let value = match value.to_str() {
        Some(value) => value.strip_suffix('\n').map_or(value, |line| line.trim_end_matches('\r')).into(),
        None => value,
    };
    (!value.is_empty()).then_some(value)
}

/// Returns `path` on one line, for messages, with unprintable characters escaped.
pub fn shown(path: &Path) -> String {
    let mut shown = String::new();
    for character in path.to_string_lossy().chars() {
        if is_printable(character) { shown.push(character) } else { shown.extend(character.escape_default()) }
    }
    shown
}

/// The environment of this process. It is empty if the process has more privileges than the user who started it: that
/// user must not choose what the process reads.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProcessEnvironment;

impl Environment for ProcessEnvironment {
    fn variable(&self, name: &str) -> Option<OsString> {
        if env::is_privileged() { None } else { std::env::var_os(name) }
    }

    fn scrub(&self, name: &str) {
        justcall_auth_secret::scrub_variable(name);
    }
}

/// The source of a client's pair.
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum Source {
    /// Two environment variables.
    Env {
        /// The variable with the key.
        key: String,
        /// The variable with the secret.
        secret: String,
        /// True to wipe and remove both after reading.
        scrub: bool,
    },
    /// A file.
    File(PathBuf),
    /// A folder with a file for each half, such as a mounted Kubernetes secret.
    Dir {
        /// The folder.
        path: PathBuf,
        /// The file with the key.
        key: String,
        /// The file with the secret.
        secret: String,
    },
    /// The folder in which systemd puts a service's credentials.
    Systemd {
        /// The credential with the key.
        key: String,
        /// The credential with the secret.
        secret: String,
    },
    /// A program that prints the pair as JSON: its name and arguments.
    Command(Vec<String>),
    /// A secret of Vault or OpenBao.
    Vault(VaultSource),
    /// The source in `JUSTCALL_CREDENTIALS`, else the first default source with a pair.
    #[default]
    Default,
    /// A function of the program.
    Callback(Arc<dyn Load>),
    /// A pair that the program already has.
    Fixed(Credentials),
}

/// Identifies a source: by its description, or by its address if it is an object of the program.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Identity {
    Name(String),
    Words(Vec<String>),
    Address(usize),
}

/// A pair and its source.
#[derive(Debug, Clone)]
pub struct LoadedSource {
    /// The pair. JSON stores its creation time as `"created_at"`, in the format of RFC 3339. A source states that the
    /// previous pair is compromised by `"previous_compromised": true` in JSON, by the line
    /// `JUSTCALL_PREVIOUS_COMPROMISED=true` in dotenv, or by a file `previous_compromised` with the word `true` beside
    /// the halves. `justcall-auth rotate --compromised` writes it.
    pub pair: LoadedPair,
    /// The description of the source: `the file /etc/justcall.json`.
    pub place: String,
    /// The files that were read, whose permissions may be checked.
    pub files: Vec<PathBuf>,
    /// The files that change when the pair does, if the change is visible without reading the pair.
    pub(crate) watched: Vec<PathBuf>,
}

impl LoadedSource {
    fn new(pair: impl Into<LoadedPair>, place: impl Into<String>) -> Self {
        Self { pair: pair.into(), place: place.into(), files: Vec::new(), watched: Vec::new() }
    }
}

impl Source {
    /// Parses the spelling of a source; see [`SPELLINGS`].
    ///
    /// # Errors
    /// Fails with `invalid_argument` if the spelling is not valid; the hint lists the valid ones. The message does not
    /// contain the spelling, because people pass pairs by mistake.
    pub fn parse(spelling: &str) -> Result<Self, Error> {
        parse::parse(spelling)
    }

    /// Returns what identifies the source. Equal identities mean the same source.
    pub(crate) fn identity(&self) -> Identity {
        match self {
            Self::Callback(callback) => Identity::Address(Arc::as_ptr(callback).cast::<()>().addr()),
            Self::Fixed(credentials) => Identity::Address(credentials.address()),
            Self::Command(words) => Identity::Words(words.clone()),
            named => Identity::Name(format!("{named:?}")),
        }
    }

    /// Returns true if reading the source runs foreign code or asks a server, which may take long.
    pub(crate) fn is_costly(&self) -> bool {
        matches!(self, Self::Command(_) | Self::Callback(_) | Self::Vault(_))
    }

    /// Returns true if the login of the source should be renewed at `now`, which a read of the source does.
    pub(crate) fn is_renewal_due(&self, now: Duration) -> bool {
        matches!(self, Self::Vault(source) if source.is_renewal_due(now))
    }

    /// Returns `env:` with the default variables.
    pub(crate) fn environment() -> Self {
        parse::env()
    }

    /// Returns true if the source reads the environment. An existing client reads that again only after its pair was
    /// rejected.
    pub(crate) fn is_environment(&self) -> bool {
        matches!(self, Self::Env { .. } | Self::Default)
    }

    /// Returns the fingerprint of the variables of `env:`, or of the login of `vault:` in the environment. Returns `None`
    /// if they are empty, or for another source.
    pub(crate) fn fingerprint(
        &self,
        environment: &dyn Environment,
        fingerprints: &Fingerprints,
    ) -> Option<u64> {
        match self {
            Self::Env { key, secret, .. } => env::fingerprint(environment, key, secret, fingerprints),
            Self::Vault(source) => source.fingerprint(environment, fingerprints),
            _ => None,
        }
    }

    /// Returns true if the source holds a value, even if it is not a valid pair.
    fn has_content(&self, environment: &dyn Environment, context: &CallContext) -> bool {
        match self {
            // A client resolves its source at creation, but allocates memory for the pair only when a call needs it.
            Self::Env { key, secret, .. } => env::is_set(environment, key, secret),
            other => {
                let loaded = other.load_within(environment, context);
                loaded.err().is_none_or(|error| error.kind() != ErrorKind::CredentialsMissing)
            }
        }
    }

    /// Reads the pair. Blocks while a file is read, or at most 10 seconds for a command or for Vault.
    ///
    /// # Errors
    /// Fails with `credentials_missing` and all searched sources, with `credentials_malformed`, the source and the
    /// fault, or with `source_unavailable` and the reason why it cannot be read.
    pub fn load(&self, environment: &dyn Environment) -> Result<LoadedSource, Error> {
        self.load_within(environment, &CallContext::default())
    }

    /// Reads the pair, as [`Source::load`] does. The timeout, the cancel handles and the interrupt of `options` may end
    /// the read; a program that it runs is then killed.
    ///
    /// # Errors
    /// Fails as [`Source::load`] does, or with `cancelled`.
    pub fn load_with(
        &self,
        environment: &dyn Environment,
        options: &CallOptions,
    ) -> Result<LoadedSource, Error> {
        if options.is_cancelled() {
            return Err(Error::new(ErrorKind::Cancelled));
        }
        self.load_within(environment, &options.limited_context())
    }

    /// Returns the source to use: for `default:`, the one that the environment selects, or the first one with a pair,
    /// valid or not; for `vault:`, the source with the settings of the environment. Any other source returns itself.
    ///
    /// # Errors
    /// Fails with `credentials_missing` and all searched sources, or with `invalid_argument` if the environment holds
    /// no valid source or no valid address of Vault.
    pub fn resolve(&self, environment: &dyn Environment) -> Result<Self, Error> {
        match self {
            Self::Default => default::resolve(environment, &CallContext::default())?.resolve(environment),
            Self::Vault(source) => source.resolve(environment).map(Self::Vault),
            named => Ok(named.clone()),
        }
    }

    /// Opens the secret of a `vault:` source, to write a pair to it. Returns `None` for another source. Blocks for at most
    /// 10 seconds.
    ///
    /// # Errors
    /// Fails as [`Source::load`] does, but not if there is no secret yet. Fails with `source_unavailable` if the token
    /// may not write.
    pub fn vault_secret(&self) -> Option<Result<VaultSecret, Error>> {
        match self {
            Self::Vault(source) => Some(VaultSecret::open(source)),
            _ => None,
        }
    }

    /// Reads the pair, as [`Source::load`] does, within the time limit and the cancellation of a call.
    pub(crate) fn load_within(
        &self,
        environment: &dyn Environment,
        context: &CallContext,
    ) -> Result<LoadedSource, Error> {
        match self {
            Self::Env { key, secret, scrub } => env::load(environment, key, secret, *scrub),
            Self::File(path) => file::load(path),
            Self::Dir { path, key, secret } => dir::load(path, key, secret),
            Self::Systemd { key, secret } => dir::load_systemd(environment, key, secret),
            Self::Command(words) => command::load(words, context),
            Self::Vault(source) => source.load(environment, context),
            Self::Default => default::load(environment, context),
            Self::Callback(callback) => callback::load(callback.as_ref()),
            Self::Fixed(credentials) => Ok(LoadedSource::new(credentials.clone(), "the program")),
        }
    }
}

/// A callback is not shown, because it is code of the program. A pair shows only its hint.
impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env { key, secret, scrub: false } => write!(f, "Env({key}, {secret})"),
            Self::Env { key, secret, scrub: true } => write!(f, "Env({key}, {secret}, scrub)"),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Dir { path, key, secret } => write!(f, "Dir({}, {key}, {secret})", shown(path)),
            Self::Systemd { key, secret } => write!(f, "Systemd({key}, {secret})"),
            // The arguments of a command may contain a secret.
            Self::Command(words) => f.debug_tuple("Command").field(&words.first()).finish(),
            Self::Vault(source) => source.fmt(f),
            Self::Default => f.write_str("Default"),
            Self::Callback(_) => f.write_str("Callback"),
            Self::Fixed(credentials) => f.debug_tuple("Fixed").field(credentials).finish(),
        }
    }
}

/// Reads a pair from the content of a file, in any form.
///
/// # Errors
/// Fails with `credentials_malformed`. The message states the fault, but never the value.
pub fn read_text(text: &[u8]) -> Result<Credentials, Error> {
    Ok(text::parse(text)?.credentials)
}

/// Reads a regular file of at most 64 KiB, which may contain a pair.
///
/// # Errors
/// Fails if the system refuses, if it is not a regular file, or if it is larger.
pub fn read_file(path: &Path) -> io::Result<WipedBuffer> {
    regular_file::read(path)
}
