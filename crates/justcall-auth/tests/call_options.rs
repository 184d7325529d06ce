//! What one call is given besides what it asks: a time limit, and what may cancel it.
#![cfg(target_os = "linux")]

mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use justcall_auth::source::ProcessEnvironment;
use justcall_auth::{
    CallOptions, Cancel, Client, Config, Credentials, Error, ErrorKind, Source, WebhookHeaders,
    WebhookVerifier,
};
use justcall_auth_sandbox::{Sandbox, SandboxConfig};
use serde_json::json;
use support::{TIME_LIMIT, bare_config, pair};

/// Shorter than a client's timeout, and than what a hanging sandbox or program takes.
const SOON: Duration = Duration::from_millis(1500);

fn config(sandbox: &Sandbox) -> Config {
    let mut config = bare_config(sandbox);
    config.set_max_retries(0);
    config
}

/// A client whose source is a program that takes longer than every limit here.
fn client_of_a_slow_program() -> Client {
    let mut config = Config::new();
    config.set_source("command:sleep 9").expect("a spelling");
    Client::new(config.set_timeout(TIME_LIMIT)).expect("a client")
}

fn within(limit: Duration) -> CallOptions {
    let mut options = CallOptions::new();
    options.set_timeout(limit);
    options
}

fn cancelled() -> CallOptions {
    let cancel = Cancel::new();
    cancel.fire();
    let mut options = CallOptions::new();
    options.add_cancel(cancel);
    options
}

/// The error of `call`, which ends long before the client's timeout.
fn ends_early<T>(call: impl FnOnce() -> Result<T, Error>) -> Error {
    let began = Instant::now();
    let Err(error) = call() else { panic!("the call succeeded") };
    assert!(began.elapsed() < TIME_LIMIT / 2, "{error}");
    error
}

#[test]
fn it_limits_every_kind_of_call_in_place_of_the_client() {
    let sandbox = Sandbox::start(SandboxConfig::default()).expect("a sandbox");
    let mut config = config(&sandbox);
    let client = Client::new(config.set_credentials(pair(&sandbox))).expect("a client");
    client.verify().expect("the control: nothing hangs yet");
    sandbox.control("POST", "faults", &json!({"fault": "hang", "times": 2})).expect("hanging");
    let call = || client.call().with_options(&within(SOON));
    assert_eq!(ends_early(|| call().verify()).kind(), ErrorKind::Timeout);
    let other = Credentials::new(b"abc123def456", b"sec789xyz000").expect("good");
    assert_eq!(ends_early(|| call().replace(&other)).kind(), ErrorKind::Timeout);
    client.verify().expect("the limit was that of two calls");

    let slow = client_of_a_slow_program();
    let call = || slow.call().with_timeout(SOON);
    for error in [
        ends_early(|| call().reload()),
        ends_early(|| call().credentials()),
        ends_early(|| call().protection()),
    ] {
        assert_eq!(error.kind(), ErrorKind::SourceUnavailable, "{error}");
        assert!(error.message().contains("or the timeout of the call"), "{error}");
    }
}

#[test]
fn it_cancels_every_kind_of_call() {
    let slow = client_of_a_slow_program();
    let call = || slow.call().with_options(&cancelled());
    let other = Credentials::new(b"abc123def456", b"sec789xyz000").expect("good");
    for error in [
        ends_early(|| call().verify()),
        ends_early(|| call().replace(&other)),
        ends_early(|| call().reload()),
        ends_early(|| call().credentials()),
        ends_early(|| call().protection()),
    ] {
        assert_eq!(error.kind(), ErrorKind::Cancelled, "{error}");
    }
}

#[test]
fn it_limits_and_cancels_the_read_of_a_source() {
    let source = Source::parse("command:sleep 9").expect("a spelling");
    let load = |options: &CallOptions| ends_early(|| source.load_with(&ProcessEnvironment, options)).kind();
    assert_eq!(load(&within(SOON)), ErrorKind::SourceUnavailable);
    assert_eq!(load(&cancelled()), ErrorKind::Cancelled);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("pair");
    std::fs::write(&file, "abc123def456:sec789xyz000").expect("a file");
    let source = Source::parse(&format!("file:{}", file.display())).expect("a spelling");
    let loaded = source.load_with(&ProcessEnvironment, &within(Duration::ZERO)).expect("zero is no limit");
    assert_eq!(loaded.pair.credentials.key_hint(), "abc1…f456");
}

#[test]
fn it_limits_and_cancels_the_verification_of_a_delivery_that_needs_the_clients_secrets() {
    let client = client_of_a_slow_program();
    let mut verifier = WebhookVerifier::for_any_url();
    verifier.use_secrets_of(Arc::new(client.clone())).expect("the only secrets");
    let signature = "0".repeat(64);
    let headers = WebhookHeaders::new(Some(signature.as_bytes()), Some(b"v1"), Some(b"1711040902"));
    let body = br#"{"type":"call.completed","webhook_url":"https://example.com/hooks"}"#;
    for (options, kind) in [(cancelled(), ErrorKind::Cancelled), (within(SOON), ErrorKind::SourceUnavailable)]
    {
        let call = client.call().with_options(&options);
        let error = ends_early(|| verifier.verify_with_secrets(&headers, body, 1_711_040_902, &call));
        assert_eq!(error.kind(), kind, "{error}");
    }
    let usage = client.usage();
    for kind in ["cancelled", "source_unavailable"] {
        let line = format!("justcall_auth_webhooks_total{{result=\"{kind}\"}} 1\n");
        assert!(usage.contains(&line), "it is counted as every delivery is: {usage}");
    }
}
