//! The calls that control a sandbox: [`Sandbox::control`](crate::Sandbox::control) in Rust, HTTP with JSON
//! bodies elsewhere.
//!
//! Over HTTP, the paths below follow [`Sandbox::control_url`](crate::Sandbox::control_url), which contains a random token.
//! The control calls have a separate port: no fault strikes them, and they are not recorded. `Host` must be a
//! loopback name with that port. `Origin` and `Sec-Fetch-Site`, if present, must be those of a page at that URL. An error is
//! `{"status":"error","message":…}` with the status 400 (not understood), 403 (`Host` or origin), 404 (no
//! such call, token, key, account, fault or URL) or 409 (already taken or shown). Unknown members are refused, so that a
//! misspelt one is noticed.
//!
//! | call | body | answer |
//! |---|---|---|
//! | `POST pairs` | `{plan?, role?, email?, account_id?, allowed_ips?, api_access?, rate_limit?, addons?, api_key?, api_secret?}` | `{api_key, api_secret, account_id, email, plan, role}` of a new account |
//! | `POST reset` | `{api_key?, account_id?, new_api_key?, new_api_secret?, overlap_ms?}` | `{api_key, api_secret, generation, account_id}`: the account's new pair. The old pair ends immediately, or after `overlap_ms` milliseconds |
//! | `POST pairs/KEY/revoke` | | `{generation, account_id}`: ends that pair, without a successor |
//! | `GET accounts` | | `[{account_id, email, plan, role, allowed_ips, api_access, addons, rate, generation, pairs}]`, without any secret |
//! | `PATCH accounts/ID` | `{plan?, role?, allowed_ips?, api_access?, rate_limit?, addons?}` | `{changed}`: changes what the account may do. Null for `rate_limit` or `api_access` restores the plan's own |
//! | `POST accounts/ID/reveal` | | as `POST reset`: the current pair, if its secret was not returned before |
//! | `POST faults` | a fault | `{id}` |
//! | `GET faults` | | the faults in force: `[{id, fault, struck, skip, times}]` |
//! | `DELETE faults`, `DELETE faults/ID` | | `{cleared}` |
//! | `GET requests`, `GET requests?since=N` | | `[{n, t_ms, connection, method, path, query, peer, client, account_id, key_generation, secret_generation, status, fault, request_id, header_names, head_complete, body_bytes, body_complete, raw_head}]` |
//! | `DELETE requests` | | `{cleared}` |
//! | `GET connections` | | `{accepted, open}`: how many connections the API has accepted, and how many are open |
//! | `POST webhooks` | a webhook | `{deliveries: [{event, copy, attempt, request_id, type, webhook_url, timestamp, signature, status, headers, body, error}]}`, after the receiver has answered |
//! | `GET webhooks` | | the known events: `[{type, sure}]` |
//! | `POST webhooks/urls` | `{url}` | `{id, url}`, if the receiver answers 200 to an unsigned probe, as the service requires |
//! | `DELETE webhooks/urls/ID` | | `{removed}` |
//! | `GET webhooks/deliveries` | | `{urls: [{id, url}], attempts: […]}`: the registered URLs, and the last 200 attempts to deliver |
//! | `GET sandbox` | | `{url, ca_file, https, dialect, elapsed_ms}` |
//! | `POST clear` | | `{cleared_faults, cleared_requests, cleared_accounts}`: also removes every account except the first, whose rate limit is whole again, and the webhooks |
//! | `GET console/` | | over HTTP only: the page that shows all this and controls it |
//! | `GET events`, `GET events?since=N` | | over HTTP only: server-sent events, each with what changed after a revision |
//!
//! # Accounts
//!
//! By default `plan` is `"Pro"` and `role` is `"Admin"`; the rest is generated. The first account exists from the start.
//! The answer is 403 if `plan` is `"Free"` or `api_access` is false, if the role is neither Admin nor Owner and the
//! endpoint needs one, if the request's address is not in `allowed_ips`, and for `/v2.1/meetings_ai` and `/v2.1/calls_ai`
//! without their names in `addons`. `rate_limit` is `{"limit": N, "window_s": S}` (seconds, fractions allowed); without it,
//! limits are announced but not enforced. `POST reset` without a name resets the first account. `api_key` is an
//! account's current key, revoked or not.
//!
//! The live service is not known to have an overlap: a reset ends the old pair immediately, which is the default here. With
//! `overlap_ms` the sandbox shows a planned rotation: the old and the new pair both work until the overlap ends, or until
//! `POST pairs/KEY/revoke` with the old key. A later reset shortens the lives of all earlier pairs to its overlap,
//! and never lengthens one.
//!
//! # Faults
//!
//! A fault is `{"fault": KIND, …}` with any of `path` (exact, without the query), `method`, `api_key` (a prefix of
//! `Authorization`), `skip` (how many requests pass first), `rate` (the probability, 0.0 to 1.0) and
//! `times` (by default until cleared). If several fit a request, only the oldest strikes. It strikes before the pair is
//! checked.
//!
//! | kind | members | what the client sees |
//! |---|---|---|
//! | `delay` | `ms` | the normal answer later; the pair is checked at the end of the delay |
//! | `hang` | | nothing, until the client gives up |
//! | `hang_body` | | the normal answer's head and half of its body, then nothing |
//! | `truncated_body` | | the same, then an orderly close |
//! | `slow_body` | `chunk_bytes`, `every_ms` | the normal answer, in small pieces with pauses |
//! | `close_idle` | `after_ms?` | the normal answer with keep-alive, then an orderly close |
//! | `reset_after_request` | | a TCP reset after the request was read |
//! | `close_after_request` | | an orderly close (TLS `close_notify`) after the request was read |
//! | `answer` | `status` 100–999, `headers?` (name to value or list of values), `body?` (text, or any JSON), `content_type?`, `early?` | that answer. `{authorization}`, `{api_key}` and `{api_secret}` in it become what the request carried. After a 1xx the connection is closed |
//! | `raw` | `bytes`, `base64` or `parts`, `cut_after?`, `every_ms?`, `then?` or `early?` | these bytes, then an orderly close or the end in `then` |
//! | `interim` | `status` 100–199, `headers?`, `after_bytes?` | that informational answer after so many bytes of the body were read (by default 0), and later the normal answer |
//! | `key_update` | `after_bytes?` | a TLS 1.3 `KeyUpdate` that asks for one in return, at the same point, and later the normal answer |
//! | `huge_body` | `bytes`, `chunked?` | 200 and a JSON body of that size, without `Content-Length` if chunked |
//! | `huge_headers` | `bytes` | the normal answer with so many more bytes of headers |
//!
//! `parts` is a list of `{"bytes" or "base64", "times?"}`. `cut_after` is how many of the bytes are sent, and `every_ms` the
//! pause after each of them. `then` is an END as below, or `cut` (the end of TCP without a TLS `close_notify`) or `alert` (an
//! unencrypted TLS alert, then the same).
//!
//! `early` is `{"after_bytes": N, "then": END}`: the answer, or the bytes, are sent after N bytes of the body (by default 0)
//! were read, and nothing more is read. END is `hang` (the default: the connection stays open for up to a minute), `close` (an
//! orderly close; what still arrives is discarded) or `reset`. With `raw` and no bytes, the connection ends in the middle of a
//! request.
//!
//! The following kinds strike new connections and count connections. They cannot have `path`, `method` or `api_key`:
//!
//! | kind | members | what the client sees |
//! |---|---|---|
//! | `reset_before_request` | | a TCP reset after the TLS handshake (or the accept), before its request is read |
//! | `slow_handshake` | `ms` | no answer to its `ClientHello` (or request) for so long |
//! | `hang_handshake` | | no answer to its `ClientHello` |
//! | `raw_handshake` | as `raw`, without `early` and `alert` | these bytes in answer to its `ClientHello` |
//! | `tls` | `certificate`: `expired`, `not_yet_valid`, `wrong_host` or `unknown_ca` | that certificate |
//!
//! # Requests
//!
//! A request is recorded when its head has been read. A request whose head broke off is recorded when its connection ends,
//! with `head_complete` false and with as much of `method`, `path` and `raw_head` as arrived. `body_bytes` counts the bytes
//! of the body that arrived, and `body_complete` is true if that is all of it. `client` is the value of `X-JustCall-Client`
//! or `User-Agent`, with secrets masked; `peer` is the client's address. `status`, `request_id` (the value of
//! `X-Request-Id`) and the generations may be null. `t_ms`
//! is milliseconds since the sandbox started, and `connection` counts connections to the API from 1. Generations
//! count an account's pairs from 1: `key_generation` is the pair that the request's key belongs to, `secret_generation`
//! the one of its secret. If they differ, the pair is torn. `raw_head` is the head exactly as it arrived (each byte as one
//! ISO 8859-1 character), with the value of `Authorization` replaced by `<authorization>`. The last 65,536 requests are kept.
//!
//! # Webhooks
//!
//! `POST webhooks` signs an event with the account's secret, posts it to a receiver on this machine, and waits for
//! its answer. Only `url` is required.
//!
//! | member | meaning |
//! |---|---|
//! | `url` | the destination: `http://` to `127.0.0.0/8`, `[::1]` or `localhost`; any other is refused |
//! | `webhook_url` | the URL that the receiver is registered as, which is in the body and covered by the signature; by default `url` |
//! | `type` | the event, by default `call.completed`. A list is a sequence of events a second apart, of which the last one happens now. Any name is accepted |
//! | `data` | the data of the event, by default generated for its type. The signature does not cover it |
//! | `probe` | true: the probe of a URL that is being saved, without signature headers |
//! | `api_key`, `account_id` | the account whose secret signs; by default the first |
//! | `generation` | which of the account's secrets signs: after a reset, the old one signs deliveries in flight. By default the current one |
//! | `encoding` | of the signed URL: `javascript` (the default; leaves `! * ' ( )`) or `python` (encodes them too) |
//! | `timestamp` | sent and signed unchanged, in place of the event's time |
//! | `timestamp_form` | `datetime` (the default: `2024-03-21 17:08:22`, UTC), `epoch_s` or `epoch_ms` |
//! | `age_s` | how many seconds ago the event happened; negative for the future |
//! | `headers` | additional headers, or other values of the usual ones; null omits one |
//! | `body` | sent unchanged in place of the usual body; the signature stays that of `webhook_url` and `type` |
//! | `chunked` | true: the body is sent in chunks, without `Content-Length` |
//! | `duplicates` | how many more copies of each event, identical in every byte |
//! | `sequence` | the order in which the events arrive: `in_order` (the default), `reversed` or `shuffled` |
//! | `retries` | how many more attempts, 0 (the default) to 5, while the answer is not 200 |
//! | `retry_scale` | the fraction of the service's waits (1, 5, 15, 30 and 60 minutes) to wait, from 0.0 (the default) to 1.0 |
//! | `retry_signed_anew` | true: each attempt is signed for its own time, in place of the first one's |
//! | `timeout_ms` | the time limit for the receiver's answer, by default 10,000 |
//!
//! Deliveries are made one after the other, each on a new connection; redirects are not followed. They continue if the
//! caller disconnects. In the
//! answer, `event` counts the events and `copy` the duplicates, both from 0, and `attempt` counts from 1. If an
//! attempt got no answer, `status` is null and `error` is the reason.
//!
//! The object of a generated event can be read by its `id` (`call_id` for the sales dialer): at `/v2.1/calls/ID`,
//! `/v2.1/sales_dialer/calls/ID`, `/v2.1/texts/ID` and `/v2.1/contacts/ID`.
//!
//! Sources: the scheme, the headers, the members of the body and the events called `official` are from the
//! documentation, as is the fact that events may arrive twice and in any order. `data` follows the samples shown
//! there. The probe, the retries and the events called `article` are in the unofficial help article only or
//! reported by users. That article also shows another body (`event`, `timestamp`, `data`), which the documented
//! signature cannot cover; no event is sent in that form.

