//! The receiver of webhooks: an HTTP server on this machine, and no other.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{HeaderName, HeaderValue};
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::delivery::{Delivery, DeliveryOutcome};
use crate::ControlError;
use crate::wire::Payload;

/// How long a receiver may take by default.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How many bytes of a receiver's answer are read.
const MAX_ANSWER: usize = 1024 * 1024;

/// An HTTP server on this machine.
pub(super) struct Receiver {
    addresses: Vec<SocketAddr>,
    uri: Uri,
    host: HeaderValue,
    timeout: Duration,
}

impl Receiver {
    /// Parses a URL. Fails if it leads to another machine.
    pub(super) fn parse(url: &str, timeout_ms: Option<u64>) -> Result<Self, ControlError> {
        let refused = |why: &str| {
            ControlError::bad_request(format!(
                "url {why}; webhooks are delivered to this machine only: http://127.0.0.1:PORT/PATH, \
                 http://[::1]:PORT/PATH or http://localhost:PORT/PATH. What the receiver is registered as \
                 goes into webhook_url"
            ))
        };
        let uri: Uri = url.parse().map_err(|_| refused("is no URL"))?;
        let authority = uri.authority().ok_or_else(|| refused("names no host"))?;
        if uri.scheme_str() != Some("http") {
            return Err(refused("is not http"));
        }
        if authority.as_str().contains('@') {
            return Err(refused("holds a user name"));
        }
        let name = authority.host();
        let addresses: Vec<IpAddr> = if name.eq_ignore_ascii_case("localhost") {
            vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]
        } else {
            let literal = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
            vec![literal.parse().map_err(|_| refused("names a host that is no loopback address"))?]
        };
        if !addresses.iter().all(IpAddr::is_loopback) {
            return Err(refused("names a host that is no loopback address"));
        }
        let port = uri.port_u16().unwrap_or(80);
        let host = HeaderValue::from_str(authority.as_str()).map_err(|_| refused("is no URL"))?;
        Ok(Self {
            addresses: addresses.into_iter().map(|address| SocketAddr::new(address, port)).collect(),
            uri,
            host,
            timeout: timeout_ms.map_or(TIMEOUT, Duration::from_millis),
        })
    }

    /// Sends a delivery on a new connection, and reads the answer.
    pub(super) async fn post(&self, delivery: &Delivery) -> DeliveryOutcome {
        let failed = |error: String| DeliveryOutcome { error: Some(error), ..DeliveryOutcome::default() };
        match tokio::time::timeout(self.timeout, self.exchange(delivery)).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(error)) => failed(error),
            Err(_) => failed(format!("no answer within {} ms", self.timeout.as_millis())),
        }
    }

    async fn exchange(&self, delivery: &Delivery) -> Result<DeliveryOutcome, String> {
        let tcp = TcpStream::connect(self.addresses.as_slice())
            .await
            .map_err(|error| format!("no connection: {error}"))?;
        let broken = |error: hyper::Error| format!("no answer: {error}");
        let (mut sender, connection) = http1::handshake(TokioIo::new(tcp)).await.map_err(broken)?;
        // The task ends when the sender is dropped.
        tokio::spawn(connection);
        let response = sender.send_request(self.request(delivery)).await.map_err(broken)?;
        answer(response).await
    }

    fn request(&self, delivery: &Delivery) -> Request<Payload> {
        let body = delivery.body.clone();
        let body = if delivery.chunked { Payload::chunked(body) } else { Payload::whole(body) };
        let mut request = Request::new(body);
        *request.method_mut() = hyper::Method::POST;
        *request.uri_mut() = self.uri.path_and_query().map_or_else(Uri::default, |path| path.clone().into());
        let headers = request.headers_mut();
        headers.insert("host", self.host.clone());
        headers.insert("content-type", HeaderValue::from_static("application/json"));
        headers.insert("user-agent", HeaderValue::from_static("justcall-auth-sandbox"));
        if delivery.is_signed {
            let value =
                |text: &str| header_value(text).expect("a timestamp was looked at when it was ordered");
            headers.insert("x-justcall-signature", value(&delivery.signature));
            headers.insert("x-justcall-signature-version", HeaderValue::from_static("v1"));
            headers.insert("x-justcall-request-timestamp", value(&delivery.timestamp));
        }
        for (name, value) in &delivery.headers {
            match value {
                Some(value) => drop(headers.insert(name, value.clone())),
                None => drop(headers.remove(name)),
            }
        }
        request
    }
}

async fn answer(response: Response<Incoming>) -> Result<DeliveryOutcome, String> {
    let (parts, body) = response.into_parts();
    let body = Limited::new(body, MAX_ANSWER).collect().await;
    let body =
        body.map_err(|error| format!("the answer's body broke off, or is longer than 1 MiB: {error}"))?;
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    Ok(DeliveryOutcome {
        status: Some(parts.status.as_u16()),
        headers: parts.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
        body: Some(String::from_utf8_lossy(&body.to_bytes()).into_owned()),
        error: None,
    })
}

/// Parses the headers to change. Those without a value are left out.
pub(super) fn header_changes(
    wanted: &BTreeMap<String, Option<String>>,
) -> Result<Vec<(HeaderName, Option<HeaderValue>)>, ControlError> {
    let wrong = || ControlError::bad_request("headers takes names of headers, each with a value or null");
    let change = |(name, value): (&String, &Option<String>)| {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?;
        let value = value.as_deref().map(|value| header_value(value).ok_or_else(wrong)).transpose()?;
        Ok((name, value))
    };
    wanted.iter().map(change).collect()
}

/// Returns the value of a header, or `None` if a header cannot have it.
pub(super) fn header_value(text: &str) -> Option<HeaderValue> {
    HeaderValue::from_bytes(text.as_bytes()).ok()
}
