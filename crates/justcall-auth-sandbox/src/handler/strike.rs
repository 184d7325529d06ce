//! The effects of faults on a request.

use std::time::Duration;

use hyper::Response;
use hyper::body::Bytes;
use serde_json::Value;
use tokio::time::sleep;

use super::ServedRequest;
use crate::api::Call;
use crate::state::{FaultAnswer, FaultKind, Interim, RawBytes, Then};
use crate::wire::{Ending, Interjection, Payload, Reply, Takeover};

/// The reason why the bytes of a raw fault can be decoded.
const DECODED: &str = "the bytes were decoded once when the fault was made";
/// The longest single header of `huge_headers`.
const HEADER_PIECE: usize = 4096;

impl ServedRequest<'_> {
    /// Applies a fault before the whole request was read. Returns the end of the connection, if that is the effect.
    pub(super) fn strike_early(&self, kind: &FaultKind) -> Option<Takeover> {
        match kind {
            FaultKind::Answer(answer) => answer.early.map(|early| {
                let bytes = self.noted(instead(answer, &self.call)).wire(usize::MAX);
                Takeover::new(bytes, ending(early.then))
            }),
            FaultKind::Raw(raw) => raw.early.map(|early| {
                let bytes = raw.decode().expect(DECODED);
                Takeover { every: pause(raw), ..Takeover::new(bytes, ending(early.then)) }
            }),
            FaultKind::Interim(interim) => {
                self.connection.tap.interject(Interjection::Bytes(wire(interim)));
                None
            }
            FaultKind::KeyUpdate { .. } => {
                self.connection.tap.interject(Interjection::KeyUpdate);
                None
            }
            _ => None,
        }
    }

    /// Applies a fault after the whole request was read.
    pub(super) async fn strike(&self, kind: FaultKind) -> Response<Payload> {
        let cut = |reply: &Reply, ending| Takeover::new(reply.wire(reply.body.len() / 2), ending);
        let silent = |ending| Takeover::new(Vec::new(), ending);
        match kind {
            FaultKind::Delay { ms } => {
                sleep(Duration::from_millis(ms)).await;
                self.normal().into_response()
            }
            // Their bytes were sent before the body was read.
            FaultKind::Interim(_) | FaultKind::KeyUpdate { .. } => self.normal().into_response(),
            FaultKind::Hang {} => std::future::pending().await,
            FaultKind::HangBody {} => self.connection.take_over(cut(&self.normal(), Ending::Hang)).await,
            FaultKind::TruncatedBody {} => {
                self.connection.take_over(cut(&self.normal(), Ending::Close)).await
            }
            FaultKind::ResetAfterRequest {} => self.connection.take_over(silent(Ending::Reset)).await,
            FaultKind::CloseAfterRequest {} => self.connection.take_over(silent(Ending::Close)).await,
            FaultKind::Raw(raw) => {
                let bytes = raw.decode().expect(DECODED);
                let end = raw.then.map_or(Ending::Close, ending);
                self.connection.take_over(Takeover { every: pause(&raw), ..Takeover::new(bytes, end) }).await
            }
            FaultKind::Answer(answer) => {
                let reply = self.noted(instead(&answer, &self.call));
                if reply.status < 200 {
                    // This is no final answer in HTTP, so hyper would refuse to send it.
                    let bytes = reply.wire(reply.body.len());
                    return self.connection.take_over(Takeover::new(bytes, Ending::Close)).await;
                }
                reply.into_response()
            }
            FaultKind::HugeBody { bytes, chunked } => {
                let reply = self.noted(Reply::json(200, &Value::Null));
                reply.into_response_with(Payload::huge(bytes, !chunked))
            }
            FaultKind::HugeHeaders { bytes } => {
                let mut reply = self.normal();
                add_filler_headers(&mut reply, bytes);
                reply.into_response()
            }
            FaultKind::SlowBody { chunk_bytes, every_ms } => {
                let reply = self.normal();
                let body = Payload::slow(reply.body.clone(), chunk_bytes, Duration::from_millis(every_ms));
                reply.into_response_with(body)
            }
            FaultKind::CloseIdle { after_ms } => {
                let reply = self.normal();
                let body = Payload::whole(reply.body.clone());
                reply.into_response_with(self.connection.then_close(body, Duration::from_millis(after_ms)))
            }
            FaultKind::ResetBeforeRequest {}
            | FaultKind::SlowHandshake { .. }
            | FaultKind::HangHandshake {}
            | FaultKind::RawHandshake(_)
            | FaultKind::Tls { .. } => {
                unreachable!("a fault of connections never strikes a request")
            }
        }
    }
}

/// Returns the end of a connection whose handshake is not answered.
pub(crate) fn instead_of_handshake(raw: &RawBytes) -> Takeover {
    let end = raw.then.map_or(Ending::Close, ending);
    Takeover { every: pause(raw), ..Takeover::new(raw.decode().expect(DECODED), end) }
}

fn ending(then: Then) -> Ending {
    match then {
        Then::Hang => Ending::Stall,
        Then::Close => Ending::Close,
        Then::Reset => Ending::Reset,
        Then::Cut => Ending::Cut,
        Then::Alert => Ending::Alert,
    }
}

fn pause(raw: &RawBytes) -> Option<Duration> {
    raw.every_ms.map(Duration::from_millis)
}

/// Returns the bytes of the informational answer.
fn wire(interim: &Interim) -> Vec<u8> {
    let mut text = format!("HTTP/1.1 {} Interim\r\n", interim.status);
    for (name, value) in &interim.headers {
        text.extend([name, ": ", value, "\r\n"]);
    }
    (text + "\r\n").into_bytes()
}

/// Returns the answer of the fault, with its placeholders replaced by what the request carried.
fn instead(answer: &FaultAnswer, call: &Call) -> Reply {
    let authorization = call.head.authorization().unwrap_or_default();
    let (key, secret) = authorization.split_once(':').unwrap_or((authorization, ""));
    let fill = |text: &str| {
        text.replace("{authorization}", authorization)
            .replace("{api_key}", key)
            .replace("{api_secret}", secret)
    };
    let mut headers: Vec<(String, String)> = answer
        .headers
        .iter()
        .flat_map(|(name, values)| values.iter().map(|value| (name.clone(), fill(value))))
        .collect();
    let body = match &answer.body {
        None => Bytes::new(),
        Some(Value::String(text)) => fill(text).into(),
        Some(value) => fill_in(value.clone(), &fill).to_string().into(),
    };
    let typed = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    match &answer.content_type {
        Some(content_type) => headers.push(("Content-Type".to_owned(), content_type.clone())),
        None if !typed && answer.body.is_some() => {
            headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
        }
        None => {}
    }
    Reply { status: answer.status, headers, body }
}

/// Replaces placeholders in every string of a JSON value, so that the inserted text is escaped.
fn fill_in(value: Value, fill: &dyn Fn(&str) -> String) -> Value {
    match value {
        Value::String(text) => fill(&text).into(),
        Value::Array(items) => items.into_iter().map(|item| fill_in(item, fill)).collect(),
        Value::Object(members) => {
            members.into_iter().map(|(name, value)| (fill(&name), fill_in(value, fill))).collect()
        }
        other => other,
    }
}

/// Adds headers whose names and values have so many bytes together.
fn add_filler_headers(reply: &mut Reply, mut bytes: usize) {
    for number in 0.. {
        let name = format!("X-Filler-{number}");
        if bytes <= name.len() {
            return;
        }
        let value = (bytes - name.len()).min(HEADER_PIECE);
        bytes -= name.len() + value;
        reply.push(&name, &"x".repeat(value));
    }
}