mod access;
mod fault;
pub(crate) mod http;

use std::sync::Arc;
use std::time::Instant;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::shared::Shared;
use crate::state::{Account, State};
use crate::{ControlError, Dialect, webhook};

pub(crate) use access::ControlOrigin;

/// Returns true if a control call waits for another program and needs [`execute_waiting`].
pub(crate) fn waits(method: &str, path: &str) -> bool {
    method == "POST" && matches!(path, "webhooks" | "webhooks/urls")
}

/// Executes any control call, including those that wait for another program.
pub(crate) async fn execute_waiting(
    shared: &Arc<Shared>,
    method: &str,
    path: &str,
    body: &Value,
) -> Result<Value, ControlError> {
    if !waits(method, path) {
        return execute(shared, method, path, body);
    }
    // A task continues if the caller disconnects.
    let shared = Arc::clone(shared);
    let task = if path == "webhooks" {
        let plan = webhook::DeliveryPlan::new(&shared, &read(body)?)?;
        tokio::spawn(async move { Ok(plan.carry_out(&shared).await) })
    } else {
        let registration = webhook::Registration::new(&shared, read(body)?)?;
        tokio::spawn(async move { registration.carry_out(&shared).await })
    };
    task.await.expect("the task does not panic, and ends before the sandbox does")
}

