//! Where pairs come from. One spelling names a source in every language: [`Source::parse`].
//!
//! | spelling | what |
//! |---|---|
//! | `env:` or `env:KEY_VARIABLE,SECRET_VARIABLE` | two environment variables, `JUSTCALL_API_KEY` and `JUSTCALL_API_SECRET` unless named |
//! | `file:PATH` | a file with JSON, dotenv lines or one `key:secret` line |
//! | `default:` | `env:` |
//!
//! What is present but invalid is an error that says where; it is never skipped in favour of another place.

mod env;
mod file;
mod text;

use std::ffi::OsString;
use std::path::PathBuf;

use justcall_auth_protocol::credentials::Credentials;
use justcall_auth_protocol::error::{Error, ErrorKind};
use justcall_auth_protocol::service;

/// The environment, as a source sees it: an argument, so that tests need not change the process's own.
pub trait Environment {
    /// The variable called `name`, if it is set.
    fn variable(&self, name: &str) -> Option<OsString>;
}

/// The environment of this process.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProcessEnvironment;

impl Environment for ProcessEnvironment {
    fn variable(&self, name: &str) -> Option<OsString> {
        std::env::var_os(name)
    }
}

/// Where a client reads its pair.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub enum Source {
    /// Two environment variables.
    Env {
        /// The variable that holds the key.
        key: String,
        /// The variable that holds the secret.
        secret: String,
    },
    /// A file.
    File(PathBuf),
    /// The places where pairs usually are, in order.
    #[default]
    Default,
    /// A pair that the program already holds.
    Fixed(Credentials),
}

impl Source {
    /// Reads the spelling of a source.
    ///
    /// # Errors
    /// `invalid_argument`, with the spellings that there are. What was given is not repeated: people pass pairs by
    /// mistake.
    pub fn parse(spelling: &str) -> Result<Self, Error> {
        let (kind, rest) = spelling.split_once(':').unwrap_or((spelling, ""));
        match (kind, rest) {
            ("default", "") => Ok(Self::Default),
            ("env", "") => Ok(Self::env()),
            ("env", names) => match names.split_once(',') {
                Some((key, secret)) if is_variable(key) && is_variable(secret) && key != secret => {
                    Ok(Self::Env { key: key.into(), secret: secret.into() })
                }
                _ => {
                    Err(bad_spelling("`env:` takes the names of two different variables, as env:KEY,SECRET"))
                }
            },
            ("file", "") => Err(bad_spelling("`file:` takes a path, as file:/etc/justcall.json")),
            ("file", path) if path.contains('\0') => Err(bad_spelling("the path of `file:` holds a NUL")),
            ("file", path) => Ok(Self::File(path.into())),
            _ => Err(bad_spelling("the source is not one that is known")),
        }
    }

    /// `env:` with the usual variables.
    fn env() -> Self {
        Self::Env { key: service::KEY_VARIABLE.into(), secret: service::SECRET_VARIABLE.into() }
    }

    /// Reads the pair. Blocks while a file is read.
    ///
    /// # Errors
    /// `credentials_missing` with every place looked at, `credentials_malformed` with the place and what is wrong,
    /// `source_unavailable` with why it cannot be read.
    pub fn load(&self, environment: &dyn Environment) -> Result<Credentials, Error> {
        match self {
            Self::Env { key, secret } => env::load(environment, key, secret),
            Self::File(path) => file::load(path),
            Self::Default => Self::env().load(environment),
            Self::Fixed(credentials) => Ok(credentials.clone()),
        }
    }
}

fn bad_spelling(why: &str) -> Error {
    Error::invalid_argument(format!("The source cannot be read: {why}."))
        .hint_is("The sources are: default:, env:, env:KEY_VARIABLE,SECRET_VARIABLE and file:PATH.")
}

fn is_variable(name: &str) -> bool {
    !name.is_empty() && !name.contains(['=', '\0']) && !name.chars().any(char::is_whitespace)
}

/// A `credentials_malformed` found in `place`.
fn malformed_in(place: &str, error: &Error) -> Error {
    let message = format!("{place}: {}", error.message());
    let hint = error.hint().to_owned();
    let again =
        Error::with_message(error.kind(), message).findings_are(error.findings().to_vec()).hint_is(hint);
    match error.reason() {
        Some(reason) => again.reason_is(reason),
        None => again,
    }
}

/// Nothing in `places`.
fn missing(places: &str) -> Error {
    Error::with_message(
        ErrorKind::CredentialsMissing,
        format!("No API key and secret were found. Looked at: {places}."),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_every_spelling() {
        assert!(matches!(Source::parse("default:"), Ok(Source::Default)));
        assert!(matches!(Source::parse("env:"), Ok(Source::Env { key, .. }) if key == "JUSTCALL_API_KEY"));
        assert!(
            matches!(Source::parse("env:A,B"), Ok(Source::Env { key, secret }) if key == "A" && secret == "B")
        );
        assert!(matches!(Source::parse("file:a b:c"), Ok(Source::File(path)) if path.as_os_str() == "a b:c"));
    }

    #[test]
    fn it_refuses_a_pair_in_place_of_a_source_and_does_not_repeat_it() {
        for bad in [
            "",
            "canary:sec789xyz000",
            "env:canary",
            "env:A,A",
            "env:A,",
            "env:A=B,C",
            "file:",
            "file:\0",
            "ENV:",
        ] {
            let error = Source::parse(bad).expect_err(bad);
            assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{bad:?}");
            assert!(!format!("{error:?}").contains("canary"), "{bad:?}");
        }
    }
}
