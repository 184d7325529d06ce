//! Every failure has its reason, and a hint with a command of Vault.

use std::io::Write as _;
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use justcall_auth::{CallOptions, Cancel, ErrorKind, Source};
use justcall_auth_vault_tests::Bao;
use serde_json::{Value, json};

use crate::support::{KEY, SECRET, Variables, bao, new_path, read_request, stored};

/// Checks the failure of `spelling`: its kind, its reason, and words of its message and hint.
fn fails(variables: &Variables, spelling: &str, kind: ErrorKind, reason: &str, message: &str, hint: &str) {
    let error = variables.load(spelling).map(drop).expect_err(spelling);
    assert_eq!((error.kind(), error.reason()), (kind, Some(reason)), "{spelling}: {error:?}");
    assert!(error.message().contains(message), "{spelling}: {error}");
    assert!(error.hint().contains(hint), "{spelling}: {}", error.hint());
    assert!(!error.request_sent(), "nothing was sent to the service");
}

#[test]
fn it_distinguishes_what_is_wrong_with_the_secret() {
    let (path, root) = (stored(), Variables::root());
    let spelling = |path: &str| format!("vault:secret/{path}");
    let missing = ErrorKind::CredentialsMissing;
    fails(
        &root,
        &spelling(&new_path()),
        missing,
        "vault_absent",
        "does not exist",
        "vault kv put -mount=secret",
    );

    bao().request("DELETE", &format!("secret/data/{path}"), Some(bao().root_token()), &Value::Null);
    fails(
        &root,
        &spelling(&path),
        missing,
        "vault_deleted",
        "version 1 was deleted",
        "vault kv undelete -mount=secret -versions=1",
    );
    bao().post(&format!("secret/destroy/{path}"), &json!({"versions": [1]}));
    fails(
        &root,
        &spelling(&path),
        missing,
        "vault_destroyed",
        "version 1 was destroyed",
        "vault kv metadata get",
    );

    let unavailable = ErrorKind::SourceUnavailable;
    bao().post(&format!("sys/mounts/{path}"), &json!({"type": "kv", "options": {"version": "1"}}));
    for mount in ["nowhere", &path] {
        let spelling = format!("vault:{mount}/justcall");
        fails(
            &root,
            &spelling,
            unavailable,
            "vault_mount",
            "no KV engine of version 2",
            "vault secrets list -detailed",
        );
    }

    let malformed = ErrorKind::CredentialsMalformed;
    for (fields, message) in [
        (json!({"api_key": KEY}), "has no `api_secret`"),
        (json!({"api_secret": SECRET}), "has no `api_key`"),
        (json!({"API_KEY": KEY, "API_SECRET": SECRET}), "has no `api_key`"),
        (json!({"api_key": KEY, "api_secret": {"value": SECRET}}), "is not text"),
        (json!({"api_key": 7, "api_secret": SECRET}), "is not text"),
        (json!({"api_key": KEY, "api_secret": SECRET, "created_at": "yesterday"}), "created_at"),
    ] {
        let path = new_path();
        bao().store(&path, &fields);
        fails(&root, &spelling(&path), malformed, "vault_field", message, "vault kv patch");
    }
    let path = new_path();
    bao().store(&path, &json!({"api_key": KEY, "api_secret": format!("{SECRET} ")}));
    fails(&root, &spelling(&path), malformed, "trailing_whitespace", "(version 1)", "Nothing was sent");
}

#[test]
fn it_distinguishes_a_token_without_rights_from_an_invalid_one() {
    let path = stored();
    let spelling = format!("vault:secret/{path}");
    let unavailable = ErrorKind::SourceUnavailable;
    bao().permit(&format!("{path}-list"), &path, &["list"]);
    bao().permit(&path, &path, &["read"]);
    let good = bao().token(&[&path], "1h");
    Variables::with_token(&good).load(&spelling).expect("the control: the token may read");
    let weak = bao().token(&[&format!("{path}-list")], "1h");
    fails(
        &Variables::with_token(&weak),
        &spelling,
        unavailable,
        "vault_denied",
        "do not permit to read",
        "vault token capabilities",
    );
    bao().post("auth/token/revoke", &json!({"token": good}));
    for token in [good.as_str(), "canary-of-no-token"] {
        fails(
            &Variables::with_token(token),
            &spelling,
            unavailable,
            "vault_token",
            "expired, was revoked",
            "vault token lookup",
        );
    }
    let none = Variables::of(bao()).with("HOME", "/nonexistent");
    fails(&none, &spelling, unavailable, "vault_token", "there is no token", "vault login");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("token");
    let named = format!("{spelling}?token_file={}", file.display());
    fails(&none, &named, unavailable, "vault_login", "token", "Check the path");
    for content in ["", "\n", "two words", "quoted\"", "two\nlines"] {
        std::fs::write(&file, content).expect("a file");
        fails(&none, &named, unavailable, "vault_login", "contains no token", "one line");
    }
}

