//! Sends one request to the service and reads its response: HTTP/1.1 over TLS, with one deadline for all waits.
//!
//! ureq implements HTTP and pools connections. The name look-up, the socket and the TLS session are implemented here:
//! those of ureq start a thread for each request, cannot be interrupted, and do not wipe their buffers.
//!
//! ureq 3.5.2 passes its transport no context, so a connection does not know its call. Two things follow.
//!
//! - **A thread-local holds the current call** of the thread ([`call::CurrentCall`]). The connection reads the
//!   deadline, the interrupt and the pair from it. During an interrupt check, the thread has no current call: the code
//!   of the program may make calls there, and greenlets that switch there may continue with others in any order.
//! - **ureq gets a placeholder for the `Authorization` header** ([`header::defaults`]), because it copies headers
//!   and logs its output at level trace. The connection replaces the placeholder by the pair immediately before
//!   encryption, and fails if it found none.
//!
//! Requests to Vault do not use ureq, because it logs whole bodies at level trace, and theirs contain secrets. [`vault`]
//! writes and reads them over the same connections.

mod authorities;
mod beginning;
mod body;
mod buffers;
mod call;
mod certificate;
mod channel;
mod connect;
mod connection;
mod decode;
mod echo;
mod exhaustion;
mod failure;
mod header;
mod installed;
mod no_proxy;
mod pem;
mod proxy;
mod resolve;
mod route;
mod settings;
mod socket;
mod tls;
mod vault;

use std::collections::TryReserveError;
use std::fmt;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, HOST, HeaderMap, HeaderName, HeaderValue};
use justcall_auth_protocol::credentials::Credentials;
use justcall_auth_protocol::error::{Error, ErrorKind};
use justcall_auth_protocol::headers::Headers;
use justcall_auth_protocol::request::Request;
use justcall_auth_protocol::response::Response;
use justcall_auth_protocol::service;
use justcall_auth_protocol::url::BaseUrl;
use ureq::config::AutoHeaderValue;
use ureq::{Agent, Body};

use crate::clock;
use crate::context::CallContext;
pub(crate) use authorities::{SystemRoots, roots_in, roots_of};
use call::{CurrentCall, Peer};
pub use certificate::Certificate;
use connection::Connector;
use echo::FilteredBody;
use header::PairHeader;
pub(crate) use proxy::Proxy;
#[cfg(feature = "test-parsers")]
pub(crate) use proxy::status as proxy_status;
pub use proxy::{NamedProxy, ProxyException};
pub(crate) use resolve::AddressBook;
use resolve::NoResolver;
pub(crate) use route::step_context;
pub use route::{Route, TcpConnection, TlsInfo};
pub(crate) use settings::Settings;
#[cfg(feature = "test-parsers")]
pub(crate) use vault::parse as parse_vault_response;
pub(crate) use vault::{VaultClient, VaultRequest};

/// The largest head of a response, in bytes.
const MAX_HEAD: usize = 64 * 1024;
/// The sizes of the buffers of an idle connection, in bytes: enough for most responses, and for a request without a
/// body. Longer ones make the buffers grow until the request is over.
const IDLE_INPUT: usize = 8 * 1024;
const IDLE_OUTPUT: usize = 2 * 1024;
/// How much of a body is passed to the connection at a time, in bytes: as much as a TLS record holds.
const BODY_PIECE: usize = 16 * 1024;
/// The most idle connections, to one host and in total: more than a program makes calls at a time, because a new
/// connection costs more than a call.
const MAX_IDLE: usize = 256;
/// How long an idle connection is kept. Servers commonly close it after a minute or more.
const MAX_IDLE_AGE: Duration = Duration::from_secs(30);
/// The most bytes of an error's body that are read: enough for the service's message and the field errors of a form.
const MAX_ERROR_BODY: usize = 64 * 1024;

const TOO_LONG: &str = "Request less at once, for example with per_page, or raise max_response_length.";

/// A request to send.
pub(crate) struct Outgoing<'a> {
    pub base_url: &'a BaseUrl,
    pub request: &'a Request,
    pub credentials: &'a Credentials,
    /// The largest body of a response, in bytes.
    pub max_body: usize,
    pub context: CallContext,
}

/// Connections to the service. Thread-safe.
pub(crate) struct Transport {
    settings: Settings,
    agent: Agent,
    /// The headers of a request without its own. Copying them costs less than inserting each.
    headers: HeaderMap,
}

