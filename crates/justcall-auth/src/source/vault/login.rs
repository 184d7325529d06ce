//! The ways to log in: with a token, with an `AppRole`, or with a JWT, such as the token of a Kubernetes service account.

use std::path::{Path, PathBuf};

use justcall_auth_protocol::error::Error;
use justcall_auth_secret::{WipedBuffer, Zeroizing};

use super::super::file::unreadable;
use super::super::{Environment, Fingerprints, regular_file, shown, text};
use super::api::{Answer, Api};
use super::environment::variable;
use super::failure::fault;

/// The file with the token of a Kubernetes service account.
pub(super) const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/// A way to get a token. It contains names and paths, but no secret.
#[derive(Debug, Clone)]
pub(super) enum Login {
    /// The token itself, in a file or in the environment.
    Token { file: Option<PathBuf> },
    /// A role and its secret, each in a file or in the environment.
    AppRole { mount: String, role_id: Option<PathBuf>, secret_id: Option<PathBuf> },
    /// A JWT in a file.
    Jwt { mount: String, role: String, file: PathBuf },
}

impl Login {
    /// Returns the fingerprint of the login in the environment, or `None` if it is in files.
    pub fn fingerprint(&self, environment: &dyn Environment, fingerprints: &Fingerprints) -> Option<u64> {
        let value = |name: &str, file: &Option<PathBuf>| match file {
            None => variable(environment, name).map(|value| Zeroizing::new(value.into_encoded_bytes())),
            Some(_) => None,
        };
        let (first, second) = match self {
            Self::Token { file } => (value("TOKEN", file), None),
            Self::AppRole { role_id, secret_id, .. } => {
                (value("ROLE_ID", role_id), value("SECRET_ID", secret_id))
            }
            Self::Jwt { .. } => (None, None),
        };
        let halves = [first, second].map(Option::unwrap_or_default);
        halves.iter().any(|half| !half.is_empty()).then(|| fingerprints.of_halves(&halves[0], &halves[1]))
    }

    /// Logs in. Returns the answer with the new token.
    ///
    /// # Errors
    /// Fails if a part of the login cannot be read, or if Vault refuses it.
    pub fn log_in(&self, api: &mut Api<'_>) -> Result<Answer, Error> {
        let (mount, halves, command) = match self {
            Self::Token { .. } => unreachable!("a token needs no login"),
            Self::AppRole { mount, role_id, secret_id } => {
                let role_id = part(api, "ROLE_ID", role_id.as_deref())?;
                let secret_id = part(api, "SECRET_ID", secret_id.as_deref())?;
                (mount, [("role_id", role_id), ("secret_id", secret_id)], "role_id=@FILE secret_id=@FILE")
            }
            Self::Jwt { mount, role, file } => {
                let role = checked(api, "the role", role.as_bytes())?;
                (mount, [("role", role), ("jwt", read(api, file)?)], "role=NAME jwt=@FILE")
            }
        };
        let [(first, first_value), (second, second_value)] = &halves;
        let body = [
            b"{\"".as_slice(),
            first.as_bytes(),
            b"\":\"",
            first_value.as_ref(),
            b"\",\"",
            second.as_bytes(),
            b"\":\"",
            second_value.as_ref(),
            b"\"}",
        ];
        let body = Zeroizing::new(body.concat());
        let answer = api.call(&format!("/v1/auth/{mount}/login"), None, Some(&body))?;
        match answer.status {
            200 => Ok(answer),
            404 => Err(fault(
                &api.place(),
                "vault_login",
                &format!("Vault has no login at auth/{mount} (HTTP 404)"),
                "Set the option auth_mount. `vault auth list` lists the logins and their paths.",
            )),
            status => Err(fault(
                &api.place(),
                "vault_login",
                &format!("Vault refused the login at auth/{mount} (HTTP {status})"),
                format!(
                    "Run `vault write auth/{mount}/login {command}` with the same files, and read its error message. The role, its bounds, and the age and uses of the secret_id or JWT must fit."
                ),
            )),
        }
    }
}

/// Returns a part of the login: the content of `file`, or the variable.
fn part(api: &Api<'_>, name: &str, file: Option<&Path>) -> Result<WipedBuffer, Error> {
    let Some(file) = file else {
        let Some(value) = from_environment(api, name)? else {
            let why = format!("there is no login: VAULT_{name} is not set");
            let hint =
                "Set VAULT_ROLE_ID and VAULT_SECRET_ID, or the options role_id_file and secret_id_file.";
            return Err(fault(&api.place(), "vault_login", &why, hint));
        };
        return Ok(value);
    };
    read(api, file)
}

/// Returns the value of the variable, if it is set.
pub(super) fn from_environment(api: &Api<'_>, name: &str) -> Result<Option<WipedBuffer>, Error> {
    let Some(value) = variable(api.environment, name) else { return Ok(None) };
    let value = Zeroizing::new(value.into_encoded_bytes());
    checked(api, &format!("the variable VAULT_{name}"), &value).map(Some)
}

/// Returns the only line of `file`.
pub(super) fn read(api: &Api<'_>, file: &Path) -> Result<WipedBuffer, Error> {
    let content = regular_file::read(file).map_err(|error| {
        let place = format!("The file {} with the login of Vault", shown(file));
        let hint = "Check the path in the source, and that the user of this process may read the file.";
        unreadable(&place, file, &error).with_reason("vault_login").with_hint(hint)
    })?;
    checked(api, &format!("the file {}", shown(file)), text::strip_newline(content.as_ref()))
}

/// Copies `value` if it can be a token, an identifier or a JWT, none of which needs escapes in JSON or in a header.
fn checked(api: &Api<'_>, what: &str, value: &[u8]) -> Result<WipedBuffer, Error> {
    let is_plain = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\');
    if value.is_empty() || !value.iter().all(is_plain) {
        let why = format!("{what} contains no token, role, role_id, secret_id or JWT");
        let hint = "Write only the value, on one line, without quotation marks and spaces.";
        return Err(fault(&api.place(), "vault_login", &why, hint));
    }
    let mut copy = WipedBuffer::with_capacity(value.len());
    copy.push(value);
    Ok(copy)
}