/// Executes a control call that does not wait. `path` is the part after the control URL, with its query. A null body is an
/// empty object.
pub(crate) fn execute(
    shared: &Shared,
    method: &str,
    path: &str,
    body: &Value,
) -> Result<Value, ControlError> {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let parts: Vec<&str> = path.split('/').collect();
    let call = (method, parts.as_slice());
    let answer = match parts[0] {
        "pairs" | "reset" | "accounts" => accounts(&mut shared.state(), call, body),
        "faults" => faults(&mut shared.state(), call, body, shared.https),
        "requests" => requests(shared, call, query),
        "webhooks" => webhooks(&mut shared.state(), call),
        _ => whole(shared, call),
    };
    let unknown = || ControlError::not_found(format!("there is no control call {method} {path}"));
    answer.and_then(|answer| answer.ok_or_else(unknown))
}

/// A method, and the parts of a path.
type CallParts<'a> = (&'a str, &'a [&'a str]);
/// The answer to a call; `None` if there is no such call.
type CallResult = Result<Option<Value>, ControlError>;

/// Executes the calls about accounts and their pairs.
fn accounts(state: &mut State, call: CallParts<'_>, body: &Value) -> CallResult {
    let now = Instant::now();
    Ok(Some(match call {
        ("POST", ["pairs"]) => {
            let id = state.create_account(read(body)?)?.id;
            described(state.reveal_secret(id)?)
        }
        ("POST", ["pairs", key, "revoke"]) => {
            let (account, generation) = state.revoke(&percent_decoded(key), now)?;
            json!({"generation": generation, "account_id": account.id})
        }
        ("POST", ["reset"]) => {
            let id = state.reset(read(body)?, now)?.id;
            revealed(state.reveal_secret(id)?)
        }
        ("GET", ["accounts"]) => in_json(&state.accounts(now)),
        ("PATCH", ["accounts", id]) => {
            state.change_account(account_id(id)?, read(body)?)?;
            json!({"changed": 1})
        }
        ("POST", ["accounts", id, "reveal"]) => revealed(state.reveal_secret(account_id(id)?)?),
        _ => return Ok(None),
    }))
}

