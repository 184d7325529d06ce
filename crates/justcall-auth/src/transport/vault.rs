//! Requests to a server of Vault. Header, body and response may each contain a secret, so the connection must not be
//! shared or kept: the caller drops the [`Transport`] after its last request.

use std::io::Read as _;
use std::sync::Arc;

use http::header::{HOST, HeaderName, HeaderValue};
use http::{Method, Request};
use justcall_auth_protocol::error::{Error, ErrorKind};
use justcall_auth_protocol::service;
use justcall_auth_protocol::url::BaseUrl;
use justcall_auth_secret::{Secret, WipedBuffer};

use super::call::{CurrentCall, Peer};
use super::header::{SecretHeader, token_placeholder};
use super::{Transport, failure, output_size};
use crate::context::CallContext;

/// A request to a server of Vault.
pub(crate) struct VaultRequest<'a> {
    pub address: &'a BaseUrl,
    /// The path, from `/v1/` on.
    pub path: &'a str,
    pub namespace: Option<&'a str>,
    pub token: Option<&'a Arc<Secret>>,
    /// The JSON to send with POST. Without it, the method is GET.
    pub body: Option<&'a [u8]>,
    /// The largest body of a response, in bytes.
    pub max_body: usize,
    pub context: CallContext,
}

impl Transport {
    /// Sends the request once and reads the whole response. Returns its status and body. Follows no redirect.
    pub fn send_to_vault(&self, request: &VaultRequest<'_>) -> Result<(u16, WipedBuffer), Error> {
        let head = head(request)
            .map_err(|_| Error::invalid_argument("The address, path or namespace of Vault is invalid."))?;
        let header = request.token.map(|token| SecretHeader::with_token(token.clone()));
        let size = output_size(&head, request.body);
        let call = CurrentCall::begin_with(request.context.clone(), Peer::Vault, header, size);
        let response = match request.body {
            Some(body) => self.agent.run(head.map(|()| body)),
            None => self.agent.run(head),
        };
        let (parts, body) = response.map_err(|error| failure::explain(&error, &call))?.into_parts();
        let mut body = body.into_reader();
        let mut read = WipedBuffer::with_capacity(request.max_body + 1);
        loop {
            match body.read(read.spare()) {
                Ok(0) if read.spare().is_empty() => {
                    let message = format!("its answer is longer than {} bytes", request.max_body);
                    return Err(
                        Error::with_message(ErrorKind::InvalidResponse, message).with_request_sent(true)
                    );
                }
                Ok(0) => return Ok((parts.status.as_u16(), read)),
                Ok(count) => read.advance(count),
                Err(error) => return Err(failure::explain(&error.into(), &call)),
            }
        }
    }
}

fn head(request: &VaultRequest<'_>) -> Result<Request<()>, http::Error> {
    let mut head = Request::new(());
    if request.body.is_some() {
        *head.method_mut() = Method::POST;
    }
    *head.uri_mut() = request.address.uri(request.path.to_owned().into())?;
    let headers = head.headers_mut();
    headers.insert(HOST, request.address.host_header());
    for (name, value) in service::HEADERS.iter().filter(|(name, _)| !name.starts_with("x-")) {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    // Agents of Vault may require it, so that other programs cannot be made to send a request.
    headers.insert(HeaderName::from_static("x-vault-request"), HeaderValue::from_static("true"));
    if let Some(namespace) = request.namespace {
        headers.insert(HeaderName::from_static("x-vault-namespace"), HeaderValue::from_str(namespace)?);
    }
    if request.token.is_some() {
        let (name, placeholder) = token_placeholder();
        headers.insert(name, placeholder);
    }
    Ok(head)
}
