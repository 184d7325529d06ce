//! A new pair in a secret, with check-and-set.

use std::io::Write as _;
use std::net::TcpListener;
use std::thread;

use justcall_auth::source::{Content, VaultSecret};
use justcall_auth::{Credentials, Error, ErrorKind, Source};
use serde_json::{Value, json};

use crate::support::{KEY, SECRET, Variables, bao, new_path, pair, read_request, stored};

const AT: &str = "2026-11-24T16:10:00Z";
const NEW: &str = "newkey123456:newsecret123";

/// Returns the spelling of the secret at `path`, with everything that the environment could contain.
fn spelling(path: &str, token: &str, options: &str) -> (String, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("token");
    std::fs::write(&file, token).expect("a file");
    let (address, ca) = (bao().address(), bao().ca_file().display());
    (format!("vault:{address}/secret/{path}?ca={ca}&token_file={}{options}", file.display()), folder)
}

fn open(spelling: &str) -> Result<VaultSecret, Error> {
    Source::parse(spelling).expect("a spelling").vault_secret().expect("a source of Vault")
}

fn write(secret: &VaultSecret, previous_compromised: bool) -> Result<(), Error> {
    let credentials = Credentials::parse(NEW.as_bytes()).expect("a good pair");
    let result = secret.write(&Content { credentials: &credentials, created_at: AT, previous_compromised });
    if let Err(error) = &result {
        let shown = format!("{error:?} {secret:?}");
        assert!(!shown.contains("newsecret") && !shown.contains(SECRET), "{shown}");
    }
    result
}

#[test]
fn it_replaces_the_pair_and_keeps_the_other_fields() {
    let path = new_path();
    let old = json!({
        "note": "ours, \"quoted\" \u{fc}", "api_secret": SECRET, "n": 1.50, "nested": {"api_key": "x", "list": [1, null]}, "api_key": KEY,
    });
    bao().store(&path, &old);
    let (spelling, _folder) = spelling(&path, bao().root_token(), "");
    let secret = open(&spelling).expect("a secret");
    assert!(secret.has_pair() && secret.place().contains(&format!("The secret secret/{path} in Vault at")));
    write(&secret, true).expect("it can be written");
    let mut expected = old;
    for (name, value) in [("api_key", "newkey123456"), ("api_secret", "newsecret123"), ("created_at", AT)] {
        expected[name] = value.into();
    }
    expected["previous_compromised"] = true.into();
    assert_eq!(bao().stored(&path), expected);
    let loaded = Variables::root().load(&spelling).expect("a pair");
    assert!(pair(&loaded) == NEW && loaded.pair.previous_compromised);
}

#[test]
fn it_writes_to_other_fields_and_creates_a_secret() {
    let path = stored();
    let (named, _folder) = spelling(&path, bao().root_token(), "&key=k&secret=s");
    let secret = open(&named).expect("a secret");
    assert!(!secret.has_pair(), "it has fields with other names");
    write(&secret, false).expect("it can be written");
    let stored = bao().stored(&path);
    assert_eq!(stored["k"], "newkey123456");
    assert_eq!((&stored["api_key"], &stored["note"]), (&Value::from(KEY), &Value::from("ours")));

    let path = new_path();
    let (absent, _folder) = spelling(&path, bao().root_token(), "");
    let secret = open(&absent).expect("a path");
    assert!(!secret.has_pair());
    write(&secret, false).expect("it can be written");
    assert_eq!(bao().stored(&path)["api_secret"], "newsecret123");
    bao().request("DELETE", &format!("secret/data/{path}"), Some(bao().root_token()), &Value::Null);
    write(&open(&absent).expect("a path"), false).expect("a deleted secret gets a new version");
    assert_eq!(bao().get(&format!("secret/data/{path}"))["data"]["metadata"]["version"], 2);
}

