//! Where pairs come from. One spelling names a source in every language: [`Source::parse`]; [`SPELLINGS`] lists them.
//!
//! What is present but invalid is an error that says where; it is never skipped in favour of another place.

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
mod place;
mod regular_file;
mod rewrite;
mod running;
mod spellings;
mod text;

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use justcall_auth_protocol::credentials::Credentials;
use justcall_auth_protocol::error::{Error, ErrorKind};
pub use justcall_auth_protocol::keyring::LoadedPair;
use justcall_auth_protocol::printable::is_printable;
use justcall_auth_secret::WipedBuffer;

pub use callback::Load;
pub(crate) use change_detector::ChangeDetector;
pub(crate) use default::{CHOICE, PLACES, Place, choice, usual_places};
pub(crate) use fingerprints::Fingerprints;
pub use rewrite::Content;
pub use spellings::SPELLINGS;
pub use text::Form;

use crate::context::CallContext;
use crate::options::CallOptions;

/// The environment, as a source sees it: an argument, so that tests need not change the process's own.
pub trait Environment {
    /// The variable called `name`, if it is set.
    fn variable(&self, name: &str) -> Option<OsString>;

    /// Wipes the variable called `name` and removes it.
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

/// The value of a variable that is a setting. One line break at its end is forgiven, as `$(cat FILE)` and editors leave it
/// in places; empty means not set, as `X=${X}` in a compose file makes it.
pub(crate) fn setting(environment: &dyn Environment, name: &str) -> Option<OsString> {
    let value = environment.variable(name)?;
    let value = match value.to_str() {
        Some(value) => value.strip_suffix('\n').map_or(value, |line| line.trim_end_matches('\r')).into(),
        None => value,
    };
    (!value.is_empty()).then_some(value)
}

/// `path` on one line, for messages: what is not printable in it is escaped.
pub fn shown(path: &Path) -> String {
    let mut shown = String::new();
    for character in path.to_string_lossy().chars() {
        if is_printable(character) { shown.push(character) } else { shown.extend(character.escape_default()) }
    }
    shown
}

/// The environment of this process; empty where the process has more rights than the user who started it, who could
/// otherwise choose what it reads.
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

/// Where a client reads its pair.
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum Source {
    /// Two environment variables.
    Env {
        /// The variable that holds the key.
        key: String,
        /// The variable that holds the secret.
        secret: String,
        /// Whether both are wiped and removed once they were read.
        scrub: bool,
    },
    /// A file.
    File(PathBuf),
    /// A folder with a file for each half, such as a mounted Kubernetes secret.
    Dir {
        /// The folder.
        path: PathBuf,
        /// The file that holds the key.
        key: String,
        /// The file that holds the secret.
        secret: String,
    },
    /// The folder in which systemd puts a service's credentials.
    Systemd {
        /// The credential that holds the key.
        key: String,
        /// The credential that holds the secret.
        secret: String,
    },
    /// A program that prints the pair as JSON; its name and arguments.
    Command(Vec<String>),
    /// The place that `JUSTCALL_CREDENTIALS` names, else those where pairs usually are, in order.
    #[default]
    Default,
    /// A function of the program's own.
    Callback(Arc<dyn Load>),
    /// A pair that the program already holds.
    Fixed(Credentials),
}

/// What makes two sources the same one: what they name, or for what lives in this program, where it lives.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Identity {
    Name(String),
    Words(Vec<String>),
    Address(usize),
}

/// A pair and where it was found.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The pair. JSON gives its time as `"created_at"`, written as in RFC 3339. That the previous pair is compromised is
    /// given by `"previous_compromised": true` in JSON, the line `JUSTCALL_PREVIOUS_COMPROMISED=true` in dotenv, or a file
    /// `previous_compromised` with the word `true` beside the halves; `justcall-auth rotate --compromised` writes it.
    pub pair: LoadedPair,
    /// The place, in words: `the file /etc/justcall.json`.
    pub place: String,
    /// The files that were read, whose permissions may be checked.
    pub files: Vec<PathBuf>,
    /// What changes when the pair does, if that can be seen without reading it.
    pub(crate) watched: Vec<PathBuf>,
}

impl Loaded {
    fn new(pair: impl Into<LoadedPair>, place: impl Into<String>) -> Self {
        Self { pair: pair.into(), place: place.into(), files: Vec::new(), watched: Vec::new() }
    }
}

impl Source {
    /// Reads the spelling of a source; see [`SPELLINGS`].
    ///
    /// # Errors
    /// `invalid_argument`, with the spellings that there are. What was given is not repeated: people pass pairs by
    /// mistake.
    pub fn parse(spelling: &str) -> Result<Self, Error> {
        parse::parse(spelling)
    }

    /// What makes two sources the same one.
    pub(crate) fn identity(&self) -> Identity {
        match self {
            Self::Callback(callback) => Identity::Address(Arc::as_ptr(callback).cast::<()>().addr()),
            Self::Fixed(credentials) => Identity::Address(credentials.address()),
            Self::Command(words) => Identity::Words(words.clone()),
            named => Identity::Name(format!("{named:?}")),
        }
    }

