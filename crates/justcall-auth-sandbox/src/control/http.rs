//! Control calls over HTTP, and the console.

use std::sync::Arc;

use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::{Method, Request, Response};
use serde_json::Value;

use super::access::{self, ControlOrigin};
use crate::console;
use crate::shared::Shared;
use crate::wire::{Payload, Reply};

/// The longest body of a control call: 32 MiB of raw bytes in base64.
const MAX_BODY: usize = 64 * 1024 * 1024;

/// Answers a control call, or a request of the console.
pub(crate) async fn handle(
    shared: &Arc<Shared>,
    origin: ControlOrigin,
    request: Request<Incoming>,
) -> Response<Payload> {
    let mut response = answer(shared, origin, request).await.unwrap_or_else(Reply::into_response);
    access::add_security_headers(response.headers_mut());
    response
}

async fn answer(
    shared: &Arc<Shared>,
    origin: ControlOrigin,
    request: Request<Incoming>,
) -> Result<Response<Payload>, Reply> {
    let target = request.uri().path_and_query().map_or("", |target| target.as_str());
    let call = authorized(shared, target).ok_or_else(|| Reply::error(404, "Not found."))?.to_owned();
    access::check(origin, &request, call == console::PAGE)?;
    if let Some(name) = call.strip_prefix(console::PAGE) {
        return Ok(console::file(request.method(), name).into_response());
    }
    if *request.method() == Method::GET && call.split('?').next() == Some("events") {
        return Ok(console::stream(shared, revision(&request)?));
    }
    let (parts, body) = request.into_parts();
    let body = Limited::new(body, MAX_BODY).collect().await;
    let body = body.map_err(|_| Reply::error(400, "The body is incomplete or too long."))?.to_bytes();
    let body = if body.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(&body).map_err(|error| Reply::error(400, &format!("No JSON: {error}")))?
    };
    match super::execute_waiting(shared, parts.method.as_str(), &call, &body).await {
        Ok(value) => Ok(Reply::json(200, &value).into_response()),
        Err(error) => Err(Reply::error(error.status(), error.message())),
    }
}

/// Returns the part of the target after the control URL, if its token is right.
fn authorized<'a>(shared: &Shared, target: &'a str) -> Option<&'a str> {
    let (token, call) = target.strip_prefix("/control/")?.split_once('/')?;
    let equal = token.len() == shared.token.len()
        && token.bytes().zip(shared.token.bytes()).fold(0, |seen, (a, b)| seen | (a ^ b)) == 0;
    equal.then_some(call)
}

/// Returns the revision after which events are wanted: the last one that a browser got, or `since`, or 0 for everything.
fn revision<B>(request: &Request<B>) -> Result<u64, Reply> {
    let last = request.headers().get("last-event-id").map(|value| value.to_str().unwrap_or_default());
    let since = request.uri().query().map(|query| query.strip_prefix("since=").unwrap_or_default());
    last.or(since).map_or(Ok(0), |revision| {
        revision.parse().map_err(|_| Reply::error(400, "The parameter of this path must be since=REVISION."))
    })
}