#[test]
fn it_notices_another_writer_and_changes_nothing() {
    for exists in [true, false] {
        let path = if exists { stored() } else { new_path() };
        let (spelling, _folder) = spelling(&path, bao().root_token(), "");
        let secret = open(&spelling).expect("a secret");
        let theirs = json!({"api_key": "their-key-1", "api_secret": "their-secret-1"});
        bao().store(&path, &theirs);
        let error = write(&secret, false).expect_err("another writer was faster");
        assert_eq!((error.kind(), error.reason()), (ErrorKind::SourceUnavailable, Some("vault_conflict")));
        assert!(error.message().contains("Nothing was changed"), "{error}");
        assert!(error.hint().contains("vault kv metadata get"), "{}", error.hint());
        assert_eq!(bao().stored(&path), theirs);
        write(&open(&spelling).expect("a secret"), false).expect("the next run");
    }
}

/// Starts a server that is sealed, but stores `fields` at `path` and then answers 502 when a pair is to be written. Returns
/// its address.
fn failing_after_a_write(path: &str, fields: &Value) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let (line, path, fields) = (format!("POST /v1/secret/data/{path} "), path.to_owned(), fields.clone());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let status = if read_request(&mut stream).starts_with(line.as_bytes()) {
                bao().store(&path, &fields);
                "502 Bad Gateway"
            } else {
                "503 Vault is sealed"
            };
            let body = "{\"errors\":[\"Vault is sealed\"]}";
            let body = if status.starts_with("503") { body } else { "" };
            let length = body.len();
            let _early_close = write!(stream, "HTTP/1.1 {status}\r\ncontent-length: {length}\r\n\r\n{body}");
        }
    });
    address
}

#[test]
fn it_does_not_claim_to_know_whether_a_write_arrived_that_a_gateway_answered() {
    let path = stored();
    let theirs = json!({"api_key": "newkey123456", "api_secret": "newsecret123"});
    let gateway = failing_after_a_write(&path, &theirs);
    let (spelling, _folder) = spelling(&path, bao().root_token(), "");
    let spelling = spelling.replacen("vault:", &format!("vault:{gateway},"), 1);
    let error = write(&open(&spelling).expect("the second server answers"), false).expect_err("HTTP 502");
    assert_eq!((error.kind(), error.reason()), (ErrorKind::SourceUnavailable, Some("vault_failed")));
    assert!(error.message().contains("It is unknown whether Vault stored the new pair"), "{error}");
    assert!(!error.message().contains("Nothing was changed"), "{error}");
    assert_eq!(bao().stored(&path), theirs);
    assert_eq!(
        bao().get(&format!("secret/data/{path}"))["data"]["metadata"]["version"],
        2,
        "it is sent once"
    );
}

#[test]
fn it_refuses_before_it_is_needed_what_it_could_not_write() {
    let path = stored();
    for (capabilities, act) in [(["read"].as_slice(), "update"), (&["read", "create"], "update")] {
        let policy = new_path();
        bao().permit(&policy, &path, capabilities);
        let (spelling, _folder) = spelling(&path, &bao().token(&[&policy], "1h"), "");
        let error = open(&spelling).map(drop).expect_err("the token may only read");
        assert_eq!((error.kind(), error.reason()), (ErrorKind::SourceUnavailable, Some("vault_denied")));
        assert!(error.message().contains(&format!("do not permit to {act} it")), "{error}");
        assert!(error.hint().contains(&format!("capabilities = [\"{act}\"]")), "{}", error.hint());
    }
    let policy = new_path();
    bao().permit(&policy, &path, &["read", "update"]);
    let (good, _folder) = spelling(&path, &bao().token(&[&policy], "1h"), "");
    let secret = open(&good).expect("the control: the token may write");
    // The rights may change before the write.
    bao().permit(&policy, &path, &["read"]);
    let error = write(&secret, false).expect_err("it may no longer write");
    assert_eq!(error.reason(), Some("vault_denied"), "{error:?}");
    assert!(
        error.message().contains("cannot be written") && error.message().contains("Nothing was changed"),
        "{error}"
    );
    assert_eq!(bao().stored(&path)["api_secret"], SECRET);

    bao().store(&path, &json!({"api_key": {"prod": KEY}, "api_secret": SECRET}));
    let (spelling, _folder) = spelling(&path, bao().root_token(), "");
    let error = open(&spelling).map(drop).expect_err("an object");
    assert_eq!(error.kind(), ErrorKind::CredentialsMalformed);
    assert!(
        error.message().contains("an object or a list") && !format!("{error:?}").contains(KEY),
        "{error}"
    );
}
