//! Requests to a server of Vault, over a new connection each, without ureq.
//!
//! Head and body of a request and the body of its response may each contain a secret. They are only in buffers that are
//! wiped, and no layer logs them.

use std::io;
use std::sync::Arc;

use httparse::Status;
use justcall_auth_protocol::error::{Error, ErrorKind};
use justcall_auth_protocol::service;
use justcall_auth_protocol::url::BaseUrl;
use justcall_auth_secret::{RegisterWipe, Secret, WipedBuffer};

use super::authorities::SystemRoots;
use super::call::{CallState, CurrentCall, Peer, Phase};
use super::connection::Connector;
use super::failure;
use super::resolve::AddressBook;
use super::settings::Settings;
use crate::context::CallContext;

/// The largest head of a response and framing of its body, in bytes.
const MAX_FRAME: usize = 16 * 1024;

/// The largest number of headers of a response. Vault sends about ten.
const MAX_HEADERS: usize = 64;

/// A request to a server of Vault.
pub(crate) struct VaultRequest<'a> {
    pub address: &'a BaseUrl,
    /// The path, from `/v1/` on, percent-encoded.
    pub path: &'a str,
    /// The namespace, without line breaks.
    pub namespace: Option<&'a str>,
    pub token: Option<&'a Secret>,
    /// The JSON to send with POST. Without it, the method is GET.
    pub body: Option<&'a [u8]>,
    /// The largest body of a response, in bytes.
    pub max_body: usize,
    pub context: CallContext,
}

/// Sends requests to Vault.
pub(crate) struct VaultClient(Connector);

impl VaultClient {
    pub fn new(settings: Settings, addresses: Arc<AddressBook>, system_roots: Arc<SystemRoots>) -> Self {
        Self(Connector::new(settings, addresses, system_roots))
    }

    /// Sends the request once and reads the whole response. Returns its status and body. Follows no redirect.
    pub fn send(&self, request: &VaultRequest<'_>) -> Result<(u16, WipedBuffer), Error> {
        let _last = RegisterWipe;
        let call = CurrentCall::begin_with(request.context.clone(), Peer::Vault, None, 0);
        self.exchange(request, &call).map_err(|error| failure::explain(&error.into(), &call))
    }

    fn exchange(&self, request: &VaultRequest<'_>, call: &CallState) -> io::Result<(u16, WipedBuffer)> {
        let uri = request.address.uri(request.path.to_owned().into()).map_err(|_| {
            call.fail(Error::invalid_argument("The address or the path of Vault is not part of a valid URL."))
        })?;
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let head_and_body = write(request, path);
        let mut channel = self.0.open_channel(&uri, request.address.is_encrypted(), call)?;
        call.enter(Phase::Send);
        channel.send(head_and_body.as_ref(), call)?;
        let mut received = WipedBuffer::with_capacity(request.max_body + MAX_FRAME);
        loop {
            if received.spare().is_empty() {
                return Err(too_long(request, call));
            }
            let count = channel.receive(received.spare(), call)?;
            received.advance(count);
            match read(received.as_ref(), count == 0) {
                Ok(None) if count == 0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(None) => {}
                Ok(Some((_, body))) if body.as_ref().len() > request.max_body => {
                    return Err(too_long(request, call));
                }
                Ok(Some(response)) => return Ok(response),
                Err(NotHttp) => {
                    let message = "its answer is not valid HTTP";
                    return Err(call.fail(Error::with_message(ErrorKind::InvalidResponse, message)));
                }
            }
        }
    }
}

fn too_long(request: &VaultRequest<'_>, call: &CallState) -> io::Error {
    let message = format!("its answer is longer than {} bytes", request.max_body);
    call.fail(Error::with_message(ErrorKind::InvalidResponse, message))
}

