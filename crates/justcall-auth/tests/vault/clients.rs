//! Clients whose pair is in Vault.

use std::fs;
use std::time::Duration;

use justcall_auth::{Client, ErrorKind};
use justcall_auth_sandbox::Sandbox;
use serde_json::{Value, json};

use crate::sandboxes::{bare_config, requests, sandbox};
use crate::support::{bao, new_path};

/// A token and a secret for one client.
struct Tenant {
    path: String,
    token: String,
    spelling: String,
    _folder: tempfile::TempDir,
}

impl Tenant {
    fn new(ttl: &str) -> Self {
        let (path, folder) = (new_path(), tempfile::tempdir().expect("a folder"));
        bao().permit(&path, &path, &["read"]);
        let token = bao().token(&[&path], ttl);
        let file = folder.path().join("token");
        fs::write(&file, &token).expect("a file");
        let (address, ca) = (bao().address(), bao().ca_file().display());
        let spelling = format!("vault:{address}/secret/{path}?ca={ca}&token_file={}", file.display());
        Self { path, token, spelling, _folder: folder }
    }

    fn store(&self, key: &str, secret: &str) {
        bao().store(&self.path, &json!({"api_key": key, "api_secret": secret}));
    }

    fn client(&self, sandbox: &Sandbox) -> Client {
        let mut config = bare_config(sandbox);
        config.set_source(&self.spelling).expect("a source").set_max_retries(2);
        Client::new(&config).expect("a client")
    }

    /// Returns how many seconds the token has left.
    fn left(&self) -> u64 {
        let (_, answer) = bao().request("GET", "auth/token/lookup-self", Some(&self.token), &Value::Null);
        answer["data"]["ttl"].as_u64().expect("a number")
    }
}

#[test]
fn it_finds_the_new_pair_in_vault_after_a_reset() {
    let (sandbox, tenant) = (sandbox(), Tenant::new("1h"));
    tenant.store(sandbox.api_key(), sandbox.api_secret());
    let client = tenant.client(&sandbox);
    client.verify().expect("the first pair");
    let reset = json!({"api_key": sandbox.api_key()});
    let new = sandbox.control("POST", "reset", &reset).expect("a reset");
    let half = |name: &str| new[name].as_str().expect("a text");
    tenant.store(half("api_key"), half("api_secret"));
    client.verify().expect("the new pair");
    assert_eq!(client.generation(), 2);

    // Without a valid token, the pair in use stays, and a reload reports the reason.
    bao().post("auth/token/revoke", &json!({"token": tenant.token}));
    let error = client.reload().expect_err("the token was revoked");
    assert_eq!((error.kind(), error.reason()), (ErrorKind::SourceUnavailable, Some("vault_token")));
    client.verify().expect("the pair in use");
}

#[test]
fn it_never_remembers_that_there_was_no_pair() {
    let (sandbox, tenant) = (sandbox(), Tenant::new("1h"));
    let client = tenant.client(&sandbox);
    for _ in 0..2 {
        let error = client.verify().expect_err("there is no secret");
        assert_eq!((error.kind(), error.reason()), (ErrorKind::CredentialsMissing, Some("vault_absent")));
        assert!(!error.request_sent());
    }
    assert!(requests(&sandbox).is_empty());
    tenant.store(sandbox.api_key(), sandbox.api_secret());
    client.verify().expect("the pair is there now");
}

#[test]
fn it_renews_its_token_in_calls() {
    let sandbox = sandbox();
    // A third of the life of an hour is 1200 seconds, so the renewal is due some seconds after the first read. A slow
    // machine needs more of them to prove that it was not the first read that renewed the token.
    let (tenant, client) = [3, 12, 48]
        .into_iter()
        .find_map(|seconds| {
            let tenant = Tenant::new("1h");
            tenant.store(sandbox.api_key(), sandbox.api_secret());
            let increment = format!("{}s", 1200 + seconds);
            bao().post("auth/token/renew", &json!({"token": tenant.token, "increment": increment}));
            let client = tenant.client(&sandbox);
            client.verify().expect("the pair");
            (tenant.left() <= 1200 + seconds).then_some((tenant, client))
        })
        .expect("the machine is faster than this");
    bao().wait_until("the token is renewed", || {
        client.verify().expect("the pair");
        std::thread::sleep(Duration::from_millis(100));
        tenant.left() > 3000
    });
    assert_eq!(client.generation(), 1);
}