/// Executes the calls about faults.
fn faults(state: &mut State, call: CallParts<'_>, body: &Value, https: bool) -> CallResult {
    Ok(Some(match call {
        ("POST", ["faults"]) => json!({"id": state.add_fault(fault::parse(read(body)?, https)?)}),
        ("GET", ["faults"]) => state.faults(),
        ("DELETE", ["faults"]) => json!({"cleared": state.clear_faults()}),
        ("DELETE", ["faults", id]) => {
            let is_cleared = id.parse().is_ok_and(|id| state.remove_fault(id));
            let unknown = || ControlError::not_found("no fault with that number is in force");
            is_cleared.then(|| json!({"cleared": 1})).ok_or_else(unknown)?
        }
        _ => return Ok(None),
    }))
}

/// Executes the calls about the record of requests.
fn requests(shared: &Shared, call: CallParts<'_>, query: &str) -> CallResult {
    Ok(Some(match call {
        ("GET", ["requests"]) => {
            let since = since(query)?;
            // The state is free again before a long record becomes JSON.
            let requests = shared.state().requests(since);
            in_json(&requests)
        }
        ("DELETE", ["requests"]) => json!({"cleared": shared.state().clear_requests()}),
        _ => return Ok(None),
    }))
}

/// Executes the calls about webhooks that do not wait for a receiver.
fn webhooks(state: &mut State, call: CallParts<'_>) -> CallResult {
    Ok(Some(match call {
        ("GET", ["webhooks"]) => webhook::known(),
        ("GET", ["webhooks", "deliveries"]) => state.webhooks(),
        ("DELETE", ["webhooks", "urls", id]) => {
            let is_removed = id.parse().is_ok_and(|id| state.remove_webhook_url(id));
            let unknown = || ControlError::not_found("no URL with that number is registered");
            is_removed.then(|| json!({"removed": 1})).ok_or_else(unknown)?
        }
        _ => return Ok(None),
    }))
}

