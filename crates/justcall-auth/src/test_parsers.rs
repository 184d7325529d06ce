//! Parsers that only the network or a program reaches, for the fuzz targets.

use justcall_auth_protocol::error::Error;
use justcall_auth_secret::WipedBuffer;

use crate::config::Config;
use crate::source::{self, Environment, LoadedPair};
use crate::transport::{self, NamedProxy};

/// Reads the pair in the output of a command.
///
/// # Errors
/// Fails as a read of `command:`, but without the name of the program.
pub fn command_output(output: &[u8]) -> Result<LoadedPair, Error> {
    source::parse_json(output)
}

/// Reads the pair in an answer of Vault for the source with this spelling.
///
/// # Errors
/// Fails as a read of `vault:`, but not for a secret without a current version, which takes another request.
pub fn vault_answer(spelling: &str, status: u16, body: &[u8]) -> Result<LoadedPair, Error> {
    source::parse_vault_answer(spelling, status, body)
}

/// Reads a response of Vault. Returns its status and body, or `None` if it is not complete.
///
/// # Errors
/// Fails with `invalid_response` if it is no HTTP.
pub fn vault_response(bytes: &[u8], has_ended: bool) -> Result<Option<(u16, WipedBuffer)>, Error> {
    transport::parse_vault_response(bytes, has_ended)
}

/// Returns the status in the first line of a proxy's response.
pub fn proxy_status(head: &[u8]) -> Option<u16> {
    transport::proxy_status(head)
}

/// Returns the proxy of a configuration in `environment`.
///
/// # Errors
/// Fails with `invalid_argument` if calls would use a proxy that is not usable.
pub fn named_proxy(config: &Config, environment: &dyn Environment) -> Result<Option<NamedProxy>, Error> {
    config.named_proxy(environment)
}
