//! How sources are spelled.

use justcall_auth_protocol::error::Error;

/// Every spelling of a source, and what it names.
pub const SPELLINGS: &[(&str, &str)] = &[
    (
        "default:",
        "what JUSTCALL_CREDENTIALS names; without it env:, systemd: and /run/secrets/justcall, in this order",
    ),
    ("env:", "the environment variables JUSTCALL_API_KEY and JUSTCALL_API_SECRET"),
    ("env:KEY_VARIABLE,SECRET_VARIABLE", "two environment variables of other names"),
    (
        "env:?scrub",
        "either of these, wiped from the environment once they were read: env:KEY_VARIABLE,SECRET_VARIABLE?scrub",
    ),
    ("file:PATH", "a file with JSON {\"api_key\", \"api_secret\"}, dotenv lines, or one line key:secret"),
    (
        "dir:PATH",
        "a folder with the files api_key and api_secret (Kubernetes and Docker secrets); ?key=NAME&secret=NAME for other names",
    ),
    ("systemd:", "the same files in $CREDENTIALS_DIRECTORY (LoadCredential= of a systemd unit)"),
    (
        "command:PROGRAM ARG…",
        "a program that prints that JSON; words are quoted as in a shell, and nothing is expanded",
    ),
];

/// The file names of `dir:` and `systemd:` unless others are given.
pub(super) const KEY_FILE: &str = "api_key";
pub(super) const SECRET_FILE: &str = "api_secret";

/// Refuses a spelling, which may be a pair and is not repeated.
pub(super) fn refuse(why: &str) -> Error {
    let known: Vec<&str> = SPELLINGS.iter().map(|(spelling, _)| *spelling).collect();
    Error::invalid_argument(format!("The source cannot be read: {why}."))
        .with_hint(format!("The sources are: {}.", known.join(", ")))
}