/// Executes the calls about the sandbox as a whole.
fn whole(shared: &Shared, call: CallParts<'_>) -> CallResult {
    Ok(Some(match call {
        ("GET", ["connections"]) => {
            let (accepted, open) = shared.connections();
            json!({"accepted": accepted, "open": open})
        }
        ("GET", ["sandbox"]) => json!({
            "url": shared.url,
            "ca_file": shared.ca_file,
            "https": shared.https,
            "dialect": if shared.dialect == Dialect::Article { "article" } else { "measured" },
            "elapsed_ms": shared.elapsed_ms(),
        }),
        ("POST", ["clear"]) => {
            let mut state = shared.state();
            state.clear_webhooks();
            json!({
                "cleared_faults": state.clear_faults(),
                "cleared_requests": state.clear_requests(),
                "cleared_accounts": state.forget_other_accounts(),
            })
        }
        _ => return Ok(None),
    }))
}

/// Returns a new account with its pair, as JSON.
fn described(account: &Account) -> Value {
    let pair = account.pair();
    json!({
        "api_key": pair.key,
        "api_secret": pair.secret,
        "account_id": account.id,
        "email": account.email,
        "plan": account.plan,
        "role": account.role,
    })
}

/// Returns an account's current pair with its secret, as JSON.
fn revealed(account: &Account) -> Value {
    let pair = account.pair();
    json!({
        "api_key": pair.key,
        "api_secret": pair.secret,
        "generation": account.generation(),
        "account_id": account.id,
    })
}

/// Converts plain data to JSON.
fn in_json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).expect("it is plain data with text for keys")
}

/// Parses the number of an account in a path.
fn account_id(id: &str) -> Result<u64, ControlError> {
    id.parse().map_err(|_| ControlError::not_found("no account has that account_id"))
}

fn read<T: DeserializeOwned>(body: &Value) -> Result<T, ControlError> {
    let object = match body {
        Value::Null => Map::new(),
        Value::Object(members) => members.clone(),
        _ => return Err(ControlError::bad_request("the body must be a JSON object")),
    };
    serde_json::from_value(Value::Object(object)).map_err(ControlError::from_json)
}

fn since(query: &str) -> Result<u64, ControlError> {
    match query.strip_prefix("since=") {
        None if query.is_empty() => Ok(0),
        Some(number) => number.parse().map_err(|_| ControlError::bad_request("since takes a number")),
        None => Err(ControlError::bad_request("requests takes since=N and nothing else")),
    }
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let digits = tail.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(decoded) if byte == b'%' => {
                bytes.push(decoded);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(byte);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    #[test]
    fn it_decodes_a_key_in_a_path() {
        assert_eq!(super::percent_decoded("a%2Fb%zz%"), "a/b%zz%");
    }
}