/// Writes the request for `path`.
fn write(request: &VaultRequest<'_>, path: &str) -> WipedBuffer {
    let body = request.body.unwrap_or_default();
    let method = if request.body.is_some() { "POST" } else { "GET" };
    let host = request.address.host_header();
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: ").into_bytes();
    head.extend_from_slice(host.as_bytes());
    // Agents of Vault may require `X-Vault-Request`, so that other programs cannot be made to send a request.
    head.extend_from_slice(b"\r\nConnection: close\r\nX-Vault-Request: true\r\n");
    let line = |head: &mut Vec<u8>, name: &str, value: &str| {
        for part in [name, ": ", value, "\r\n"] {
            head.extend_from_slice(part.as_bytes());
        }
    };
    // The name of this client that the service knows is not for Vault.
    for (name, value) in service::HEADERS.iter().filter(|(name, _)| !name.starts_with("x-")) {
        line(&mut head, name, value);
    }
    if let Some(namespace) = request.namespace {
        line(&mut head, "X-Vault-Namespace", namespace);
    }
    if request.body.is_some() {
        line(&mut head, "Content-Length", &body.len().to_string());
    }
    let token_name = b"X-Vault-Token: ";
    let token_length = request.token.map_or(0, |token| token_name.len() + token.len() + 2);
    let mut written = WipedBuffer::with_capacity(head.len() + token_length + 2 + body.len());
    written.push(&head);
    if let Some(token) = request.token {
        written.push(token_name);
        token.expose(|token| written.push(token));
        written.push(b"\r\n");
    }
    written.push(b"\r\n");
    written.push(body);
    written
}

/// The bytes are not valid HTTP/1.
struct NotHttp;

/// Reads the response at the start of `bytes`. `has_ended` is true if no more bytes come. Returns the status and the body,
/// or `None` if the response is not complete.
fn read(mut bytes: &[u8], has_ended: bool) -> Result<Option<(u16, WipedBuffer)>, NotHttp> {
    let (head, rest) = loop {
        match Head::parse(bytes)? {
            None => return Ok(None),
            // An interim response comes before the final one.
            Some((Head { status: 100..=199, .. }, rest)) => bytes = rest,
            Some(found) => break found,
        }
    };
    let body = match head {
        Head { status: 204 | 304, .. } => Some(wiped_copy(&[])),
        Head { is_chunked: true, .. } => chunks(rest)?,
        Head { length: Some(length), .. } => rest.get(..length).map(wiped_copy),
        Head { length: None, .. } => has_ended.then(|| wiped_copy(rest)),
    };
    Ok(body.map(|body| (head.status, body)))
}

/// Reads the response at the start of `bytes`, as [`read`] does.
#[cfg(feature = "test-parsers")]
pub(crate) fn parse(bytes: &[u8], has_ended: bool) -> Result<Option<(u16, WipedBuffer)>, Error> {
    read(bytes, has_ended).map_err(|NotHttp| Error::new(ErrorKind::InvalidResponse))
}

fn wiped_copy(body: &[u8]) -> WipedBuffer {
    let mut copy = WipedBuffer::with_capacity(body.len());
    copy.push(body);
    copy
}

/// The parts of a head that determine how to read the body.
struct Head {
    status: u16,
    is_chunked: bool,
    length: Option<usize>,
}

impl Head {
    /// Parses the head at the start of `bytes`. Returns it with what follows, or `None` if it is not complete.
    fn parse(bytes: &[u8]) -> Result<Option<(Self, &[u8])>, NotHttp> {
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut response = httparse::Response::new(&mut headers);
        let Status::Complete(end) = response.parse(bytes).map_err(|_| NotHttp)? else { return Ok(None) };
        let mut head = Self { status: response.code.unwrap_or_default(), is_chunked: false, length: None };
        for header in response.headers {
            let value = header.value.trim_ascii();
            if header.name.eq_ignore_ascii_case("transfer-encoding") {
                // Vault uses no other encoding.
                head.is_chunked = value.eq_ignore_ascii_case(b"chunked").then_some(true).ok_or(NotHttp)?;
            } else if header.name.eq_ignore_ascii_case("content-length") {
                // A number in Rust may have a sign.
                let digits = std::str::from_utf8(value).ok();
                let digits = digits.filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
                head.length = Some(digits.and_then(|digits| digits.parse().ok()).ok_or(NotHttp)?);
            }
        }
        Ok(Some((head, &bytes[end..])))
    }
}

