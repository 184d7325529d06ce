//! An answer that was not sent yet.

use std::time::SystemTime;

use hyper::body::Bytes;
use hyper::header::{HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use serde::Serialize;

use super::payload::Payload;

/// The body of an error, with its members in the documented order.
#[derive(Serialize)]
pub(crate) struct Failure<'a> {
    pub(crate) status: &'a str,
    pub(crate) message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error_code: Option<&'a str>,
}

/// The body of a success that is no list.
#[derive(Serialize)]
pub(crate) struct Success<T> {
    pub(crate) status: &'static str,
    pub(crate) data: T,
}

/// The body of a list.
#[derive(Serialize)]
pub(crate) struct List<T> {
    pub(crate) status: &'static str,
    pub(crate) count: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_link: Option<String>,
    pub(crate) data: Vec<T>,
}

impl<T> List<T> {
    /// Creates a page of a list.
    pub(crate) fn new(data: Vec<T>, next_page_link: Option<String>) -> Self {
        Self { status: "success", count: data.len(), next_page_link, data }
    }
}

/// An answer that was not sent yet.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
}

impl Reply {
    /// Creates an answer in JSON.
    pub(crate) fn json(status: u16, body: &impl Serialize) -> Self {
        let headers = vec![("Content-Type".to_owned(), "application/json".to_owned())];
        let body = serde_json::to_vec(body).expect("answers are plain data with text for keys");
        Self { status, headers, body: body.into() }
    }

    /// Creates an answer of another type.
    pub(crate) fn text(status: u16, content_type: &str, text: &'static str) -> Self {
        let headers = vec![("Content-Type".to_owned(), content_type.to_owned())];
        Self { status, headers, body: Bytes::from_static(text.as_bytes()) }
    }

    /// Creates an error in the shape of the service's errors.
    pub(crate) fn error(status: u16, message: &str) -> Self {
        Self::json(status, &Failure { status: "error", message, error_code: None })
    }

    /// Adds a header.
    pub(crate) fn push(&mut self, name: &str, value: &(impl ToString + ?Sized)) {
        self.headers.push((name.to_owned(), value.to_string()));
    }

    /// Converts the answer for hyper, with its whole body.
    pub(crate) fn into_response(mut self) -> Response<Payload> {
        let body = std::mem::take(&mut self.body);
        self.into_response_with(Payload::whole(body))
    }

    /// Converts the answer's status and headers for hyper, with another body.
    pub(crate) fn into_response_with(self, body: Payload) -> Response<Payload> {
        let mut response = Response::new(body);
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        for (name, value) in self.headers {
            // An echoed pair may have bytes that a header cannot have. Such a header is left out.
            if let (Ok(name), Ok(value)) =
                (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(&value))
            {
                response.headers_mut().append(name, value);
            }
        }
        response
    }

    /// Returns the bytes of the answer's head with its full length, and of the first `body_bytes` of its body.
    pub(crate) fn wire(&self, body_bytes: usize) -> Vec<u8> {
        let reason = StatusCode::from_u16(self.status).ok().and_then(|status| status.canonical_reason());
        let mut bytes = format!("HTTP/1.1 {} {}\r\n", self.status, reason.unwrap_or_default()).into_bytes();
        let framing = [
            ("Date".to_owned(), httpdate::fmt_http_date(SystemTime::now())),
            ("Content-Length".to_owned(), self.body.len().to_string()),
        ];
        for (name, value) in self.headers.iter().chain(&framing) {
            bytes.extend([name, ": ", value, "\r\n"].concat().into_bytes());
        }
        bytes.extend(b"\r\n");
        bytes.extend_from_slice(&self.body[..body_bytes.min(self.body.len())]);
        bytes
    }
}
