//! Runs `tests/vectors/verify/` against the sandbox: the row of the error table for each verification.

use std::time::Duration;

use justcall_auth::{Account, Client, Config, Credentials, Error};
use justcall_auth_sandbox::{Sandbox, SandboxConfig};
use serde_json::{Value, json};

use crate::cases::{contains, list, only, run_all, same, text, vectors};

/// A secret that no account has.
const WRONG: &str = "0000000000000000000000000000000000000000";
const KEYS: [&str; 7] = ["about", "pair", "credentials", "faults", "config", "expect", "requests"];

#[test]
fn it_returns_the_expected_row_for_every_vector() {
    let sandbox = Sandbox::start(SandboxConfig::default()).expect("a sandbox starts");
    run_all(vectors("verify"), 40, |vector| run(&sandbox, vector));
}

#[test]
fn it_fails_on_an_unknown_vector() {
    let sandbox = Sandbox::start(SandboxConfig::default()).expect("a sandbox starts");
    let mut vector = json!({"about": "", "pair": {}, "credentials": "good", "faults": [], "config": {"max_retries": 0},
        "expect": {"account": {"id": 1, "email": "a@b.example", "plan": "Pro", "verified_by": "/v2/account"}}, "requests": 1});
    vector["pair"] = json!({"account_id": 1, "email": "a@b.example"});
    assert_eq!(run(&sandbox, &vector), Ok(()));
    vector["pair"] = json!({"account_id": 2, "email": "a@b.example"});
    assert!(run(&sandbox, &vector).expect_err("another account").contains("account"));
    vector["pair"] = json!({"account_id": 3});
    vector["weather"] = json!("fine");
    assert!(run(&sandbox, &vector).expect_err("an unknown key").contains("weather"));
}

fn run(sandbox: &Sandbox, vector: &Value) -> Result<(), String> {
    let known = only(vector, &KEYS).and_then(|()| only(&vector["expect"], &["account", "error"]));
    known.and_then(|()| only(&vector["config"], &["timeout_ms", "max_retries", "verify_path"]))?;
    let control = |method: &str, path: &str, body: &Value| {
        sandbox.control(method, path, body).map_err(|error| error.to_string())
    };
    control("POST", "clear", &Value::Null)?;
    let pair = control("POST", "pairs", &vector["pair"])?;
    for fault in list(&vector["faults"])? {
        control("POST", "faults", fault)?;
    }
    let (key, secret) = match &vector["credentials"] {
        Value::String(word) if word == "good" => (text(&pair["api_key"])?, text(&pair["api_secret"])?),
        Value::String(word) if word == "wrong_secret" => (text(&pair["api_key"])?, WRONG),
        literal @ Value::Object(_) => (text(&literal["api_key"])?, text(&literal["api_secret"])?),
        other => return Err(format!("unknown credentials {other}")),
    };
    match (verify(sandbox, &vector["config"], key, secret), &vector["expect"]) {
        (Ok(account), Value::Object(expect)) if expect.contains_key("account") => {
            same(&account_json(&account), &expect["account"])?;
        }
        (Err(error), Value::Object(expect)) if expect.contains_key("error") => {
            compare(&error, &expect["error"])?;
            let shown = format!(
                "{error} {error:?} {} {} {:?}",
                error.message(),
                error.hint(),
                error.service_message()
            );
            if secret.len() >= 8 && shown.contains(secret) {
                return Err(format!("the secret leaks in {shown:?}"));
            }
        }
        (result, expect) => return Err(format!("got {result:?}, not {expect}")),
    }
    match &vector["requests"] {
        Value::Null => Ok(()),
        expected => {
            let requests = control("GET", "requests", &Value::Null)?;
            same(&json!(requests.as_array().map(Vec::len)), expected)
                .map_err(|why| format!("requests: {why}"))
        }
    }
}

fn verify(sandbox: &Sandbox, settings: &Value, key: &str, secret: &str) -> Result<Account, Error> {
    let mut config = Config::new();
    config.set_base_url(sandbox.url())?.set_ca_file(sandbox.ca_file().expect("TLS is on"))?;
    config.set_max_retries(
        settings["max_retries"].as_u64().and_then(|n| n.try_into().ok()).expect("max_retries is set"),
    );
    if let Some(timeout) = settings["timeout_ms"].as_u64() {
        config.set_timeout(Duration::from_millis(timeout));
    }
    if let Some(path) = settings["verify_path"].as_str() {
        config.set_verify_path(path)?;
    }
    config.set_credentials(Credentials::new(key.as_bytes(), secret.as_bytes())?);
    Client::new(&config)?.verify()
}

fn account_json(account: &Account) -> Value {
    json!({"id": account.id().unwrap_or(0), "email": account.email(), "plan": account.plan(), "verified_by": account.verified_by()})
}

fn compare(error: &Error, expect: &Value) -> Result<(), String> {
    let millis = error.retry_after().map(|wait| wait.as_millis());
    let actual = json!({
        "name": error.kind().name(),
        "code": error.kind().number(),
        "http_status": error.http_status(),
        "retryable": error.retryable(),
        "request_sent": error.request_sent(),
        "retry_after_ms": millis.map(|millis| u64::try_from(millis).unwrap_or(u64::MAX)),
        "reason": error.reason(),
        "service_message": error.service_message(),
    });
    let mut expect = expect.clone();
    let members = expect.as_object_mut().ok_or("expect.error is not an object")?;
    for (key, text) in [("message_contains", error.message()), ("hint_contains", error.hint())] {
        contains(text, &members.remove(key).unwrap_or_default())?;
    }
    same(&actual, &expect).map_err(|why| format!("{why}\n   in {error:?}"))
}
