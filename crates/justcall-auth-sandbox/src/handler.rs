//! One request to the pretended service: recorded, struck by a fault or not, answered.

use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::{Request, Response};
use serde_json::Value;
use tokio::time::sleep;

use crate::api::{self, Call};
use crate::connection::Connection;
use crate::fault::{Answer, Kind, RawBytes};
use crate::payload::Payload;
use crate::reply::Reply;
use crate::requests::Arrival;
use crate::stream::{Ending, Takeover};
use crate::tap::Interjection;

/// Longest body that is taken.
const MAX_BODY: usize = 32 * 1024 * 1024;
/// Why the bytes of a raw fault can be decoded.
const DECODED: &str = "the bytes were decoded once when the fault was made";
/// Longest single header of `huge_headers`.
const HEADER_PIECE: usize = 4096;

/// Answers one request, or ends the connection in its place.
pub(crate) async fn handle(connection: &Connection, request: Request<Incoming>) -> Response<Payload> {
    let head = connection.tap.take_head().unwrap_or_default();
    let (parts, body) = request.into_parts();
    let mut call = Call {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().map(str::to_owned),
        head,
        body: Bytes::new(),
        peer: connection.peer,
    };
    let (n, fault) = record(connection, &call);
    let mut body = Upload {
        connection,
        n,
        is_long: body.size_hint().lower() > MAX_BODY as u64,
        body,
        taken: Vec::new(),
    };
    if let Some((kind, after)) = fault.as_ref().and_then(|kind| Some((kind, kind.strikes_after()?))) {
        if let Err(refusal) = body.take(after).await {
            return noted(connection, n, refusal).into_response();
        }
        if let Some(takeover) = strike_early(connection, n, &call, kind) {
            return connection.take_over(takeover).await;
        }
    }
    if let Err(refusal) = body.take(usize::MAX).await {
        return noted(connection, n, refusal).into_response();
    }
    call.body = body.taken.into();
    match fault {
        None => normal(connection, n, &call).into_response(),
        Some(kind) => strike(connection, n, &call, kind).await,
    }
}

/// The body of a request as it comes in; how far it came is put on record.
struct Upload<'a> {
    connection: &'a Connection,
    n: u64,
    /// It was announced to be longer than what is taken.
    is_long: bool,
    body: Incoming,
    taken: Vec<u8>,
}

impl Upload<'_> {
    /// Reads until so many bytes have come in all, or the body has ended.
    async fn take(&mut self, count: usize) -> Result<(), Reply> {
        let mut has_ended = self.body.is_end_stream();
        while self.taken.len() < count && !has_ended {
            if self.is_long || self.taken.len() > MAX_BODY {
                return Err(Reply::error(413, "The body is longer than 32 MiB."));
            }
            match self.body.frame().await {
                Some(Ok(frame)) => self.came(frame.data_ref().map_or(&[], |data| data)),
                Some(Err(_)) => return Err(Reply::error(400, "The body broke off.")),
                None => has_ended = true,
            }
            has_ended |= self.body.is_end_stream();
        }
        if has_ended {
            self.connection.shared.state().requests.body_ended(self.n);
        }
        Ok(())
    }

    fn came(&mut self, data: &[u8]) {
        self.taken.extend_from_slice(data);
        self.connection.shared.state().requests.body_came(self.n, data.len());
    }
}

/// Puts the request on record; returns its number and the fault that strikes it, if any.
fn record(connection: &Connection, call: &Call) -> (u64, Option<Kind>) {
    let authorization = call.head.authorization();
    let t_ms = connection.shared.elapsed_ms();
    let mut state = connection.shared.state();
    let strike = state.faults.strike_request(&call.method, &call.path, authorization);
    let matched = state.accounts.identify(authorization);
    let n = state.requests.arrived(Arrival {
        t_ms,
        connection: connection.number,
        method: call.method.clone(),
        path: call.path.clone(),
        query: call.query.clone(),
        matched,
        fault: strike.as_ref().map(|strike| strike.name.clone()),
        head_complete: true,
        ..Arrival::of(&call.head)
    });
    (n, strike.map(|strike| strike.kind))
}