/// Decodes a chunked body. Returns `None` if it is not complete.
fn chunks(mut rest: &[u8]) -> Result<Option<WipedBuffer>, NotHttp> {
    let mut body = WipedBuffer::with_capacity(rest.len());
    loop {
        let status = httparse::parse_chunk_size(rest).map_err(|_| NotHttp)?;
        let Status::Complete((start, length)) = status else { return Ok(None) };
        if length == 0 {
            return Ok(Some(body));
        }
        let end = usize::try_from(length).ok().and_then(|length| length.checked_add(start)).ok_or(NotHttp)?;
        let Some(chunk) = rest.get(start..end) else { return Ok(None) };
        body.push(chunk);
        rest = match &rest[end..] {
            [b'\r', b'\n', next @ ..] => next,
            [] | [b'\r'] => return Ok(None),
            _ => return Err(NotHttp),
        };
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Returns the status and the body, "incomplete" or "not HTTP".
    fn shown(bytes: &[u8], has_ended: bool) -> String {
        match read(bytes, has_ended) {
            Ok(Some((status, body))) => format!("{status} {}", String::from_utf8_lossy(body.as_ref())),
            Ok(None) => "incomplete".to_owned(),
            Err(NotHttp) => "not HTTP".to_owned(),
        }
    }

    #[test]
    fn it_reads_a_response_once_it_is_complete() {
        for (response, expected) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody", "200 body"),
            (
                "HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n2\r\nbo\r\n2;x=y\r\ndy\r\n0\r\n\r\n",
                "200 body",
            ),
            (
                "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\n{}",
                "404 {}",
            ),
            ("HTTP/1.1 204 No Content\r\n\r\n", "204 "),
            ("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", "200 "),
        ] {
            assert_eq!(shown(response.as_bytes(), false), expected, "{response}");
            // The empty line after the last chunk is not needed.
            let needed = if response.contains("0\r\n\r\n") && response.contains("unked") { 2 } else { 0 };
            for end in 0..response.len() - needed {
                assert_eq!(
                    shown(&response.as_bytes()[..end], false),
                    "incomplete",
                    "{end} bytes of {response}"
                );
            }
        }
        let until_end = b"HTTP/1.0 200 OK\r\n\r\nbody";
        assert_eq!([shown(until_end, false), shown(until_end, true)], ["incomplete", "200 body"]);
    }

    #[test]
    fn it_refuses_what_is_no_response() {
        for bad in [
            "SSH-2.0\r\n\r\n",
            "HTTP/2 200\r\n\r\n",
            "HTTP/1.1 OK\r\n\r\n",
            "HTTP/1.1 20 OK\r\n\r\n",
            "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999999\r\n\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nx\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nab\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffff\r\n",
        ] {
            assert_eq!(shown(bad.as_bytes(), true), "not HTTP", "{bad}");
        }
        assert_eq!(shown(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nbody", true), "incomplete");
    }

    #[test]
    fn it_reads_any_number_of_interim_responses_on_a_small_stack() {
        let many = "HTTP/1.1 100 \r\n\r\n".repeat(5000) + "HTTP/1.1 204 \r\n\r\n";
        let thread = std::thread::Builder::new().stack_size(128 * 1024);
        let read = thread.spawn(move || shown(many.as_bytes(), false)).expect("a thread").join();
        assert_eq!(read.expect("no panic"), "204 ");
    }

    proptest! {
        #[test]
        fn it_reads_what_was_written_in_chunks(body in prop::collection::vec(any::<u8>(), 0..300), size in 1_usize..50) {
            let mut response = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
            for chunk in body.chunks(size) {
                response.extend(format!("{:x}\r\n", chunk.len()).bytes());
                response.extend(chunk);
                response.extend(b"\r\n");
            }
            let head = response.len();
            response.extend(b"0\r\n\r\n");
            match read(&response, false) {
                Ok(Some((200, read))) => prop_assert_eq!(read.as_ref(), body.as_slice()),
                _ => prop_assert!(false, "it is complete"),
            }
            prop_assert!(matches!(read(&response[..head], true), Ok(None)));
        }

        #[test]
        fn it_accepts_any_bytes_without_a_panic(
            head in "HTTP/1\\.[01] [0-9]{0,4}[ a-z:;\\-0-9\r\n]{0,60}", rest in prop::collection::vec(any::<u8>(), 0..100),
        ) {
            let mut bytes = head.into_bytes();
            bytes.extend_from_slice(b"transfer-encoding: chunked\r\n\r\n");
            bytes.extend(rest);
            for has_ended in [false, true] {
                shown(&bytes, has_ended);
            }
        }
    }
}
