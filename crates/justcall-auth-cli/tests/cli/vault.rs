//! `setup`, `verify` and `rotate` with a pair in a real OpenBao.

use justcall_auth_vault_tests::Bao;
use serde_json::{Value, json};

use crate::rotation::{ACCOUNT, Rotation};

const SOURCE: &str = "vault:secret/justcall";

/// Returns the environment of the command, with the token that may do everything.
fn variables(bao: &Bao) -> [(String, String); 3] {
    let value = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    [
        value("VAULT_ADDR", &bao.address()),
        value("VAULT_CACERT", &bao.ca_file().display().to_string()),
        value("VAULT_TOKEN", bao.root_token()),
    ]
}

#[test]
fn it_stores_a_first_pair_and_replaces_it_in_a_secret_of_vault() {
    let (rotation, bao) = (Rotation::after_reset(), Bao::start());
    let variables = variables(&bao);
    let variables = variables.each_ref().map(|(name, value)| (name.as_str(), value.as_str()));
    let (key, secret) = rotation.new_halves();
    let feed = |arguments: &[&str], input: &str| {
        let done = rotation.feed(arguments, &variables, input);
        let shown = format!("{done:?}");
        assert!(!shown.contains(secret) && !shown.contains(bao.root_token()), "{shown}");
        done
    };
    // Another program keeps a field in the same secret.
    bao.store("justcall", &json!({"note": "ours"}));
    let missing = feed(&["verify", "--source", SOURCE], "");
    missing.fails_with(3, "credentials_malformed");
    assert!(missing.stderr.contains("vault kv patch -mount=secret justcall"), "{missing:?}");
    let done = feed(&["setup", "--source", SOURCE], &rotation.new);
    assert_eq!((done.exit, done.stderr.as_str()), (0, ""), "{done:?}");
    assert!(done.stdout.contains("the policies of Vault decide who can read it"), "{done:?}");
    let stored = bao.stored("justcall");
    assert_eq!((&stored["api_key"], &stored["api_secret"]), (&Value::from(key), &Value::from(secret)));
    assert_eq!(stored["note"], "ours");
    assert_eq!(feed(&["verify", "--source", SOURCE], "").exit, 0);
    feed(&["setup", "--source", SOURCE], &rotation.new).fails_with(1, "source_unavailable");

    let reset = rotation.service.control("POST", "reset", &json!({"api_key": key}));
    let half = |name: &str| reset[name].as_str().expect("text");
    let next = format!("{}:{}", half("api_key"), half("api_secret"));
    let rotate = ["rotate", "--source", SOURCE, "--expected-account", ACCOUNT];
    let tried = feed(&[rotate.as_slice(), &["--dry-run"]].concat(), &next);
    assert!(tried.exit == 0 && tried.stdout.contains("Nothing was changed"), "{tried:?}");
    assert_eq!(bao.stored("justcall"), stored);
    let rotated = feed(&[rotate.as_slice(), &["--compromised"]].concat(), &next);
    assert_eq!((rotated.exit, rotated.stderr.as_str()), (0, ""), "{rotated:?}");
    assert!(rotated.stdout.contains("The other fields of the secret are unchanged."), "{rotated:?}");
    let stored = bao.stored("justcall");
    assert_eq!(stored["api_secret"], half("api_secret"));
    assert_eq!(
        (&stored["note"], &stored["previous_compromised"]),
        (&Value::from("ours"), &Value::from(true))
    );
    let again = feed(&rotate, &next);
    assert!(again.exit == 0 && again.stdout.contains("already contains the pair"), "{again:?}");
    assert_eq!(bao.stored("justcall"), stored, "nothing is written twice");
}

#[test]
fn it_refuses_before_it_asks_for_a_pair_what_vault_would_refuse() {
    let (rotation, bao) = (Rotation::after_reset(), Bao::start());
    let old = rotation.old();
    let (key, secret) = old.split_once(':').expect("a pair");
    bao.store("justcall", &json!({"api_key": key, "api_secret": secret}));
    bao.permit("reader", "justcall", &["read"]);
    let token = bao.token(&["reader"], "1h");
    let variables = variables(&bao);
    let mut variables = variables.each_ref().map(|(name, value)| (name.as_str(), value.as_str()));
    variables[2].1 = &token;
    let refused = rotation.feed(&["rotate", "--source", SOURCE], &variables, &rotation.new);
    refused.fails_with(1, "source_unavailable");
    assert!(refused.stderr.contains("capabilities = [\"update\"]"), "{refused:?}");
    assert!(!format!("{refused:?}").contains(secret), "{refused:?}");
    bao.seal();
    let sealed = rotation.feed(&["verify", "--source", SOURCE], &variables, "");
    sealed.fails_with(1, "source_unavailable");
    assert!(sealed.stderr.contains("vault operator unseal"), "{sealed:?}");
}