/// What a fault does before the request was read whole: the end of the connection, or something slipped in.
fn strike_early(connection: &Connection, n: u64, call: &Call, kind: &Kind) -> Option<Takeover> {
    match kind {
        Kind::Answer(Answer { early: Some(early), .. }) | Kind::Raw(RawBytes { early: Some(early), .. }) => {
            let bytes = match kind {
                Kind::Answer(answer) => noted(connection, n, instead(answer, call)).wire(usize::MAX),
                Kind::Raw(raw) => raw.decode().expect(DECODED),
                _ => unreachable!("only these two can be early"),
            };
            Some(Takeover { bytes, ending: early.then.into() })
        }
        Kind::Interim(interim) => {
            connection.tap.interject(Interjection::Bytes(interim.wire()));
            None
        }
        Kind::KeyUpdate { .. } => {
            connection.tap.interject(Interjection::KeyUpdate);
            None
        }
        _ => None,
    }
}

/// The service's own answer.
fn normal(connection: &Connection, n: u64, call: &Call) -> Reply {
    noted(connection, n, api::answer(&connection.shared, call))
}

fn noted(connection: &Connection, n: u64, reply: Reply) -> Reply {
    connection.shared.state().requests.answered(n, reply.status);
    reply
}

async fn strike(connection: &Connection, n: u64, call: &Call, kind: Kind) -> Response<Payload> {
    let cut = |reply: &Reply, ending| Takeover { bytes: reply.wire(reply.body.len() / 2), ending };
    let silent = |ending| Takeover { bytes: Vec::new(), ending };
    match kind {
        Kind::Delay { ms } => {
            sleep(Duration::from_millis(ms)).await;
            normal(connection, n, call).into_response()
        }
        // What they slip in was sent before the body had been read.
        Kind::Interim(_) | Kind::KeyUpdate { .. } => normal(connection, n, call).into_response(),
        Kind::Hang {} => std::future::pending().await,
        Kind::HangBody {} => connection.take_over(cut(&normal(connection, n, call), Ending::Hang)).await,
        Kind::TruncatedBody {} => {
            connection.take_over(cut(&normal(connection, n, call), Ending::Close)).await
        }
        Kind::ResetAfterRequest {} => connection.take_over(silent(Ending::Reset)).await,
        Kind::CloseAfterRequest {} => connection.take_over(silent(Ending::Close)).await,
        Kind::Raw(raw) => {
            let bytes = raw.decode().expect(DECODED);
            connection.take_over(Takeover { bytes, ending: Ending::Close }).await
        }
        Kind::Answer(answer) => {
            let reply = noted(connection, n, instead(&answer, call));
            if reply.status < 200 {
                // No final answer in HTTP, so hyper would refuse to send it.
                let bytes = reply.wire(reply.body.len());
                return connection.take_over(Takeover { bytes, ending: Ending::Close }).await;
            }
            reply.into_response()
        }
        Kind::HugeBody { bytes, chunked } => {
            let reply = noted(connection, n, Reply::json(200, &Value::Null));
            reply.into_response_with(Payload::huge(bytes, !chunked))
        }
        Kind::HugeHeaders { bytes } => {
            let mut reply = normal(connection, n, call);
            add_filler_headers(&mut reply, bytes);
            reply.into_response()
        }
        Kind::SlowBody { chunk_bytes, every_ms } => {
            let reply = normal(connection, n, call);
            let body = Payload::slow(reply.body.clone(), chunk_bytes, Duration::from_millis(every_ms));
            reply.into_response_with(body)
        }
        Kind::CloseIdle { after_ms } => {
            let reply = normal(connection, n, call);
            let body = Payload::whole(reply.body.clone());
            reply.into_response_with(connection.then_close(body, Duration::from_millis(after_ms)))
        }
        Kind::ResetBeforeRequest {}
        | Kind::SlowHandshake { .. }
        | Kind::HangHandshake {}
        | Kind::Tls { .. } => {
            unreachable!("a fault of connections never strikes a request")
        }
    }
}

/// The answer that a test asked for, with what the request carried where it wants that.
fn instead(answer: &Answer, call: &Call) -> Reply {
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

/// Fills in every string within a JSON value, so that what is filled in is escaped as JSON asks.
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

/// Headers whose names and values are so many bytes together.
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
