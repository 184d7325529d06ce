//! Control calls over HTTP, and their guards.

use std::net::IpAddr;

use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::header::{HOST, ORIGIN};
use hyper::{HeaderMap, Request, Response};
use serde_json::Value;

use crate::shared::Shared;
use crate::wire::{Payload, Reply};

/// Longest body of a control call: room for 32 MiB of raw bytes in base64.
const MAX_BODY: usize = 64 * 1024 * 1024;

/// Answers one control call.
pub(crate) async fn handle(shared: &Shared, request: Request<Incoming>) -> Response<Payload> {
    answer(shared, request).await.unwrap_or_else(|refusal| refusal).into_response()
}

async fn answer(shared: &Shared, request: Request<Incoming>) -> Result<Reply, Reply> {
    let (parts, body) = request.into_parts();
    let target = parts.uri.path_and_query().map_or("", |target| target.as_str());
    let call = authorized(shared, target).ok_or_else(|| Reply::error(404, "Not found."))?.to_owned();
    guard(shared, &parts.headers)?;
    let body = Limited::new(body, MAX_BODY).collect().await;
    let body = body.map_err(|_| Reply::error(400, "The body broke off or is too long."))?.to_bytes();
    let body = if body.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(&body).map_err(|error| Reply::error(400, &format!("No JSON: {error}")))?
    };
    match super::execute_waiting(shared, parts.method.as_str(), &call, &body).await {
        Ok(value) => Ok(Reply::json(200, &value)),
        Err(error) => Err(Reply::error(error.status(), error.message())),
    }
}

/// What follows the control URL in the target, if its token is right.
fn authorized<'a>(shared: &Shared, target: &'a str) -> Option<&'a str> {
    let (token, call) = target.strip_prefix("/control/")?.split_once('/')?;
    let equal = token.len() == shared.token.len()
        && token.bytes().zip(shared.token.bytes()).fold(0, |seen, (a, b)| seen | (a ^ b)) == 0;
    equal.then_some(call)
}

/// Keeps out pages in a browser: those that reach the port by a name of their own, and those of another
/// origin.
fn guard(shared: &Shared, headers: &HeaderMap) -> Result<(), Reply> {
    let text = |value: Option<&hyper::header::HeaderValue>| {
        value.map(|value| value.to_str().unwrap_or_default().to_owned())
    };
    if !text(headers.get(HOST)).is_some_and(|host| is_ours(shared, &host)) {
        return Err(Reply::error(403, "Host must be a loopback name with the control port."));
    }
    if let Some(origin) = text(headers.get(ORIGIN)) {
        let host = origin.strip_prefix(shared.scheme()).and_then(|rest| rest.strip_prefix("://"));
        if !host.is_some_and(|host| is_ours(shared, host)) {
            return Err(Reply::error(403, "Control calls are not for pages of another origin."));
        }
    }
    Ok(())
}

fn is_ours(shared: &Shared, host: &str) -> bool {
    let Some((name, port)) = host.rsplit_once(':') else { return false };
    let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    let loopback = name.eq_ignore_ascii_case("localhost")
        || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    loopback && port.parse() == Ok(shared.control_port)
}
