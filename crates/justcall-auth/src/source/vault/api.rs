//! Requests to the servers of Vault, one after the other until one answers.

use std::sync::Arc;

use http::Uri;
use justcall_auth_protocol::error::{Error, ErrorKind};
use justcall_auth_protocol::url::BaseUrl;
use justcall_auth_secret::{Secret, WipedBuffer};

use super::super::Environment;
use super::super::members::members;
use super::super::rewrite_check::parse_json;
use super::{LIMIT, Target, failure};
use crate::context::CallContext;
use crate::shared_state::SharedState;
use crate::transport::{NamedProxy, Settings, VaultClient, VaultRequest, roots_in};

/// The largest accepted answer, in bytes.
const MAX_ANSWER: usize = 64 * 1024;

/// The requests of one read or write.
pub(super) struct Api<'a> {
    pub target: &'a Target,
    pub environment: &'a dyn Environment,
    context: CallContext,
    /// The server in use, by its position in the list, and the client for it.
    server: usize,
    client: Option<VaultClient>,
}

/// A status and a body, which may contain a secret.
pub(super) struct Answer {
    pub status: u16,
    body: WipedBuffer,
}

impl Answer {
    #[cfg(feature = "test-parsers")]
    pub fn new(status: u16, body: &[u8]) -> Self {
        let mut copy = WipedBuffer::with_capacity(body.len());
        copy.push(body);
        Self { status, body: copy }
    }

    #[cfg(feature = "test-parsers")]
    pub fn body(&self) -> &[u8] {
        self.body.as_ref()
    }

    /// Returns the raw JSON of the member at the end of `path`, or `None` if there is none.
    pub fn member(&self, path: &[&str]) -> Option<&str> {
        let json = parse_json(self.body.as_ref()).ok()?;
        path.iter().try_fold(json, |json, name| member(json, name))
    }

    /// Returns true if the body contains `word`.
    pub fn contains(&self, word: &[u8]) -> bool {
        self.body.as_ref().windows(word.len()).any(|window| window == word)
    }
}

/// Returns the raw JSON of a member of the valid JSON `json`, or `None` if it is not an object with that member.
pub(super) fn member<'a>(json: &'a str, name: &str) -> Option<&'a str> {
    let is_object = json.trim_start().starts_with('{');
    let all = if is_object { members(json) } else { Vec::new() };
    all.iter().rfind(|member| member.name == name).map(|member| &json[member.value.clone()])
}

impl<'a> Api<'a> {
    pub fn new(target: &'a Target, environment: &'a dyn Environment, context: &CallContext) -> Self {
        Self { target, environment, context: context.at_most(LIMIT), server: 0, client: None }
    }

    /// Returns the description of the secret on the server in use.
    pub fn place(&self) -> String {
        self.target.place_at(&self.address(), None)
    }

    /// Returns the address of the server in use.
    pub fn address(&self) -> String {
        self.target.addresses.get(self.server).map(BaseUrl::to_string).unwrap_or_default()
    }

    /// Requests `path` with GET, or with POST if there is a body. Tries the next server if this one cannot serve any
    /// request. A body is not sent again if it may have arrived and there is no answer.
    ///
    /// # Errors
    /// Fails with the error of the first server if none answers.
    pub fn call(
        &mut self,
        path: &str,
        token: Option<&Arc<Secret>>,
        body: Option<&[u8]>,
    ) -> Result<Answer, Error> {
        self.try_servers(path, token, body, false).map_err(|unanswered| unanswered.error)
    }

    /// Does the same for a request that must not be sent again either if a server answers that it failed.
    ///
    /// # Errors
    /// Fails as [`Api::call`] does. The error states whether the request may have arrived.
    pub fn write(&mut self, path: &str, token: &Arc<Secret>, body: &[u8]) -> Result<Answer, Unanswered> {
        self.try_servers(path, Some(token), Some(body), true)
    }

    fn try_servers(
        &mut self,
        path: &str,
        token: Option<&Arc<Secret>>,
        body: Option<&[u8]>,
        is_write: bool,
    ) -> Result<Answer, Unanswered> {
        let mut first: Option<Unanswered> = None;
        while self.server < self.target.addresses.len() {
            let (failed, is_over) = match self.send(path, token, body) {
                Ok(answer) => {
                    let (place, address) = (self.place(), self.address());
                    match failure::of_server(&place, &address, answer.status, answer.body.as_ref()) {
                        None => return Ok(answer),
                        Some(error) => {
                            // A gateway may answer so after Vault has stored the pair.
                            let may_have_arrived =
                                answer.status >= 500 && error.reason() == Some(failure::FAILED);
                            (Unanswered { error, may_have_arrived }, is_write && may_have_arrived)
                        }
                    }
                }
                Err(error) => {
                    let may_have_arrived = error.request_sent();
                    let is_over = error.kind() == ErrorKind::Cancelled || body.is_some() && may_have_arrived;
                    let error = failure::unanswered(&self.place(), &self.address(), error);
                    (Unanswered { error, may_have_arrived }, is_over)
                }
            };
            if is_over {
                return Err(failed);
            }
            first.get_or_insert(failed);
            self.client = None;
            self.server += 1;
        }
        self.server = 0;
        Err(first.unwrap_or_else(|| Unanswered { error: failure::no_address(), may_have_arrived: false }))
    }

    fn send(
        &mut self,
        path: &str,
        token: Option<&Arc<Secret>>,
        body: Option<&[u8]>,
    ) -> Result<Answer, Error> {
        let address = &self.target.addresses[self.server];
        let left = self.target.addresses.len() - self.server;
        let context = self.context.share(u32::try_from(left).unwrap_or(u32::MAX));
        let client = match self.client.take() {
            Some(client) => client,
            None => self.new_client(address)?,
        };
        let request = VaultRequest {
            address,
            path,
            namespace: self.target.namespace.as_deref(),
            token: token.map(|token| &**token),
            body,
            max_body: MAX_ANSWER,
            context,
        };
        let (status, body) = self.client.insert(client).send(&request)?;
        Ok(Answer { status, body })
    }

    fn new_client(&self, address: &BaseUrl) -> Result<VaultClient, Error> {
        let uri: Uri = address
            .join("/")
            .parse()
            .map_err(|_| Error::invalid_argument("The address of Vault cannot be used for requests."))?;
        let proxy = NamedProxy::of_environment(self.environment, &uri)?.and_then(NamedProxy::into_used);
        let roots = self.target.ca_file.as_deref().map(roots_in).transpose()?.map(Arc::new);
        let settings = Settings { roots, proxy, local_address: None, max_response_length: MAX_ANSWER };
        Ok(SharedState::current().vault_client(settings))
    }
}

/// The failure of a request that no server answered.
pub(super) struct Unanswered {
    pub error: Error,
    pub may_have_arrived: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_finds_members_of_an_answer() {
        let mut body = WipedBuffer::with_capacity(128);
        body.push(br#"{"auth": {"lease_duration": 60, "renewable": true}, "text": "{}"}"#);
        let answer = Answer { status: 200, body };
        assert_eq!(answer.member(&["auth", "lease_duration"]), Some("60"));
        assert_eq!(answer.member(&["auth", "renewable"]), Some("true"));
        assert_eq!(answer.member(&["text"]), Some("\"{}\""));
        for absent in [&["auth", "ttl"][..], &["data"], &["text", "x"]] {
            assert_eq!(answer.member(absent), None, "{absent:?}");
        }
        assert!(answer.contains(b"renewable") && !answer.contains(b"revocable"));
    }
}