    /// Whether reading it runs code of others, which may take long.
    pub(crate) fn is_costly(&self) -> bool {
        matches!(self, Self::Command(_) | Self::Callback(_))
    }

    /// `env:` with the usual variables.
    pub(crate) fn environment() -> Self {
        parse::env()
    }

    /// Whether it reads the environment, which an open client does again only once its pair was rejected.
    pub(crate) fn is_environment(&self) -> bool {
        matches!(self, Self::Env { .. } | Self::Default)
    }

    /// Returns the fingerprint of what the variables of `env:` hold now; `None` if they hold nothing, or for another source.
    pub(crate) fn fingerprint(
        &self,
        environment: &dyn Environment,
        fingerprints: &Fingerprints,
    ) -> Option<u64> {
        match self {
            Self::Env { key, secret, .. } => env::fingerprint(environment, key, secret, fingerprints),
            _ => None,
        }
    }

    /// Whether there is anything at the source, be it a good pair or not.
    fn holds_anything(&self, environment: &dyn Environment, context: &CallContext) -> bool {
        match self {
            // A client resolves its source when it is made, and takes memory for the pair only when it needs it.
            Self::Env { key, secret, .. } => env::is_set(environment, key, secret),
            other => {
                let loaded = other.load_within(environment, context);
                loaded.err().is_none_or(|error| error.kind() != ErrorKind::CredentialsMissing)
            }
        }
    }

    /// Reads the pair. Blocks while a file is read; at most 10 seconds for a command.
    ///
    /// # Errors
    /// `credentials_missing` with every place looked at, `credentials_malformed` with the place and what is wrong,
    /// `source_unavailable` with why it cannot be read.
    pub fn load(&self, environment: &dyn Environment) -> Result<Loaded, Error> {
        self.load_within(environment, &CallContext::default())
    }

    /// Reads the pair as [`Source::load`] does. What `options` holds may end that early: a program that it runs is killed then.
    ///
    /// # Errors
    /// As [`Source::load`], and `cancelled`.
    pub fn load_with(&self, environment: &dyn Environment, options: &CallOptions) -> Result<Loaded, Error> {
        if options.is_cancelled() {
            return Err(Error::new(ErrorKind::Cancelled));
        }
        self.load_within(environment, &options.limited_context())
    }

    /// The source that is used: itself, or for `default:` the one that the environment chooses or that has a pair, be it
    /// a good one or not.
    ///
    /// # Errors
    /// `credentials_missing` with every place looked at, `invalid_argument` where the environment names no source.
    pub fn resolve(&self, environment: &dyn Environment) -> Result<Self, Error> {
        match self {
            Self::Default => default::resolve(environment, &CallContext::default()),
            named => Ok(named.clone()),
        }
    }

    /// As [`Source::load`], but a command is given up with the call that waits for it.
    pub(crate) fn load_within(
        &self,
        environment: &dyn Environment,
        context: &CallContext,
    ) -> Result<Loaded, Error> {
        match self {
            Self::Env { key, secret, scrub } => env::load(environment, key, secret, *scrub),
            Self::File(path) => file::load(path),
            Self::Dir { path, key, secret } => dir::load(path, key, secret),
            Self::Systemd { key, secret } => dir::load_systemd(environment, key, secret),
            Self::Command(words) => command::load(words, context),
            Self::Default => default::load(environment, context),
            Self::Callback(callback) => callback::load(callback.as_ref()),
            Self::Fixed(credentials) => Ok(Loaded::new(credentials.clone(), "the program")),
        }
    }
}

/// The callback's insides are the program's own, and the pair shows its hint alone.
impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env { key, secret, scrub: false } => write!(f, "Env({key}, {secret})"),
            Self::Env { key, secret, scrub: true } => write!(f, "Env({key}, {secret}, scrub)"),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Dir { path, key, secret } => write!(f, "Dir({}, {key}, {secret})", shown(path)),
            Self::Systemd { key, secret } => write!(f, "Systemd({key}, {secret})"),
            // The arguments of a command may be what they should not.
            Self::Command(words) => f.debug_tuple("Command").field(&words.first()).finish(),
            Self::Default => f.write_str("Default"),
            Self::Callback(_) => f.write_str("Callback"),
            Self::Fixed(credentials) => f.debug_tuple("Fixed").field(credentials).finish(),
        }
    }
}

/// Reads a pair as a file has it, in any of its forms.
///
/// # Errors
/// `credentials_malformed`, saying what is wrong, never the value.
pub fn read_text(text: &[u8]) -> Result<Credentials, Error> {
    Ok(text::parse(text)?.credentials)
}

/// The whole of a regular file of at most 64 KiB, which may hold a pair.
///
/// # Errors
/// Those of the system, and when it is another kind of file or a larger one.
pub fn read_file(path: &Path) -> io::Result<WipedBuffer> {
    regular_file::read(path)
}
