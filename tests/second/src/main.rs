//! Answers cases with the product: reads one JSON object per line, and writes one per line.
//!
//! `compare.py` creates the cases, and compares the answers with those of the second implementation in `second.py`. Bytes
//! are texts whose characters stand for one byte each.

mod exchange;

use std::io::{self, BufRead as _, BufWriter, Write as _};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use justcall_auth_protocol::classify::classify;
use justcall_auth_protocol::url::BaseUrl;
use justcall_auth_protocol::{
    Credentials, Error, ErrorKind, Exchange, Moment, Policy, Request, Response, Shared, WebhookEvent,
    WebhookHeaders, WebhookVerifier,
};
use serde_json::{Map, Value, json};

fn main() -> Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().lines() {
        let case: Value = serde_json::from_str(&line?)?;
        serde_json::to_writer(&mut out, &answer(&case).with_context(|| case.to_string())?)?;
        out.write_all(b"\n")?;
        // The reader waits for the answers to a batch, which an empty object ends.
        if case.as_object().is_some_and(Map::is_empty) {
            out.flush()?;
        }
    }
    Ok(out.flush()?)
}

fn answer(case: &Value) -> Result<Value> {
    match case["part"].as_str() {
        None => Ok(json!({})),
        Some("header") => header(case),
        Some("pair") => Ok(pair(case)),
        Some("response") => response(case),
        Some("webhook") => webhook(case),
        Some("exchange") => exchange::answer(case),
        Some(part) => bail!("there is no part {part}"),
    }
}

/// The bytes of a text whose characters stand for one byte each.
fn bytes(text: &Value) -> Vec<u8> {
    let letters = text.as_str().unwrap_or_default().chars();
    letters.map(|letter| u8::try_from(u32::from(letter)).expect("one byte")).collect()
}

/// The names and values of a list of headers.
fn pairs(list: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    list.as_array().into_iter().flatten().map(|pair| (text(&pair[0]), text(&pair[1]))).collect()
}

fn integer(value: &Value) -> Result<u64> {
    value.as_u64().context("not a number")
}

/// Returns a duration in whole milliseconds, as JSON.
fn milliseconds(wait: Option<Duration>) -> Value {
    wait.map_or(Value::Null, |wait| json!(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)))
}

fn header(case: &Value) -> Result<Value> {
    let text = |name: &str| case[name].as_str().context(name.to_owned());
    let base_url = BaseUrl::parse(text("base_url")?)?;
    let mut request = Request::new(text("method")?, text("path")?)?;
    for (name, value) in pairs(&case["headers"]) {
        request.set_header(&name, &value)?;
    }
    if let Some(body) = case["body"].as_str() {
        request.set_body(body);
    }
    let credentials = Credentials::new(text("key")?.as_bytes(), text("secret")?.as_bytes())?;
    let now = Moment { monotonic: Duration::ZERO, unix: Duration::ZERO, random: 0 };
    let policy = Arc::new(Policy { base_url, ..Policy::default() });
    let mut exchange = Exchange::request(policy, Shared::new("", Arc::default()), request, &now);
    exchange.next(&now)?;
    exchange.loaded(Ok(credentials.into()), &now);
    exchange.next(&now)?;
    let outgoing = exchange.outgoing();
    let mut headers: Map<String, Value> =
        outgoing.default_headers().map(|(name, value)| (name.to_lowercase(), json!(value))).collect();
    headers.extend(outgoing.headers().iter().map(|(name, value)| (name.to_lowercase(), json!(value))));
    let url = exchange.url();
    exchange.authorization()?.expose_authorization(|value| {
        headers.insert("authorization".into(), json!(String::from_utf8_lossy(value)))
    });
    Ok(json!({ "url": url, "headers": headers }))
}

fn pair(case: &Value) -> Value {
    let half = |name: &str| case[name].as_str().unwrap_or_default().as_bytes();
    let reason = Credentials::new(half("key"), half("secret")).err().map(|error| error.reason());
    json!({ "reason": reason.map(|reason| reason.unwrap_or("no reason")) })
}

fn response(case: &Value) -> Result<Value> {
    let status = u16::try_from(integer(&case["status"])?)?;
    let response = response_of(status, &case["headers"], &case["body"]);
    Ok(match classify(&response, None, Duration::from_secs(integer(&case["now"])?)) {
        Ok(()) => json!({ "error": null }),
        Err(error) => json!({
            "error": error.kind().name(),
            "retryable": error.retryable(),
            "retry_after": milliseconds(error.retry_after()),
            "service_message": error.service_message(),
            "reason": error.reason(),
        }),
    })
}

fn response_of(status: u16, headers: &Value, body: &Value) -> Response {
    Response::new(status, pairs(headers), bytes(body))
}

fn webhook(case: &Value) -> Result<Value> {
    let mut verifier = match case["urls"].as_array() {
        None => WebhookVerifier::for_any_url(),
        Some(urls) => {
            let mut urls = urls.iter().filter_map(Value::as_str);
            let mut verifier = WebhookVerifier::for_url(urls.next().context("no URL")?)?;
            urls.try_for_each(|url| verifier.add_url(url))?;
            verifier
        }
    };
    for secret in case["secrets"].as_array().context("secrets")? {
        verifier.add_secret(secret.as_str().context("a secret")?.as_bytes())?;
    }
    verifier.set_tolerance(integer(&case["tolerance"])?);
    let seen = case["seen"] == true;
    verifier.set_replay_check(move |_: &WebhookEvent| Ok::<_, Error>(seen));
    let headers: Vec<(String, Vec<u8>)> =
        pairs(&case["headers"]).into_iter().map(|(name, value)| (name, bytes(&json!(value)))).collect();
    let found = WebhookHeaders::find(headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())));
    let now = case["now"].as_i64().context("now")?;
    Ok(match verifier.verify(&found, &bytes(&case["body"]), now) {
        Ok(event) => json!({
            "error": null,
            "url": event.url(),
            "type": event.event_type(),
            "timestamp": event.timestamp(),
            "secret_index": event.secret_index(),
        }),
        Err(error) => json!({ "error": error.kind().name() }),
    })
}

/// Returns the error of a kind that a case names.
fn error_named(name: &str) -> Result<Error> {
    let kind = ErrorKind::ALL.iter().find(|kind| kind.name() == name).context("an error's name")?;
    Ok(Error::new(*kind))
}