impl Transport {
    /// Creates a transport without connections. Names are looked up in `addresses`.
    pub fn new(settings: Settings, addresses: Arc<AddressBook>, system_roots: Arc<SystemRoots>) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            // Every header is set here, because ureq copies those that it adds. Bodies are decoded here too, so that
            // broken or empty data does not look like a lost connection.
            .accept_encoding(AutoHeaderValue::None)
            .allow_non_standard_methods(true)
            .max_response_header_size(MAX_HEAD)
            .max_idle_connections(MAX_IDLE)
            .max_idle_connections_per_host(MAX_IDLE)
            .max_idle_age(MAX_IDLE_AGE);
        let (input, output) = test_buffer_size().map_or((IDLE_INPUT, IDLE_OUTPUT), |size| (size, size));
        let config = config.input_buffer_size(input).output_buffer_size(output);
        let connector = Connector::new(settings.clone(), addresses, system_roots);
        let agent = Agent::with_parts(config.build(), connector, NoResolver);
        Self { settings, agent, headers: header::defaults() }
    }

    /// Returns the settings of the transport.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Sends the request once and reads the whole response.
    pub fn send(&self, outgoing: &Outgoing<'_>) -> Result<Response, Error> {
        let header = PairHeader::new(outgoing.credentials.clone());
        let head = self
            .head(outgoing)
            .map_err(|_| Error::invalid_argument("The URL or a header cannot be used for a request."))?;
        // A method that expects a body has a Content-Length even without a body (RFC 9110, section 8.6).
        let expects_body = matches!(outgoing.request.method(), "POST" | "PUT" | "PATCH");
        let body = outgoing.request.body().or(expects_body.then_some(&[]));
        let size = output_size(&head, body);
        let call = CurrentCall::begin_with(outgoing.context.clone(), Peer::Service, Some(header), size);
        let http_response = match body {
            Some(body) => self.agent.run(head.map(|()| body)),
            None => self.agent.run(head),
        };
        read(http_response.map_err(|error| failure::explain(&error, &call))?, outgoing.max_body, &call)
    }

    /// Creates the request without its body, which ureq borrows instead of copying it.
    fn head(&self, outgoing: &Outgoing<'_>) -> Result<http::Request<()>, http::Error> {
        let request = outgoing.request;
        // The builder is not used: it moves all parts in each step.
        let mut head = http::Request::new(());
        *head.method_mut() = Method::from_bytes(request.method().as_bytes())?;
        *head.uri_mut() = outgoing.base_url.uri(request.shared_path())?;
        let mut headers = self.headers.clone();
        headers.insert(HOST, outgoing.base_url.host_header());
        for (name, value) in request.headers() {
            headers.insert(HeaderName::from_bytes(name.as_bytes())?, HeaderValue::from_str(value)?);
        }
        *head.headers_mut() = headers;
        Ok(head)
    }

    /// Sends HEAD to `url` without a pair. The response has the common headers, such as a date.
    pub fn head_without_pair(&self, url: &str, context: CallContext) -> Result<Response, Error> {
        let call = CurrentCall::begin(context);
        let builder = service::HEADERS
            .iter()
            .filter(|(name, _)| *name != "content-type")
            .fold(http::Request::head(url), |builder, (name, value)| builder.header(*name, *value));
        let request =
            builder.body(()).map_err(|_| Error::invalid_argument("The URL cannot be used for a request."))?;
        let http_response = self.agent.run(request).map_err(|error| failure::explain(&error, &call))?;
        read(http_response, 0, &call)
    }
}

/// Returns how much of the request ureq must be able to write at once, in bytes: the whole head, in which the pair is
/// searched for, and pieces of the body.
fn output_size(head: &http::Request<()>, body: Option<&[u8]>) -> usize {
    /// The rest of the first line, `Content-Length`, and the empty line.
    const FRAME: usize = 128;
    let path = head.uri().path_and_query().map_or(0, |path| path.as_str().len());
    let line =
        |(name, value): (&HeaderName, &HeaderValue)| name.as_str().len() + value.len() + ": \r\n".len();
    let head_length = head.headers().iter().map(line).sum::<usize>() + path + FRAME;
    let body = body.map_or(0, |body| body.len().min(BODY_PIECE));
    head_length.max(body)
}

/// Returns the size of ureq's buffers that a test requests, in bytes. The traces in memory depend on it, because the C
/// library returns large blocks to the system and keeps small ones.
fn test_buffer_size() -> Option<usize> {
    cfg!(feature = "test-buffers")
        .then(|| std::env::var("JUSTCALL_TEST_BUFFERS").ok()?.parse().ok())
        .flatten()
}

