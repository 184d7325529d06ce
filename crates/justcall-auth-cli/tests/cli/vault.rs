//! `setup`, `verify` and `rotate` with a pair in a real OpenBao.

use std::path::{Path, PathBuf};
use std::process::Command;

use justcall_auth_vault_tests::{Bao, program};
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

/// Returns the first example of the section about Vault in the guide.
fn example() -> String {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide/sources.md");
    let guide = std::fs::read_to_string(guide).expect("the guide");
    let section = guide.split("## `vault:`").nth(1).expect("a section");
    section.split("```sh\n").nth(1).and_then(|rest| rest.split("```").next()).expect("an example").to_owned()
}

#[test]
fn its_example_in_the_guide_runs() {
    let (rotation, bao) = (Rotation::after_reset(), Bao::start());
    let (key, secret) = rotation.new_halves();
    let folder = rotation.folder.path();
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).expect("a file");
    write("pair.json", &json!({"api_key": key, "api_secret": secret}).to_string());
    write("token", bao.root_token());
    let mut address = rotation.service.address.clone();
    address.insert(0, "verify".to_owned());
    let replaced = [
        ("https://vault.example:8200", bao.address()),
        ("/etc/vault/ca.pem", bao.ca_file().display().to_string()),
        // The command asks on a terminal. With a dash it reads standard input.
        ("vault login", "vault login -no-print - < token".to_owned()),
        ("justcall-auth verify", format!("justcall-auth {}", address.join(" "))),
        ("vault ", "bao ".to_owned()),
    ];
    let script = replaced.iter().fold(example(), |script, (from, to)| {
        assert!(script.contains(from), "the example has no {from}:\n{script}");
        script.replace(from, to)
    });
    let commands = [env!("CARGO_BIN_EXE_justcall-auth").into(), program()];
    let folders = commands.iter().filter_map(|command: &PathBuf| command.parent());
    let path =
        std::env::join_paths(folders.chain([Path::new("/usr/bin"), Path::new("/bin")])).expect("a path");
    let output = Command::new("sh")
        .args(["-ec", &script])
        .current_dir(folder)
        .env_clear()
        .env("HOME", folder)
        .env("PATH", path)
        .output()
        .expect("a shell");
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && stdout.contains("12345"), "{script}\n{stdout}{stderr}");
    assert!(folder.join(".vault-token").exists(), "the login stored the token");
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