#[test]
fn it_reports_a_sealed_server() {
    let bao = Bao::start();
    bao.store("a", &json!({"api_key": KEY, "api_secret": SECRET}));
    let variables = Variables::of(&bao).with("VAULT_TOKEN", bao.root_token());
    variables.load("vault:secret/a").expect("a pair");
    bao.seal();
    fails(
        &variables,
        "vault:secret/a",
        ErrorKind::SourceUnavailable,
        "vault_sealed",
        "Vault is sealed (HTTP 503)",
        "vault operator unseal",
    );
    bao.unseal();
    bao.wait_until("the server is active", || variables.load("vault:secret/a").is_ok());
}

#[test]
fn it_reports_a_server_that_cannot_be_reached_or_trusted() {
    let (path, root) = (stored(), Variables::root());
    let spelling = format!("vault:secret/{path}");
    let unavailable = ErrorKind::SourceUnavailable;
    let dead = root.clone().with("VAULT_ADDR", "https://127.0.0.1:1");
    fails(
        &dead,
        &spelling,
        unavailable,
        "connect",
        "Vault's host refused the connection",
        "vault status -address=https://127.0.0.1:1",
    );
    let untrusted = root.clone().without("VAULT_CACERT");
    fails(
        &untrusted,
        &spelling,
        unavailable,
        "vault_tls",
        "an authority that is not trusted here",
        "VAULT_CACERT",
    );
    let unverified = untrusted.with("VAULT_SKIP_VERIFY", "true").with("BAO_SKIP_VERIFY", "1");
    fails(&unverified, &spelling, unavailable, "vault_tls", "not trusted", "VAULT_SKIP_VERIFY has no effect");
    let http = bao().address().replace("https", "http");
    fails(
        &root.clone().with("VAULT_ADDR", &http),
        &spelling,
        unavailable,
        "vault_answer",
        "HTTP 400",
        "vault status",
    );
    let https = bao().plain_address().replace("http", "https");
    fails(
        &root.clone().with("VAULT_ADDR", &https),
        &spelling,
        unavailable,
        "vault_tls",
        "does not speak TLS",
        "vault status",
    );

    let invalid = ErrorKind::InvalidArgument;
    for (address, message) in [
        ("", "VAULT_ADDR is not set"),
        ("http://192.0.2.1:8200", "http://, which would send the secret unencrypted"),
        ("vault.example:8200", "does not start with a scheme"),
        ("unix:///run/vault.sock", "is not a URL"),
        ("https://user:canary@host", "user name or password"),
    ] {
        fails(
            &root.clone().with("VAULT_ADDR", address),
            &spelling,
            invalid,
            "vault_address",
            message,
            "https://host",
        );
    }
    let injected = root.clone().with("VAULT_NAMESPACE", "a\r\nX-Vault-Token: b");
    let error = injected.load(&spelling).expect_err("it is no header");
    assert!(error.message().contains("namespace of Vault contains a control character"), "{error}");
    let error = root.clone().with("VAULT_CACERT", "/nonexistent").load(&spelling).expect_err("no file");
    assert!(error.message().contains("CA file /nonexistent"), "{error}");
}

/// Answers every request with `answer` until the test ends. Returns the address, without TLS, and the number of requests.
fn answering(answer: String) -> (String, &'static AtomicUsize) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let requests: &AtomicUsize = Box::leak(Box::default());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            requests.fetch_add(1, Ordering::SeqCst);
            read_request(&mut stream);
            if answer.is_empty() {
                // Never answers, and keeps the connection.
                Box::leak(Box::new(stream));
            } else {
                let _early_close = stream.write_all(answer.as_bytes());
            }
        }
    });
    (address, requests)
}