/// Reads the body. The body of a success must be complete. Otherwise a partial body suffices, because the status has
/// decided.
fn read(http_response: http::Response<Body>, max_body: usize, call: &CurrentCall) -> Result<Response, Error> {
    let (mut parts, encoded) = http_response.into_parts();
    let status = parts.status.as_u16();
    let is_success = parts.status.is_success();
    let limit = if is_success { max_body } else { max_body.min(MAX_ERROR_BODY) };
    let layers = decode::gzip_layers(&parts.headers);
    if layers.is_some_and(|layers| layers > 0) {
        // These headers describe the encoded bytes, not those that the caller gets.
        parts.headers.remove(CONTENT_ENCODING);
        parts.headers.remove(CONTENT_LENGTH);
    }
    // The capacity exceeds the body, so that its end is detected without another allocation.
    let expected =
        encoded.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or_default();
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(expected.min(limit).min(MAX_ERROR_BODY) + 64).map_err(out_of_memory)?;
    // One byte more than allowed distinguishes a body that is too large from one that fits.
    let mut read_all = |plain: &mut dyn Read| {
        let mut filtered = FilteredBody::new(plain, call).take((limit as u64).saturating_add(1));
        body::read_to_end(&mut filtered, &mut bytes)
    };
    let mut encoded = encoded.into_reader();
    let outcome = match layers {
        None | Some(0) => read_all(&mut encoded),
        Some(layers) => decode::decoded(encoded, layers, call).and_then(|mut plain| read_all(&mut plain)),
    };
    // A body without a length ends with the connection. ureq takes a lost connection for such an end.
    let outcome = outcome.and_then(|()| call.loss().map_or(Ok(()), |loss| Err(loss.into())));
    let is_cut = outcome.is_err();
    let mut broken = (layers.is_none() && !bytes.is_empty()).then(decode::unreadable);
    if let Err(error) = outcome {
        let error = failure::explain(&error.into(), call);
        match error.kind() {
            ErrorKind::InvalidResponse => broken = Some(error),
            ErrorKind::Cancelled => return Err(error),
            _ if is_success => return Err(error),
            _ => {}
        }
    }
    mask_beginnings(&mut bytes, call);
    let too_large = bytes.len() > limit;
    bytes.truncate(limit);
    if let Some(sent) = call.header().filter(|_| is_cut || too_large) {
        sent.expose_secret(|secret| echo::mask_end(&mut bytes, secret));
    }
    let response =
        Response::new(status, headers_of(&parts.headers, call)?, bytes).with_received(clock::unix_time());
    if is_success && too_large {
        let message = format!("The body of the response is longer than the limit of {limit} bytes.");
        broken = Some(Error::with_message(ErrorKind::InvalidResponse, message).with_hint(TOO_LONG));
    }
    match broken.filter(|_| is_success) {
        Some(error) => Err(error.with_response(response)),
        None => Ok(response),
    }
}

/// Returns the headers of a response as text.
fn headers_of(received: &HeaderMap, call: &CurrentCall) -> Result<Headers, Error> {
    let length = received.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    let mut headers = Headers::try_with_capacity(received.len(), length).map_err(out_of_memory)?;
    for (name, value) in received {
        let name = name.as_str().as_bytes();
        if call.was_echoed() {
            let mut value = value.as_bytes().to_vec();
            mask_beginnings(&mut value, call);
            headers.try_push_lossy(name, &value).map_err(out_of_memory)?;
        } else {
            headers.try_push_lossy(name, value.as_bytes()).map_err(out_of_memory)?;
        }
    }
    Ok(headers)
}

/// Returns the error for a response that does not fit into memory. The request was sent, because there is a response.
fn out_of_memory(error: TryReserveError) -> Error {
    Error::from(error).with_request_sent(true)
}

/// Masks partial copies of the secret after the service has sent it back.
fn mask_beginnings(text: &mut [u8], call: &CurrentCall) {
    if let Some(sent) = call.header().filter(|_| call.was_echoed()) {
        sent.expose_secret(|secret| echo::mask_beginnings(text, secret));
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_writes_a_head_at_once_and_a_body_in_pieces() {
        let path = format!("/v2.1/calls?{}", "a".repeat(5000));
        let mut head = http::Request::get(&path);
        let mut text = format!("GET {path} HTTP/1.1\r\nContent-Length: 100000\r\n\r\n");
        for number in 100..150 {
            let (name, value) = (format!("name-{number}"), "b".repeat(60));
            text.extend([&name, ": ", &value, "\r\n"]);
            head = head.header(name, value);
        }
        let head = head.body(()).expect("a request");
        let room = text.len()..text.len() + 128;
        for body in [None, Some(&b""[..]), Some(&[0; 5000])] {
            assert!(room.contains(&output_size(&head, body)), "{}", output_size(&head, body));
        }
        assert_eq!(output_size(&head, Some(&vec![0; 100_000])), BODY_PIECE);
    }
}
