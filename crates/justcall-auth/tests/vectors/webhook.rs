//! Runs `tests/vectors/webhook/`: the result of a delivery.

use std::collections::BTreeSet;

use justcall_auth::{Error, ErrorKind, WebhookEvent, WebhookHeaders, WebhookVerifier};
use serde_json::{Value, json};

use crate::cases::{base64, contains, exactly, list, run_all, same, text, vectors};

#[test]
fn it_returns_the_expected_result_for_every_vector() {
    run_all(vectors("webhook"), 80, run);
}

#[test]
fn it_has_a_vector_for_every_result() {
    let vectors = vectors("webhook");
    let ends: BTreeSet<&str> =
        vectors.iter().filter_map(|(_, vector)| vector["expect"]["error"]["name"].as_str()).collect();
    let kinds = ErrorKind::ALL.iter().map(|kind| kind.name()).filter(|name| name.starts_with("webhook_"));
    assert_eq!(ends, kinds.collect());
}

#[test]
fn it_fails_on_an_unknown_vector_or_a_wrong_result() {
    let all = vectors("webhook");
    let named =
        |name: &str| all.iter().find(|(found, _)| found == name).expect("the vector exists").1.clone();
    let changes = [
        ("ok-published", "", "weather", json!("")),
        ("ok-published", "/expect/event", "weather", json!("")),
        ("ok-published", "", "body_base64", json!("")),
        ("ok-published", "", "secrets", json!(["5bd3a95c1b0f4e7f2a8890d1c6b7e3f402149a6d"])),
        ("ok-published", "/expect/event", "type", json!("call.missed")),
        ("ok-published", "/expect/event", "url", json!("")),
        ("ok-published", "/expect/event", "timestamp", json!(0)),
        ("ok-published", "/expect/event", "secret_index", json!(1)),
        ("ok-published", "/expect/event", "signature", json!("")),
        ("wrong-url", "/expect/error", "weather", json!("")),
        ("wrong-url", "/expect/error", "name", json!("webhook_stale")),
        ("wrong-url", "/expect/error", "code", json!(33)),
        ("wrong-url", "/expect/error", "message_contains", json!(["weather"])),
    ];
    for (name, pointer, key, value) in changes {
        let mut vector = named(name);
        assert_eq!(run(&vector), Ok(()), "{name}");
        vector.pointer_mut(pointer).expect("an object")[key] = value;
        assert!(run(&vector).is_err(), "{name} {pointer}/{key}");
    }
}

fn run(vector: &Value) -> Result<(), String> {
    let body_key =
        ["body_base64", "body_parts"].into_iter().find(|key| vector.get(key).is_some()).unwrap_or("body");
    let keys =
        ["about", "secrets", "urls", "tolerance", "replay_check", "now", "headers", body_key, "expect"];
    exactly(vector, &keys)?;
    let (outcome, texts) = verify(vector, body_key)?;
    let expect = &vector["expect"];
    match outcome {
        Ok(event) => {
            exactly(expect, &["event"])?;
            let found = json!({
                "url": event.url(), "type": event.event_type(), "timestamp": event.timestamp(),
                "secret_index": event.secret_index(), "signature": event.signature(),
            });
            same(&found, &expect["event"])
        }
        Err(error) => {
            exactly(expect, &["error"])?;
            let expect = &expect["error"];
            exactly(expect, &["name", "code", "message_contains"])?;
            same(&json!(error.kind().name()), &expect["name"])?;
            same(&json!(error.kind().number()), &expect["code"])?;
            contains(error.message(), &expect["message_contains"])?;
            let shown = format!("{error} {error:?} {}", error.hint());
            match texts.iter().find(|secret| shown.contains(*secret)) {
                Some(_) => Err(format!("it shows a secret or a signature: {shown}")),
                None => Ok(()),
            }
        }
    }
}

/// Returns the result of the delivery, and the texts that no error may contain.
fn verify(vector: &Value, body_key: &str) -> Result<(Result<WebhookEvent, Error>, Vec<String>), String> {
    let setting = |error: Error| error.to_string();
    let mut verifier = match vector["urls"].as_array().map(Vec::as_slice) {
        None => WebhookVerifier::for_any_url(),
        Some([first, others @ ..]) => {
            let mut verifier = WebhookVerifier::for_url(text(first)?).map_err(setting)?;
            for url in others {
                verifier.add_url(text(url)?).map_err(setting)?;
            }
            verifier
        }
        Some([]) => return Err("urls is empty".into()),
    };
    verifier.set_tolerance(vector["tolerance"].as_u64().ok_or("tolerance is not a number")?);
    let mut texts = Vec::new();
    for secret in list(&vector["secrets"])? {
        verifier.add_secret(text(secret)?.as_bytes()).map_err(setting)?;
        texts.push(text(secret)?.to_owned());
    }
    match vector["replay_check"].as_str() {
        None => {}
        Some("seen") => verifier.set_replay_check(|_: &WebhookEvent| Ok(true)),
        Some("new") => verifier.set_replay_check(|_: &WebhookEvent| Ok(false)),
        Some(other) => return Err(format!("unknown replay_check {other:?}")),
    }
    let mut headers = Vec::new();
    for header in list(&vector["headers"])? {
        let [name, value] = list(header)?.as_slice() else { return Err("a header is not a pair".into()) };
        texts.extend(Some(text(value)?.to_owned()).filter(|value| value.len() == 64));
        headers.push((text(name)?, text(value)?));
    }
    let now = vector["now"].as_i64().ok_or("now is not a number")?;
    let body = body(&vector[body_key], body_key)?;
    let outcome = verifier.verify(&WebhookHeaders::find(headers), &body, now);
    let result = outcome.as_ref().map_or_else(|error| error.kind().name(), |_| "ok");
    same(&json!(counted(&verifier.usage())), &json!([format!("{result}\"}} 1")]))?;
    Ok((outcome, texts))
}

/// Returns the results that a verifier counted: the end of each line of the text whose count is not zero.
fn counted(usage: &str) -> Vec<&str> {
    let samples =
        usage.lines().filter_map(|line| line.strip_prefix("justcall_auth_webhooks_total{result=\""));
    samples.filter(|sample| !sample.ends_with(" 0")).collect()
}

fn body(value: &Value, key: &str) -> Result<Vec<u8>, String> {
    match key {
        "body" => Ok(text(value)?.as_bytes().to_vec()),
        "body_base64" => base64(text(value)?),
        _ => {
            let mut body = Vec::new();
            for part in list(value)? {
                let times = part[1].as_u64().and_then(|times| usize::try_from(times).ok());
                let times = times.ok_or("a part has no count")?;
                body.extend(text(&part[0])?.repeat(times).into_bytes());
            }
            Ok(body)
        }
    }
}
