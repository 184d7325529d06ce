//! The spellings of sources.

use justcall_auth_protocol::error::Error;

/// Every spelling of a source, with its description.
pub const SPELLINGS: &[(&str, &str)] = &[
    (
        "default:",
        "the source in JUSTCALL_CREDENTIALS; without it env:, systemd: and /run/secrets/justcall, in this order",
    ),
    ("env:", "the environment variables JUSTCALL_API_KEY and JUSTCALL_API_SECRET"),
    ("env:KEY_VARIABLE,SECRET_VARIABLE", "two environment variables with other names"),
    (
        "env:?scrub",
        "the same variables, wiped from the environment after reading: env:KEY_VARIABLE,SECRET_VARIABLE?scrub",
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
    (
        "vault:https://HOST:PORT/MOUNT/PATH",
        "a secret of Vault or OpenBao (KV version 2) with the fields api_key and api_secret; ?auth=approle or ?auth=jwt for other logins than a token",
    ),
    ("vault:MOUNT/PATH", "the same with the address in VAULT_ADDR"),
];

/// The default file names of `dir:` and `systemd:`.
pub(super) const KEY_FILE: &str = "api_key";
pub(super) const SECRET_FILE: &str = "api_secret";

/// Returns the error for an invalid spelling. It does not contain the spelling, which may be a pair.
pub(super) fn refuse(why: &str) -> Error {
    let known: Vec<&str> = SPELLINGS.iter().map(|(spelling, _)| *spelling).collect();
    Error::invalid_argument(format!("The source is invalid: {why}."))
        .with_hint(format!("Use one of these sources: {}.", known.join(", ")))
}
