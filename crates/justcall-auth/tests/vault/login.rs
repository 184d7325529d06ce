//! The logins: `AppRole`, JWT, and the renewal of tokens.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use justcall_auth::{Error, ErrorKind, Source};
use justcall_auth_vault_tests::{Bao, JwtIssuer};
use serde_json::{Value, json};

use crate::support::{KEY, SECRET, Variables, pair};

/// Starts a server with the pair at `secret/app`, which the policy `app` may read.
fn server() -> Bao {
    let bao = Bao::start();
    bao.store("app", &json!({"api_key": KEY, "api_secret": SECRET}));
    bao.permit("app", "app", &["read"]);
    bao
}

fn file(folder: &Path, name: &str, content: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, content).expect("a file");
    path.display().to_string()
}

fn is_pair(variables: &Variables, spelling: &str) {
    let loaded = variables.load(spelling).unwrap_or_else(|error| panic!("{spelling}: {error:?}"));
    assert_eq!(pair(&loaded), format!("{KEY}:{SECRET}"), "{spelling}");
}

fn is_refused(variables: &Variables, spelling: &str, message: &str) -> Error {
    let error = variables.load(spelling).map(drop).expect_err(spelling);
    assert_eq!(error.kind(), ErrorKind::SourceUnavailable, "{error:?}");
    assert_eq!(error.reason(), Some("vault_login"), "{error:?}");
    assert!(error.message().contains(message), "{error}");
    error
}

/// Returns the number of tokens that exist.
fn tokens(bao: &Bao) -> usize {
    let (_, answer) = bao.request("LIST", "auth/token/accessors", Some(bao.root_token()), &Value::Null);
    answer["data"]["keys"].as_array().expect("a list").len()
}

#[test]
fn it_logs_in_with_an_approle_once_for_several_reads() {
    let bao = server();
    let folder = tempfile::tempdir().expect("a folder");
    // Each secret_id is good for one login.
    let (role_id, secret_id) = bao.approle(&["app"], &json!({"secret_id_num_uses": 1, "token_ttl": "1h"}));
    let variables = Variables::of(&bao);
    let in_environment =
        variables.clone().with("VAULT_ROLE_ID", &role_id).with("VAULT_SECRET_ID", &secret_id);
    let spelling = "vault:secret/app?auth=approle";
    let source =
        Source::parse(spelling).and_then(|source| source.resolve(&in_environment)).expect("a source");
    let before = tokens(&bao);
    for read in 0..3 {
        let loaded = source.load(&in_environment).unwrap_or_else(|error| panic!("read {read}: {error:?}"));
        assert_eq!(pair(&loaded), format!("{KEY}:{SECRET}"));
    }
    assert_eq!(tokens(&bao), before + 1, "one login");
    let error = is_refused(&in_environment, spelling, "Vault refused the login at auth/approle (HTTP 400)");
    assert!(error.hint().contains("vault write auth/approle/login role_id=@FILE secret_id=@FILE"));

    let (role_id, secret_id) = bao.approle(&["app"], &json!({}));
    let role_id = file(folder.path(), "role", &format!("{role_id}\n"));
    let secret_id = file(folder.path(), "secret", &secret_id);
    let in_files = format!("{spelling}&role_id_file={role_id}&secret_id_file={secret_id}");
    is_pair(&variables, &in_files);
    is_refused(&variables, &in_files.replace("auth=approle", "auth=approle&auth_mount=other"), "auth/other");
    is_refused(&variables, spelling, "VAULT_ROLE_ID is not set");
    is_refused(&variables.clone().with("VAULT_ROLE_ID", "x"), spelling, "VAULT_SECRET_ID is not set");
    is_refused(
        &variables,
        &in_files.replace("secret_id_file=", "secret_id_file=/nonexistent"),
        "cannot be read",
    );
    is_refused(
        &variables.with("VAULT_ROLE_ID", "x\"y").with("VAULT_SECRET_ID", "x"),
        spelling,
        "contains no token",
    );
}

#[test]
fn it_logs_in_again_if_its_token_was_revoked_or_has_expired() {
    let bao = server();
    let (role_id, secret_id) = bao.approle(&["app"], &json!({"token_ttl": "1h"}));
    let variables = Variables::of(&bao).with("VAULT_ROLE_ID", &role_id).with("VAULT_SECRET_ID", &secret_id);
    let source = Source::parse("vault:secret/app?auth=approle").and_then(|source| source.resolve(&variables));
    let source = source.expect("a source");
    let before = tokens(&bao);
    source.load(&variables).expect("a pair");
    bao.request("POST", "sys/leases/revoke-prefix/auth/approle/login", Some(bao.root_token()), &json!({}));
    bao.wait_until("the token is revoked", || tokens(&bao) == before);
    assert_eq!(pair(&source.load(&variables).expect("a new login")), format!("{KEY}:{SECRET}"));
    assert_eq!(tokens(&bao), before + 1);

    // A role that may no longer read is refused with the right reason.
    bao.permit("app", "other", &["read"]);
    let error = source.load(&variables).expect_err("the policy has changed");
    assert_eq!(error.reason(), Some("vault_denied"), "{error:?}");

    let (role_id, secret_id) = bao.approle(&["app"], &json!({"token_ttl": "1s", "token_max_ttl": "1s"}));
    bao.permit("app", "app", &["read"]);
    let variables = Variables::of(&bao).with("VAULT_ROLE_ID", &role_id).with("VAULT_SECRET_ID", &secret_id);
    let source = Source::parse("vault:secret/app?auth=approle").and_then(|source| source.resolve(&variables));
    let source = source.expect("a source");
    for _ in 0..3 {
        assert_eq!(pair(&source.load(&variables).expect("a pair")), format!("{KEY}:{SECRET}"));
        std::thread::sleep(Duration::from_millis(1100));
    }
}

