//! The settings of Vault in the environment: those of the commands `bao` and `vault`, under both names, `BAO_…` and `VAULT_…`.
//! `VAULT_SKIP_VERIFY` is ignored: certificates are always verified.

use std::ffi::OsString;
use std::path::PathBuf;

use justcall_auth_protocol::error::Error;

use super::super::{Environment, setting};
use super::login::Login;
use super::spelling::{addresses_of, is_text};
use super::{Target, failure};

/// Returns the variable of OpenBao or of Vault whose name ends in `name`. OpenBao's counts first, as for its command.
pub(super) fn variable(environment: &dyn Environment, name: &str) -> Option<OsString> {
    ["BAO_", "VAULT_"].iter().find_map(|prefix| setting(environment, &[prefix, name].concat()))
}

/// Returns `target` with the settings of the environment that the spelling does not contain.
pub(super) fn resolve(target: &Target, environment: &dyn Environment) -> Result<Target, Error> {
    let text = |name: &str| variable(environment, name).map(|value| value.to_string_lossy().into_owned());
    let mut target = Target { is_resolved: true, ..target.clone() };
    if target.addresses.is_empty() {
        let list = text("ADDR").unwrap_or_default();
        target.addresses = addresses_of(&list).map_err(|why| failure::invalid_address(&why))?;
        if target.addresses.is_empty() {
            return Err(failure::no_address());
        }
    }
    target.namespace = target.namespace.or_else(|| text("NAMESPACE"));
    if target.namespace.as_deref().is_some_and(|namespace| !is_text(namespace)) {
        return Err(Error::invalid_argument("The namespace of Vault contains a control character."));
    }
    target.ca_file = target.ca_file.or_else(|| variable(environment, "CACERT").map(PathBuf::from));
    match &target.login {
        Login::Token { file: None } if variable(environment, "TOKEN").is_none() => {
            // The file in which the command stores the token of a login.
            let home = setting(environment, "HOME").map(|home| PathBuf::from(home).join(".vault-token"));
            let file = home.filter(|file| file.is_file()).ok_or_else(|| failure::no_token(&target))?;
            target.login = Login::Token { file: Some(file) };
        }
        Login::Jwt { role, mount, file } if role.is_empty() => {
            let role = text("ROLE").ok_or_else(failure::no_role)?;
            target.login = Login::Jwt { role, mount: mount.clone(), file: file.clone() };
        }
        _ => {}
    }
    Ok(target)
}
