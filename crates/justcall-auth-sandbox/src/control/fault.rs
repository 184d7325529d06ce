//! Parses and checks the body of `POST faults`.

use hyper::header::{HeaderName, HeaderValue};
use serde_json::{Map, Value};

use crate::ControlError;
use crate::state::{Fault, FaultAnswer, FaultKind, Interim, RawBytes, Then};

/// Parses a fault. Fails if anything in it is unknown or impossible.
pub(super) fn parse(object: Map<String, Value>, https: bool) -> Result<Fault, ControlError> {
    let fault = Fault::from_json(object).map_err(ControlError::from_json)?;
    let Fault { name, kind, filter } = &fault;
    check_kind(kind)?;
    if filter.times == Some(0) {
        return Err(ControlError::bad_request("times must be at least 1"));
    }
    if !(0.0..=1.0).contains(&filter.rate) {
        return Err(ControlError::bad_request("rate must be from 0.0 to 1.0"));
    }
    if !filter.can_meet_a_path() {
        return Err(ControlError::bad_request("path must start with a slash, and have no query"));
    }
    if kind.is_for_connections() && filter.is_for_requests() {
        return Err(ControlError::bad_request(format!(
            "{name} strikes a new connection, before there is a path, method or api_key to look at"
        )));
    }
    if matches!(kind, FaultKind::Tls { .. } | FaultKind::KeyUpdate { .. } | FaultKind::RawHandshake(_))
        && !https
    {
        return Err(ControlError::bad_request(format!("{name} needs a sandbox that serves HTTPS")));
    }
    Ok(fault)
}

fn check_kind(kind: &FaultKind) -> Result<(), ControlError> {
    match kind {
        FaultKind::Answer(answer) => check_answer(answer),
        FaultKind::Raw(raw) => raw.decode().map(drop).map_err(ControlError::bad_request),
        FaultKind::RawHandshake(raw) => check_handshake(raw),
        FaultKind::Interim(interim) => check_interim(interim),
        FaultKind::SlowBody { chunk_bytes: 0, .. } => {
            Err(ControlError::bad_request("chunk_bytes must be at least 1"))
        }
        FaultKind::HugeHeaders { bytes } if *bytes > 32 * 1024 * 1024 => {
            Err(ControlError::bad_request("huge_headers goes to 32 MiB"))
        }
        _ => Ok(()),
    }
}

fn check_handshake(raw: &RawBytes) -> Result<(), ControlError> {
    if raw.early.is_some() || raw.then == Some(Then::Alert) {
        return Err(ControlError::bad_request(
            "before a handshake there is no early answer and no later alert",
        ));
    }
    raw.decode().map(drop).map_err(ControlError::bad_request)
}

fn check_answer(answer: &FaultAnswer) -> Result<(), ControlError> {
    if !(100..=999).contains(&answer.status) {
        return Err(ControlError::bad_request("status must be from 100 to 999"));
    }
    let headers = answer.headers.iter();
    check_headers(headers.flat_map(|(name, values)| values.iter().map(|value| (name.as_str(), value))))?;
    match &answer.content_type {
        Some(value) if HeaderValue::from_str(value).is_err() => {
            Err(ControlError::bad_request("content_type is no legal header value"))
        }
        _ => Ok(()),
    }
}

fn check_interim(interim: &Interim) -> Result<(), ControlError> {
    if !(100..=199).contains(&interim.status) {
        return Err(ControlError::bad_request("status must be from 100 to 199"));
    }
    check_headers(interim.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())))
}

/// Fails if these cannot be sent as headers, or would change the framing.
fn check_headers<'a>(headers: impl Iterator<Item = (&'a str, &'a str)>) -> Result<(), ControlError> {
    for (name, value) in headers {
        let framing = ["content-length", "transfer-encoding"];
        if framing.iter().any(|framing| name.eq_ignore_ascii_case(framing)) {
            return Err(ControlError::bad_request("an answer has its true length; for a false one use raw"));
        }
        if HeaderName::from_bytes(name.as_bytes()).is_err() || HeaderValue::from_str(value).is_err() {
            return Err(ControlError::bad_request(format!("{name:?} is no legal header; use raw for such")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    fn parse(value: Value, https: bool) -> Result<(), String> {
        let Value::Object(object) = value else { panic!("an object") };
        super::parse(object, https).map(drop).map_err(|error| error.to_string())
    }

    #[test]
    fn it_refuses_what_it_does_not_understand() {
        for wrong in [
            json!({}),
            json!({"fault": "explode"}),
            json!({"fault": "hang", "ms": 1}),
            json!({"fault": "delay"}),
            json!({"fault": "delay", "ms": 1, "tmies": 3}),
            json!({"fault": "hang", "times": 0}),
            json!({"fault": "hang", "path": "v2/account"}),
            json!({"fault": "hang", "path": "/v2/account?page=1"}),
            json!({"fault": "hang", "rate": 1.5}),
            json!({"fault": "answer", "status": 99}),
            json!({"fault": "answer", "status": 1000}),
            json!({"fault": "answer", "status": 200, "headers": {"content-length": "5"}}),
            json!({"fault": "answer", "status": 200, "headers": {"a b": "c"}}),
            json!({"fault": "raw"}),
            json!({"fault": "raw", "base64": "?"}),
            json!({"fault": "raw", "bytes": "", "parts": []}),
            json!({"fault": "raw", "parts": [{"bytes": "a", "base64": "YQ=="}]}),
            json!({"fault": "raw", "parts": [{"bytes": "abcdefgh", "times": 9_000_000}]}),
            json!({"fault": "raw", "bytes": "", "then": "cut", "early": {}}),
            json!({"fault": "raw_handshake", "bytes": "", "path": "/a"}),
            json!({"fault": "raw_handshake", "bytes": "", "then": "alert"}),
            json!({"fault": "slow_body", "chunk_bytes": 0, "every_ms": 1}),
            json!({"fault": "reset_before_request", "path": "/a"}),
            json!({"fault": "tls", "certificate": "blank"}),
        ] {
            assert!(parse(wrong.clone(), true).is_err(), "{wrong}");
        }
        assert!(parse(json!({"fault": "tls", "certificate": "expired"}), false).is_err());
    }
}