#[test]
fn it_logs_in_with_a_jwt_as_of_a_kubernetes_service_account() {
    let bao = server();
    let (issuer, folder) = (JwtIssuer::default(), tempfile::tempdir().expect("a folder"));
    for mount in ["jwt", "cluster/kubernetes"] {
        bao.post(&format!("sys/auth/{mount}"), &json!({"type": "jwt"}));
        bao.post(&format!("auth/{mount}/config"), &json!({"jwt_validation_pubkeys": [issuer.public_key()]}));
        let role = json!({
            "role_type": "jwt",
            "user_claim": "sub",
            "bound_audiences": ["vault"],
            "bound_subject": "system:serviceaccount:shop:app",
            "token_policies": ["app"],
        });
        bao.post(&format!("auth/{mount}/role/shop"), &role);
    }
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_secs();
    let claims = |subject: &str, expires: u64| json!({"iss": "https://kubernetes.default.svc", "aud": ["vault"], "sub": subject, "iat": now - 1000, "nbf": now - 1000, "exp": expires});
    let subject = "system:serviceaccount:shop:app";
    let good = issuer.sign(&claims(subject, now + 3600));
    let jwt = file(folder.path(), "jwt", &good);
    let variables = Variables::of(&bao);
    let spelling = format!("vault:secret/app?auth=jwt&jwt_file={jwt}");
    is_pair(&variables, &format!("{spelling}&role=shop"));
    is_pair(&variables.clone().with("VAULT_ROLE", "shop"), &spelling);
    is_pair(&variables, &format!("{spelling}&role=shop&auth_mount=cluster/kubernetes"));

    let error = variables.load(&spelling).expect_err("no role");
    assert_eq!((error.kind(), error.reason()), (ErrorKind::InvalidArgument, Some("vault_login")));
    is_refused(&variables, &format!("{spelling}&role=other"), "refused the login at auth/jwt");
    is_refused(&variables, &format!("{spelling}&role=a\",\"b"), "the role contains no token, role");
    let stranger = JwtIssuer::default();
    for (bad, why) in [
        (issuer.sign(&claims("system:serviceaccount:shop:other", now + 3600)), "another subject"),
        (issuer.sign(&claims(subject, now - 500)), "expired"),
        (stranger.sign(&claims(subject, now + 3600)), "another issuer"),
        ("not-a-jwt".to_owned(), "no JWT"),
    ] {
        fs::write(&jwt, &bad).expect("a file");
        let error =
            is_refused(&variables, &format!("{spelling}&role=shop"), "refused the login at auth/jwt (HTTP 4");
        assert!(error.hint().contains("vault write auth/jwt/login role=NAME jwt=@FILE"), "{why}");
        assert!(!format!("{error:?}").contains(&bad), "{why}");
    }
    // Kubernetes replaces the file long before it expires.
    fs::write(&jwt, &good).expect("a file");
    is_pair(&variables, &format!("{spelling}&role=shop"));
}

/// Returns how many seconds `token` has left.
fn left(bao: &Bao, token: &str) -> u64 {
    bao.request("GET", "auth/token/lookup-self", Some(token), &Value::Null).1["data"]["ttl"]
        .as_u64()
        .expect("a number")
}

#[test]
fn it_renews_a_token_after_two_thirds_of_its_life() {
    let bao = server();
    let token = bao.token(&["app"], "1h");
    let variables = Variables::of(&bao).with("VAULT_TOKEN", &token);
    let shorten = |seconds: u64| {
        let increment = json!({"token": token, "increment": format!("{seconds}s")});
        bao.post("auth/token/renew", &increment);
        assert!(left(&bao, &token) <= seconds, "the control");
    };
    shorten(2000);
    is_pair(&variables, "vault:secret/app");
    assert!(left(&bao, &token) <= 2000, "a third of its life is 1200 seconds");
    shorten(1000);
    is_pair(&variables, "vault:secret/app");
    assert!(left(&bao, &token) > 3000, "it was renewed");

    // The question about its life does not come before the read, so a token for one use can read.
    let limits = json!({"policies": ["app"], "ttl": "1h", "num_uses": 1});
    let once = bao.post("auth/token/create", &limits)["auth"]["client_token"].clone();
    let once = variables.clone().with("VAULT_TOKEN", once.as_str().expect("a token"));
    is_pair(&once, "vault:secret/app");
    let error = once.load("vault:secret/app").expect_err("the control: it was used");
    assert_eq!(error.reason(), Some("vault_token"));

    // A token that may not be renewed still reads the pair.
    let rights = json!({"policy": "path \"auth/token/renew-self\" { capabilities = [\"deny\"] }"});
    bao.post("sys/policies/acl/final", &rights);
    let denied = bao.token(&["app", "final"], "1h");
    bao.post("auth/token/renew", &json!({"token": denied, "increment": "600s"}));
    is_pair(&variables.with("VAULT_TOKEN", &denied), "vault:secret/app");
    assert!(left(&bao, &denied) <= 600);
}
