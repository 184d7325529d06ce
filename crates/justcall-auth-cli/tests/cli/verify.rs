//! `verify`: every success and failure, with its exit code.

use std::net::TcpListener;

use justcall_auth_sandbox::{Dialect, SandboxConfig};
use serde_json::{Value, json};

use crate::run::{Service, file, run};

fn short(key: &str) -> String {
    format!("{}…{}", &key[..4], &key[key.len() - 4..])
}

#[test]
fn it_prints_the_account_of_the_pair_in_the_environment() {
    let service = Service::start();
    let run = service.run(&["verify"]);
    assert_eq!((run.exit, run.stderr.as_str()), (0, ""), "{run:?}");
    assert!(run.stdout.starts_with("✓ "), "{run:?}");
    for part in ["Pro", "@", "GET /v2/account", &short(service.sandbox.api_key())] {
        assert!(run.stdout.contains(part), "{part}: {run:?}");
    }
    let all = service.run(&["verify", "--json"]).json();
    assert_eq!(all["ok"], true);
    let account = &all["account"];
    assert!(account["id"].as_u64().is_some_and(|id| run.stdout.contains(&id.to_string())), "{all}");
    assert!(account["email"].as_str().is_some_and(|email| run.stdout.contains(email)), "{all}");
    assert_eq!(account["plan"], "Pro");
    assert_eq!(account["verified_by"], "/v2/account");
    assert_eq!(account["key_hint"], short(service.sandbox.api_key()));
}

#[test]
fn it_reads_the_pair_from_a_file_in_every_form() {
    let service = Service::start();
    let folder = tempfile::tempdir().expect("a folder");
    let (key, secret) = (service.sandbox.api_key(), service.sandbox.api_secret());
    for (name, text) in [
        ("pair", format!("{key}:{secret}\n")),
        ("env", format!("JUSTCALL_API_KEY={key}\nJUSTCALL_API_SECRET=\"{secret}\"\n")),
        ("json", json!({"api_key": key, "api_secret": secret}).to_string()),
    ] {
        let (_, source) = file(folder.path(), name, &text);
        let run = run(&service.arguments(&["verify", "--source", &source]), &[]);
        assert_eq!(run.exit, 0, "{name}: {run:?}");
    }
}

#[test]
fn it_reads_the_variables_of_the_source() {
    let service = Service::start();
    let pair = [("KEY", service.sandbox.api_key()), ("SECRET", service.sandbox.api_secret())];
    let run = run(&service.arguments(&["--source", "env:KEY,SECRET", "verify"]), &pair);
    assert_eq!(run.exit, 0, "{run:?}");
}

#[test]
fn it_verifies_if_the_service_has_no_account_page() {
    let service = Service::with(SandboxConfig { dialect: Dialect::Measured, ..SandboxConfig::default() });
    let run = service.run(&["verify"]);
    assert_eq!(run.exit, 0, "{run:?}");
    assert!(run.stdout.contains("not returned by the service"), "{run:?}");
    let account = service.run(&["verify", "--json"]).json()["account"].clone();
    assert_eq!((&account["id"], &account["plan"]), (&Value::Null, &Value::Null));
    assert_eq!(account["verified_by"], "/v2.1/users?per_page=1");
}

#[test]
fn it_requests_the_path_of_the_option() {
    let service = Service::start();
    let run = service.run(&["verify", "--verify-path", "/v2.1/users?per_page=1", "--json"]);
    assert_eq!(run.json()["account"]["verified_by"], "/v2.1/users?per_page=1");
    assert_eq!(service.control("GET", "requests", &Value::Null)[0]["path"], "/v2.1/users");
}

