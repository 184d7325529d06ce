//! Replaces the pair of a secret with check-and-set, so that no other writer's change is lost.

use std::fmt;

use justcall_auth_protocol::error::{Error, ErrorKind};
use justcall_auth_secret::WipedBuffer;

use super::super::rewrite_check::check_fields;
use super::super::{Content, ProcessEnvironment};
use super::api::{Api, member};
use super::failure;
use super::kv::{self, Current};
use super::session::{self, Session};
use super::{Target, VaultSource};
use crate::context::CallContext;

/// A secret of Vault that can be written, as it was when it was opened.
pub struct VaultSecret {
    source: VaultSource,
    place: String,
    /// The number of the current version, or 0 if there is none.
    version: u64,
    current: Option<Current>,
}

/// The fields of a new secret.
const NO_FIELDS: &str = "{}";

impl VaultSecret {
    /// Reads the secret of `source`, and checks that it can be written.
    ///
    /// # Errors
    /// Fails as a read of the source does, but not if there is no secret yet. Fails with `source_unavailable` if the
    /// token may not write, and with `credentials_malformed` if the secret has fields that cannot be replaced.
    pub(in super::super) fn open(source: &VaultSource) -> Result<Self, Error> {
        let source = source.resolve(&ProcessEnvironment)?;
        let target = source.target.clone();
        let mut api = Api::new(&target, &ProcessEnvironment, &CallContext::default());
        let (found, session) = kv::find(&mut api, &source.session)?;
        check_rights(&mut api, &session, found.is_ok())?;
        let (version, current) = match found {
            Ok(current) => (current.number, Some(current)),
            Err(absent) => (absent.number, None),
        };
        let secret = Self { place: target.place(None), source, version, current };
        check_fields(secret.fields().as_bytes(), names(&target)).map_err(|error| {
            error.clone().with_new_message(format!("{}: {}", secret.place, error.message()))
        })?;
        Ok(secret)
    }

    /// Returns the description of the secret.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Returns true if the secret has a field for the key or the secret of a pair.
    pub fn has_pair(&self) -> bool {
        names(&self.source.target).iter().any(|name| member(self.fields(), name).is_some())
    }

    /// Stores `content` in a new version with the other fields of the version that was opened.
    ///
    /// # Errors
    /// Fails with `source_unavailable` if another writer has stored a version since then, or if Vault refuses. Nothing
    /// is changed then, unless the message states that this is unknown.
    pub fn write(&self, content: &Content<'_>) -> Result<(), Error> {
        let target = &*self.source.target;
        let fields = content.rewrite_fields(self.fields().as_bytes(), names(target))?;
        let head = format!("{{\"options\":{{\"cas\":{}}},\"data\":", self.version);
        let mut body = WipedBuffer::with_capacity(head.len() + fields.as_ref().len() + 1);
        body.push(head.as_bytes());
        body.push(fields.as_ref());
        body.push(b"}");
        let mut api = Api::new(target, &ProcessEnvironment, &CallContext::default());
        let (session, _) = session::find(&mut api, &self.source.session)?;
        let answer = match api.write(&kv::data_path(target), &session.token, body.as_ref()) {
            Ok(answer) => answer,
            Err(failed) if failed.may_have_arrived => return Err(self.unknown(&failed.error)),
            Err(failed) => return Err(unwritten(&failed.error)),
        };
        match answer.status {
            200 | 204 => Ok(()),
            400 if answer.contains(b"check-and-set") => Err(self.conflict()),
            403 => Err(unwritten(&kv::denied(&mut api, &session, "update"))),
            status => {
                let why = format!("it answered with HTTP {status}");
                Err(unwritten(&failure::not_vault(&self.place, &api.address(), &why)))
            }
        }
    }

    fn fields(&self) -> &str {
        self.current.as_ref().map_or(NO_FIELDS, Current::fields)
    }

    fn conflict(&self) -> Error {
        let Target { mount, path, .. } = &*self.source.target;
        let message = format!(
            "{} was changed by another writer after its version {} was read. Nothing was changed.",
            self.place, self.version
        );
        Error::with_message(ErrorKind::SourceUnavailable, message).with_reason("vault_conflict").with_hint(format!(
            "Check the new version with `vault kv metadata get -mount={mount} {path}`, then run the command again with the same pair."
        ))
    }

    fn unknown(&self, error: &Error) -> Error {
        let message = format!(
            "{} It is unknown whether Vault stored the new pair in {}.",
            error.message().replace("cannot be read", "cannot be written"),
            self.place
        );
        error
            .clone()
            .with_new_message(message)
            .with_hint("Run the command again with the same pair: it writes only if that is necessary.")
    }
}

fn names(target: &Target) -> [&str; 2] {
    let [key, secret] = &target.fields;
    [key, secret]
}

/// Returns `error` of a read as the error of a write.
fn unwritten(error: &Error) -> Error {
    let message = error.message().replace("cannot be read", "cannot be written");
    error.clone().with_new_message(format!("{message} Nothing was changed."))
}

/// Asks Vault whether the token may write, so that the user does not reset the pair in vain. A token that may not ask
/// is not refused here.
fn check_rights(api: &mut Api<'_>, session: &Session, exists: bool) -> Result<(), Error> {
    let Target { mount, path, .. } = api.target;
    let data = format!("{mount}/data/{path}");
    let Ok(quoted) = serde_json::to_string(&data) else { return Ok(()) };
    let body = format!("{{\"paths\":[{quoted}]}}");
    let answer = api.call("/v1/sys/capabilities-self", Some(&session.token), Some(body.as_bytes()))?;
    let Some(capabilities) = answer.member(&[&data]).filter(|_| answer.status == 200) else { return Ok(()) };
    let act = if exists { "update" } else { "create" };
    if [act, "root"].iter().any(|name| capabilities.contains(&format!("\"{name}\""))) {
        return Ok(());
    }
    Err(unwritten(&failure::denied(&api.place(), api.target, act)))
}

impl fmt::Debug for VaultSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VaultSecret")
            .field("place", &self.place)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}
