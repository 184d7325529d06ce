//! The current version of a secret in a key-value engine of version 2.

use justcall_auth_protocol::encoding::{AsciiSet, all_but, push_percent_encoded};
use justcall_auth_protocol::error::Error;

use super::super::LoadedPair;
use super::super::failure::malformed_in;
use super::super::text::parse_fields;
use super::api::{Answer, Api, member};
use super::login::Login;
use super::session::{self, Origin, Session, SessionStore};
use super::{Target, failure};

/// The characters of a path that need no encoding.
static UNENCODED: AsciiSet = all_but(b"-_.~/");

/// The current version.
pub(super) struct Current {
    pub number: u64,
    answer: Answer,
}

/// The reason why there is no current version.
pub(super) struct Absent {
    /// The number of the version that was deleted, or 0 if there never was one.
    pub number: u64,
    pub error: Error,
}

impl Current {
    /// Returns the fields of the secret as JSON.
    pub fn fields(&self) -> &str {
        self.answer.member(&["data", "data"]).unwrap_or_default()
    }

    /// Returns the pair.
    ///
    /// # Errors
    /// Fails with `credentials_malformed` if a field is missing or invalid.
    pub fn pair(&self, target: &Target) -> Result<LoadedPair, Error> {
        let [key, secret] = &target.fields;
        parse_fields(self.fields().as_bytes(), [key, secret]).map_err(|error| {
            let place = target.place(Some(self.number));
            let named = malformed_in(&place, &error);
            if error.reason().is_some() {
                return named;
            }
            named.with_reason("vault_field").with_hint(format!(
                "Store the key and the secret in the fields {key} and {secret}, as text: `vault kv patch -mount={} {} -` with JSON on standard input. For other names, set the options key and secret of the source.",
                target.mount, target.path
            ))
        })
    }
}

/// Returns the path of the data of the secret.
pub(super) fn data_path(target: &Target) -> String {
    let mut path = "/v1/".to_owned();
    push_percent_encoded(&target.mount, &UNENCODED, &mut path);
    path.push_str("/data/");
    push_percent_encoded(&target.path, &UNENCODED, &mut path);
    path
}

/// Reads the current version. Logs in if necessary.
///
/// # Errors
/// Fails if Vault cannot be asked. If the secret does not exist or was deleted, that is the inner result.
pub(super) fn find(
    api: &mut Api<'_>,
    store: &SessionStore,
) -> Result<(Result<Current, Absent>, Session), Error> {
    let path = data_path(api.target);
    let (mut session, origin) = session::find(api, store)?;
    let mut answer = api.call(&path, Some(&session.token), None)?;
    if answer.status == 403 && origin == Origin::EarlierLogin {
        // The token may have been revoked, or the policies of the role may have changed.
        session = session::open(api, store)?;
        answer = api.call(&path, Some(&session.token), None)?;
    }
    let found = match answer.status {
        200 => Ok(current(api, answer)?),
        404 => Err(absent(api, &session, &answer)?),
        403 => return Err(denied(api, &session, "read")),
        status => {
            let why = format!("it answered with HTTP {status}");
            return Err(failure::not_vault(&api.place(), &api.address(), &why));
        }
    };
    if origin == Origin::Given {
        session::look_up(api, store, session.clone());
    }
    Ok((found, session))
}

/// Returns the current version in `answer`. Another status than 200 fails as that of a server that cannot serve any request,
/// or with the status.
#[cfg(feature = "test-parsers")]
pub(super) fn parse(api: &Api<'_>, answer: Answer) -> Result<Current, Error> {
    if answer.status == 200 {
        return current(api, answer);
    }
    let (place, address) = (api.place(), api.address());
    let failed = failure::of_server(&place, &address, answer.status, answer.body());
    Err(failed.unwrap_or_else(|| failure::not_vault(&place, &address, "it answered with another status")))
}

fn current(api: &Api<'_>, answer: Answer) -> Result<Current, Error> {
    let number = answer.member(&["data", "metadata", "version"]).and_then(|raw| raw.parse().ok());
    match (number, answer.member(&["data", "data"])) {
        (Some(number), Some(fields)) if fields.starts_with('{') => Ok(Current { number, answer }),
        _ => {
            let why = "its answer is not that of a KV engine of version 2";
            Err(failure::not_vault(&api.place(), &api.address(), why))
        }
    }
}

/// Finds out why there is no current version.
fn absent(api: &mut Api<'_>, session: &Session, answer: &Answer) -> Result<Absent, Error> {
    let absent = |api: &Api<'_>, reason, number| Absent {
        number,
        error: failure::absent(api.target, &api.place(), reason, number),
    };
    if let Some(metadata) = answer.member(&["data", "metadata"]) {
        let number = member(metadata, "version").and_then(|raw| raw.parse().ok()).unwrap_or_default();
        let is_destroyed = member(metadata, "destroyed") == Some("true");
        return Ok(absent(api, if is_destroyed { "vault_destroyed" } else { failure::DELETED }, number));
    }
    // The command of Vault asks the same before it reads a secret.
    let mut path = "/v1/sys/internal/ui/mounts/".to_owned();
    push_percent_encoded(&api.target.mount, &UNENCODED, &mut path);
    let engine = api.call(&path, Some(&session.token), None)?;
    if engine.member(&["data", "options", "version"]) == Some("\"2\"") {
        return Ok(absent(api, "vault_absent", 0));
    }
    Err(failure::no_engine(&api.place(), &api.target.mount))
}

/// Returns the error for a 403: the token is not valid, or it may not `act`.
pub(super) fn denied(api: &mut Api<'_>, session: &Session, act: &str) -> Error {
    let place = api.place();
    // A token of a login was valid a moment ago.
    if matches!(api.target.login, Login::Token { .. }) {
        match api.call("/v1/auth/token/lookup-self", Some(&session.token), None) {
            Ok(answer) if answer.status == 200 => {}
            _ => return failure::token_refused(&place),
        }
    }
    failure::denied(&place, api.target, act)
}