#[test]
fn it_exits_with_4_if_the_pair_is_rejected() {
    let service = Service::start();
    let wrong = "0123456789abcdef0123456789abcdef01234567";
    let run = service.run_as(service.sandbox.api_key(), wrong, &["verify"]);
    run.fails_with(4, "invalid_credentials");
    assert!(run.stderr.contains("\nThe service answered: \"Invalid API key or secret.\"\n→ "), "{run:?}");
    let json = service.run_as(service.sandbox.api_key(), wrong, &["verify", "--json"]);
    assert_eq!(json.exit, 4);
    let all = json.json();
    assert_eq!(all["ok"], false);
    let error = &all["error"];
    assert_eq!(error["name"], "invalid_credentials");
    assert_eq!((&error["code"], &error["http_status"]), (&json!(401), &json!(401)));
    assert_eq!(error["service_message"], "Invalid API key or secret.");
    assert_eq!((&error["retryable"], &error["request_sent"]), (&json!(false), &json!(true)));
    assert_eq!((&error["retry_after"], &error["findings"]), (&Value::Null, &json!([])));
    for text in ["message", "hint"] {
        assert!(error[text].as_str().is_some_and(|text| !text.is_empty()), "{text}: {all}");
    }
}

#[test]
fn it_reports_the_local_findings_about_a_rejected_pair() {
    let service = Service::start();
    let run = service.run_as("fed456cba123", "zyx000ces789", &["verify", "--json"]);
    let findings = run.json()["error"]["findings"].clone();
    assert_eq!(findings[0]["code"], "unusual_shape");
    assert_eq!(findings[0]["severity"], "note");
    assert!(findings[0]["message"].is_string() && findings[0]["remedy"].is_string());
}

#[test]
fn it_exits_with_5_and_a_remedy_if_the_plan_has_no_api_access() {
    let service = Service::start();
    let pair = service.control("POST", "pairs", &json!({"plan": "Free"}));
    let (key, secret) = (pair["api_key"].as_str().unwrap(), pair["api_secret"].as_str().unwrap());
    let run = service.run_as(key, secret, &["verify"]);
    run.fails_with(5, "forbidden");
    assert!(run.stderr.contains("plan does not include API access"), "{run:?}");
    let run = service.run_as(key, secret, &["verify", "--json"]);
    assert_eq!((run.exit, &run.json()["error"]["reason"]), (5, &json!("plan")));
}

#[test]
fn it_exits_with_3_and_sends_nothing_if_the_pair_is_malformed() {
    let service = Service::start();
    let secret = format!("{} ", service.sandbox.api_secret());
    let run = service.run_as(service.sandbox.api_key(), &secret, &["verify"]);
    run.fails_with(3, "credentials_malformed");
    assert!(run.stderr.contains("API secret ends with a space"), "{run:?}");
    let run = service.run_as(service.sandbox.api_key(), &secret, &["verify", "--json"]);
    assert_eq!(run.exit, 3);
    let error = run.json()["error"].clone();
    assert_eq!((&error["reason"], &error["request_sent"]), (&json!("trailing_whitespace"), &json!(false)));
    assert_eq!(error["findings"][0]["code"], "trailing_whitespace");
    assert_eq!(service.requests(), 0);
}

#[test]
fn it_exits_with_3_and_sends_nothing_without_a_pair() {
    let service = Service::start();
    let run = run(&service.arguments(&["verify"]), &[]);
    run.fails_with(3, "credentials_missing");
    assert!(run.stderr.contains("JUSTCALL_API_KEY and JUSTCALL_API_SECRET"), "{run:?}");
    assert_eq!(service.requests(), 0);
}

#[test]
fn it_exits_with_6_and_prints_the_wait_if_the_limit_is_exhausted() {
    let service = Service::start();
    let limit = json!({"rate_limit": {"limit": 1, "window_s": 3600}});
    let pair = service.control("POST", "pairs", &limit);
    let (key, secret) = (pair["api_key"].as_str().unwrap(), pair["api_secret"].as_str().unwrap());
    assert_eq!(service.run_as(key, secret, &["verify"]).exit, 0);
    let run = service.run_as(key, secret, &["verify"]);
    run.fails_with(6, "rate_limited");
    assert!(run.stderr.contains(" The service asks to wait "), "{run:?}");
    let error = service.run_as(key, secret, &["verify", "--json"]).json()["error"].clone();
    assert!(error["retry_after"].as_f64().is_some_and(|wait| wait > 3000.0), "{error}");
    assert_eq!(error["retryable"], true);
}

