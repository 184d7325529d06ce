//! Runs the faults of `tests/faults/matrix` against the sandbox.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use justcall_auth::{Client, Config, Credentials, Error, Request};
use justcall_auth_sandbox::{Sandbox, SandboxConfig};
use serde_json::{Value, json};

use crate::cases::{exactly, list, run_all, same, text};

const KEYS: [&str; 6] = ["about", "call", "base_url", "fault", "each", "timeout_ms"];
/// How much longer than its timeout a call may take on a loaded machine.
const GRACE: Duration = Duration::from_secs(30);

/// Returns every fault, with the name of its file and its number in the file.
fn faults() -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/faults/matrix");
    let mut faults = Vec::new();
    for entry in fs::read_dir(folder).expect("the matrix") {
        let path = entry.expect("a file").path();
        let file = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let list: Value = serde_json::from_slice(&fs::read(&path).expect("a file")).expect("JSON");
        for fault in list.as_array().expect("a list") {
            faults.push((format!("{file}: {}", fault["about"]), fault.clone()));
        }
    }
    faults
}

#[test]
fn every_fault_ends_in_its_row_of_the_table() {
    let sandbox = Sandbox::start(SandboxConfig::default()).expect("a sandbox starts");
    run_all(faults(), 60, |fault| run(&sandbox, fault));
}

#[test]
fn it_notices_a_fault_that_ends_in_another_row() {
    let sandbox = Sandbox::start(SandboxConfig::default()).expect("a sandbox starts");
    let good = json!({"about": "", "call": "get", "base_url": null, "each": null, "timeout_ms": 20000,
        "fault": {"fault": "answer", "status": 503, "headers": {"Retry-After": "7"}},
        "expect": {"name": "unavailable", "http_status": 503, "request_sent": true, "retry_after_ms": 7000}});
    assert_eq!(run(&sandbox, &good), Ok(()));
    for (pointer, name, value) in [
        ("", "weather", json!("")),
        ("", "call", json!("sing")),
        ("/expect", "weather", json!("")),
        ("/expect", "name", json!("ok")),
        ("/expect", "http_status", json!(500)),
        ("/expect", "request_sent", json!(false)),
        ("/expect", "retry_after_ms", json!(null)),
        ("", "each", json!({"member": "status", "from": 503, "to": 504, "step": 1})),
    ] {
        let mut changed = good.clone();
        changed.pointer_mut(pointer).expect("an object")[name] = value;
        assert!(run(&sandbox, &changed).is_err(), "{pointer} {name}");
    }
}

fn run(sandbox: &Sandbox, vector: &Value) -> Result<(), String> {
    exactly(vector, &[&KEYS[..], &["expect"]].concat())?;
    exactly(&vector["expect"], &["name", "http_status", "request_sent", "retry_after_ms"])?;
    let control = |method: &str, path: &str, body: &Value| {
        sandbox.control(method, path, body).map_err(|error| error.to_string())
    };
    control("POST", "clear", &Value::Null)?;
    let pair = control("POST", "pairs", &json!({}))?;
    let timeout = Duration::from_millis(vector["timeout_ms"].as_u64().ok_or("timeout_ms is no number")?);
    let secret = text(&pair["api_secret"])?;
    let client = client(sandbox, vector, text(&pair["api_key"])?, secret, timeout)
        .map_err(|error| error.to_string())?;
    for fault in each(vector)? {
        control("DELETE", "faults", &Value::Null)?;
        control("DELETE", "requests", &Value::Null)?;
        if !fault.is_null() {
            control("POST", "faults", &fault)?;
        }
        let begun = Instant::now();
        let result = call(&client, text(&vector["call"])?)?;
        let took = begun.elapsed();
        let requests = control("GET", "requests", &Value::Null)?;
        let is_received = !list(&requests)?.is_empty();
        check(&vector["expect"], &fault, &result, is_received, secret)
            .map_err(|why| format!("{fault}: {why}\n   in {result:?}"))?;
        if took > timeout + GRACE {
            return Err(format!("{fault}: it took {took:?}"));
        }
    }
    Ok(())
}

/// Returns the fault, or one for each value that a member of it takes.
fn each(vector: &Value) -> Result<Vec<Value>, String> {
    let (fault, each) = (&vector["fault"], &vector["each"]);
    if each.is_null() {
        return Ok(vec![fault.clone()]);
    }
    exactly(each, &["member", "from", "to", "step"])?;
    let number = |name: &str| each[name].as_u64().ok_or(format!("{name} is no number"));
    let step = usize::try_from(number("step")?).map_err(|error| error.to_string())?;
    let values = (number("from")?..=number("to")?).step_by(step);
    let member = text(&each["member"])?;
    Ok(values
        .map(|value| {
            let mut fault = fault.clone();
            fault[member] = value.into();
            fault
        })
        .collect())
}

fn client(
    sandbox: &Sandbox,
    vector: &Value,
    key: &str,
    secret: &str,
    timeout: Duration,
) -> Result<Client, Error> {
    let mut config = Config::new();
    config.set_base_url(vector["base_url"].as_str().unwrap_or(sandbox.url()))?.set_proxy("")?;
    config.set_ca_file(sandbox.ca_file().expect("TLS is on"))?.set_max_retries(0).set_timeout(timeout);
    config.set_credentials(Credentials::new(key.as_bytes(), secret.as_bytes())?);
    Client::new(&config)
}

/// Makes the call. Returns its HTTP status, which is 200 for an account.
fn call(client: &Client, name: &str) -> Result<Result<u16, Error>, String> {
    match name {
        "verify" => Ok(client.verify().map(|_| 200)),
        "get" => {
            let request = Request::new("GET", "/v2.1/calls").map_err(|error| error.to_string())?;
            Ok(client.request(request).map(|response| response.http_status()))
        }
        other => Err(format!("unknown call {other:?}")),
    }
}

fn check(
    expect: &Value,
    fault: &Value,
    result: &Result<u16, Error>,
    is_received: bool,
    secret: &str,
) -> Result<(), String> {
    let actual = match result {
        Ok(status) => {
            json!({"name": "ok", "http_status": status, "request_sent": true, "retry_after_ms": null})
        }
        Err(error) => json!({
            "name": error.kind().name(),
            "http_status": error.http_status(),
            "request_sent": error.request_sent(),
            "retry_after_ms": error.retry_after().map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)),
        }),
    };
    let mut expect = expect.clone();
    if expect["http_status"] == "status" {
        expect["http_status"] = fault["status"].clone();
    }
    if expect["request_sent"].is_null() {
        expect["request_sent"] = actual["request_sent"].clone();
    }
    same(&actual, &expect)?;
    if is_received && actual["request_sent"] == false {
        return Err("the service received the request".to_owned());
    }
    if result.is_ok() && !is_received {
        return Err("the service received no request".to_owned());
    }
    if format!("{result:?}").contains(&secret[..12]) {
        return Err("the secret leaks".to_owned());
    }
    Ok(())
}