fn http(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{headers}connection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

#[test]
fn it_reports_answers_that_vault_does_not_give_or_that_no_request_may_follow() {
    let (elsewhere, followed) = answering(http("200 OK", "", "{}"));
    let location = format!("location: {elsewhere}/v1/secret/data/a\r\n");
    for (answer, reason, message) in [
        (http("307 Temporary Redirect", &location, ""), "vault_standby", "redirects are never followed"),
        (http("301 Moved Permanently", &location, ""), "vault_standby", "HTTP 301"),
        (http("473 Standby", "", "{}"), "vault_standby", "standby"),
        (
            http(
                "500 Error",
                "",
                "{\"errors\":[\"local node not active but active cluster node not found\"]}",
            ),
            "vault_standby",
            "HTTP 500",
        ),
        (http("429 Too Many Requests", "", "{}"), "vault_busy", "HTTP 429"),
        (http("500 Error", "", "{\"errors\":[\"internal error\"]}"), "vault_failed", "HTTP 500"),
        (
            http("400 Bad Request", "", "{\"errors\":[\"Upgrading from non-versioned to versioned data.\"]}"),
            "vault_failed",
            "HTTP 400",
        ),
        (http("503 Unavailable", "", "<html>"), "vault_failed", "HTTP 503"),
        (http("200 OK", "", "<html>canary</html>"), "vault_answer", "not that of a KV engine"),
        (
            http("200 OK", "", "{\"data\":{\"data\":7,\"metadata\":{\"version\":1}}}"),
            "vault_answer",
            "not that of a KV engine",
        ),
        (http("200 OK", "", "{\"data\":{\"data\":{}}}"), "vault_answer", "not that of a KV engine"),
        (http("418 Teapot", "", "{}"), "vault_answer", "HTTP 418"),
        (http("200 OK", "", &"x".repeat(70_000)), "vault_answer", "longer than 65536 bytes"),
        ("SSH-2.0-canary\r\n\r\n".to_owned(), "vault_answer", "not valid HTTP"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{".to_owned(), "receive", "closed early"),
    ] {
        let (address, _) = answering(answer.clone());
        let variables = Variables::default().with("VAULT_ADDR", &address).with("VAULT_TOKEN", "canary-token");
        let short = &answer[..answer.len().min(99)];
        let error = variables.load("vault:secret/a").map(drop).expect_err(short);
        assert_eq!(
            (error.kind(), error.reason()),
            (ErrorKind::SourceUnavailable, Some(reason)),
            "{short}: {error:?}"
        );
        assert!(error.message().contains(message), "{short}: {error}");
        assert!(!format!("{error:?}").contains("canary"), "{error:?}");
        assert!(error.hint().contains("vault "), "{}", error.hint());
    }
    assert_eq!(followed.load(Ordering::SeqCst), 0, "no redirect was followed");
}

#[test]
fn it_ends_at_the_timeout_and_by_cancellation() {
    let (address, requests) = answering(String::new());
    let variables = Variables::default().with("VAULT_ADDR", &address).with("VAULT_TOKEN", "canary-token");
    let source = Source::parse("vault:secret/a").expect("a spelling");
    let mut options = CallOptions::new();
    options.set_timeout(Duration::from_millis(300));
    let error = source.load_with(&variables, &options).expect_err("no answer");
    assert_eq!((error.kind(), error.reason()), (ErrorKind::SourceUnavailable, Some("receive")), "{error:?}");
    assert!(error.message().contains("did not answer within 10 seconds or the timeout"), "{error}");
    let before = requests.load(Ordering::SeqCst);
    assert!(before > 0, "the control: the request arrived");

    let cancel = Cancel::new();
    let mut options = CallOptions::new();
    options.add_cancel(cancel.clone());
    let cancelled = thread::spawn(move || source.load_with(&variables, &options).map(drop));
    while requests.load(Ordering::SeqCst) == before {
        thread::yield_now();
    }
    cancel.fire();
    let error = cancelled.join().expect("no panic").expect_err("it was cancelled");
    assert_eq!(error.kind(), ErrorKind::Cancelled);
}