#[test]
fn it_exits_with_7_without_a_response() {
    let service = Service::start();
    let stranger = Service::start();
    let other_ca = ["verify", "--base-url", service.sandbox.url(), "--ca-file", &stranger.address[3]];
    let pair = [
        ("JUSTCALL_API_KEY", service.sandbox.api_key()),
        ("JUSTCALL_API_SECRET", service.sandbox.api_secret()),
    ];
    let untrusted = run(&other_ca, &pair);
    untrusted.fails_with(7, "tls_failed");
    assert!(untrusted.stderr.contains("set --ca-file or SSL_CERT_FILE"), "{untrusted:?}");

    service.control("POST", "faults", &json!({"fault": "hang"}));
    service.run(&["verify", "--timeout", "0.3"]).fails_with(7, "timeout");
    let error = service.run(&["verify", "--timeout", "0.3", "--json"]).json()["error"].clone();
    assert_eq!((&error["name"], &error["request_sent"]), (&json!("timeout"), &json!(true)));

    let closed = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its number");
    let url = format!("https://{closed}");
    let refused = run(&["verify", "--base-url", &url, "--max-retries", "0"], &pair);
    refused.fails_with(7, "connection_failed");
}

#[test]
fn it_exits_with_8_if_the_service_fails() {
    let service = Service::start();
    for (status, name) in [(503, "unavailable"), (500, "server_error"), (502, "unavailable")] {
        service.control("POST", "clear", &Value::Null);
        service.control("POST", "faults", &json!({"fault": "answer", "status": status}));
        let run = service.run(&["verify", "--max-retries", "0"]);
        run.fails_with(8, name);
        assert_eq!(run.stderr.contains("(HTTP 502)"), status == 502, "{run:?}");
        assert_eq!(service.requests(), 1, "retries are off");
    }
}

#[test]
fn it_retries_as_often_as_the_option_allows() {
    let service = Service::start();
    service.control("POST", "faults", &json!({"fault": "answer", "status": 503, "times": 1}));
    assert_eq!(service.run(&["verify", "--max-retries", "1"]).exit, 0);
    assert_eq!(service.requests(), 2);
}

#[test]
fn it_exits_with_1_on_a_redirect_without_following_it() {
    let service = Service::start();
    let elsewhere =
        json!({"fault": "answer", "status": 302, "headers": {"location": "https://example.test/x"}});
    service.control("POST", "faults", &elsewhere);
    let run = service.run(&["verify"]);
    run.fails_with(1, "redirect_refused");
    assert!(run.stderr.contains("example.test"), "{run:?}");
    assert_eq!(service.requests(), 1);
}

#[test]
fn it_exits_with_1_if_the_source_cannot_be_read() {
    let service = Service::start();
    let folder = tempfile::tempdir().expect("a folder");
    let source = format!("file:{}", folder.path().join("absent.json").display());
    let run = run(&service.arguments(&["verify", "--source", &source]), &[]);
    run.fails_with(1, "source_unavailable");
    assert!(run.stderr.contains("absent.json"), "the message names the file: {run:?}");
}

#[test]
fn it_refuses_to_expect_the_account_0() {
    let refused = run(&["verify", "--expected-account", "0"], &[]);
    assert_eq!(refused.exit, 2, "{refused:?}");
    assert!(refused.stderr.contains("To accept every account, leave out --expected-account"), "{refused:?}");
}

#[test]
fn it_names_the_variable_with_unusable_authorities() {
    let service = Service::start();
    let folder = tempfile::tempdir().expect("a folder");
    let (path, _) = file(folder.path(), "empty.pem", "");
    let (_, source) = file(
        folder.path(),
        "pair",
        &format!("{}:{}", service.sandbox.api_key(), service.sandbox.api_secret()),
    );
    let arguments = ["verify", "--source", &source, "--base-url", service.sandbox.url()];
    let failed = run(&arguments, &[("SSL_CERT_FILE", path.to_str().expect("UTF-8"))]);
    failed.fails_with(7, "tls_failed");
    assert!(failed.stderr.contains("SSL_CERT_FILE") && failed.stderr.contains("is empty"), "{failed:?}");
    let untrusted = run(&arguments, &[("SSL_CERT_FILE", "")]);
    untrusted.fails_with(7, "tls_failed");
    assert!(!untrusted.stderr.contains("The variable SSL_CERT_FILE"), "empty is not set: {untrusted:?}");
}
